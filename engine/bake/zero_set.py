"""The surface on which sampled values are 0, as bricks of the distance to it."""

from __future__ import annotations

import torch

from ...kernels import MeshTree, marching_cubes
from ..shapes import Bake
from .sampling import sampled_at

ENDS = ((0, -1.0), (-1, 1.0))  # of an axis: which node, and which way is outward


def sampled_zero_set(values: torch.Tensor, axes: list[torch.Tensor]) -> Bake:
    """Bricks of the signed distance to the zero set of values (X, Y, Z) that are no distances.

    Values are negative inside, and some are. `axes` are the coordinates of the nodes. The distance is that to the
    triangles of marching cubes, sampled at the same nodes; outside the nodes' box there is nothing.
    """
    empty = float(values.abs().max())
    grid = torch.nn.functional.pad(values, (1, 1, 1, 1, 1, 1), value=empty)
    steps = [axis[1] - axis[0] for axis in axes]
    outer = [[float(axis[end] + sign * step) for axis, step in zip(axes, steps, strict=True)] for end, sign in ENDS]
    tree = MeshTree(*marching_cubes(grid, bounds=outer))
    return sampled_at(tree.distance, axes, is_distance=True)
