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
Axes = list[torch.Tensor]  # coordinates of nodes along x, y and z


def sampled(values: Values, low: Corner, high: Corner, resolution: int, is_distance: bool = False) -> Bake:
    """Bricks of a signed distance, sampled on a grid of nearly cubic voxels that spans a box.

    With `is_distance` the values are true distances, so that only nodes near the surface need to be asked for.
    """
    return sampled_at(values, axes_of(low, high, resolution), is_distance)


def sampled_at(values: Values, axes: Axes, is_distance: bool = False, probes: torch.Tensor | None = None) -> Bake:
    """The same with the coordinates of the nodes along each axis; the error is measured at `probes` (N, 3) too."""
    grid = _near_surface(values, axes) if is_distance else everywhere(values, axes)
    low, high = (vector(float(axis[end]) for axis in axes) for end in (0, -1))
    bricks = sample_block_of(grid, low, high)
    points = _in_voxels_with_surface(grid, axes)
    error = _error(bricks, values, points if probes is None else torch.cat([points, probes]))
    # Between nodes a distance is off by the mean way to the corners at most, by their weights: half a diagonal.
    bound = 0.5 * sum(float(axis[1] - axis[0]) ** 2 for axis in axes) ** 0.5 if is_distance else None
    return Bake(bricks, error, bound)


def axes_of(low: Corner, high: Corner, resolution: int) -> list[torch.Tensor]:
    """Coordinates of the nodes along each axis."""
    side = max(b - a for a, b in zip(low, high, strict=True)) / resolution
    voxels = [max(round((b - a) / side), 1) for a, b in zip(low, high, strict=True)]
    return [torch.linspace(a, b, n + 1) for a, b, n in zip(low, high, voxels, strict=True)]


def everywhere(values: Values, axes: Axes) -> torch.Tensor:
    """The values (X, Y, Z) at all nodes."""
    shape = (1, len(axes[1]), len(axes[2]))
    return torch.cat([values(torch.cartesian_prod(x[None], axes[1], axes[2])).reshape(shape) for x in axes[0]])


def cells_to_ask(values: Values, axes: Axes) -> torch.Tensor:
    """Which cells (A, B, C) of BRICK³ voxels may hold surface of true distances, or are beside one that does.

    Those at whose corners the sign changes, and their neighbours, are among them: it may change without surface.
    """
    near, at_corners = _coarse_cells(values, axes)
    corners = _cell_corners(at_corners)
    change = ((corners < 0.0).any(dim=3) & (corners >= 0.0).any(dim=3)).float()
    return near | (torch.nn.functional.max_pool3d(change[None], 3, stride=1, padding=1)[0] > 0.0)


def nodes_of_cells(values: Values, axes: Axes, asked: torch.Tensor, grid: torch.Tensor | None = None) -> torch.Tensor:
    """The values (X, Y, Z) at the nodes of the cells that are asked for, in `grid` if it is given; others are NaN."""
    if grid is None:
        grid = torch.full([len(axis) for axis in axes], torch.nan)
    cells = [((torch.arange(len(axis)) - 1).clamp(min=0) // BRICK) for axis in axes]
    of_nodes = asked[cells[0]][:, cells[1]][:, :, cells[2]]
    places = of_nodes.nonzero()
    grid[of_nodes] = values(torch.stack([axis[places[:, i]] for i, axis in enumerate(axes)], dim=1))
    return grid


def _near_surface(values: Values, axes: Axes) -> torch.Tensor:
    """The values at all nodes, of true distances; where cells are far from the surface, interpolated in them."""
    near, at_corners = _coarse_cells(values, axes)
    return nodes_of_cells(values, axes, near, _interpolated(at_corners, _coarse(axes), axes))


def _coarse(axes: Axes) -> Axes:
    """Coordinates of the corners of cells of BRICK³ voxels."""
    return [torch.unique_consecutive(torch.cat([axis[::BRICK], axis[-1:]])) for axis in axes]


def _cell_corners(at_corners: torch.Tensor) -> torch.Tensor:
    """The eight corners (A, B, C, 8) of each cell."""
    return at_corners.unfold(0, 2, 1).unfold(1, 2, 1).unfold(2, 2, 1).flatten(3)


def _coarse_cells(values: Values, axes: Axes) -> tuple[torch.Tensor, torch.Tensor]:
    """Which cells hold surface or are beside one that does, and the values at the corners of all."""
    at_corners = everywhere(values, _coarse(axes))
    diagonal = sum(float(axis[: BRICK + 1][-1] - axis[0]) ** 2 for axis in axes) ** 0.5
    # A corner is within a diagonal of what is in a cell that it belongs to.
    return _cell_corners(at_corners).abs().amin(dim=3) <= diagonal, at_corners


def _interpolated(values: torch.Tensor, coarse: Axes, axes: Axes) -> torch.Tensor:
    """Values at the nodes of coarse axes, trilinear at those of finer ones."""
    for i, (few, many) in enumerate(zip(coarse, axes, strict=True)):
        after = torch.searchsorted(few, many).clamp(1, len(few) - 1)
        part = (many - few[after - 1]) / (few[after] - few[after - 1])
        shape = [-1 if axis == i else 1 for axis in range(3)]
        values = torch.lerp(values.index_select(i, after - 1), values.index_select(i, after), part.reshape(shape))
    return values


def _in_voxels_with_surface(grid: torch.Tensor, axes: Axes) -> torch.Tensor:
    """Random points (N, 3) of the voxels with a change of sign, none if there is no such voxel."""
    corners = grid.unfold(0, 2, 1).unfold(1, 2, 1).unfold(2, 2, 1)
    voxels = ((corners.amin(dim=(3, 4, 5)) < 0.0) & (corners.amax(dim=(3, 4, 5)) >= 0.0)).nonzero()
    if len(voxels) == 0:
        return torch.empty(0, 3)
    random = torch.Generator().manual_seed(0)
    chosen = voxels[torch.randint(len(voxels), (PROBES,), generator=random)]
    start = torch.stack([axis[chosen[:, i]] for i, axis in enumerate(axes)], dim=1)
    stop = torch.stack([axis[chosen[:, i] + 1] for i, axis in enumerate(axes)], dim=1)
    return torch.lerp(start, stop, torch.rand(PROBES, 3, generator=random))


def _error(bricks: SampleBlock, values: Values, points: torch.Tensor) -> float:
    """The largest difference of what is interpolated at points (N, 3) from the values there; 0 without points."""
    if len(points) == 0:
        return 0.0
    found = bricks.value(points)
    distances = torch.where(found > 0.0, found * bricks.slopes[0], found * bricks.slopes[1])
    return float((distances - values(points)).abs().max())
