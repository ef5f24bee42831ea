"""Triangles of level sets: marching cubes of dense volumes, and of bricks where there is surface.

Meshes are closed where the level set ends inside the volume, oriented, and share vertices.
"""

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
    from .bounded_search import add_bounded as add_bounded
    from .bricks import SIDE as SIDE, Bricks as Bricks
    from .marching import corners as corners, marching_cubes as marching_cubes
    from .program_bricks import add_program as add_program, is_lipschitz as is_lipschitz, vertex_tiles as vertex_tiles
    from .surface_following import add_followed as add_followed
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
