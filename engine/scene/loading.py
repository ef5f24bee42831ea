"""Scenes from files, scripts, and the built-in collection."""

from __future__ import annotations

import importlib.resources
import os
import re
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from .check import MOST_SHAPES
from .mistakes import SceneError, quoted, refuse, similar
from .scene import Scene
from .script import run_script

MOST_BYTES = 32 * 2**20
MOST_NESTED = 32  # tables and lists inside each other; a scene needs 5

COLLECTION = "isofield.scenes"

# Steps of a dotted key, which tomllib takes quadratic time for.
_LONG_KEY = re.compile(rb"(?<![\w'\"-])(?:[\w'\"-]++[ \t]*+\.[ \t]*+){%d}" % MOST_NESTED)


class SceneSource(NamedTuple):
    """A scene that may depend on time: `at(seconds)` is the scene then, for a file always the same."""

    path: Path
    is_animated: bool
    at: Callable[[float], Scene]


def load(name: str | os.PathLike[str], time: float = 0.0) -> Scene:
    """The scene of a file (`.toml`), a script (`.py`, which is run), or under a built-in name such as "carved_box".

    `time` is in seconds, for scripts that define `scene(time)`.

    Raises:
        SceneError: with everything that is wrong with it; a file that is not there is that too.
    """
    return open_scene(name).at(time)


def open_scene(name: str | os.PathLike[str]) -> SceneSource:
    """The scene of a file, a script or a built-in name, read or run once, to be asked for several times.

    Raises:
        SceneError: as `load` does.
    """
    path = _found(name)
    data = _read(path)
    if path.suffix == ".py":
        script = run_script(path, data)
        return SceneSource(path, script.is_animated, script.at)
    scene = parse_scene(data, str(path), str(path.absolute().parent))
    return SceneSource(path, False, lambda time: scene)


def parse_scene(data: bytes, source: str, folder: str | None = None) -> Scene:
    """The scene that the text of a scene file holds; `source` names it in errors, its shapes' files are in `folder`.

    Raises:
        SceneError: as `load` does.
    """
    try:
        return Scene.from_tables(_tables(data, source), folder)
    except SceneError as error:
        raise SceneError(error.mistakes, source) from None


def built_in_names() -> list[str]:
    """Names of the scenes that come with the package."""
    return sorted(_built_in())


def _built_in() -> dict[str, Path]:
    """Files of the collection by their names; a Python file counts if it defines `scene`."""
    folder = Path(str(importlib.resources.files(COLLECTION)))
    scripts = [path for path in folder.glob("*.py") if re.search(r"^(def )?scene\b", path.read_text("utf-8"), re.M)]
    return {path.stem: path for path in (*scripts, *folder.glob("*.toml"))}


def _found(name: str | os.PathLike[str]) -> Path:
    """The path of a scene file or script."""
    path = Path(name)
    if path.suffix in (".toml", ".py"):
        return path
    if path.suffix or os.path.exists(path) or len(path.parts) != 1:
        raise refuse(f"expected a scene file (.toml), a script (.py) or a built-in name, got {quoted(str(name))}")
    scenes = _built_in()
    if path.name not in scenes:
        raise refuse(f"unknown scene {quoted(str(name))}{similar(path.name, scenes, listed=100)}")
    return scenes[path.name]


def _read(path: Path) -> bytes:
    """The bytes of a regular file that is not too large."""
    source = str(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # reading a pipe would wait for ever
            raise refuse("expected a file, got a folder or a device", source)
        if status.st_size > MOST_BYTES:
            raise refuse(f"expected at most {MOST_BYTES} bytes, got {status.st_size}", source)
        return path.read_bytes()
    except (OSError, ValueError) as error:  # a name with a null byte is a ValueError
        if isinstance(error, SceneError):
            raise
        raise refuse(f"cannot be read: {(getattr(error, 'strerror', None) or str(error)).lower()}", source) from None


def _tables(data: bytes, source: str) -> dict[str, Any]:
    """The tables of a TOML file, which is neither too long nor nested too deep."""
    if not data.strip():
        raise refuse("the file is empty", source)
    if data.count(b"kind") > 2 * MOST_SHAPES:  # every shape has the word; reading so many would take minutes
        raise refuse(f"expected at most {MOST_SHAPES} shapes, got more", source, "shapes")
    if _LONG_KEY.search(data):
        raise refuse(_too_deep(), source)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise refuse(f"expected text in UTF-8, got other bytes in line {line}", source) from None
    try:
        tables = tomllib.loads(text)
    except RecursionError:
        raise refuse(_too_deep(), source) from None
    except ValueError as error:  # also of numbers with too many digits
        raise refuse(f"not valid TOML: {error}", source) from None
    if _depth_exceeds(tables, MOST_NESTED):
        raise refuse(_too_deep(), source)
    return tables


def _too_deep() -> str:
    return f"expected at most {MOST_NESTED} tables and lists inside each other, got more"


def _depth_exceeds(value: object, most: int) -> bool:
    """Whether tables and lists are nested deeper than `most`, found level by level."""
    level: list[Any] = [value]
    for _ in range(most + 1):
        level = [
            part
            for container in level
            for part in (container.values() if isinstance(container, dict) else container)
            if isinstance(part, (dict, list))
        ]
        if not level:
            return False
    return True
