"""What is wrong with the options of a command."""

from __future__ import annotations

import contextlib
import math
import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..files import MESHES, MeshOptions, kind_of, option_words

if TYPE_CHECKING:
    from ..fit import FitSettings
    from ..scene import Scene

MOST_PIXELS = 16384  # of a side of a picture


class UsageError(Exception):
    """An option that cannot be used; the message names it, what is expected and what came."""


def check_range(option: str, value: float, lowest: float, highest: float) -> None:
    """Refuse a number outside [lowest, highest].

    Raises:
        UsageError: it is, or is no number.
    """
    if math.isnan(value) or not lowest <= value <= highest:
        raise UsageError(f"{option}: expected a number from {lowest:g} to {highest:g}, got {value:g}")


def check_mesh_options(options: MeshOptions, source: str) -> None:
    """Refuse how a mesh is to be taken where there is none, and a thickness of what is no shell.

    Raises:
        UsageError: an option is given in vain.
    """
    words = option_words(options)
    if words and kind_of(source) != "mesh":
        raise UsageError(f"{words[0]}: expected for a mesh ({', '.join(MESHES)}) only, got {source}")
    if options.thickness is not None:
        if options.sign != "none":
            raise UsageError("--thickness: expected with --sign none only")
        check_range("--thickness", options.thickness, 1e-6, 1e6)


def tell_notes(name: str | os.PathLike[str], notes: Iterable[str]) -> None:
    """Say on stderr what there is to say of a file, a line each."""
    for note in notes:
        print(f"{os.fspath(name)}: {note}", file=sys.stderr)


def tell_notes_of_scene(scene: Scene) -> None:
    """Say what there is to say of the files that a scene's shapes are made of."""
    from ..shapes import FromFile

    from_files = [shape for shape in scene.shapes.values() if isinstance(shape, FromFile)]
    for file, note in sorted({(shape.file, note) for shape in from_files for note in shape.bake().notes}):
        tell_notes(file, [note])


@contextlib.contextmanager
def read_from(path: str | os.PathLike[str], argument: str) -> Iterator[None]:
    """What is wrong with an argument of a function is said of the file that it was read from.

    Raises:
        ValueError: with the file's name.
    """
    try:
        yield
    except ValueError as error:
        if not str(error).startswith(f"{argument}:"):
            raise
        raise ValueError(f"{os.fspath(path)}: {error}") from None


def check_device(device: str) -> None:
    """Refuse a device that is not there; imports PyTorch.

    Raises:
        UsageError: it is not.
    """
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError("--device: there is no CUDA device; expected cpu")


def check_settings(settings: FitSettings) -> None:
    """Find wrong settings of a fit before anything slow is imported.

    Raises:
        UsageError: the first that is wrong.
    """
    try:
        settings.check()
    except ValueError as error:
        name, rest = str(error).split(":", 1)
        raise UsageError(f"--{name.replace('_', '-')}:{rest}") from None
