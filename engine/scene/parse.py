"""The tables of a scene file as models; what is wrong in them goes to a list, so that one pass finds all of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from ..shapes import KINDS, Model, Shape
from .camera import Camera
from .lights import LIGHT_KINDS, Light
from .material import Material
from .mistakes import KeyPath, Mistake, place, quoted, shown, similar
from .words import in_words, keys, unknown_key

M = TypeVar("M", bound=Model)

NAME = r"[^\W_][\w-]{0,99}|_[\w-]{0,99}"


def shape_from(value: object, path: KeyPath, mistakes: list[Mistake]) -> Shape | None:
    """The shape that a table describes, of the kind that its key `kind` says; None if it is not one."""
    shape: Shape | None = _kind_from(KINDS, Shape, 'kind = "sphere", …', value, path, mistakes)
    return shape


def light_from(value: object, path: KeyPath, mistakes: list[Mistake]) -> Light | None:
    """The light that a table describes, of the kind that its key `kind` says; None if it is not one."""
    light: Light | None = _kind_from(LIGHT_KINDS, Light, 'kind = "sun", …', value, path, mistakes)
    return light


def material_from(value: object, path: KeyPath, mistakes: list[Mistake]) -> Material | None:
    """The material that a table describes; None if it is not one."""
    material: Material | None = model_from(Material, 'base_color = "#c86a4a", …', value, path, mistakes)
    return material


def camera_from(value: object, path: KeyPath, mistakes: list[Mistake]) -> Camera | None:
    """The camera that a table describes; None if it is not one."""
    camera: Camera | None = model_from(Camera, "eye = [2, -3, 1.5], target = [0, 0, 0]", value, path, mistakes)
    return camera


def named_from(
    section: str,
    value: object,
    one: Callable[[object, KeyPath, list[Mistake]], M | None],
    mistakes: list[Mistake],
) -> dict[str, M]:
    """What a section of a file holds under its names, without the entries that have mistakes."""
    if not isinstance(value, Mapping):
        mistakes.append(Mistake(section, f"expected a table of names, got {shown(value)}"))
        return {}
    found = {}
    for name, entry in value.items():
        if not isinstance(name, str) or not re.fullmatch(NAME, name):
            text = f"the name {quoted(str(name))}: expected at most 100 letters, digits, _ or -, no - first"
            mistakes.append(Mistake(section, text))
            continue
        model = one(entry, (section, name), mistakes)
        if model is not None:
            found[name] = model
    return found


def _kind_from(
    kinds: Mapping[str, type[Any]], base: Any, example: str, value: object, path: KeyPath, mistakes: list[Mistake]
) -> Any:
    if isinstance(value, base):
        return value
    if not isinstance(value, Mapping):
        return model_from(base, example, value, path, mistakes)
    if "kind" not in value:
        mistakes.append(Mistake(place(path), f"kind missing; a table such as {{ {example} }} says what it is"))
        return None
    kind = value["kind"]
    if not isinstance(kind, str):
        mistakes.append(Mistake(place((*path, "kind")), f"expected a string, got {shown(kind)}"))
        return None
    if kind not in kinds:
        hint = similar(kind, kinds, listed=100)
        mistakes.append(Mistake(place((*path, "kind")), f"unknown kind {quoted(kind)}{hint}"))
        return None
    return model_from(kinds[kind], example, value, path, mistakes)


def model_from(model: Any, example: str, value: object, path: KeyPath, mistakes: list[Mistake]) -> Any:
    """The model that a table describes; None if it is not one, with `example` in the message."""
    if isinstance(value, model):
        return value
    if not isinstance(value, Mapping):
        mistakes.append(Mistake(place(path), f"expected a table such as {{ {example} }}, got {shown(value)}"))
        return None
    allowed = keys(model)
    unknown = [key for key in value if key not in allowed]
    mistakes.extend(Mistake(place(path), unknown_key(str(key), allowed)) for key in unknown)
    known = {key: entry for key, entry in value.items() if key in allowed} if unknown else dict(value)
    try:
        return model.model_validate(known)
    except ValidationError as error:
        mistakes.extend(in_words(error, model, known, path))
        return None
