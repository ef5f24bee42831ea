"""Arithmetic on numbers that are plain floats or, where a gradient is wanted, scalar tensors."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

Triple = tuple[Any, Any, Any]

SHORT = 1e-15  # of a vector whose squares are still far from where float32 underflows


def as_float(value: Any) -> float:
    """The value as a float, without its gradient."""
    return value if isinstance(value, float) else float(value.detach() if hasattr(value, "detach") else value)


def vector(values: Iterable[Any]) -> Triple:
    """The three numbers as a vector."""
    x, y, z = values
    return (x, y, z)


def sqrt(value: Any) -> Any:
    """Square root."""
    return math.sqrt(value) if isinstance(value, (int, float)) else value.sqrt()


def sin(angle: Any) -> Any:
    """Sine of an angle in radians."""
    return math.sin(angle) if isinstance(angle, (int, float)) else angle.sin()


def cos(angle: Any) -> Any:
    """Cosine of an angle in radians."""
    return math.cos(angle) if isinstance(angle, (int, float)) else angle.cos()


def smallest(values: Triple) -> Any:
    """The smallest of three numbers, with its gradient."""
    return min(values, key=as_float)


def with_squares(entries: tuple[Any, ...]) -> tuple[Any, ...]:
    """A vector, made longer if it is so short that squares of its entries would vanish."""
    largest = max(abs(as_float(entry)) for entry in entries)
    return tuple(entry / largest for entry in entries) if 0.0 < largest < SHORT else entries


def normalized(direction: Triple) -> Triple:
    """The vector divided by its length."""
    x, y, z = with_squares(direction)
    length = sqrt(x * x + y * y + z * z)
    return (x / length, y / length, z / length)
