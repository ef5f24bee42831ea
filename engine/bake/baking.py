"""Shapes from files become bricks, which the scene's machine reads as it reads a sphere."""

from __future__ import annotations

from ..shapes import Bake, FromFile, MeshFile, Neural, Sampled
from .field import baked_field
from .mesh import baked_mesh
from .volume import baked_volume


def baked(shape: FromFile) -> Bake:
    """The bricks of a shape from a file, and their error.

    Raises:
        ValueError, OSError: the file does not hold what it should; says why.
        TypeError: a shape of another kind.
    """
    match shape:
        case Sampled():
            return baked_volume(shape.file, shape.bounds, shape.level, shape.solid)
        case Neural():
            return baked_field(shape.file, shape.resolution)
        case MeshFile():
            return baked_mesh(shape)
    raise TypeError(f"shape: expected one from a file, got {type(shape).__name__}")
