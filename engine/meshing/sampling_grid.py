"""The nodes at which a field is sampled: how many along each axis, and between which corners."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ...kernels.surfaces import corners

LARGEST_RESOLUTION = 4096

# Cells between the subject and each side of its grid: the mesh must not touch the border, and a surface parallel to
# the axes should not fall on nodes.
MARGIN = 1.25

Corner = tuple[float, ...]


class SamplingGrid(NamedTuple):
    """Nodes along x, y and z, and the corners that they span."""

    shape: tuple[int, int, int]
    low: Corner
    high: Corner

    @property
    def corners(self) -> tuple[Corner, Corner]:
        """The lower and the upper corner."""
        return self.low, self.high

    @property
    def cell(self) -> float:
        """The longest side of a cell."""
        return max((b - a) / (n - 1) for a, b, n in zip(self.low, self.high, self.shape, strict=True))


def grid_within(bounds: Any, resolution: int) -> SamplingGrid:
    """`resolution` cells along the longest side of the bounds, cells as near to cubes as whole numbers of them allow.

    Raises:
        ValueError: the bounds are no corners.
    """
    low, high = corners(bounds)
    sides = [b - a for a, b in zip(low, high, strict=True)]
    cell = max(sides) / resolution
    x, y, z = (max(1, round(side / cell)) + 1 for side in sides)
    return SamplingGrid((x, y, z), low, high)


def grid_around(low: Corner, high: Corner, resolution: int) -> SamplingGrid:
    """Cubes around a box, `resolution` of them along the longest side, with a margin on every side."""
    sides = [b - a for a, b in zip(low, high, strict=True)]
    cell = max(*sides, 1e-6) / max(resolution - 2.0 * MARGIN, 0.5)
    x, y, z = counts = [min(math.ceil(side / cell + 2.0 * MARGIN), resolution) for side in sides]
    middles = [0.5 * (a + b) for a, b in zip(low, high, strict=True)]
    halves = [0.5 * cell * count for count in counts]
    return SamplingGrid(
        (x + 1, y + 1, z + 1),
        tuple(a - half for a, half in zip(middles, halves, strict=True)),
        tuple(a + half for a, half in zip(middles, halves, strict=True)),
    )
