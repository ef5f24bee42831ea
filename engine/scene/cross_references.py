"""Which shapes a shape is made of, whatever its kind."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from ..shapes import Shape
from .annotations import classes


class CrossReference(NamedTuple):
    """Where one shape speaks of another: the field, the position in it (None if it holds one), the name or shape."""

    field: str
    position: int | None
    target: str | Shape

    @property
    def path(self) -> tuple[str | int, ...]:
        """The field, and the position if there is one."""
        return (self.field,) if self.position is None else (self.field, self.position)


@cache
def reference_fields(kind: type[Shape]) -> tuple[tuple[str, str], ...]:
    """(field, key in files) of everything in a kind of shape that holds other shapes."""
    return tuple(
        (name, field.alias or name)
        for name, field in kind.model_fields.items()
        if any(issubclass(part, Shape) for part in classes(field.annotation))
    )


def references(shape: Shape) -> list[CrossReference]:
    """The references of a shape, in the order written."""
    return [reference for name, _ in reference_fields(type(shape)) for reference in _listed(name, getattr(shape, name))]


def written_references(kind: type[Shape], table: Mapping[str, object]) -> list[CrossReference]:
    """The references in a shape's table of a file, also where the table has mistakes."""
    return [reference for _, key in reference_fields(kind) for reference in _listed(key, table.get(key))]


def _listed(field: str, value: object) -> list[CrossReference]:
    if isinstance(value, (list, tuple)):
        return [CrossReference(field, at, part) for at, part in enumerate(value) if isinstance(part, (str, Shape))]
    return [CrossReference(field, None, value)] if isinstance(value, (str, Shape)) else []
