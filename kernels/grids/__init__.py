"""Interpolation in regular grids of one to three dimensions, twice differentiable by kernels alone.

Sums of gradients are the same at every run with as many cores.
"""

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
    from .interpolation import interpolate as interpolate
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
