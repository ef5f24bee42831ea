"""Scenes built in Python: objects become names, however many and however deep."""

from __future__ import annotations

import pickle
import sys
from types import ModuleType

import numpy as np
import pytest

from isofield.engine.scene import STUDIO, Camera, Material, PointLight, Scene, SceneError, Sky, Sun
from isofield.engine.scene.cross_references import reference_fields, references
from isofield.engine.shapes import KINDS, Shape
from isofield.engine.shapes.operators import Difference, Union
from isofield.engine.shapes.solids import Box, Sphere


def test_objects_get_the_names_of_their_kinds() -> None:
    scene = Scene((Sphere(radius=1) | Box()) - Sphere(radius=2))
    assert list(scene.shapes) == ["sphere_1", "box_1", "union_1", "sphere_2", "difference_1"]
    assert scene.show == "difference_1"
    assert scene.shapes["union_1"].of == ("sphere_1", "box_1")
    assert scene.shapes["difference_1"].of == ("union_1", "sphere_2")


def test_given_names_are_kept_and_taken_ones_numbered() -> None:
    ball = Sphere().named("ball")
    scene = Scene(ball | ball.translate(1, 0, 0) | ball.translate(2, 0, 0))
    assert [name for name in scene.shapes if name.startswith("ball")] == ["ball", "ball_2", "ball_3"]


def test_names_of_objects_avoid_those_in_the_table() -> None:
    scene = Scene(Sphere(radius=3) | Sphere(radius=4), shapes={"sphere_1": Box(), "sphere_3": Box()})
    assert set(scene.shapes) == {"sphere_1", "sphere_3", "sphere_2", "sphere_4", "union_1"}
    assert isinstance(scene.shapes["sphere_1"], Box)


def test_one_object_used_twice_is_one_entry() -> None:
    ball = Sphere()
    assert len(Scene(Union(of=(ball, ball)), stage=[ball]).shapes) == 2
    assert len(Scene(Union(of=(Sphere(), Sphere()))).shapes) == 3


def test_one_object_under_two_names_is_two_entries() -> None:
    ball = Sphere()
    scene = Scene("a", shapes={"a": ball, "b": ball})
    assert scene.shapes["a"].radius == scene.shapes["b"].radius
    assert set(scene.shapes) == {"a", "b"}


def test_objects_in_the_table_are_referred_to_by_its_names() -> None:
    ball = Sphere()
    scene = Scene("both", shapes={"both": Union(of=(ball, "box")), "ball": ball, "box": Box()})
    assert scene.shapes["both"].of == ("ball", "box")
    assert set(scene.shapes) == {"both", "ball", "box"}


def test_flattening_leaves_the_objects_as_they_were() -> None:
    ball, red = Sphere(), Material(base_color="#f00")
    both = Union(of=(ball, Box())).material(red)
    Scene(both)
    assert both.of[0] is ball
    assert both.surface is red
    assert both._name is None


def test_materials_move_to_their_table_and_equal_ones_are_one() -> None:
    red = Material(base_color="#f00")
    scene = Scene(
        Union(of=(Sphere().material(red), Box().material(Material(base_color="#f00")), Box().material("blue"))),
        materials={"blue": Material(base_color="#00f")},
    )
    assert set(scene.materials) == {"blue", "material_1"}
    assert scene.shapes["sphere_1"].surface == scene.shapes["box_1"].surface == "material_1"


def test_materials_keep_their_names() -> None:
    clay, other = Material(roughness=0.1).named("clay"), Material(roughness=0.2).named("clay")
    scene = Scene(Sphere().material(clay) | Sphere().material(other))
    assert set(scene.materials) == {"clay", "clay_2"}
    given = Scene(Sphere().material(clay), materials={"clay": Material()})
    assert given.shapes["sphere_1"].surface == "clay_2"


def test_lights_in_a_list_are_named_by_kind() -> None:
    scene = Scene(Sphere(), lights=[Sun(), PointLight(position=(0, 0, 1)), Sun(angle=3)])
    assert list(scene.lights) == ["sun", "point", "sun_2"]
    assert scene.lighting is scene.lights


def test_a_scene_without_lights_is_lit_as_in_a_studio() -> None:
    assert Scene(Sphere()).lights == {}
    assert Scene(Sphere()).lighting == STUDIO
    assert {type(light) for light in STUDIO.values()} == {Sun, Sky}


def test_equal_scenes_are_equal_however_their_shapes_were_named() -> None:
    built = Scene(Sphere(radius=2).named("ball"))
    assert built == Scene("ball", shapes={"ball": Sphere(radius=2)})
    assert built != Scene("ball", shapes={"ball": Sphere(radius=3)})


def test_a_scene_survives_pickling() -> None:
    scene = Scene(Sphere() | Box(), camera=Camera(eye=(1, 0, 0), target=(0, 0, 0)))
    assert pickle.loads(pickle.dumps(scene)) == scene


def test_a_scene_does_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Scene(Sphere()).show = "other"


def test_a_chain_of_ten_thousand() -> None:
    drawing: Shape = Sphere()
    for _ in range(10_000):
        drawing = Union(of=(drawing, "ball"))
    scene = Scene(drawing, shapes={"ball": Sphere()})
    assert len(scene.shapes) == 10_002
    assert scene.show == "union_10000"


def test_a_union_of_ten_thousand() -> None:
    assert len(Scene(Union(of=tuple(Sphere() for _ in range(10_000)))).shapes) == 10_001


def test_shared_parts_are_walked_once() -> None:
    """A tower of unions of the same part twice: 2^200 paths, 201 shapes."""
    drawing: Shape = Sphere()
    for _ in range(200):
        drawing = Union(of=(drawing, drawing))
    assert len(Scene(drawing, stage=[drawing] * 3).shapes) == 201


def test_all_mistakes_come_at_once() -> None:
    with pytest.raises(SceneError) as caught:
        Scene(
            "toy",
            stage=["flor"],
            shapes={"toi": Union(of=("bal", "toi")), "ball": Sphere().material("gold")},
            bounds=((0, 0, 0), (1, 1, 0)),
        )
    assert {mistake.place for mistake in caught.value.mistakes} == {
        "bounds",
        "show",
        "stage[0]",
        "shapes.toi.of[0]",
        "shapes.toi.of[1]",
        "shapes.ball.material",
    }


@pytest.mark.parametrize("name", ["", "a b", "a.b", "-a", "a" * 101, "ä\n"])
def test_names_that_no_file_could_use_are_refused(name: str) -> None:
    with pytest.raises(SceneError, match="the name"):
        Scene(Sphere().named(name))


def test_names_may_have_letters_of_any_script() -> None:
    assert Scene(Sphere().named("kugel-α_2")).show == "kugel-α_2"


def test_only_a_shape_or_a_name_is_shown() -> None:
    with pytest.raises(SceneError, match="show: expected a string, got 3"):
        Scene(3, shapes={"a": Sphere()})


def test_references_of_a_shape() -> None:
    ball = Sphere()
    found = references(Difference(of=(ball, "box")))
    assert [(reference.field, reference.position, reference.target) for reference in found] == [
        ("of", 0, ball),
        ("of", 1, "box"),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_only_operators_have_references(kind: str) -> None:
    assert ("of" in KINDS[kind].model_fields) == bool(reference_fields(KINDS[kind]))


def test_a_scene_shows_itself_in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("isofield.engine.render")
    module.render = lambda scene: np.zeros((2, 3, 3), np.float32)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert Scene(Sphere())._repr_png_().startswith(b"\x89PNG")
