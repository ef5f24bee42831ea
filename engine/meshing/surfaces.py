"""What a mesh can be made of: a scene's program, a field, or a volume of values."""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch

from ...kernels import MeshTree, Program, interpolate
from ...kernels.program import (
    GRADIENT_STEP,
    LEAST_GRADIENT,
    PART,
    Tiles,
    distance_and_gradient_by_tiles,
    normals_by_tiles,
    one_tile_with_planes,
)
from ...kernels.surfaces import SIDE, Bricks, add_bounded, add_followed, add_program, is_lipschitz, vertex_tiles
from ...kernels.trace import surface_on
from ..bake import body_of_mesh
from ..fields import CHUNK as FIELD_CHUNK, Field, Meaning, evaluated
from ..files import Sign, Solid, level_set_of
from .report import report_of
from .sampling_grid import SamplingGrid, grid_around, grid_within

ProgressCallback = Callable[[float], None]  # of the share that is done
Numbers = torch.Tensor | slice  # of some vertices

CHUNK = 2**20  # points at a time

SLAB = 16  # layers of a volume that are read at a time

SLOPE_POINTS = 2**14  # at which the steepest slope of a signed distance is looked for
SAFETY = 2.0


class Surface(ABC):
    """A field as marching cubes takes it: smaller than `level` inside."""

    level: float

    @abstractmethod
    def sampling_grid(self, bounds: Any, resolution: int) -> SamplingGrid:
        """The nodes it is sampled at."""

    @abstractmethod
    def add(self, bricks: Bricks, progress: ProgressCallback) -> None:
        """Add to the bricks whatever the surface meets."""

    @abstractmethod
    def value_and_gradient(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Values (N,) and gradients (N, 3) at points (N, 3)."""

    def normals(self, points: torch.Tensor) -> torch.Tensor:
        """Unit gradients (N, 3) at points (N, 3); upwards where there is none."""
        gradients = self.value_and_gradient(points)[1]
        lengths = gradients.norm(dim=1, keepdim=True)
        upwards = gradients.new_tensor([0.0, 0.0, 1.0])
        return torch.where(lengths > LEAST_GRADIENT, gradients / lengths.clamp(min=LEAST_GRADIENT), upwards)

    def colours(self, points: torch.Tensor) -> torch.Tensor | None:
        """Linear RGB (N, 3) at points (N, 3), or None."""
        return None

    def near_vertices(self, bricks: Bricks, count: int, margin: float) -> Iterator[tuple[Numbers, Surface]]:
        """Numbers of some of the `count` vertices of the mesh of bricks, and what to ask for values up to `margin` from
        them; all vertices in the end."""
        for at in range(0, count, CHUNK):
            yield slice(at, at + CHUNK), self


class ProgramSurface(Surface):
    """The signed distance of a program: only bricks that the surface can meet are evaluated.

    A level other than 0 needs values that change no faster than the way between two points, which bend does not keep:
    then all bricks are evaluated.
    """

    def __init__(self, program: Program, level: float, box: tuple[Any, Any], *, exact_box: bool) -> None:
        self.program = replace(program, planes=0) if program.planes else program  # planes are no rows of a tile
        self.tiles = one_tile_with_planes(self.program)
        self.level, self.box, self.exact_box = level, box, exact_box

    def sampling_grid(self, bounds: Any, resolution: int) -> SamplingGrid:
        if bounds is not None or self.exact_box:
            return grid_within(bounds or self.box, resolution)
        low, high = self.box
        if not all(math.isfinite(b - a) for a, b in zip(low, high, strict=True)):
            raise ValueError(
                "bounds: expected corners to mesh within, because the subject has no end; give them, such as "
                "((-1, -1, -1), (1, 1, 1)), or intersect it with a shape that ends"
            )
        grow = max(self.level, 0.0)
        return grid_around(tuple(a - grow for a in low), tuple(b + grow for b in high), resolution)

    def add(self, bricks: Bricks, progress: ProgressCallback) -> None:
        add_program(bricks, self.program, progress, everywhere=self.level != 0.0 and not is_lipschitz(self.program))

    def near_vertices(self, bricks: Bricks, count: int, margin: float) -> Iterator[tuple[Numbers, Surface]]:
        farthest = max(1.0, float(bricks.coordinates.abs().max())) * math.sqrt(3.0)
        for numbers, tiles in vertex_tiles(bricks, self.program, margin + GRADIENT_STEP * farthest):
            yield numbers, self._with(tiles)
        yield slice(int(bricks.first_vertices[-1]), count), self  # in the middle of cells

    def _with(self, tiles: Tiles) -> Surface:
        other = copy.copy(self)
        other.tiles = tiles
        return other

    def value_and_gradient(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return distance_and_gradient_by_tiles(self.program, self.tiles, points)

    def normals(self, points: torch.Tensor) -> torch.Tensor:
        return normals_by_tiles(self.program, self.tiles, points)

    def colours(self, points: torch.Tensor) -> torch.Tensor:
        materials = self.program.surfaces[self.program.surfaces[:, 3] >= 0.0, :3]
        if len(materials) > 0 and bool((materials == materials[0]).all()):
            return materials[0].expand(len(points), 3)
        still = torch.zeros_like(points)
        part = torch.full((len(points),), PART, dtype=torch.int32, device=points.device)
        _, materials = surface_on(self.program, self.tiles, points, still, still[:, 0].contiguous(), part)
        return materials[:, :3]


class MeshSurface(Surface):
    """The signed distance to a mesh, exact, so that only near bricks are evaluated; an open one is closed by a lid.

    Args:
        mesh: the triangles.
        level: value on the surface.
        sign: none for a shell around the triangles.
        thickness: of the shell; two cells of the grid if None.
    """

    level = 0.0

    def __init__(self, mesh: MeshTree, level: float, sign: Sign = "winding", thickness: float | None = None) -> None:
        self.mesh, self.level, self.sign, self.thickness = mesh, level, sign, thickness
        # Files may hold a vertex once for each of its triangles.
        vertices, numbers = torch.unique(mesh.vertices, dim=0, return_inverse=True)
        self.closed = report_of(vertices, numbers[mesh.faces.long()]).watertight
        corners = mesh.vertices[mesh.faces.long()]
        self.face_normals = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).float()
        self.distance: Callable[[torch.Tensor], torch.Tensor] = mesh.distance

    def sampling_grid(self, bounds: Any, resolution: int) -> SamplingGrid:
        low, high = self.mesh.low, self.mesh.high
        thickness = None
        if self.sign == "none":
            longest = max(b - a for a, b in zip(low, high, strict=True))
            thickness = 2.0 * longest / resolution if self.thickness is None else self.thickness
        grow = 0.5 * (thickness or 0.0) + max(self.level, 0.0)
        if bounds is None:
            grid = grid_around(tuple(a - grow for a in low), tuple(b + grow for b in high), resolution)
        else:
            grid = grid_within(bounds, resolution)
        axes = [torch.linspace(a, b, n) for a, b, n in zip(grid.low, grid.high, grid.shape, strict=True)]
        self.distance = body_of_mesh(self.mesh, axes, not self.closed, thickness).distance
        return grid

    def add(self, bricks: Bricks, progress: ProgressCallback) -> None:
        add_bounded(bricks, self.distance, 1.0, progress)

    def value_and_gradient(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The gradient is the normal of the nearest triangle, also on the mesh itself; of a shell the way from it."""
        found = self.mesh.closest(points)
        if self.sign == "none":
            return self.distance(points), torch.nn.functional.normalize(points - found.points, dim=1)
        normals = self.face_normals[found.faces.long()]
        return self.distance(points), torch.nn.functional.normalize(normals, dim=1)


class FieldSurface(Surface):
    """A field of one channel; occupancy and density are larger inside, so their signs are turned.

    Of a signed distance only what is near the surface is evaluated: its slope is taken for no more than SAFETY times
    the steepest at random points of the bounds. A part that is steeper, such as a speck that no such point came near,
    can be missed. Of others it is first looked for on a grid of 256 cells and then followed: beyond that resolution a
    part can be missed that no node of that grid lies in, and that does not hang together with one.
    """

    def __init__(self, field: Field, level: float | None) -> None:
        if field.dimensions != 3 or field.channels != 1:
            raise ValueError(
                f"field: expected one of 3 dimensions and 1 channel, got {field.dimensions} and {field.channels}"
            )
        if level is None and field.meaning is Meaning.DENSITY:
            raise ValueError("level: expected a number for a density, because it has no level of its own")
        self.field = field
        self.sign = -1.0 if field.meaning in (Meaning.OCCUPANCY, Meaning.DENSITY) else 1.0
        self.level = self.sign * (level if level is not None else 0.5 if field.meaning is Meaning.OCCUPANCY else 0.0)

    def sampling_grid(self, bounds: Any, resolution: int) -> SamplingGrid:
        return grid_within(bounds or self.field.bounds, resolution)

    def add(self, bricks: Bricks, progress: ProgressCallback) -> None:
        def values(points: torch.Tensor) -> torch.Tensor:
            found = self.sign * evaluated(self.field, points.cpu())[:, 0].float()
            _check_finite(int((~found.isfinite()).sum()), len(found))
            return found.to(points.device)

        if self.field.meaning is Meaning.SIGNED_DISTANCE:
            add_bounded(bricks, values, SAFETY * max(self._steepest(bricks), LEAST_GRADIENT), progress)
        else:
            add_followed(bricks, values, progress)

    def _steepest(self, bricks: Bricks) -> float:
        """The steepest slope at random points of the volume."""
        low, high = (
            torch.tensor([line[end] for line in torch.split(bricks.coordinates, list(bricks.shape))]) for end in (0, -1)
        )
        points = low + torch.rand(SLOPE_POINTS, 3, generator=torch.Generator().manual_seed(0)) * (high - low)
        return float(self.value_and_gradient(points)[1].norm(dim=1).max())

    def value_and_gradient(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        place = next(iter(self.field.state_dict().values()), points)
        values, gradients = torch.empty_like(points[:, 0]), torch.empty_like(points)
        for first in range(0, len(points), FIELD_CHUNK):
            part = slice(first, first + FIELD_CHUNK)
            at = points[part].to(place if place.is_floating_point() else points).requires_grad_()
            with torch.enable_grad():
                found = self.sign * self.field(at)[:, 0]
                (slopes,) = torch.autograd.grad(found.sum(), at)
            values[part], gradients[part] = found.detach().to(points), slopes.to(points)
        return values, gradients


class VolumeSurface(Surface):
    """A volume of values (X, Y, Z) with the surface that `level_set_of` finds; read a few layers at a time.

    Where larger values are inside, the signs of values and level are turned.
    """

    def __init__(self, values: Any, level: float | None, solid: Solid | None) -> None:
        if values.ndim != 3 or min(values.shape) < 1:
            raise ValueError(f"values: expected shape (X, Y, Z), got {tuple(values.shape)}")
        surface = level_set_of(values, level, solid)
        self.values, self.sign, self.level = values, surface.sign, surface.sign * surface.level
        self.grid: SamplingGrid | None = None

    def sampling_grid(self, bounds: Any, resolution: int) -> SamplingGrid:
        low, high = grid_within(bounds, 1).corners
        self.grid = SamplingGrid(tuple(self.values.shape), low, high)
        return self.grid

    def add(self, bricks: Bricks, progress: ProgressCallback) -> None:
        held = self._layer(bricks, 0, 1)
        bad = int((~held.isfinite()).sum())
        for layer in range(bricks.brick_counts[0]):
            first = SIDE * layer
            fresh = self._layer(bricks, first + 1, first + SIDE + 1)
            bad += int((~fresh.isfinite()).sum())
            values = torch.cat([held, fresh])
            bricks.add_layer(layer, values)
            held = values[-1:]
            progress((layer + 1) / bricks.brick_counts[0])
        _check_finite(bad, math.prod(bricks.shape))

    def _layer(self, bricks: Bricks, first: int, last: int) -> torch.Tensor:
        """Values (at most last - first, Y, Z) float32 of the nodes first … last - 1 along x."""
        return self.sign * _floats(self.values[first:last]).to(bricks.coordinates.device)

    def value_and_gradient(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Values between the nodes, and central differences of them over one cell on both sides."""
        assert self.grid is not None
        low, high = (points.new_tensor(corner) for corner in self.grid.corners)
        cells = (points - low) / (high - low) * (points.new_tensor(self.grid.shape) - 1.0)
        values, gradients = torch.empty_like(points[:, 0]), torch.empty_like(points)
        slab = (cells[:, 0].clamp(0.0, self.grid.shape[0] - 1.0) // SLAB).int()
        for number in torch.unique(slab).tolist():
            chosen = slab == number
            values[chosen], gradients[chosen] = self._in_slab(number * SLAB, cells[chosen])
        return values, gradients * (points.new_tensor(self.grid.shape) - 1.0) / (high - low)

    def _in_slab(self, first: int, cells: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Values, and slopes from cell to cell, at points in cells of which x is from `first` on; reads these alone."""
        assert self.grid is not None
        begin = max(first - 1, 0)
        grid = self.sign * _floats(self.values[begin : first + SLAB + 2])[..., None].to(cells.device)
        last = cells.new_tensor(grid.shape[:3]) - 1.0
        places = cells - cells.new_tensor([begin, 0, 0])
        slopes = torch.empty_like(cells)
        for axis, step in enumerate(torch.eye(3, device=cells.device)):
            rise = interpolate(grid, (places + step) / last) - interpolate(grid, (places - step) / last)
            slopes[:, axis] = 0.5 * rise[:, 0]
        return interpolate(grid, places / last)[:, 0], slopes


def _check_finite(bad: int, count: int) -> None:
    """Refuse values of which some are not finite."""
    if bad > 0:
        raise ValueError(f"values: expected finite numbers, got {bad} of {count} that are not")


def _floats(values: Any) -> torch.Tensor:
    import numpy

    if isinstance(values, torch.Tensor):
        return values.detach().float()
    with numpy.errstate(over="ignore"):  # what overflows is refused as infinite
        return torch.from_numpy(numpy.array(values, dtype=numpy.float32))
