"""A scene becomes a program, with numbers that may be tensors that carry gradients.

Nothing is compiled for a scene; an error names the shape.
"""

from typing import TYPE_CHECKING

from ...kernels.lazy import lazy

if TYPE_CHECKING:
    from .scene_program import build_program as build_program
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
