"""Scenes as the text of a new file, in the form of the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomlkit
from pydantic import BaseModel

from .assemble import SECTIONS, Heading
from .toml_values import table_of, toml_value


def text_of(scene: Mapping[str, Any]) -> str:
    """The text of a scene file, one line a shape, of a scene's fields by name."""
    lines = [f"{key} = {inline(toml_value(scene[key]))}" for key in Heading.model_fields if scene[key]]
    for section in SECTIONS:
        entries: Mapping[str, BaseModel] = scene[section]
        if entries:
            lines += ["", f"[{section}]"]
            lines += [f"{_key(name)} = {inline(table_of(model))}" for name, model in entries.items()]
    if scene["camera"] is not None:
        lines += ["", "[camera]"]
        lines += [f"{key} = {inline(value)}" for key, value in table_of(scene["camera"]).items()]
    return "\n".join(lines) + "\n"


def inline(value: Any) -> str:
    """A value on one line, tables as { key = value }."""
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(key)} = {inline(part)}" for key, part in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list):
        return f"[{', '.join(inline(part) for part in value)}]"
    return str(tomlkit.item(value).as_string())


def _key(name: str) -> str:
    return str(tomlkit.key(name).as_string())
