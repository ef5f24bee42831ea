"""The scene program: its instructions, the machine that runs them over lanes, its PyTorch twin, and programs for tiles.

A `Program` is checked once, when it is made; kernels that run it read and write inside its tensors.
"""

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
    from .embedding import program_distance as program_distance, program_trace as program_trace
    from .evaluate import (
        GRADIENT_STEP as GRADIENT_STEP,
        LEAST_GRADIENT as LEAST_GRADIENT,
        distance as distance,
        distance_and_gradient as distance_and_gradient,
        distance_and_gradient_by_tiles as distance_and_gradient_by_tiles,
        normals_by_tiles as normals_by_tiles,
    )
    from .interpreter import machine as machine
    from .operations import (
        CLEAR as CLEAR,
        NUMBERS as NUMBERS,
        POINT_REGISTERS as POINT_REGISTERS,
        SAMPLES as SAMPLES,
        SKIP as SKIP,
        VALUE_REGISTERS as VALUE_REGISTERS,
        Column as Column,
        Combine as Combine,
        Frame as Frame,
    )
    from .planes import PlaneColumn as PlaneColumn, plane_shapes as plane_shapes, plane_table as plane_table
    from .program import (
        MAXIMUM_ROWS as MAXIMUM_ROWS,
        SURFACE_SIZE as SURFACE_SIZE,
        MaterialColumn as MaterialColumn,
        Program as Program,
        SamplingColumn as SamplingColumn,
        check_program as check_program,
    )
    from .samples import Bricks as Bricks, Corner as Corner, bricks_of as bricks_of
    from .tiles import (
        NOTHING as NOTHING,
        PART as PART,
        Tiles as Tiles,
        every_row as every_row,
        tiles_of as tiles_of,
        whole as whole,
    )
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
