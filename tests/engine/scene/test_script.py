"""Scene scripts: what they may define, and what is said when they fail."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from isofield.engine.scene import Scene, SceneError, load, open_scene
from isofield.engine.shapes.solids import Sphere

Writer = Callable[..., Path]

HEAD = "from isofield.engine.scene import Scene\nfrom isofield.engine.shapes.solids import Sphere\n"


def test_a_shape_is_shown(written: Writer) -> None:
    assert load(written(HEAD + "scene = Sphere(radius=2)", "ball.py")) == Scene(Sphere(radius=2))


def test_a_scene_is_taken_as_it_is(written: Writer) -> None:
    assert load(written(HEAD + "scene = Scene(Sphere(), stage=[Sphere()])", "ball.py")).stage == ("sphere_2",)


def test_a_function_of_time_is_called(written: Writer) -> None:
    path = written(HEAD + "def scene(time):\n    return Sphere(radius=1 + time)", "ball.py")
    assert load(path).shapes["sphere_1"].radius == 1.0
    assert load(path, time=2).shapes["sphere_1"].radius == 3.0
    assert open_scene(path).is_animated


def test_a_script_is_run_once_for_many_times(written: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    source = open_scene(written(HEAD + "print('run')\ndef scene(time): return Sphere(radius=1 + time)", "ball.py"))
    assert [source.at(time).shapes["sphere_1"].radius for time in (0, 1, 2)] == [1, 2, 3]
    assert capsys.readouterr().out == "run\n"


def test_a_file_does_not_depend_on_time(toy: Path) -> None:
    source = open_scene(toy)
    assert not source.is_animated
    assert source.at(3) is source.at(0)


def test_modules_beside_the_script_are_found(written: Writer) -> None:
    written("RADIUS = 3", "beside_the_script.py")
    written("RADIUS = 4", "found_later.py")
    before = list(sys.path)
    code = "from beside_the_script import RADIUS\n"
    code += "def scene(time):\n    import found_later\n    return Sphere(radius=RADIUS)"
    assert load(written(HEAD + code, "ball.py")).shapes["sphere_1"].radius == 3
    assert sys.path == before


def test_a_script_knows_its_file_and_is_not_the_main_module(written: Writer) -> None:
    code = "assert __name__ != '__main__'\nfrom pathlib import Path\nscene = Sphere().named(Path(__file__).stem)"
    assert load(written(HEAD + code, "ball.py")).show == "ball"


def test_dataclasses_work_in_scripts(written: Writer) -> None:
    code = "from __future__ import annotations\nfrom dataclasses import dataclass\n" + HEAD
    code += "@dataclass\nclass Part:\n    radius: float\nscene = Sphere(radius=Part(2).radius)"
    assert load(written(code, "ball.py")).shapes["sphere_1"].radius == 2


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("", "defines no scene; a script defines scene, or scene(time)"),
        ("scene = 3", "scene: expected a Scene or a Shape, got int"),
        ("scene = None", "scene: expected a Scene or a Shape, got NoneType"),
        ("scene = Sphere", "scene: expected a function of one argument, the time"),
        ("def scene(): return Sphere()", "scene: expected a function of one argument, the time"),
        ("def scene(time): return time", "scene: expected a Scene or a Shape, got float"),
        ("scene = Sphere().named('a b')", 'shapes: the name "a b": expected'),
    ],
)
def test_what_is_no_scene_is_refused(code: str, told: str, written: Writer) -> None:
    path = written(HEAD + code, "ball.py")
    with pytest.raises(SceneError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: {told}")


@pytest.mark.parametrize(
    ("code", "line", "told"),
    [
        ("\ndef f():\n    return 1 / 0\nscene = f()", 5, "ZeroDivisionError: division by zero"),
        ("scene = Sphere(radius=-1)", 3, "radius\n"),
        ("def scene(time):\n    raise OSError('no such thing')", 4, "OSError: no such thing"),
        ("import sys\nsys.exit(3)", 4, "SystemExit: 3"),
        ("scene = Sphere(", 3, "SyntaxError"),
        ("def f(): f()\nf()", 3, "RecursionError"),
        ("import no_such_module", 3, "ModuleNotFoundError: No module named 'no_such_module'"),
        ("scene = Scene('a', shapes={'b': Sphere()})", 3, 'show: unknown shape "a"'),
    ],
)
def test_a_script_that_raises_shows_its_own_traceback(code: str, line: int, told: str, written: Writer) -> None:
    path = written(HEAD + code, "ball.py")
    with pytest.raises(SceneError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: the script raised\n")
    assert told in message
    assert f'File "{path}", line {line}' in message
    assert "script.py" not in message.replace("<script>", "")


def test_bytes_that_are_no_python(written: Writer) -> None:
    path = written(b"\x00\xff\xfe", "ball.py")
    with pytest.raises(SceneError, match=r"ball\.py: the script raised\n(Value|Syntax)Error"):
        load(path)


def test_ctrl_c_goes_through(written: Writer) -> None:
    with pytest.raises(KeyboardInterrupt):
        load(written("raise KeyboardInterrupt", "ball.py"))
