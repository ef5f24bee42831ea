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
        OPERATION_NUMBERS as OPERATION_NUMBERS,
        POINT_REGISTERS as POINT_REGISTERS,
        SAMPLES as SAMPLES,
        SKIP as SKIP,
        VALUE_REGISTERS as VALUE_REGISTERS,
        Block as Block,
        Column as Column,
        Combine as Combine,
        FrameKind as FrameKind,
    )
    from .planes import PlaneColumn as PlaneColumn, plane_equations as plane_equations, plane_shapes as plane_shapes
    from .program import (
        MAXIMUM_ROWS as MAXIMUM_ROWS,
        SURFACE_SIZE as SURFACE_SIZE,
        MaterialColumn as MaterialColumn,
        Program as Program,
        SamplingColumn as SamplingColumn,
        check_program as check_program,
    )
    from .samples import (
        Corner as Corner,
        SampleBlock as SampleBlock,
        check_node_values as check_node_values,
        sample_block_of as sample_block_of,
    )
    from .tiles import (
        NOTHING as NOTHING,
        PART as PART,
        Tiles as Tiles,
        one_tile as one_tile,
        one_tile_with_planes as one_tile_with_planes,
        tiles_of as tiles_of,
    )
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
