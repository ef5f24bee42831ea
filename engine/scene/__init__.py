"""Scenes: what a file or a script holds, as immutable models."""

from .camera import Camera
from .lights import STUDIO, Light, PointLight, Sky, Sun
from .load import built_in_names, load, open_scene
from .material import Material
from .mistakes import Mistake, SceneError
from .override import with_values
from .save import save
from .scene import Scene
from .schema import schema

__all__ = [
    "STUDIO",
    "Camera",
    "Light",
    "Material",
    "Mistake",
    "PointLight",
    "Scene",
    "SceneError",
    "Sky",
    "Sun",
    "built_in_names",
    "load",
    "open_scene",
    "save",
    "schema",
    "with_values",
]
