"""Whatever a file holds, it is a scene or a SceneError."""

from __future__ import annotations

import contextlib
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from isofield.engine.scene import Camera, Material, Scene, SceneError, load
from isofield.engine.scene.lights import LIGHT_KINDS
from isofield.engine.scene.words import keys
from isofield.engine.shapes import KINDS

from .conftest import TOY

HEADING = ["show", "stage", "bounds", "shapes", "materials", "lights", "camera"]
KEYS = ["kind", "of", "material", "radius", "size", "scale", "rotate", "translate", "axis", "angle", "base_color"]
WORDS = st.sampled_from([*HEADING, *KEYS, *KINDS, "a", "b", "c", "#fff"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_subnormal=False)  # Taichi's runtime sets the processor to flush those to zero
    | st.dates()
    | WORDS
    | st.text(max_size=5)
    | st.integers(10**300, 10**320),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
SHAPES = st.fixed_dictionaries(
    {"kind": st.sampled_from(list(KINDS))}, optional={"of": st.lists(WORDS, max_size=3) | WORDS, "material": WORDS}
)
TABLES = st.fixed_dictionaries(
    {},
    optional={
        "show": WORDS | VALUES,
        "stage": st.lists(WORDS, max_size=3) | VALUES,
        "shapes": st.dictionaries(WORDS, SHAPES | VALUES, max_size=5) | VALUES,
        "materials": st.dictionaries(WORDS, VALUES, max_size=3) | VALUES,
        "lights": st.dictionaries(WORDS, VALUES, max_size=3) | VALUES,
        "camera": VALUES,
        "bounds": VALUES,
    },
)
# Values as the keys of a scene take them, and those that a table may not lack, so that many tables are right.
NEEDED = {"of": ["body", "ring"], "position": [1, 2, 3], "eye": [2, -3, 1.5], "target": [0, 0, 0], "angle": 30}
NUMBERS = st.integers(-3, 3) | st.floats(-10, 10, allow_subnormal=False)
VECTORS = st.lists(NUMBERS, min_size=2, max_size=4)
FITTING = st.none() | NUMBERS | VECTORS | st.lists(VECTORS, min_size=2, max_size=4) | st.sampled_from(["body", "clay"])
MODELS = [
    *(("shapes", kind, model) for kind, model in KINDS.items()),
    *(("lights", kind, model) for kind, model in LIGHT_KINDS.items()),
    ("materials", None, Material),
    ("camera", None, Camera),
]


def read(tables: dict[str, Any]) -> Scene | SceneError:
    try:
        return Scene.from_tables(tables)
    except SceneError as error:
        return error


def accept(tables: dict[str, Any]) -> None:
    """Read tables as a scene, which is written and read back equal, or get told its mistakes in words."""
    result = read(tables)
    if isinstance(result, Scene):
        assert Scene.from_tables(tomllib.loads(result.to_toml())) == result
    else:
        assert result.mistakes
        assert "pydantic" not in str(result)
        assert "Input should" not in str(result)


@given(TABLES)
def test_tables_of_all_sorts(tables: dict[str, Any]) -> None:
    accept(tables)


@given(st.sampled_from(MODELS), st.data())
def test_entries_with_the_keys_of_their_kind(entry: tuple[str, str | None, Any], data: st.DataObject) -> None:
    section, kind, model = entry
    needed = {key: value for key, value in NEEDED.items() if key in keys(model)}
    table = needed | data.draw(st.dictionaries(st.sampled_from(keys(model)), FITTING, max_size=3))
    if kind is not None:
        table["kind"] = kind
    tables: dict[str, Any] = tomllib.loads(TOY)
    tables[section] = table if section == "camera" else {**tables[section], "new": table}
    accept(tables)


@given(st.binary(max_size=200))
@example(b"\x00")
@example(b"[" * 100)
def test_bytes_of_all_sorts(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.toml"
    path.write_bytes(data)
    with contextlib.suppress(SceneError):
        load(path)


@settings(max_examples=3 * settings.default.max_examples)
@given(st.data())
def test_scenes_with_a_few_characters_changed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    text = TOY
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 8))
        text = text[:at] + data.draw(st.text('[]{}=,."#-0123456789einfa_ \n', max_size=4)) + text[at + cut :]
    path = tmp_path_factory.getbasetemp() / "text.toml"
    path.write_text(text)
    with contextlib.suppress(SceneError):
        load(path)


@given(st.data())
def test_scenes_with_a_value_changed(data: st.DataObject) -> None:
    tables = tomllib.loads(TOY)
    table: Any = tables
    for _ in range(data.draw(st.integers(0, 3))):
        inner = [value for value in (table.values() if isinstance(table, dict) else table) if isinstance(value, dict)]
        if not inner:
            break
        table = data.draw(st.sampled_from(inner))
    table[data.draw(st.sampled_from([*table, "new"]))] = data.draw(VALUES)
    accept(tables)


def test_the_scene_that_is_changed_is_right(toy: Path) -> None:
    assert load(toy).show == "toy"
