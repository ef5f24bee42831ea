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
from .picture import mode_values
from .rays import TracedRays, trace_rays
from .sampler import sample_place
from .views import View, relit, view_of


@dataclass(frozen=True)
class Shot:
    """One picture to make.

    Attributes:
        view: the scene at its level, and cut.
        mode: what is shown of it.
        layers: what is drawn beside the surface.
        uncut: the subject before the cut, whose distances are drawn on it; None without a cut.
        scene: as it was before its layers.
    """

    view: View
    mode: Mode
    layers: Layers
    uncut: Program | None
    scene: Scene


@dataclass(frozen=True)
class _Made:
    """What was made for a scene and its layers: a view, and the program before the cut, if there is one."""

    scene: Scene
    layers: Layers
    view: View
    uncut: Program | None


class ViewCache:
    """The view of the scene shown last, of which only what has changed is made anew for the next.

    With `direct` a subject that is a neural shape is traced by its network, unless it is cut or shown at a level.
    """

    def __init__(self, *, direct: bool = False) -> None:
        self.direct = direct
        self._last: _Made | None = None
        self.built = 0  # programs made, for tests

    def shot(self, scene: Scene, camera: Camera | None, mode: Mode, layers: Layers) -> Shot:
        """What is to be drawn of a scene, by its own camera if none is given."""
        made = self._last
        if made is None or made.scene is not scene or made.layers != layers:
            made = self._last = self._made(made, scene, layers)
        view = made.view if camera is None else replace(made.view, camera=camera)
        return Shot(view, mode, layers, made.uncut, scene)

    def _made(self, last: _Made | None, scene: Scene, layers: Layers) -> _Made:
        if last is not None and last.layers == layers and _same_surfaces(last.scene, scene):
            return _Made(scene, layers, relit(last.view, scene), last.uncut)
        self.built += 1
        shown = layered(scene, layers)
        view = view_of(shown, direct=self.direct and shown is scene)
        uncut = None
        if layers.slice is not None:
            before_cut = layered(scene, replace(layers, slice=None))
            uncut = build_program(before_cut, stage=False).to(view.program.rows.device)
        return _Made(scene, layers, view, uncut)


def _same_surfaces(one: Scene, other: Scene) -> bool:
    """Whether the programs of two scenes are the same."""
    return (one.show, one.stage, one.bounds) == (other.show, other.stage, other.bounds) and (
        one.shapes == other.shapes and one.materials == other.materials
    )


def render_shot(shot: Shot, width: int, height: int, samples: int, seed: int = 0) -> torch.Tensor:
    """The picture (height, width, 3) of `samples` rays a pixel, as `isofield render` makes it."""
    film = Film(height, width)
    sums = SampleSums(shot, film)
    for sample in range(samples):
        place = sample_place(sample, samples, seed)
        rays = trace_rays(shot.view, film, place.shift)
        sums.add(rays, mode_values(shot.view, rays, shot.mode, place.jitter, linear=False), 0, sample + 1)
    return sums.picture()


class Overlay:
    """What is drawn over a shot: the lines of a cut, the mean of all samples, and the box, as the first one sees it."""

    def __init__(self, shot: Shot, film: Film, depth: torch.Tensor | None = None) -> None:
        self.shot, self.film, self.count = shot, film, 0
        self.depth = depth  # of the first sample
        self._lines: tuple[torch.Tensor, torch.Tensor] | None = None

    def add(self, rays: TracedRays, start: int, count: int) -> None:
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


class SampleSums:
    """What the samples of a shot come to, in the order of a film's rays."""

    def __init__(self, shot: Shot, film: Film, depth: torch.Tensor | None = None) -> None:
        self.shot, self.film, self.count = shot, film, 0
        self.overlay = Overlay(shot, film, depth)
        self._values: torch.Tensor | None = None

    def add(self, rays: TracedRays, values: torch.Tensor, start: int, count: int) -> None:
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
