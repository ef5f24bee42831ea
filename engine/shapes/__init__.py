"""Shapes: the kinds that scene files name, and lower-case factories for scripts.

A shape's class is all that is said of it: keys with ranges, how exact its value is, its source, and how it is lowered.
"""

from . import flat, from_files, modifiers, operators, periodic, rotation, solids, warps
from .base import KINDS, Shape
from .factories import Factory, factories
from .from_files import Bake, FromFile, MeshFile, Neural, Sampled
from .model import LARGEST, Direction, Length, Model, Number, Positive, Rotation, Vector3
from .modifiers import Offset
from .operators import Difference
from .solids import Plane

_FACTORIES = factories()

__all__ = ["KINDS", "LARGEST", "Bake", "Difference", "Direction", "Factory", "FromFile", "Length", "MeshFile"]
__all__ += ["Model", "Neural", "Number", "Offset", "Plane", "Positive", "Rotation", "Sampled", "Shape", "Vector3"]
__all__ += ["flat", "from_files", "modifiers", "operators", "periodic", "rotation", "solids", "warps"]
__all__ += sorted(_FACTORIES)


def __getattr__(name: str) -> Factory:
    """The factory of a kind, such as `sphere`."""
    if name in _FACTORIES:
        return _FACTORIES[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
