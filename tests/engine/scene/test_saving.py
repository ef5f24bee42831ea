"""Scenes to files and back: equal, with comments kept, whole or not at all."""

from __future__ import annotations

import difflib
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

from isofield.engine.scene import Camera, Material, PointLight, Scene, SceneError, Sky, Sun, load, save, with_values
from isofield.engine.scene.assemble import Heading
from isofield.engine.scene.lights import LIGHT_KINDS
from isofield.engine.shapes import KINDS, Model, Rotation, Shape
from isofield.engine.shapes.operators import Difference, Union
from isofield.engine.shapes.solids import Box, Sphere

# No subnormal numbers: Taichi's runtime sets the processor to flush them to zero.
NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False)
UNITS = st.floats(0, 1, allow_subnormal=False)
SIZES = st.floats(1e-6, 1e6)
VECTORS = st.tuples(NUMBERS, NUMBERS, NUMBERS)
TURNS = st.builds(Rotation, axis=VECTORS.filter(any), angle=NUMBERS) | st.tuples(NUMBERS, *[NUMBERS] * 3).filter(any)
COLORS = st.tuples(UNITS, UNITS, UNITS) | st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)
MATERIALS = st.builds(Material, base_color=COLORS, roughness=UNITS, metallic=UNITS, emission=COLORS)
PLACES: dict[str, Any] = {
    "scale": st.none() | SIZES | st.tuples(SIZES, SIZES, SIZES),
    "rotate": st.none() | TURNS,
    "translate": st.none() | VECTORS,
    "material": st.none() | MATERIALS,
}
LEAVES = st.builds(Sphere, radius=SIZES, **PLACES) | st.builds(Box, size=st.tuples(SIZES, SIZES, SIZES), **PLACES)
SHAPES = st.recursive(
    LEAVES,
    lambda parts: st.builds(
        lambda kind, of, smooth, **place: kind(of=tuple(of), smooth=smooth, **place),
        st.sampled_from([Union, Difference]),
        st.lists(parts, min_size=1, max_size=3),
        UNITS,
        **PLACES,
    ),
    max_leaves=6,
)
LIGHTS = (
    st.builds(Sun, direction=VECTORS.filter(any), angle=UNITS)
    | st.builds(Sky, zenith=COLORS)
    | st.builds(PointLight, position=VECTORS, radius=UNITS)
)
SCENES = st.builds(
    Scene,
    SHAPES,
    stage=st.lists(SHAPES, max_size=2),
    lights=st.lists(LIGHTS, max_size=2),
    camera=st.none() | st.builds(Camera, eye=st.just((1, 2, 3)), target=st.just((0, 0, 0)), width=st.none() | SIZES),
    bounds=st.none() | st.just(((-1, -1, -1), (1, 1, 2.5))),
)


@given(SCENES)
def test_what_is_written_reads_back_equal(scene: Scene) -> None:
    assert Scene.from_tables(tomllib.loads(scene.to_toml())) == scene


@given(SCENES, SCENES)
def test_a_file_that_is_changed_holds_the_new_scene(
    tmp_path_factory: pytest.TempPathFactory, a: Scene, b: Scene
) -> None:
    path = tmp_path_factory.mktemp("scenes") / "scene.toml"
    save(a, path)
    save(b, path)
    assert load(path) == b


MODELS = [*KINDS.values(), *LIGHT_KINDS.values(), Material, Camera, Heading, Rotation]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_none_is_taken_only_where_it_is_the_default(model: type[Model]) -> None:
    """A file has no None: a key without a value is left out, and what is left out reads back as the default."""
    placed = {"eye": (1, 2, 3), "target": (0, 0, 0)} if model is Camera else {}
    for name, field in model.model_fields.items():
        if field.default is not None:
            key = field.alias or name
            with pytest.raises(ValidationError) as refused:
                model.model_validate({**placed, key: None})
            # Whether a camera has a lens is said of the whole table.
            assert {error["loc"][:1] for error in refused.value.errors()} & {(key,), ()}


def test_a_camera_without_a_lens_is_refused_by_its_keys(toy: Path) -> None:
    tables = tomllib.loads(toy.read_text())
    tables["camera"]["fov"] = None
    for refused in (lambda: Scene.from_tables(tables), lambda: with_values(load(toy), {"camera.fov": None})):
        with pytest.raises(SceneError, match=r"camera: expected fov \(persp.*\) or width \(ortho.*\), got neither"):
            refused()


def test_the_form_of_a_new_file() -> None:
    clay = Material(base_color=(1, 0.5, 0.25), roughness=0.8).named("clay")
    toy = Box(size=(1, 1, 0.6)).named("body").material(clay) | Sphere(radius=0.3).rotate(30).translate(0, 0, 0.4)
    scene = Scene(toy.named("toy"), lights=[Sun(angle=1)], camera=Camera(eye=(2, -3, 1.5), target=(0, 0, 0), width=2))
    assert scene.to_toml().splitlines()[:6] == [
        'show = "toy"',
        "",
        "[shapes]",
        'body = { kind = "box", size = [1, 1, 0.6], material = "clay" }',
        'sphere_1 = { kind = "sphere", radius = 0.3, rotate = { angle = 30 }, translate = [0, 0, 0.4] }',
        'toy = { kind = "union", of = ["body", "sphere_1"] }',
    ]
    assert scene.to_toml().splitlines()[6:] == [
        "",
        "[materials]",
        "clay = { base_color = [1, 0.5, 0.25], roughness = 0.8 }",
        "",
        "[lights]",
        'sun = { kind = "sun", angle = 1 }',
        "",
        "[camera]",
        "eye = [2, -3, 1.5]",
        "target = [0, 0, 0]",
        "width = 2",
    ]


def changed_lines(before: str, after: str) -> list[str]:
    """Lines that went and came, each with its sign."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if line[0] in "+-" and line[:3] not in ("+++", "---")]


def test_saving_what_was_read_changes_nothing(toy: Path) -> None:
    before = toy.read_bytes()
    save(load(toy), toy)
    assert toy.read_bytes() == before


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        (
            {"body.size": (2, 1, 0.6)},
            ['+body  = { kind = "box", size = [2, 1, 0.6], material = "clay" }             # full extents, centred'],
        ),
        ({"camera.fov": 20}, ["+fov = 20                       # vertical, degrees"]),
        (
            {"clay.roughness": 0.5},
            [
                '+clay  = { base_color = "#c86a4a", roughness = 0.5 }'
                '                         # "#rrggbb" is sRGB, a list is linear'
            ],
        ),
        (
            {"both.smooth": 0},
            [
                '+both  = { kind = "union", of = ["body", "knob"], smooth = 0 }'
                "             # smooth: radius of the blend"
            ],
        ),
        (
            {"body.translate": (0, 0, 1)},
            [
                '+body  = { kind = "box", size = [1, 1, 0.6], material = "clay", translate = [0, 0, 1] }'
                "             # full extents, centred"
            ],
        ),
    ],
)
def test_only_what_differs_is_changed(toy: Path, values: dict[str, object], lines: list[str]) -> None:
    before = toy.read_text()
    scene = with_values(load(toy), values)
    save(scene, toy)
    assert [line for line in changed_lines(before, toy.read_text()) if line[0] == "+"] == lines
    assert load(toy) == scene


def test_entries_come_and_go(toy: Path) -> None:
    scene = load(toy)
    shapes: dict[str, Shape] = {name: shape for name, shape in scene.shapes.items() if name != "floor"}
    changed = Scene(
        "toy",
        shapes=shapes | {"ring": Box(), "new": Sphere()},
        materials=dict(scene.materials),
        bounds=((-1, -1, -1), (1, 1, 1)),
    )
    before = toy.read_text()
    save(changed, toy)
    assert load(toy) == changed
    text = toy.read_text()
    assert "# smooth: radius of the blend" in text
    assert "# vertical, degrees" not in text
    assert '\nnew = { kind = "sphere" }\n' in text
    assert {line for line in changed_lines(before, text) if line[0] == "+"} == {
        "+bounds = [[-1, -1, -1], [1, 1, 1]]",
        '+ring  = { kind = "box" }  # degrees',
        '+new = { kind = "sphere" }',
    }


@pytest.mark.parametrize(
    "text",
    [
        'show = "a" # which\n[shapes.a]\nkind = "sphere" # round\nradius = 2 # large\n',
        'show = "a" # which\nshapes.a.kind = "sphere" # round\nshapes.a.radius = 2 # large\n',
        'show = "a" # which\nshapes = { a = { kind = "sphere", radius = 2 } } # round, large\n',
        'show = "a" # which\n[shapes.a]\nkind = "sphere" # round\n[camera]\neye=[1,0,0]\ntarget=[0,0,0]\n'
        '[shapes.b]\nkind = "box"\n# large',
    ],
)
def test_other_ways_to_write_the_same_tables(text: str, tmp_path: Path) -> None:
    path = tmp_path / "scene.toml"
    path.write_text(text)
    scene = with_values(load(path), {"a.radius": 3})
    save(scene, path)
    assert load(path) == scene
    for comment in ("# which", "round", "large"):
        assert comment in path.read_text()


def test_an_empty_file_is_filled(tmp_path: Path) -> None:
    path = tmp_path / "scene.toml"
    path.touch()
    save(Scene(Sphere()), path)
    assert load(path) == Scene(Sphere())


@pytest.mark.parametrize("content", [b"show = ", b"\xff\xfe", b"a = " + b"[" * 5000])
def test_a_file_that_is_no_toml_is_left_alone(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "scene.toml"
    path.write_bytes(content)
    with pytest.raises(SceneError, match=r"scene\.toml: not changed, for it is not valid TOML"):
        save(Scene(Sphere()), path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("content", ["shapes = 3", "[[shapes]]", "lights = []", "[shapes]\nsphere_1 = 3", "camera = 1"])
def test_a_file_with_mistakes_is_set_right(content: str, tmp_path: Path) -> None:
    path = tmp_path / "scene.toml"
    path.write_text(content)
    scene = Scene(Sphere(), camera=Camera(eye=(1, 0, 0), target=(0, 0, 0)))
    save(scene, path)
    assert load(path) == scene


@pytest.mark.parametrize("name", ["scene.py", "scene", "scene.toml.txt"])
def test_other_endings_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=r"expected a name that ends in \.toml"):
        save(Scene(Sphere()), tmp_path / name)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"none/scene\.toml: cannot be written: there is no folder"):
        save(Scene(Sphere()), tmp_path / "none" / "scene.toml")


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "scene.toml").mkdir()
    with pytest.raises(OSError, match=r"scene\.toml: cannot be written: it is a folder"):
        save(Scene(Sphere()), tmp_path / "scene.toml")


def test_a_killed_write_leaves_the_old_file(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = toy.read_bytes()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        save(with_values(load(toy), {"body.size": (3, 3, 3)}), toy)
    assert toy.read_bytes() == before
    assert os.listdir(toy.parent) == [toy.name]
