"""Numbers that fields and their files are given, checked."""

from __future__ import annotations

from typing import Any


def integer(name: str, value: Any, lowest: int, highest: int) -> int:
    """The value, which must be a whole number from `lowest` to `highest`.

    Raises:
        TypeError, ValueError: it is not.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name}: expected a whole number, got {value!r}")
    if not lowest <= value <= highest:
        raise ValueError(f"{name}: expected a whole number from {lowest} to {highest}, got {value}")
    return value


def real(name: str, value: Any, lowest: float, highest: float) -> float:
    """The value as a float, which must be a number from `lowest` to `highest`.

    Raises:
        TypeError, ValueError: it is not.
    """
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise TypeError(f"{name}: expected a number, got {value!r}")
    if not lowest <= value <= highest:
        raise ValueError(f"{name}: expected a number from {lowest:g} to {highest:g}, got {value}")
    return float(value)
