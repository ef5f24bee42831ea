"""Pictures of states: a quick one while they change, a better and better one while they do not."""

from __future__ import annotations

import time
from typing import Any

import torch

from ...kernels.film import TILE
from ..program import BuildError
from ..render import Shot, ViewCache
from .pace import LIGHTS, Pace
from .progressive import Refinement, moving_picture
from .state import State

LINE = (1.0, 1.0, 1.0)  # between the two halves of a split picture


class Painter:
    """Makes the picture of each state, with what can be kept of the one before.

    Args:
        samples: rays a pixel that a picture at rest comes to.
        whole_passes: every picture is a whole pass, however long it takes.
        direct: whether the subject is a neural shape, traced by its network at rest.
        direct_beside: whether that of what is beside it is.
    """

    def __init__(self, *, samples: int, whole_passes: bool, direct: bool = False, direct_beside: bool = False) -> None:
        self.samples, self.whole_passes = samples, whole_passes
        self.direct, self.direct_beside = direct, direct_beside
        self.pace = Pace()
        self.status = ""
        self.unfit = ""  # why the last scene could not become a program
        self._key: Any = None
        self._refinement: Refinement | None = None
        self.forget()

    def forget(self) -> None:
        """Forget what was made of scenes: files that they read may have changed."""
        self._views, self._views_beside = ViewCache(direct=self.direct), ViewCache(direct=self.direct_beside)
        self._key = None

    @property
    def is_refining(self) -> bool:
        """Whether the picture of the last state gets better."""
        return self._refinement is not None and not self._refinement.done

    def shots(self, state: State) -> list[Shot]:
        """What is to be drawn: the scene, and what is beside it.

        Raises:
            BuildError: a scene does not fit the machine.
        """
        camera = state.pose.camera()
        shots = [self._views.shot(state.scene, camera, state.mode, state.layers)]
        if state.beside is not None:
            shots.append(self._views_beside.shot(state.beside, camera, state.mode, state.layers))
        return shots

    def prepare(self, state: State) -> None:
        """Compile what moving pictures take, so that no drag waits for it, and forget a pace measured by compiling."""
        try:
            shots = self.shots(state)
        except BuildError:  # `paint` tells it
            return
        for shot in shots:
            for light in LIGHTS:
                moving_picture(shot, TILE, TILE, light)
        self.pace = Pace()

    def paint(self, state: State, width: int, height: int) -> torch.Tensor | None:
        """The next picture (height, width, 3), sRGB in [0, 1], smaller while it moves; None if there is no new."""
        key = (state.scene, state.beside, state.pose, state.mode, state.layers, width, height)
        if self._key is None or any(a is not b and a != b for a, b in zip(key, self._key, strict=True)):
            self._key, self.unfit = key, ""
            try:
                shots = self.shots(state)
            except BuildError as error:  # a scene may be valid and not fit the machine
                self.unfit = str(error)
                return None
            self._refinement = Refinement(shots, width, height, self.samples)
            if not self.whole_passes:
                return self._quick(state, shots, width, height)
        return self._better(state, width, height)

    def _quick(self, state: State, shots: list[Shot], width: int, height: int) -> torch.Tensor:
        wide, high, light = self.pace.size(width, height)
        start = time.perf_counter()
        picture = side_by_side(state, [moving_picture(shot, wide, high, light) for shot in shots])
        seconds = time.perf_counter() - start
        self.pace = self.pace.moved(light, wide * high, seconds)
        self.status = f"{wide} x {high}, {1e3 * seconds:.0f} ms"
        return picture

    def _better(self, state: State, width: int, height: int) -> torch.Tensor | None:
        refinement = self._refinement
        if refinement is None:  # nothing could be drawn yet
            return None
        if not refinement.done:
            rows = refinement.rows if self.whole_passes else self.pace.rows(width, refinement.rows, TILE)
            start = time.perf_counter()
            refinement.step(rows)
            self.pace = self.pace.rested(min(rows, refinement.rows) * TILE * width, time.perf_counter() - start)
        done = refinement.passes - (self.samples > 1)
        self.status = f"{width} x {height}, {max(0, done)} of {self.samples} samples"
        return side_by_side(state, refinement.pictures) if refinement.pictures else None


def side_by_side(state: State, pictures: list[torch.Tensor]) -> torch.Tensor:
    """One picture, or the left part of the first and the right part of the second, parted by the state's line."""
    if len(pictures) == 1:
        return pictures[0]
    width = pictures[0].shape[1]
    at = min(max(round(state.split * width), 0), width)
    both = torch.cat([pictures[0][:, :at], pictures[1][:, at:]], dim=1)
    both[:, max(at - 1, 0) : at + 1] = both.new_tensor(LINE)
    return both
