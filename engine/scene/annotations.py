"""What the annotation of a model's field is made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin


def classes(annotation: Any) -> Iterator[type]:
    """Every class that occurs in an annotation: `tuple[A, ...] | B` has A and B."""
    if isinstance(annotation, type) and not get_args(annotation):
        yield annotation
    for part in get_args(annotation):
        yield from classes(part)


def lengths(annotation: Any) -> Iterator[int | None]:
    """Length of every tuple that occurs in an annotation, not of those inside; None where any length will do."""
    parts = get_args(annotation)
    if get_origin(annotation) is tuple:
        yield None if parts[-1] is Ellipsis else len(parts)
        return
    for part in parts:
        yield from lengths(part)
