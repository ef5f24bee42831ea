"""Shapes: the kinds that scene files name, and lower-case factories for scripts."""

from . import flat, from_files, modifiers, operators, periodic, solids, warps
from .base import Model, Shape
from .factories import Factory, factories
from .registry import KINDS

_FACTORIES = factories()

__all__ = ["KINDS", "Factory", "Model", "Shape", "flat", "from_files", "modifiers", "operators", "periodic"]
__all__ += ["solids", "warps"]
__all__ += sorted(_FACTORIES)


def __getattr__(name: str) -> Factory:
    """The factory of a kind, such as `sphere`."""
    if name in _FACTORIES:
        return _FACTORIES[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
