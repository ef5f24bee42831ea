"""Signed distances sampled on grids, as bricks."""

from __future__ import annotations

from collections.abc import Callable

import torch

from ...kernels.formulas import BRICK
from ...kernels.program import Corner, SampleBlock, sample_block_of
from ..program import vector
from ..shapes import Bake

PROBES = 20_000  # points at which the error is measured

Values = Callable[[torch.Tensor], torch.Tensor]  # points (N, 3) to signed distances (N,)


def sampled(values: Values, low: Corner, high: Corner, resolution: int, is_distance: bool = False) -> Bake:
    """Bricks of a signed distance, sampled on a grid of nearly cubic voxels that spans a box.

    With `is_distance` the values are true distances, so that only nodes near the surface need to be asked for.
    """
    return sampled_at(values, axes_of(low, high, resolution), is_distance)


def sampled_at(values: Values, axes: list[torch.Tensor], is_distance: bool = False) -> Bake:
    """The same with the coordinates of the nodes along each axis given."""
    grid = _near_surface(values, axes) if is_distance else everywhere(values, axes)
    low, high = (vector(float(axis[end]) for axis in axes) for end in (0, -1))
    bricks = sample_block_of(grid, low, high)
    return Bake(bricks, _error(bricks, values, grid, axes))


def axes_of(low: Corner, high: Corner, resolution: int) -> list[torch.Tensor]:
    """Coordinates of the nodes along each axis."""
    side = max(b - a for a, b in zip(low, high, strict=True)) / resolution
    voxels = [max(round((b - a) / side), 1) for a, b in zip(low, high, strict=True)]
    return [torch.linspace(a, b, n + 1) for a, b, n in zip(low, high, voxels, strict=True)]


def everywhere(values: Values, axes: list[torch.Tensor]) -> torch.Tensor:
    """The values (X, Y, Z) at all nodes."""
    shape = (1, len(axes[1]), len(axes[2]))
    return torch.cat([values(torch.cartesian_prod(x[None], axes[1], axes[2])).reshape(shape) for x in axes[0]])


def _near_surface(values: Values, axes: list[torch.Tensor]) -> torch.Tensor:
    """The same for true distances; where cells of BRICK³ voxels are far from the surface, interpolated in them."""
    coarse = [torch.unique_consecutive(torch.cat([axis[::BRICK], axis[-1:]])) for axis in axes]
    at_corners = everywhere(values, coarse)
    blocks = at_corners.unfold(0, 2, 1).unfold(1, 2, 1).unfold(2, 2, 1)
    diagonal = sum(float(axis[: BRICK + 1][-1] - axis[0]) ** 2 for axis in axes) ** 0.5
    # A cell with surface, or beside one that has: a corner is within a diagonal of it.
    near = blocks.abs().amin(dim=(3, 4, 5)) <= diagonal
    cells = [((torch.arange(len(axis)) - 1).clamp(min=0) // BRICK) for axis in axes]
    grid = _interpolated(at_corners, coarse, axes)
    asked = near[cells[0]][:, cells[1]][:, :, cells[2]]
    places = asked.nonzero()
    grid[asked] = values(torch.stack([axis[places[:, i]] for i, axis in enumerate(axes)], dim=1))
    return grid


def _interpolated(values: torch.Tensor, coarse: list[torch.Tensor], axes: list[torch.Tensor]) -> torch.Tensor:
    """Values at the nodes of coarse axes, trilinear at those of finer ones."""
    for i, (few, many) in enumerate(zip(coarse, axes, strict=True)):
        after = torch.searchsorted(few, many).clamp(1, len(few) - 1)
        part = (many - few[after - 1]) / (few[after] - few[after - 1])
        shape = [-1 if axis == i else 1 for axis in range(3)]
        values = torch.lerp(values.index_select(i, after - 1), values.index_select(i, after), part.reshape(shape))
    return values


def _error(bricks: SampleBlock, values: Values, grid: torch.Tensor, axes: list[torch.Tensor]) -> float:
    """The largest difference at random points of the voxels with a change of sign."""
    corners = grid.unfold(0, 2, 1).unfold(1, 2, 1).unfold(2, 2, 1)
    voxels = ((corners.amin(dim=(3, 4, 5)) < 0.0) & (corners.amax(dim=(3, 4, 5)) >= 0.0)).nonzero()
    if len(voxels) == 0:
        return 0.0
    random = torch.Generator().manual_seed(0)
    chosen = voxels[torch.randint(len(voxels), (PROBES,), generator=random)]
    start = torch.stack([axis[chosen[:, i]] for i, axis in enumerate(axes)], dim=1)
    stop = torch.stack([axis[chosen[:, i] + 1] for i, axis in enumerate(axes)], dim=1)
    points = torch.lerp(start, stop, torch.rand(PROBES, 3, generator=random))
    found = bricks.value(points)
    distances = torch.where(found > 0.0, found * bricks.slopes[0], found * bricks.slopes[1])
    return float((distances - values(points)).abs().max())
