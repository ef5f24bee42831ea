"""Scenes to files: a new one in the form of the documentation, an existing one changed where the scene differs."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import tomlkit
from pydantic import BaseModel
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable

from ..files import atomic_write
from ..shapes import FromFile
from .assemble import Heading
from .loading import MOST_BYTES
from .mistakes import KeyPath, Mistake, quoted, refuse
from .parse import camera_from, light_from, material_from, shape_from
from .scene import Scene
from .text import inline
from .toml_values import key_of, table_of, toml_value

Reader = Callable[[object, KeyPath, list[Mistake]], BaseModel | None]

READERS: dict[str, Reader] = {"shapes": shape_from, "materials": material_from, "lights": light_from}


def save(scene: Scene, path: str | os.PathLike[str]) -> None:
    """Write a scene to a `.toml` file; in one that is there already, comments, order and unchanged values are kept.

    The file is written beside and renamed, so it is the old one or the new one, never half.

    Raises:
        SceneError: the name does not end in .toml, or what is there is not valid TOML.
        OSError: the file cannot be written; names it.
    """
    path = Path(path)
    if path.suffix != ".toml":
        raise refuse(f"expected a name that ends in .toml, got {quoted(str(path))}")
    scene = _beside(scene, path.absolute().parent)
    text = _changed_text(path, scene) if path.is_file() and path.stat().st_size else scene.to_toml()
    with atomic_write(path) as beside:
        beside.write_text(text, encoding="utf-8", newline="")


def _beside(scene: Scene, folder: Path) -> Scene:
    """The scene with the files of its shapes named from the folder, if they are in it."""
    shapes = {
        name: shape.model_copy(update={"file": os.path.relpath(shape.file, folder)})
        if isinstance(shape, FromFile) and Path(shape.file).absolute().is_relative_to(folder)
        else shape
        for name, shape in scene.shapes.items()
    }
    return scene.model_copy(update={"shapes": shapes})


def _changed_text(path: Path, scene: Scene) -> str:
    """The text of an existing file with the values that differ from the scene's replaced."""
    if path.stat().st_size > MOST_BYTES:
        raise refuse(f"not changed: expected at most {MOST_BYTES} bytes, got {path.stat().st_size}", str(path))
    try:
        document = tomlkit.parse(path.read_bytes().decode("utf-8"))
    except (TOMLKitError, ValueError, RecursionError) as error:
        raise refuse(f"not changed, for it is not valid TOML ({error}); save under another name", str(path)) from None
    _update_heading(document, scene)
    for section, reader in READERS.items():
        _update_section(document, section, getattr(scene, section), reader)
    _update_camera(document, scene)
    text = tomlkit.dumps(document).rstrip("\n") + "\n"
    return text if _holds(text, scene) else scene.to_toml()


def _update_heading(document: MutableMapping[str, Any], scene: Scene) -> None:
    for key in Heading.model_fields:
        value = toml_value(getattr(scene, key))
        if not value:
            document.pop(key, None)
        elif document.get(key) != value:
            document[key] = _item(value)


def _update_section(
    document: MutableMapping[str, Any], section: str, entries: Mapping[str, BaseModel], reader: Reader
) -> None:
    if not isinstance(document.get(section), MutableMapping):
        if not entries:
            return
        document[section] = tomlkit.table()
    table = document[section]
    for name in [name for name in table if name not in entries]:
        del table[name]
    for name, model in entries.items():
        old = reader(_unwrapped(table[name]), (), []) if name in table else None
        if isinstance(old, type(model)):
            _update_entry(table, name, old, model)
        else:
            table[name] = _item(table_of(model))


def _update_camera(document: MutableMapping[str, Any], scene: Scene) -> None:
    if scene.camera is None:
        document.pop("camera", None)
        return
    old = camera_from(_unwrapped(document.get("camera")), (), [])
    if old is not None:
        _update_entry(document, "camera", old, scene.camera)
    else:
        document["camera"] = tomlkit.table()
        document["camera"].update({key: _item(value) for key, value in table_of(scene.camera).items()})


def _update_entry(container: MutableMapping[str, Any], name: str, old: BaseModel, new: BaseModel) -> None:
    """Change what differs; keys that are written stay, also where their value is the default."""
    table = container[name]
    fields = {key_of(name, field): name for name, field in type(new).model_fields.items()}
    everything = {key: getattr(new, name) for key, name in fields.items()}
    kept = [key for key in table if everything.get(key) is not None]
    wanted = {key: toml_value(everything[key]) for key in dict.fromkeys([*kept, *table_of(new)])}
    if isinstance(table, InlineTable) and set(wanted) != set(table):
        container[name] = _item(wanted)
        return
    for key in [key for key in table if key not in wanted]:
        del table[key]
    for key, value in wanted.items():
        if key not in table or getattr(old, fields[key]) != everything[key]:
            table[key] = _item(value)


def _item(value: Any) -> Any:
    """A value as an element of a document, spaced as in a new file."""
    return tomlkit.parse(f"value = {inline(value)}")["value"]


def _unwrapped(value: Any) -> Any:
    return value.unwrap() if hasattr(value, "unwrap") else value


def _holds(text: str, scene: Scene) -> bool:
    """Whether a text reads back as the scene; tables written in unusual places may not survive being changed."""
    try:
        return Scene.from_tables(tomllib.loads(text)) == scene
    except ValueError:
        return False
