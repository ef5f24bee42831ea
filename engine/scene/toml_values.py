"""Models as the values of a TOML file: tables, lists, numbers and strings, without what is default."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ..shapes import Shape


def toml_value(value: object) -> Any:
    """A value as it is written: models as tables, tuples as lists, whole floats without their point."""
    if isinstance(value, BaseModel):
        return table_of(value)
    if isinstance(value, (list, tuple)):
        return [toml_value(part) for part in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def table_of(model: BaseModel) -> dict[str, Any]:
    """The table of a model: `kind`, its own keys, then what all shapes have; neither None nor what is default."""
    fields = type(model).model_fields
    # As in a caption: what it is, then where.
    ordered = sorted(fields, key=lambda name: (name != "kind", name in Shape.model_fields))
    return {
        key_of(name, fields[name]): toml_value(getattr(model, name))
        for name in ordered
        if name == "kind" or getattr(model, name) not in (None, fields[name].default)
    }


def key_of(name: str, field: FieldInfo) -> str:
    """The key of a field in a file."""
    return field.alias or name
