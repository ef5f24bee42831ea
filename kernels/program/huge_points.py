"""Points that are so far away that formulas would overflow: evaluated nearer by, the value scaled up again.

From so far away all that ends looks like a point at the origin, and what does not like a cone with its tip there:
p → s p takes the value to s times itself and keeps the gradient, but for the scene's size over that of p.
"""

import torch

from ..lanes import LARGEST_COORDINATE
from ..runtime import ti


def largest_coordinate(smallest_scale: float) -> float:
    """The largest coordinate at which a program may be evaluated whose shapes are scaled down by so much at most."""
    return LARGEST_COORDINATE * smallest_scale


@ti.func
def shrinkage(x, y, z, largest):
    """By how much points are to be divided so that no coordinate is larger than `largest`, 1 where none is."""
    return ti.max(ti.max(ti.max(ti.abs(x), ti.abs(y)), ti.abs(z)) * (1.0 / largest), 1.0)


@ti.func
def is_finite(x, y, z):
    """Whether none of three numbers is infinite or NaN."""
    return (ti.abs(x) < ti.math.inf) & (ti.abs(y) < ti.math.inf) & (ti.abs(z) < ti.math.inf)


def shrinkage_of(points: torch.Tensor, largest: float) -> torch.Tensor:
    """The same of points (N, 3) → (N,), without its gradient: that of the value is the one nearer by."""
    return (points.detach().abs().amax(dim=1) * (1.0 / largest)).clamp(min=1.0)
