"""Volumes of values from .npy files, and which side of their surface is inside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy

from .endings import Solid

if TYPE_CHECKING:
    import torch

# What to give for a volume that does not say it by itself, for errors.
LEVEL_KEY = "level, the value on the surface,"
SOLID_KEY = 'solid, the side of the level that is inside ("above" or "below"), to the sampled shape or isofield mesh'

SLAB = 16  # layers of a volume that are looked at together


def load_volume(path: str | os.PathLike[str]) -> numpy.ndarray:
    """The values (X, Y, Z) of a .npy file, or of one (X, Y, Z, 1), read from the disk only where they are used.

    Raises:
        OSError: the file cannot be read.
        ValueError: it holds no volume of numbers.
    """
    name = os.fspath(path)
    try:
        values = numpy.load(Path(path), mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise OSError(f"{name}: cannot be read: {(error.strerror or str(error)).lower()}") from None
    except (ValueError, EOFError) as error:
        raise ValueError(f"{name}: expected a whole .npy file of numbers, got another one ({error})") from None
    if not isinstance(values, numpy.ndarray):
        raise ValueError(f"{name}: expected a whole .npy file of numbers, got an archive of several")
    volume: numpy.ndarray = values[..., 0] if values.ndim == 4 and values.shape[3] == 1 else values
    if volume.ndim != 3 or 0 in volume.shape or volume.dtype.kind not in "fiub":
        raise ValueError(
            f"{name}: expected numbers of shape (X, Y, Z), got {volume.dtype} of shape {tuple(volume.shape)}"
        )
    return volume


class LevelSet(NamedTuple):
    """The surface of a volume.

    Attributes:
        level: value on it.
        solid: whether larger or smaller values than the level are inside.
        is_distance: whether the values are signed distances: floating-point, and neither level nor solid was given.
    """

    level: float
    solid: Solid
    is_distance: bool

    @property
    def sign(self) -> float:
        """Factor that makes the values smaller inside."""
        return -1.0 if self.solid == "above" else 1.0


def level_set_of(
    values: numpy.ndarray | torch.Tensor, level: float | None = None, solid: Solid | None = None
) -> LevelSet:
    """Where the surface of a volume (X, Y, Z) lies, by its dtype where `level` or `solid` is None.

    Floating-point values are signed distances: level 0, inside below. Booleans and whole numbers of two values, none
    negative, are an occupancy: level half-way between, inside above. Of other whole numbers both have to be said; of
    floating-point values none of which is negative, `solid` with a `level`, since these cannot be signed distances.

    Raises:
        ValueError: what has to be said is missing.
    """
    name = str(values.dtype).removeprefix("torch.")
    if "float" in name:
        if level is not None and solid is None and not _any_negative(values):
            raise ValueError(f"values: expected signed distances, got none below 0; give {SOLID_KEY}")
        return LevelSet(level or 0.0, solid or "below", is_distance=level is None and solid is None)
    if level is not None and solid is not None:
        return LevelSet(level, solid, is_distance=False)
    found = _first_three(values)
    if len(found) > 2 or found[0] < 0:
        listed = ", ".join(map(str, found)) + (", …" if len(found) > 2 else "")
        raise ValueError(
            f"values: expected signed distances or an occupancy, got {name} with the values {listed}; "
            f"give {LEVEL_KEY} and {SOLID_KEY}"
        )
    # One value alone is all empty if 0, else all full.
    middle = 0.5 * (found[0] + found[1]) if len(found) == 2 else 0.5
    return LevelSet(middle if level is None else level, solid or "above", is_distance=False)


def _slabs(values: Any) -> Iterator[Any]:
    """The values, a few layers at a time: files are read only as far as they are looked at."""
    for first in range(0, values.shape[0], SLAB):
        yield values[first : first + SLAB]


def _any_negative(values: numpy.ndarray | torch.Tensor) -> bool:
    return any(bool((slab < 0).any()) for slab in _slabs(values))


def _first_three(values: numpy.ndarray | torch.Tensor) -> list[int]:
    """The least of up to three different whole numbers among the values, of those seen until there are three."""
    found: set[int] = set()
    for slab in _slabs(values):
        found.update(map(int, numpy.unique(numpy.asarray(slab))[:3]))
        if len(found) > 2:
            break
    return sorted(found)[:3]
