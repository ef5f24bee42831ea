"""A scene made ready to be drawn with what lies over it, and pictures of it; what can be is kept between pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from ...kernels import Program
from ...kernels.film import Film, develop
from ..build import build_program
from ..scene import Camera, Scene
from .layers import Layers, layered
from .modes import Mode
from .overlay import box_of, draw_box, lines_on_cut
from .picture import Cast, View, cast, jittered, seen_of, view_of


@dataclass(frozen=True)
class Shot:
    """One picture to make: the scene as a view, and what is drawn over it."""

    view: View
    mode: Mode
    layers: Layers
    uncut: Program | None
    scene: Scene


class Views:
    """The view of the scene shown last, of which only what has changed is made anew for the next.

    With `direct` a subject that is a neural shape is traced by its network, unless it is cut or shown at a level.
    """

    def __init__(self, *, direct: bool = False) -> None:
        self.direct = direct
        self._kept: tuple[Scene, Layers, View, Program | None] | None = None
        self.built = 0  # programs made, for tests

    def shot(self, scene: Scene, camera: Camera | None, mode: Mode, layers: Layers) -> Shot:
        """What is to be drawn of a scene, by its own camera if none is given."""
        kept = self._kept
        if kept is None or kept[0] is not scene or kept[1] != layers:
            kept = self._kept = self._made(kept, scene, layers)
        view = kept[2] if camera is None else replace(kept[2], camera=camera)
        return Shot(view, mode, layers, kept[3], scene)

    def _made(
        self, kept: tuple[Scene, Layers, View, Program | None] | None, scene: Scene, layers: Layers
    ) -> tuple[Scene, Layers, View, Program | None]:
        if kept is not None and kept[1] == layers and _same_surfaces(kept[0], scene):
            view = replace(view_of(scene, program=kept[2].program), learned=kept[2].learned)
            return scene, layers, view, kept[3]
        self.built += 1
        uncut = None
        shown = layered(scene, layers)
        view = view_of(shown, direct=self.direct and shown is scene)
        if layers.slice is not None:
            whole = layered(scene, replace(layers, slice=None))
            uncut = build_program(whole, stage=False).to(view.program.rows.device)
        return scene, layers, view, uncut


def _same_surfaces(one: Scene, other: Scene) -> bool:
    """Whether the programs of two scenes are the same."""
    return (one.show, one.stage, one.bounds) == (other.show, other.stage, other.bounds) and (
        one.shapes == other.shapes and one.materials == other.materials
    )


def still(shot: Shot, width: int, height: int, samples: int, seed: int = 0) -> torch.Tensor:
    """The picture (height, width, 3) of `samples` rays a pixel, as `isofield render` makes it."""
    film = Film(height, width)
    sums = Sums(shot, film)
    for sample in range(samples):
        shift, jitter = jittered(sample, samples, seed)
        rays = cast(shot.view, film, shift)
        sums.add(rays, seen_of(shot.view, rays, shot.mode, jitter, False), 0, sample + 1)
    return sums.picture()


class Overlay:
    """What is drawn over a shot: the lines of a cut, the mean of all samples, and the box, as the first one sees it."""

    def __init__(self, shot: Shot, film: Film, depth: torch.Tensor | None = None) -> None:
        self.shot, self.film, self.count = shot, film, 0
        self.depth = depth  # of the first sample
        self._lines: tuple[torch.Tensor, torch.Tensor] | None = None

    def add(self, rays: Cast, start: int, count: int) -> None:
        """Add rays that are consecutive from `start` on, of the sample number `count`."""
        part = slice(start, start + len(rays.origins))
        self.count = count
        shot = self.shot
        if shot.uncut is not None:
            if self._lines is None:
                nothing = rays.origins.new_zeros(self.film.rays, 3)
                self._lines = nothing, nothing.clone()
            box = box_of(shot.scene, shot.uncut)
            for total, found in zip(self._lines, lines_on_cut(shot.uncut, rays, shot.layers, box), strict=True):
                total[part] += found
        if shot.layers.bounds and count == 1:
            if self.depth is None:
                self.depth = rays.origins.new_zeros(self.film.rays)
            self.depth[part] = rays.met.distance

    def over(self, picture: torch.Tensor) -> torch.Tensor:
        """The picture (height, width, 3), sRGB, with lines and box."""
        if self._lines is not None:
            colours, cover = (develop(total, self.film, scale=1.0 / self.count) for total in self._lines)
            picture = picture * (1.0 - cover) + colours
        if self.depth is not None:
            depth = develop(self.depth[:, None].expand(-1, 3), self.film)[:, :, 0]
            view = self.shot.view
            picture = draw_box(picture, depth, view.camera, box_of(self.shot.scene, view.program))
        return picture


class Sums:
    """What the samples of a shot come to, in the order of a film's rays."""

    def __init__(self, shot: Shot, film: Film, depth: torch.Tensor | None = None) -> None:
        self.shot, self.film, self.count = shot, film, 0
        self.overlay = Overlay(shot, film, depth)
        self._values: torch.Tensor | None = None

    def add(self, rays: Cast, values: torch.Tensor, start: int, count: int) -> None:
        """Add the values of rays that are consecutive from `start` on, of the sample number `count`."""
        self.count = count
        if self._values is None and len(values) == self.film.rays:
            self._values = values.contiguous()  # some are one number seen as three
        else:
            if self._values is None:
                self._values = torch.zeros(self.film.rays, 3, device=values.device)
            self._values[start : start + len(values)] += values
        self.overlay.add(rays, start, count)

    def picture(self) -> torch.Tensor:
        """The mean (height, width, 3), sRGB in [0, 1], with lines and box."""
        assert self._values is not None
        screen = self.shot.mode == "shaded"
        scale = (self.shot.view.exposure if screen else 1.0) / self.count
        return self.overlay.over(develop(self._values, self.film, scale=scale, screen=screen))
