"""Scenes with some values changed, by the names that stand in the file: `body.size`, `sun.strength`, `camera.fov`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from .assemble import SECTIONS
from .mistakes import Mistake, SceneError, quoted, refuse, shown, similar
from .scene import Scene
from .toml_values import toml_value

# What a value of the camera takes the place of.
REPLACED = {"fov": "width", "width": "fov", "eye": "camera_to_world", "target": "camera_to_world"}


def with_values(scene: Scene, values: Mapping[str, object]) -> Scene:
    """The scene with values changed: {"body.size": (1, 1, 0.4), "knob.rotate.angle": 30, "camera.fov": 20}.

    The first part names a shape, a material or a light, or is `camera`; where several have the name, the section goes
    first: "shapes.gold.radius".

    Raises:
        SceneError: an unknown or ambiguous name, or what the scene becomes has mistakes.
    """
    changed: dict[tuple[str, ...], dict[str, Any]] = {}
    mistakes: list[Mistake] = []
    for key, value in values.items():
        try:
            owner, path = _owner(key, scene)
            if owner not in changed:
                changed[owner] = _table(owner, scene)
            _set(changed[owner], path, value, key)
        except SceneError as error:
            mistakes.extend(error.mistakes)
    if mistakes:
        raise SceneError(mistakes)
    camera: Any = changed.pop(("camera",), scene.camera)
    entries: dict[str, dict[str, Any]] = {section: dict(getattr(scene, section)) for section in SECTIONS}
    if any(section == "lights" for section, _ in changed):
        entries["lights"] = dict(scene.lighting)  # a change to the studio's lights makes them the scene's own
    for (section, name), table in changed.items():
        entries[section][name] = table
    heading = {"show": scene.show, "stage": scene.stage, "bounds": scene.bounds}
    return Scene.from_tables({**heading, **entries, "camera": camera})


def parse_settings(settings: Sequence[str]) -> dict[str, object]:
    """The values of settings such as `body.size=1,1,0.4`, `clay.base_color=#ff0000`, `knob.rotate.angle=30`.

    A value is TOML, or numbers and words with commas between them (a list), or a word.

    Raises:
        SceneError: a setting without `=`.
    """
    values: dict[str, object] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key.strip():
            raise refuse(f"{quoted(setting)}: expected name.key=value, such as body.size=1,1,0.4")
        values[key.strip()] = _value(text.strip())
    return values


def _value(text: str) -> object:
    value = _toml(text)
    if value is not None:
        return value
    if "," in text:
        return [_value(part.strip()) for part in text.rstrip(",").split(",")]
    return text


def _toml(text: str) -> object:
    """The value that a text is in TOML; None if it is none."""
    try:
        tables = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return None
    return tables["value"] if len(tables) == 1 else None


def _owner(key: str, scene: Scene) -> tuple[tuple[str, ...], list[str]]:
    """The entry of the scene that a key belongs to, and the path in its table."""
    first, *rest = key.split(".")
    if first in SECTIONS and len(rest) >= 2 and rest[0] in _entries(scene, first):
        return (first, rest[0]), rest[1:]
    owners: list[tuple[str, ...]] = [(section, first) for section in SECTIONS if first in _entries(scene, section)]
    if first == "camera":
        owners.append(("camera",))
    if not rest:
        raise refuse(f"{quoted(key)}: expected name.key, such as body.size")
    if not owners:
        names = [name for section in SECTIONS for name in _entries(scene, section)]
        hint = similar(first, [*names, "camera"])
        raise refuse(f"{quoted(key)}: no shape, material or light is called {quoted(first)}{hint}")
    if len(owners) > 1:
        choices = " or ".join(".".join((*owner, *rest)) for owner in owners)
        raise refuse(f"{quoted(key)}: several have this name; expected {choices}")
    return owners[0], rest


def _entries(scene: Scene, section: str) -> Mapping[str, object]:
    entries: Mapping[str, object] = scene.lighting if section == "lights" else getattr(scene, section)
    return entries


def _table(owner: tuple[str, ...], scene: Scene) -> dict[str, Any]:
    """The table of an entry, as a file would hold it."""
    if owner == ("camera",):
        return {} if scene.camera is None else dict(toml_value(scene.camera))
    return dict(toml_value(_entries(scene, owner[0])[owner[1]]))


def _set(table: dict[str, Any], path: Sequence[str], value: object, key: str) -> None:
    """Set what lies at a path in nested tables."""
    for step in path[:-1]:
        inner = table.setdefault(step, {})
        if not isinstance(inner, dict):
            raise refuse(f"{quoted(key)}: {step} is {shown(inner)}, which has no {quoted(path[-1])}")
        table = inner
    table[path[-1]] = value
    for name, other in REPLACED.items():
        if key == f"camera.{name}":
            table.pop(other, None)
