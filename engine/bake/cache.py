"""What has been baked is kept in the user's cache folder, so that the next start finds it.

It stands there under a hash of the file's content and of all that was asked for.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from ...kernels.program import SampleBlock
from ...kernels.runtime import cache_folder
from ..fields import FieldFileError, reading, write_tensors
from ..shapes import Bake

VERSION = 2  # of what is baked: another one is baked anew
KEPT = 16  # bakes that a process holds on to

_bakes: dict[tuple[Any, ...], Bake] = {}


def kept(path: str, asked: dict[str, Any], bake: Callable[[], Bake]) -> Bake:
    """The bake of a file, from this process, else from the cache folder, else made and put there."""
    try:
        status = os.stat(path)
        with open(path, "rb"):
            pass
    except OSError as error:
        raise type(error)(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from None
    key = (os.path.realpath(path), status.st_mtime_ns, status.st_size, json.dumps(asked))
    if key not in _bakes:
        with open(path, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        name = hashlib.sha256(json.dumps([VERSION, content, Path(path).suffix, asked]).encode()).hexdigest()[:32]
        place = cache_folder().parent / "bakes" / f"{name}.safetensors"
        found = _read(place)
        if found is None:
            found = bake()
            with contextlib.suppress(OSError):  # a cache that cannot be written is none
                place.parent.mkdir(parents=True, exist_ok=True)
                _write(place, found)
        while len(_bakes) >= KEPT:
            del _bakes[next(iter(_bakes))]
        _bakes[key] = found
    return _bakes[key]


def _write(place: Path, bake: Bake) -> None:
    numbers = {field.name: getattr(bake.bricks, field.name) for field in fields(SampleBlock) if field.name != "data"}
    write_tensors(
        place,
        {"data": bake.bricks.data},
        {"format": "isofield-bake", "error": bake.error, "bound": bake.bound, "notes": list(bake.notes), **numbers},
    )


def _read(place: Path) -> Bake | None:
    """A bake from the cache folder; None if there is none, or none that is whole."""
    try:
        with reading(place) as (header, tensors):
            del header["format"]
            error, bound, notes = header.pop("error"), header.pop("bound"), tuple(header.pop("notes"))
            numbers: dict[str, Any] = {
                name: tuple(value) if isinstance(value, list) else value for name, value in header.items()
            }
            return Bake(SampleBlock(tensors.get_tensor("data"), **numbers), error, bound, notes)
    except (FieldFileError, OSError, KeyError, TypeError):
        return None
