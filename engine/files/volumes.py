"""Volumes of values from .npy files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy


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
