"""Scene scripts: Python files that define `scene`, or `scene(time)`. They are run, and only when named as a scene."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, TracebackType
from typing import NamedTuple

from ..shapes import Shape
from .mistakes import SceneError, refuse
from .scene import Scene


class Script(NamedTuple):
    """What a script defines: `at(seconds)` is its scene then, for one that is not animated always the same."""

    is_animated: bool
    at: Callable[[float], Scene]


def run_script(path: Path, source: bytes) -> Script:
    """Run a script as a module of its own, its folder importable meanwhile, and find its scene.

    Raises:
        SceneError: the script raises (with its traceback), or defines no scene.
    """
    path = path.absolute()
    module = ModuleType(f"isofield_script_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses and pickle look for the module they are defined in
    with _running(path):
        # The script decides for itself about `from __future__ import annotations`; Taichi kernels must do without.
        exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
    if not hasattr(module, "scene"):
        raise refuse("defines no scene; a script defines scene, or scene(time)", str(path))
    defined = module.scene
    if not callable(defined):
        scene = _as_scene(defined, path)
        return Script(False, lambda time: scene)
    try:
        inspect.signature(defined).bind(0.0)
    except TypeError:
        raise refuse("scene: expected a function of one argument, the time", str(path)) from None

    def at(time: float) -> Scene:
        with _running(path):
            result = defined(time)
        return _as_scene(result, path)

    return Script(True, at)


def _as_scene(value: object, path: Path) -> Scene:
    """A scene, or one that shows the shape."""
    if isinstance(value, Scene):
        return value
    if not isinstance(value, Shape):
        raise refuse(f"scene: expected a Scene or a Shape, got {type(value).__name__}", str(path))
    try:
        return Scene(value)
    except SceneError as error:
        raise SceneError(error.mistakes, str(path)) from None


@contextmanager
def _running(path: Path) -> Iterator[None]:
    """Run code of the script in its folder; what it raises becomes a SceneError with the script's own traceback."""
    folder = str(path.parent)
    sys.path.insert(0, folder)
    try:
        yield
    except (Exception, SystemExit) as error:
        lines = traceback.format_exception(type(error), error, _from_script_on(error.__traceback__, str(path)))
        raise refuse(f"the script raised\n{''.join(lines).rstrip()}", str(path)) from error
    finally:
        if folder in sys.path:
            sys.path.remove(folder)


def _from_script_on(trace: TracebackType | None, file: str) -> TracebackType | None:
    """The traceback without the frames above the script's own."""
    while trace is not None and trace.tb_frame.f_code.co_filename != file:
        trace = trace.tb_next
    return trace
