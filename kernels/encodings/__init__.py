"""Encodings of positions and directions: sines and cosines, spherical harmonics, multiresolution hash tables.

All are differentiable to points, hash tables also to their entries: sines, cosines and harmonics any number of times,
hash tables twice.
"""

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
    from .harmonics import spherical_harmonics as spherical_harmonics
    from .hash_encoding import hash_encode as hash_encode
    from .hash_levels import HashLevels as HashLevels
    from .waves import positional_encoding as positional_encoding
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
