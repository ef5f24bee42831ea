"""Exact distances to triangle meshes, with an inside by the generalised winding number.

A mesh may be open or cross itself: its inside is where it winds around a point by more than a half.
"""

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
    from .connectivity import part_numbers as part_numbers
    from .distance import MeshTree as MeshTree, mesh_distance as mesh_distance
    from .placing import origin_of as origin_of
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
