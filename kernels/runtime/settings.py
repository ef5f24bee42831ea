"""Numbers that a kernel takes together, in one tensor with named columns, instead of one argument each."""

import functools
from enum import IntEnum

import numpy
import torch


def pack_settings(columns: type[IntEnum], device: torch.device, **values: float) -> torch.Tensor:
    """The values (len(columns),) float32, each in the column of its name in small letters, on a device.

    A kernel reads `settings[Columns.NAME]`; integers and flags, which float32 must hold exactly, by a cast.

    Raises:
        TypeError: a value is missing, or has no column.
        ValueError: an integer would be rounded.
    """
    names = _names(columns)
    if values.keys() != set(names):
        raise TypeError(f"{columns.__name__}: expected {sorted(names)}, got {sorted(values)}")
    packed = numpy.array([values[name] for name in names], numpy.float32)
    for name, value in values.items():
        if isinstance(value, int) and int(numpy.float32(value)) != value:
            raise ValueError(f"{name}: expected an integer that float32 holds, got {value}")
    return torch.from_numpy(packed).to(device)


@functools.cache
def _names(columns: type[IntEnum]) -> tuple[str, ...]:
    """Names of values in the order of the columns, which run from 0 on."""
    assert list(columns) == list(range(len(columns)))
    return tuple(column.name.lower() for column in columns)
