"""What a file holds, by the ending of its name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

FIELD = ".safetensors"
VOLUME = ".npy"
MESHES = (".ply", ".obj", ".stl", ".glb")

Up = Literal["z", "y"]  # the axis of a mesh in a file that points up
Solid = Literal["above", "below"]  # the side of a volume's level that is inside


def kind_of(name: str) -> Literal["field", "volume", "mesh", "scene"]:
    """What a file of this name is taken for when it is drawn or meshed; a scene may also be a built-in name."""
    ending = Path(name).suffix.lower()
    if ending in MESHES:
        return "mesh"
    if ending == VOLUME:
        return "volume"
    return "field" if is_field(name) else "scene"


def is_field(name: str) -> bool:
    """Whether a file of this name is taken for a field."""
    return name.lower().endswith(FIELD)


def check_mesh_name(argument: str, path: str | os.PathLike[str]) -> None:
    """Refuse a name whose ending says no mesh.

    Raises:
        ValueError: says what the argument should be.
    """
    if Path(path).suffix.lower() not in MESHES:
        raise ValueError(f"{argument}: expected a name that ends in {', '.join(MESHES)}, got {os.fspath(path)!r}")
