"""Where batches come from: pictures and shapes; every batch is drawn when it is asked for."""

from __future__ import annotations

import math
import zlib
from typing import Any

import torch

from ...kernels import distance, distance_and_gradient
from ..fields import Bounds, ImageField, Meaning, ShapeField
from .losses import Batch

SURFACE_POINTS = 2**16
NEAR = (0.002, 0.01)  # deviations of the points near the surface, as parts of the bounds' diagonal
SHELL = 0.001  # half the thickness of the shell in which points on the surface begin, as a part of the diagonal
DRAWS = 128  # of as many points as are wanted on the surface: of a ball in its bounds the shell holds a ninetieth
FOUND = 1e-4  # distance at which a point counts as on the surface, as a part of the diagonal


class ImageSource:
    """Colours of a picture at random points of [0, 1]².

    Holds the picture as it is and no copy: each batch reads the pixels it needs.
    """

    def __init__(self, image: ImageField) -> None:
        self.image = image

    @torch.no_grad()
    def __call__(self, count: int, generator: torch.Generator) -> Batch:
        """`count` points, uniform, and their colours (count, C)."""
        points = torch.rand(count, 2, generator=generator, device=generator.device)
        return Batch(points, self.image(points))

    def describe(self) -> dict[str, Any]:
        """What tells this source from another, in types that JSON has."""
        pixels = self.image.pixels.cpu().contiguous()
        return {"picture": [*pixels.shape], "checksum": zlib.crc32(pixels.numpy().data)}


class ShapeSource:
    """Signed distance or occupancy of a shape, at points in its bounds and near its surface.

    Args:
        shape: the shape with the parameters it has now.
        target: what to give, signed distance, or occupancy: 1 inside and 0 outside.
        bounds: lower and upper corner of the points; the shape's own if None.
        near: part of the points that lie near the surface: with normally distributed offsets, of 0.2 % of the bounds'
            diagonal for one half and 1 % for the other. The others are uniform in the bounds.
        gradients: whether to give the distance's gradient too.

    Raises:
        ValueError: an argument is out of its range, or points near the surface are wanted and none is found.
    """

    def __init__(
        self,
        shape: ShapeField,
        target: Meaning | str,
        *,
        bounds: Bounds | None = None,
        near: float = 0.5,
        gradients: bool = False,
    ) -> None:
        if target not in (Meaning.SIGNED_DISTANCE, Meaning.OCCUPANCY):
            raise ValueError(f"target: expected signed_distance or occupancy, got {target!r}")
        if not 0.0 <= near <= 1.0:
            raise ValueError(f"near: expected a number from 0 to 1, got {near}")
        self.target, self.near, self.gradients = Meaning(target), near, gradients
        self.bounds = bounds or shape.bounds
        self.scene = shape.scene.to_toml()
        with torch.no_grad():
            self.program = shape.program()
        self.low, self.high = (torch.tensor(corner) for corner in self.bounds)
        self.diagonal = math.dist(*self.bounds)
        self.surface = self._surface_points() if near else torch.empty(0, 3)

    @torch.no_grad()
    def __call__(self, count: int, generator: torch.Generator) -> Batch:
        """`count` points, and distance or occupancy there (count, 1)."""
        place = generator.device
        close = round(self.near * count)
        points = self._uniform(count, generator)
        if close:
            chosen = torch.randint(len(self.surface), (close,), generator=generator, device=place)
            numbers = torch.arange(close, device=place)
            widths = self.diagonal * torch.tensor(NEAR, device=place)[numbers % len(NEAR)]
            offsets = widths[:, None] * torch.randn(close, 3, generator=generator, device=place)
            near = (self.surface.to(place)[chosen] + offsets).clamp(self.low.to(place), self.high.to(place))
            points[numbers * count // close] = near  # evenly, for a draw is cut into batches
        program = self.program.to(place)
        if self.gradients:
            values, gradients = distance_and_gradient(program, points)
        else:
            values, gradients = distance(program, points), None
        if self.target is Meaning.OCCUPANCY:
            values, gradients = (values < 0.0).to(values.dtype), None
        return Batch(points, values[:, None], gradients)

    def describe(self) -> dict[str, Any]:
        """What tells this source from another, in types that JSON has."""
        return {
            "scene": self.scene,
            "target": self.target,
            "bounds": [list(corner) for corner in self.bounds],
            "near": self.near,
        }

    def _uniform(self, count: int, generator: torch.Generator) -> torch.Tensor:
        place = generator.device
        unit = torch.rand(count, 3, generator=generator, device=place)
        return self.low.to(place) + unit * (self.high - self.low).to(place)

    def _surface_points(self) -> torch.Tensor:
        """Points (M, 3) on the surface: those of a thin shell about it, walked down the distance until they are there.

        A thin shell holds as many points over each piece of the surface as the piece has area; from farther away, many
        would come to edges and corners, which are nearest to all that lies beyond them.
        """
        generator = torch.Generator().manual_seed(0)
        found: list[torch.Tensor] = []
        for _ in range(DRAWS):
            points = self._uniform(SURFACE_POINTS, generator)
            points = points[distance(self.program, points).abs() < SHELL * self.diagonal]
            for _ in range(8):
                value, slope = distance_and_gradient(self.program, points)
                points = points - value[:, None] * torch.nn.functional.normalize(slope, dim=1)
            there = distance(self.program, points).abs() < FOUND * self.diagonal
            there &= ((points >= self.low) & (points <= self.high)).all(dim=1)
            found.append(points[there])
            if sum(map(len, found)) >= SURFACE_POINTS:
                break
        surface = torch.cat(found)[:SURFACE_POINTS]
        if not len(surface):
            raise ValueError(f"shape: expected a surface within {self.bounds[0]} and {self.bounds[1]}, found none")
        return surface


class TorusSource:
    """Occupancy of a torus about the z axis of [0, 1]³, centre 0.5, radius 0.25, tube 0.15, at uniform points."""

    @torch.no_grad()
    def __call__(self, count: int, generator: torch.Generator) -> Batch:
        """`count` points and occupancy (count, 1): 1 where (√(x² + y²) - 0.25)² + z² < 0.15² about the centre."""
        points = torch.rand(count, 3, generator=generator, device=generator.device)
        return Batch(points, self.values(points))

    @staticmethod
    def values(points: torch.Tensor) -> torch.Tensor:
        """Occupancy (N, 1) at points (N, 3)."""
        centred = points - 0.5
        ring = centred[:, :2].norm(dim=1) - 0.25
        inside: torch.Tensor = ring.square() + centred[:, 2].square() < 0.15**2
        return inside.to(points.dtype)[:, None]

    def describe(self) -> dict[str, Any]:
        """What tells this source from another, in types that JSON has."""
        return {"torus": [0.25, 0.15]}
