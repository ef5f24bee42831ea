"""Signed distances of shapes, operators and warps: plain functions over a maths namespace.

Handed `lanes.DEVICE` a formula is Taichi code, handed `lanes.TORCH` its own differentiable PyTorch twin. A formula
assigns every intermediate that it uses twice, and imports nothing but layouts.
"""

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
    from . import (
        flat as flat,
        periodic as periodic,
        samples as samples,
        solids as solids,
        values as values,
        warps as warps,
    )
    from .sample_block import (
        BRICK as BRICK,
        BRICK_NODES as BRICK_NODES,
        BRICK_SIDE as BRICK_SIDE,
        HEADER_SIZE as HEADER_SIZE,
        MAXIMUM_CELLS as MAXIMUM_CELLS,
        Header as Header,
    )
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
