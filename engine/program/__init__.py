"""Programs: how a scene becomes what the machine runs."""

from typing import TYPE_CHECKING

from .errors import BuildError

if TYPE_CHECKING:
    from .build import build_program

__all__ = ["BuildError", "build_program"]


def __getattr__(name: str) -> object:
    # Shapes import this package for their lowering; building imports scenes, which import shapes.
    if name == "build_program":
        from .build import build_program

        return build_program
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
