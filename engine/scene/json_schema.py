"""The JSON schema of scene files, by which editors complete and check them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from ..shapes import KINDS
from .assemble import Heading
from .camera import Camera
from .lights import LIGHT_KINDS
from .material import Material

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The JSON schema of a scene file (draft 2020-12): every shape, material and light under `$defs`."""
    models: list[type[BaseModel]] = [*KINDS.values(), *LIGHT_KINDS.values(), Material, Camera, Heading]
    references, generated = models_json_schema([(model, "validation") for model in models], by_alias=True)
    names = {model: reference["$ref"].rpartition("/")[2] for (model, _), reference in references.items()}
    definitions: dict[str, Any] = _without_null(generated["$defs"])
    heading = definitions.pop(names[Heading])
    definitions.pop("BaseModel", None)  # a material as an object, which Python alone has
    for definition in definitions.values():
        if "kind" in definition.get("properties", {}):
            definition["properties"]["kind"]["description"] = "what it is"
    for kinds in (KINDS, LIGHT_KINDS):
        for kind in kinds.values():
            definition = definitions[names[kind]]
            definition["required"] = ["kind", *definition.get("required", [])]
    definitions["Shape"] = _one_of({kind: names[model] for kind, model in KINDS.items()})
    definitions["Light"] = _one_of({kind: names[model] for kind, model in LIGHT_KINDS.items()})
    return {
        "$schema": DIALECT,
        "title": "isofield scene",
        "type": "object",
        "properties": {
            **heading["properties"],
            "shapes": {**_table_of("Shape", "shapes by name"), "minProperties": 1},
            "materials": _table_of(names[Material], "materials by name"),
            "lights": _table_of("Light", "lights by name; a studio's if there are none"),
            "camera": {**_reference(names[Camera]), "description": "without one the subject is framed"},
        },
        "required": ["show", "shapes"],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _without_null(part: Any) -> Any:
    """A schema without the null that Python's optional fields allow: TOML has none, a key is left out."""
    if isinstance(part, list):
        return [_without_null(item) for item in part]
    if not isinstance(part, dict):
        return part
    clean = {key: _without_null(value) for key, value in part.items() if not (key == "default" and value is None)}
    choices = [choice for choice in clean.get("anyOf", ()) if choice != {"type": "null"}]
    if "anyOf" in clean:
        clean["anyOf"] = choices
        if len(choices) == 1:
            return {**choices[0], **{key: value for key, value in clean.items() if key != "anyOf"}}
    return clean


def _one_of(names: Mapping[str, str]) -> dict[str, Any]:
    mapping = {kind: f"#/$defs/{name}" for kind, name in names.items()}
    return {
        "oneOf": [{"$ref": reference} for reference in mapping.values()],
        "discriminator": {"propertyName": "kind", "mapping": mapping},
    }


def _table_of(name: str, description: str) -> dict[str, Any]:
    return {"type": "object", "description": description, "additionalProperties": _reference(name)}


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}
