"""Whatever can be looked at as a scene: scene files and scripts, and in clay on a floor fields, volumes and meshes."""

from __future__ import annotations

import os
from pathlib import Path

from ..files import Up, kind_of
from ..program import BuildError
from ..scene import Material, Scene, SceneSource, open_scene
from ..shapes import FromFile, MeshFile, Neural, Plane, Sampled

CLAY = Material(base_color="#d2542d", roughness=0.5).named("clay")
PAPER = Material(base_color="#cfc8bd", roughness=0.9).named("paper")


def open_source(name: str, up: Up = "z") -> SceneSource:
    """A scene file, a script, a built-in name, a field (.safetensors), a volume (.npy) or a mesh as a scene.

    Of a mesh the axis `up` points up.

    Raises:
        SceneError: it holds no scene.
        BuildError: it holds nothing with a surface.
        OSError: it cannot be read.
    """
    kind = kind_of(name)
    if kind == "scene":
        return open_scene(name)
    if kind == "field":
        scene = scene_of(name)
    else:
        scene = _in_clay(Sampled(file=name) if kind == "volume" else MeshFile(file=name, up=up), kind)
    return SceneSource(Path(name), False, lambda time: scene)


def scene_of(path: str | os.PathLike[str], resolution: int = 128) -> Scene:
    """The field of a file as a scene that reads its bricks.

    Raises:
        BuildError: the file holds no field with a surface.
        OSError: it cannot be read.
    """
    return _in_clay(Neural(file=os.fspath(path), resolution=resolution), "field")


def _in_clay(shape: FromFile, name: str) -> Scene:
    """A shape of clay on a floor at the lower end of its bounds."""
    try:
        lowest = shape.bake().bricks.low[2]
    except ValueError as error:
        raise BuildError(f"{shape.file}: {error}") from None
    floor = Plane(offset=lowest).material(PAPER)
    return Scene(shape.material(CLAY).named(name), stage=[floor.named("floor")])
