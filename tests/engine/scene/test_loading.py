"""Scene files: what is read, and what is said of files that are none."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from isofield.engine.scene import Camera, Material, Scene, SceneError, Sky, Sun, load
from isofield.engine.scene.check import MOST_SHAPES
from isofield.engine.scene.loading import MOST_BYTES
from isofield.engine.shapes import Rotation
from isofield.engine.shapes.operators import Difference, Union
from isofield.engine.shapes.solids import Box, Sphere

Writer = Callable[..., Path]


def refusal(path: Path | str) -> str:
    with pytest.raises(SceneError) as caught:
        load(path)
    return str(caught.value)


def test_a_file_is_the_scene_it_describes(toy: Path) -> None:
    assert load(toy) == Scene(
        "toy",
        stage=["floor"],
        shapes={
            "body": Box(size=(1, 1, 0.6), material="clay"),
            "knob": Sphere(radius=0.3, material="gold", translate=(0, 0, 0.4)),
            "ring": Sphere(radius=0.4, rotate=Rotation(axis=(1, 0, 0), angle=30)),
            "both": Union(of=("body", "knob"), smooth=0.1),
            "toy": Difference(of=("both", "ring")),
            "floor": Box(size=(4, 4, 4), material="chalk"),
        },
        materials={
            "clay": Material(base_color="#c86a4a", roughness=0.8),
            "gold": Material(base_color=(1.0, 0.77, 0.31), roughness=0.2, metallic=1),
            "chalk": Material(base_color="#e8e4da"),
        },
        lights={"sun": Sun(direction=(1, -1, 2), strength=3, angle=0.5), "sky": Sky(zenith=(0.5, 0.7, 1.0))},
        camera=Camera(eye=(2, -3, 1.5), target=(0, 0, 0.2), fov=30),
    )


def test_the_smallest_scene(written: Writer) -> None:
    scene = load(written('show = "a"\nshapes.a.kind = "sphere"'))
    assert scene == Scene("a", shapes={"a": Sphere()})


def test_a_file_with_a_byte_order_mark_is_refused_in_words(written: Writer) -> None:
    assert "not valid TOML" in refusal(written(b'\xef\xbb\xbfshow = "a"'))


MISTAKES = """\
show = "toi"
colour = 3
[shapes]
body  = { kind = "box", size = [1, 1, -0.6], material = "clya" }
knob  = { kind = "spheer", radius = 0.3 }
ring  = { kind = "sphere", radus = 0.4, scale = "big", translate = [1, 2, 3, 4] }
arc   = { kind = "sphere", rotate = { axs = [1, 0, 0], angle = 30 } }
both  = { kind = "union", of = ["body", "knbo", 3], smooth = nan }
toy   = { kind = "difference", of = ["both", "loop"] }
loop  = { kind = "difference", of = ["toy", "body"] }
flag  = { kind = "sphere", radius = true, surface = "clay" }
wide  = { kind = "sphere", radius = inf }
bare  = { radius = 1 }
none  = 3
[materials]
clay  = { base_color = "#c86a4", roughness = 1.8 }
gold  = { base_color = [1.0, 0.77, 1.31], metallic = "1" }
[lights]
lamp  = { kind = "sum" }
sun   = { kind = "sun", direction = [0, 0, 0] }
[camera]
eye = [2, -3, 1.5]
fov = 35
width = 3
"""


def test_every_mistake_is_told_with_its_place(written: Writer) -> None:
    path = written(MISTAKES)
    told = refusal(path).splitlines()
    assert all(line.startswith(f"{path}: ") for line in told)
    assert sorted(line.removeprefix(f"{path}: ") for line in told) == sorted(
        [
            'unknown key "colour"; there are show, stage, bounds, shapes, materials, lights, camera',
            'show: unknown shape "toi", did you mean "toy"?',
            "shapes.body.size[2]: expected a number > 0, got -0.6",
            'shapes.body.material: unknown material "clya", did you mean "clay"?',
            'shapes.knob.kind: unknown kind "spheer", did you mean "sphere"?',
            'shapes.ring: unknown key "radus", did you mean "radius"?',
            'shapes.ring.scale: expected a number or a list of 3 values, got "big"',
            "shapes.ring.translate: expected a list of 3 values, got a list of 4",
            'shapes.arc.rotate.axs: unknown key "axs", did you mean "axis"?',
            "shapes.both.of[2]: expected the name of a shape, got 3",
            'shapes.both.of[1]: unknown shape "knbo", did you mean "knob"?',
            "shapes.both.smooth: expected a finite number, got nan",
            "shapes.loop.of[0]: a cycle: toy -> loop -> toy",
            "shapes.flag.radius: expected a number, got true",
            'shapes.flag: unknown key "surface"; there are material, scale, rotate, translate, kind, radius',
            "shapes.wide.radius: expected a finite number, got inf",
            'shapes.bare: kind missing; a table such as { kind = "sphere", … } says what it is',
            'shapes.none: expected a table such as { kind = "sphere", … }, got 3',
            'materials.clay.base_color: expected a colour such as "#c86a4a" or a list of 3 numbers, got "#c86a4"',
            "materials.clay.roughness: expected a number <= 1, got 1.8",
            "materials.gold.base_color[2]: expected a number <= 1, got 1.31",
            'materials.gold.metallic: expected a number, got "1"',
            'lights.lamp.kind: unknown kind "sum", did you mean "sun"?',
            "lights.sun.direction: expected a direction, got the zero vector",
            "camera: expected fov (perspective) or width (orthographic), got both",
        ]
    )


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ('kind = "sphere", radius = 0', "radius: expected a number > 0, got 0"),
        ('kind = "sphere", radius = 1e7', "radius: expected a number <= 1e+06, got 10000000.0"),
        ('kind = "sphere", radius = 1' + "0" * 400, "radius: expected a number, got a whole number of too many digits"),
        ('kind = "sphere", radius = 1979-05-27', "radius: expected a number, got a date"),
        ('kind = "sphere", scale = [1, 2]', "scale: expected a list of 3 values, got a list of 2"),
        ('kind = "sphere", scale = [1, 2, -3]', "scale[2]: expected a number > 0, got -3"),
        ('kind = "sphere", rotate = [0, 0, 0, 0]', "rotate: a quaternion must not be zero"),
        ('kind = "sphere", rotate = { axis = [0, 0, 1] }', "rotate.angle: missing"),
        ('kind = "sphere", rotate = 30', "rotate: expected a table or a list of 4 values, got 30"),
        ('kind = "sphere", material = {}', "material: expected the name of a material, got a table"),
        ('kind = "union", of = "a"', 'of: expected a list, got "a"'),
        ('kind = "union", of = []', "of: expected at least 1 value, got an empty list"),
        ('kind = "union"', "of: missing"),
        ('kind = "union", of = [{ kind = "sphere" }]', "of[0]: expected the name of a shape, got a table"),
        ("kind = 3", "kind: expected a string, got 3"),
        ('kind = "union", of = ["b"]', "of[0]: a cycle: b -> b"),
        ('kind = "polygon", points = [[0, 0], [1, 0], [0, "1"]]', 'points[2][1]: expected a number, got "1"'),
    ],
)
def test_one_mistake_is_one_sentence(shape: str, told: str, written: Writer) -> None:
    path = written(f'show = "a"\n[shapes]\na = {{ kind = "sphere" }}\nb = {{ {shape} }}\n')
    assert refusal(path) == f"{path}: shapes.b.{told}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file is empty"),
        (" \n\n", "the file is empty"),
        ("# only a comment", "show: missing"),
        ('shapes.a.kind = "sphere"', "show: missing"),
        ('show = "a"', "shapes: expected at least one shape, got none"),
        ('show = "a"\n[shapes]', "shapes: expected at least one shape, got none"),
        ('show = "a"\nshapes = 3', "shapes: expected a table of names, got 3"),
        ('show = 1\nshapes.a.kind = "sphere"', "show: expected a string, got 1"),
        ('show = "a"\nstage = "a"\nshapes.a.kind = "sphere"', 'stage: expected a list, got "a"'),
        ('show = "a"\nbounds = [[0, 0, 0], [1, 1]]\nshapes.a.kind = "sphere"', "bounds[1]: expected a list of"),
        ('show = "a"\nbounds = [[0, 0, 0], [1, 0, 1]]\nshapes.a.kind = "sphere"', "bounds: expected a lower and an"),
        ('show = "a"\ncamera = 3\nshapes.a.kind = "sphere"', "camera: expected a table such as { eye"),
        ('show = "a"\nlights = []\nshapes.a.kind = "sphere"', "lights: expected a table of names, got an empty list"),
        ('show = "a"\n[shapes]\n"a b" = { kind = "sphere" }\na.kind = "sphere"', 'shapes: the name "a b": expected'),
        ("show = \n", "not valid TOML: Invalid value (at line 1, column 8)"),
        ('show = "a"\nshow = "a"\n', "not valid TOML: Cannot overwrite a value (at line 2"),
        (f"a = {'9' * 5000}", "not valid TOML: "),
        (b"\x89PNG\r\n\x1a\n\0\0\0\0", "expected text in UTF-8, got other bytes in line 1"),
        (b"show = 'a'\n\xff\xfe", "expected text in UTF-8, got other bytes in line 2"),
        (b"\0" * 1000, "not valid TOML: "),
        (f"a = {'[' * 3000}{']' * 3000}", "expected at most 32 tables and lists inside each other, got more"),
        (f"a = {'{b = ' * 3000}1{'}' * 3000}", "expected at most 32 tables and lists inside each other, got more"),
        (f"{'a.' * 3000}a = 1", "expected at most 32 tables and lists inside each other, got more"),
        (f"[{'a . ' * 1_000_000}a]", "expected at most 32 tables and lists inside each other, got more"),
        (f"a = {'[' * 40}{']' * 40}", "expected at most 32 tables and lists inside each other, got more"),
        ("show = 'a'\n" + 'x={kind="a"}\n' * 1_000_000, f"shapes: expected at most {MOST_SHAPES} shapes, got more"),
    ],
)
def test_what_is_no_scene_is_refused_in_a_sentence(text: str | bytes, told: str, written: Writer) -> None:
    path = written(text)
    assert f"{path}: {told}" in refusal(path)


def test_too_many_shapes_are_counted(monkeypatch: pytest.MonkeyPatch, written: Writer) -> None:
    monkeypatch.setattr("isofield.engine.scene.check.MOST_SHAPES", 2)
    path = written('show = "a"\nshapes = { a.kind = "sphere", b.kind = "sphere", c.kind = "sphere" }')
    assert refusal(path) == f"{path}: shapes: expected at most 2 shapes, got 3"


def test_a_gigabyte_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.toml"
    with path.open("wb") as file:
        file.truncate(2**30)
    assert refusal(path) == f"{path}: expected at most {MOST_BYTES} bytes, got {2**30}"


def test_many_mistakes_are_counted_but_not_all_spelt_out(written: Writer) -> None:
    entries = "\n".join(f'a{i} = {{ kind = "union", of = ["b{i}"] }}' for i in range(1000))
    path = written(f'show = "a0"\n[shapes]\n{entries}')
    with pytest.raises(SceneError) as caught:
        load(path)
    assert len(caught.value.mistakes) == 1000
    assert str(caught.value).splitlines()[100:] == ["… and 900 more"]


def test_several_cycles_are_all_named(written: Writer) -> None:
    of = 'kind = "union", of ='
    path = written(
        f'show = "a"\n[shapes]\na = {{ {of} ["b"] }}\nb = {{ {of} ["a"] }}\nc = {{ {of} ["c", "d"] }}\n'
        f'd = {{ {of} ["e"] }}\ne = {{ {of} ["c"] }}'
    )
    told = refusal(path)
    for cycle in ("a -> b -> a", "c -> c", "c -> d -> e -> c"):
        assert f"a cycle: {cycle}\n" in f"{told}\n"


FLAT = """
show = "plate"
[shapes]
disc  = { kind = "circle", radius = 1 }
ball  = { kind = "sphere" }
plate = { kind = "extrude", of = "disc", height = 0.1 }
"""


@pytest.mark.parametrize(
    ("shapes", "told"),
    [
        ("", None),
        ('holed = { kind = "difference", of = ["disc", "disc"] }\nother = { kind = "revolve", of = "holed" }', None),
        (
            'wrong = { kind = "extrude", of = "ball", height = 1 }',
            'wrong.of: extrude needs a flat shape, got "ball", a',
        ),
        ('mixed = { kind = "union", of = ["ball", "disc"] }', "mixed.of[1]: expected parts that are all solids or all"),
        (
            'mixed = { kind = "union", of = ["disc", "plate"] }',
            "mixed.of[1]: expected parts that are all solids or all",
        ),
        (
            'under = { kind = "union", of = ["disc"] }\nwrong = { kind = "union", of = ["under", "ball"] }',
            "wrong.of[1]",
        ),
    ],
)
def test_flat_shapes_belong_where_flat_ones_are_asked_for(shapes: str, told: str | None, written: Writer) -> None:
    path = written(FLAT + shapes)
    if told is None:
        load(path)
    else:
        assert refusal(path).startswith(f"{path}: shapes.{told}")


@pytest.mark.parametrize("heading", ['show = "disc"', 'show = "plate"\nstage = ["disc"]'])
def test_a_flat_shape_is_not_drawn(heading: str, written: Writer) -> None:
    path = written(FLAT.replace('show = "plate"', heading))
    assert 'expected a solid, got "disc", which is flat; extrude or revolve it' in refusal(path)


def test_an_unknown_part_raises_no_further_mistakes(written: Writer) -> None:
    path = written(FLAT + 'mixed = { kind = "union", of = ["dics", "disc"] }\nfoo = { kind = "extrude", of = "mixed" }')
    lines = [line for line in refusal(path).splitlines() if "foo.height" not in line]
    assert lines == [f'{path}: shapes.mixed.of[0]: unknown shape "dics", did you mean "disc"?']


# Files that are not there, or no files


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    assert refusal(path) == f"{path}: cannot be read: no such file or directory"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe.toml"
    os.mkfifo(path)
    assert refusal(path) == f"{path}: expected a file, got a folder or a device"


def test_a_folder_is_no_scene(tmp_path: Path) -> None:
    path = tmp_path / "folder.toml"
    path.mkdir()
    assert refusal(path) == f"{path}: expected a file, got a folder or a device"


def test_a_name_with_a_null_byte() -> None:
    assert "cannot be read" in refusal("a\0b.toml")


@pytest.mark.parametrize("name", ["scene.json", "a/b", "/etc/passwd", "", ".", "scene.toml.txt"])
def test_other_endings_are_refused(name: str) -> None:
    assert refusal(name).startswith("expected a scene file (.toml), a script (.py) or a built-in name, got")


@pytest.fixture
def collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the built-in scenes."""
    monkeypatch.setattr("importlib.resources.files", lambda package: tmp_path)
    (tmp_path / "one_ball.toml").write_text('show = "a"\nshapes.a.kind = "sphere"')
    (tmp_path / "balls.py").write_text("from isofield.engine.shapes.solids import Sphere\nscene = Sphere()")
    (tmp_path / "embedding.py").write_text("print('draws nothing')")
    return tmp_path


def test_built_in_names(collection: Path) -> None:
    from isofield.engine.scene import built_in_names

    assert built_in_names() == ["balls", "one_ball"]
    assert load("one_ball") == load(collection / "one_ball.toml")
    assert load("balls").show == "sphere_1"


def test_unknown_names_are_compared_with_the_built_in(collection: Path) -> None:
    assert refusal("one_bal") == 'unknown scene "one_bal", did you mean "one_ball"?'
    assert refusal("xyz") == 'unknown scene "xyz"; there are balls, one_ball'
