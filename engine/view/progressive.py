"""Pictures for a window: the one while something moves, and the one at rest that gets better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from ...kernels.film import TILE, Film
from ..render import (
    Overlay,
    SampleSums,
    Shot,
    TracedRays,
    mode_values,
    pixel_size,
    preview_of,
    sample_place,
    trace_rays,
)


def moving_picture(shot: Shot, width: int, height: int, light: int) -> torch.Tensor:
    """A picture (height, width, 3) of one ray a pixel, its light found for one pixel in `light`², an odd number."""
    film = Film(height, width)
    shot = replace(shot, view=replace(shot.view, network=None))  # a network is too slow; its bricks stand for it
    rays = trace_rays(shot.view, film, (0.0, 0.0))
    if shot.mode == "shaded" and light > 1:
        overlay = Overlay(shot, film)
        overlay.add(rays, 0, 1)
        return overlay.over(preview_of(shot.view, rays, film, light))
    sums = SampleSums(shot, film)
    sums.add(rays, mode_values(shot.view, rays, shot.mode, 0.0, False), 0, 1)
    return sums.picture()


class Refinement:
    """Pictures of shots at rest that get better: first one ray through the middle of each pixel, then `samples` others.

    The first pictures are those of `isofield render --samples 1`, the last those of `--samples samples`.
    """

    def __init__(self, shots: Sequence[Shot], width: int, height: int, samples: int) -> None:
        self.shots, self.film, self.samples = shots, Film(height, width), samples
        self.passes = 0
        self.pictures: list[torch.Tensor] = []
        self._next = 0  # row of tiles
        self._sums = [SampleSums(shot, self.film) for shot in shots]

    @property
    def done(self) -> bool:
        """Whether all samples are in the pictures."""
        return self.passes == (1 if self.samples == 1 else 1 + self.samples)

    @property
    def rows(self) -> int:
        """Rows of tiles, the steps that a pass can be divided into."""
        return self.film.padded[0] // TILE

    def step(self, rows: int) -> bool:
        """Do `rows` rows of tiles of a pass, which it may end; returns whether there are new pictures."""
        if self._next == 0 and self.passes == 1:
            self._sums = [SampleSums(sums.shot, self.film, sums.overlay.depth) for sums in self._sums]
        first = self._next
        # The greys of a depth lie between the nearest and the farthest of the whole picture.
        last = self.rows if self.shots[0].mode == "depth" else min(first + max(1, rows), self.rows)
        shift, jitter = sample_place(0, 1, 0) if self.passes == 0 else sample_place(self.passes - 1, self.samples, 0)
        for sums in self._sums:
            rays, values = _band(sums.shot, self.film, first, last, shift, jitter)
            sums.add(rays, values, first * TILE * self.film.padded[1], max(1, self.passes))
        self._next = 0 if last == self.rows else last
        if self._next:
            return False
        self.passes += 1
        if self.passes == 2 and not self.done:
            return False  # one ray beside the middles is no better than the one through them
        self.pictures = [sums.picture() for sums in self._sums]
        return True


def _band(
    shot: Shot, film: Film, first: int, last: int, shift: tuple[float, float], jitter: float
) -> tuple[TracedRays, torch.Tensor]:
    """Rays and values of some rows of tiles of a film, the same as if the whole were made at once."""
    top, bottom = first * TILE, min(last * TILE, film.height)
    band = Film(bottom - top, film.width)
    # A film's middle is the camera's axis.
    aside = top + 0.5 * band.height - 0.5 * film.height
    rays = trace_rays(shot.view, band, (shift[0], shift[1] + aside), pixel_size(shot.view.camera, film))
    return rays, mode_values(shot.view, rays, shot.mode, jitter, False)
