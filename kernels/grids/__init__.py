"""Interpolation in regular grids of two or three dimensions, twice differentiable by kernels alone.

`interpolation` says how the derivatives are made of three linear maps, `linear_maps` launches these, `gather` and
`scatter` are their kernels, and `stencil` has the formulas.

Sums of gradients are the same at every run with as many cores.
"""

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
    from .interpolation import interpolate as interpolate
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
