"""What is wrong with the options of a command."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..files import MESHES, kind_of

if TYPE_CHECKING:
    from ..fit import FitSettings

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


def check_up(up: str, source: str) -> None:
    """Refuse another axis than z for what is no mesh.

    Raises:
        UsageError: it is given.
    """
    if up != "z" and kind_of(source) != "mesh":
        raise UsageError(f"--up: expected for a mesh ({', '.join(MESHES)}) only, got {source}")


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
