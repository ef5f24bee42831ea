"""What files of meshes and of point clouds have in common: what is refused, and how trimesh is asked."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

MOST_BYTES = 2**30  # of a file; what is read takes several times as much memory


class ModelFileError(ValueError):
    """A file that is no mesh or cloud; the message names it and what is wrong."""


def check_file(path: str | os.PathLike[str], suffixes: tuple[str, ...]) -> None:
    """Refuse a file of another kind or too large, before memory is asked for."""
    name = os.fspath(path)
    if Path(path).suffix.lower() not in suffixes:
        raise ModelFileError(f"{name}: expected a name that ends in {', '.join(suffixes)}")
    try:
        status = os.stat(path)
    except OSError as error:
        raise type(error)(f"{name}: cannot be read: {(error.strerror or str(error)).lower()}") from None
    if not stat.S_ISREG(status.st_mode):
        raise ModelFileError(f"{name}: expected a file, got a folder or a device")
    if status.st_size > MOST_BYTES:
        raise ModelFileError(f"{name}: expected at most {MOST_BYTES} bytes, got {status.st_size}")


def loaded_by_trimesh(path: str | os.PathLike[str], suffixes: tuple[str, ...]) -> Any:
    """What trimesh makes of a file: a mesh or a cloud, the parts of a scene as one."""
    import trimesh

    check_file(path, suffixes)
    try:
        loaded: Any = trimesh.load(os.fspath(path), process=False)
        if isinstance(loaded, trimesh.Scene):
            loaded = trimesh.util.concatenate(loaded.dump())
    except Exception as error:  # its readers raise whatever a wrong file makes them stumble over
        raise ModelFileError(f"{os.fspath(path)}: cannot be read as a model: {error}") from None
    if getattr(loaded, "vertices", None) is None:
        raise ModelFileError(f"{os.fspath(path)}: cannot be read as a model: there is nothing in it")
    return loaded
