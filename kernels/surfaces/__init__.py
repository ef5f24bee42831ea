"""Triangles of level sets: marching cubes of dense volumes, and of bricks where there is surface.

Meshes are closed where the level set ends inside the volume, oriented, and share vertices.

A whole volume (`marching`, `volume_kernels`) and bricks of one (`bricks`, `brick_kernels`) are both written as words of
signs, of which `word_meshes` and `cell_triangles` make triangles. Bricks are found by a bound of the slope
(`bounded_search`), by following the surface (`surface_following`), or by a program (`program_bricks`).
"""

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
    from .bounded_search import add_bounded as add_bounded
    from .brick_kernels import SIDE as SIDE
    from .bricks import Bricks as Bricks
    from .marching import marching_cubes as marching_cubes
    from .nodes import corners as corners
    from .program_bricks import add_program as add_program, is_lipschitz as is_lipschitz, vertex_tiles as vertex_tiles
    from .surface_following import add_followed as add_followed
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
