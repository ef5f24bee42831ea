"""The JSON schema says the same as the models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from isofield.engine.scene import schema
from isofield.engine.scene.lights import LIGHT_KINDS
from isofield.engine.scene.words import keys
from isofield.engine.shapes import KINDS


def references(part: Any) -> Iterator[str]:
    """Every $ref inside a schema."""
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_it_is_json_and_every_reference_leads_somewhere() -> None:
    whole = json.loads(json.dumps(schema()))
    assert set(references(whole)) <= {f"#/$defs/{name}" for name in whole["$defs"]}
    assert whole["required"] == ["show", "shapes"]
    assert whole["additionalProperties"] is False


@pytest.mark.parametrize(("union", "kinds"), [("Shape", KINDS), ("Light", LIGHT_KINDS)])
def test_every_kind_is_there_with_its_keys(union: str, kinds: dict[str, Any]) -> None:
    definitions = schema()["$defs"]
    mapping = definitions[union]["discriminator"]["mapping"]
    assert set(mapping) == set(kinds)
    assert [choice["$ref"] for choice in definitions[union]["oneOf"]] == list(mapping.values())
    for kind, model in kinds.items():
        definition = definitions[mapping[kind].removeprefix("#/$defs/")]
        assert definition["properties"]["kind"]["const"] == kind
        assert "kind" in definition["required"]
        assert set(definition["properties"]) == set(keys(model))
        assert definition["additionalProperties"] is False


def _tables() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every key of every table of a scene file."""
    whole = schema()
    for name, definition in [("the file", whole), *whole["$defs"].items()]:
        for key, parameter in definition.get("properties", {}).items():
            yield name, key, parameter


@pytest.mark.parametrize(("table", "key", "parameter"), [pytest.param(*row, id=".".join(row[:2])) for row in _tables()])
def test_every_key_says_what_it_is(table: str, key: str, parameter: dict[str, Any]) -> None:
    assert len(parameter.get("description", "")) >= 6
    if {"Length", "Size3"} & {table} or key in ("radius", "tube", "height", "size", "thickness", "wavelength", "eye"):
        assert "scene units" in parameter["description"]
    if key in ("angle", "rate", "fov"):
        assert "degrees" in parameter["description"]


def test_every_table_says_what_it_is() -> None:
    definitions = schema()["$defs"]
    assert "BaseModel" not in definitions, "an inner class of Python's shows"
    for name, definition in definitions.items():
        assert definition.get("description") or "oneOf" in definition, name


def test_null_is_no_value() -> None:
    """TOML has none."""
    assert '"null"' not in json.dumps(schema())
