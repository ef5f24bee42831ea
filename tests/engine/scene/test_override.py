"""Values changed by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from isofield.engine.scene import STUDIO, Camera, Scene, SceneError, load, with_values
from isofield.engine.scene.material import linear_from_hex
from isofield.engine.scene.override import parse_settings
from isofield.engine.shapes import Rotation
from isofield.engine.shapes.solids import Sphere


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("a.size=1,1,0.4", [1, 1, 0.4]),
        ("a.size=[1, 1, 0.4]", [1, 1, 0.4]),
        ("a.radius=2", 2),
        ("a.radius = 1e-3", 0.001),
        ("a.base_color=#ff0000", "#ff0000"),
        ("a.material=gold", "gold"),
        ('a.material="gold"', "gold"),
        ("a.of=b,c", ["b", "c"]),
        ("a.of=b,", ["b"]),
        ("a.rotate={ axis = [0, 0, 1], angle = 3 }", {"axis": [0, 0, 1], "angle": 3}),
        ("a.flag=true", True),
        ("a.text=1\nb = 2", "1\nb = 2"),
        ("a.text=x=y", "x=y"),
        ("a.text=", ""),
        ("a.text=" + "[" * 5000, "[" * 5000),
    ],
)
def test_settings_as_they_are_typed(setting: str, value: object) -> None:
    assert list(parse_settings([setting]).values()) == [value]


@pytest.mark.parametrize("setting", ["a.size", "", "=3", " = 3"])
def test_a_setting_without_name_or_value_is_refused(setting: str) -> None:
    with pytest.raises(SceneError, match=r"expected name\.key=value, such as body\.size=1,1,0\.4"):
        parse_settings([setting])


def test_values_of_every_part(toy: Path) -> None:
    scene = with_values(
        load(toy),
        {
            "body.size": (1, 1, 0.4),
            "body.translate": (0, 0, 1),
            "knob.material": "clay",
            "ring.rotate.angle": 45,
            "shapes.both.smooth": 0.2,
            "clay.base_color": "#ff0000",
            "sun.strength": 2,
            "camera.fov": 20,
            "camera.eye": (5, 5, 5),
        },
    )
    assert scene.shapes["body"].size == (1, 1, 0.4)
    assert scene.shapes["body"].translation == (0, 0, 1)
    assert scene.shapes["knob"].surface == "clay"
    assert scene.shapes["ring"].rotation == Rotation(axis=(1, 0, 0), angle=45)
    assert scene.shapes["both"].smooth == 0.2
    assert scene.materials["clay"].base_color == linear_from_hex("#ff0000")
    assert scene.materials["clay"].roughness == 0.8
    assert scene.lights["sun"].strength == 2
    assert scene.camera == Camera(eye=(5, 5, 5), target=(0, 0, 0.2), fov=20)


def test_nothing_else_changes(toy: Path) -> None:
    scene = load(toy)
    assert with_values(scene, {}) == scene
    changed = with_values(scene, {"body.size": (3, 3, 3)})
    assert {name for name in scene.shapes if scene.shapes[name] != changed.shapes[name]} == {"body"}
    assert (changed.materials, changed.lights, changed.camera) == (scene.materials, scene.lights, scene.camera)


def test_fov_and_width_replace_each_other(toy: Path) -> None:
    wide = with_values(load(toy), {"camera.width": 3})
    assert (wide.camera.fov, wide.camera.width) == (None, 3)
    narrow = with_values(wide, {"camera.fov": 10})
    assert (narrow.camera.fov, narrow.camera.width) == (10, None)


def test_eye_and_target_take_the_place_of_a_matrix() -> None:
    turned = Camera(eye=(1, 2, 3), target=(0, 0, 0)).orbit(20)
    scene = with_values(Scene(Sphere(), camera=turned), {"camera.eye": (1, 2, 3), "camera.target": (0, 0, 0)})
    assert scene.camera == Camera(eye=(1, 2, 3), target=(0, 0, 0))


def test_a_camera_is_made_of_eye_and_target() -> None:
    scene = with_values(Scene(Sphere()), {"camera.eye": (1, 2, 3), "camera.target": (0, 0, 0)})
    assert scene.camera == Camera(eye=(1, 2, 3), target=(0, 0, 0))


def test_lights_of_the_studio_can_be_changed() -> None:
    scene = with_values(Scene(Sphere()), {"sun.strength": 9})
    assert scene.lights == STUDIO | {"sun": STUDIO["sun"].model_copy(update={"strength": 9.0})}
    assert with_values(Scene(Sphere()), {"sphere_1.radius": 9}).lights == {}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"bdy.size": 1}, '"bdy.size": no shape, material or light is called "bdy", did you mean "body"?'),
        ({"body.sise": 1}, 'shapes.body: unknown key "sise", did you mean "size"?'),
        ({"body": 1}, '"body": expected name.key, such as body.size'),
        ({"body.size.x": 1}, '"body.size.x": size is a list of 3, which has no "x"'),
        ({"body.size": "big"}, 'shapes.body.size: expected a list of 3 values, got "big"'),
        ({"body.size": (1, 1, -1)}, "shapes.body.size[2]: expected a number > 0, got -1"),
        ({"body.material": "gould"}, 'shapes.body.material: unknown material "gould", did you mean "gold"?'),
        ({"both.of": ["toy"]}, "shapes.toy.of[0]: a cycle: both -> toy -> both"),
        ({"camera.fov": 500}, "camera.fov: expected a number <= 175, got 500"),
        ({"": 1}, '"": expected name.key, such as body.size'),
    ],
)
def test_mistakes_are_told(values: dict[str, object], told: str, toy: Path) -> None:
    with pytest.raises(SceneError) as caught:
        with_values(load(toy), values)
    assert told in str(caught.value)


def test_a_name_that_several_have_needs_its_section() -> None:
    scene = Scene("gold", shapes={"gold": Sphere(material="gold")}, materials=load_gold())
    with pytest.raises(SceneError, match=r"expected shapes\.gold\.radius or materials\.gold\.radius"):
        with_values(scene, {"gold.radius": 2})
    assert with_values(scene, {"shapes.gold.radius": 2}).shapes["gold"].radius == 2
    assert with_values(scene, {"materials.gold.roughness": 1}).materials["gold"].roughness == 1


def load_gold() -> dict[str, object]:
    from isofield.engine.scene import Material

    return {"gold": Material(metallic=1)}
