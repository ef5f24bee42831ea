"""The command line: what it writes, what it says, and its exit status."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import imageio.v3 as imageio
import pytest
import torch

import isofield.engine.render as rendering
from isofield.engine.cli import main
from isofield.engine.render.layers import Layers
from isofield.engine.scene import Camera, Scene, load
from isofield.engine.shapes.solids import Sphere
from isofield.engine.view.capture import write_cameras
from isofield.engine.view.pose import Pose

BALL = 'show = "ball"\n[shapes]\nball = { kind = "sphere" }\n'


@dataclass(frozen=True)
class View:
    """What a film keeps of a scene."""

    scene: Scene
    camera: Camera


class Renderer:
    """In place of the real one: notes what it is asked for, returns grey."""

    def __init__(self) -> None:
        self.calls: list[SimpleNamespace] = []
        self.before: Callable[[], object] = lambda: None

    def render(self, scene: Scene, **options: Any) -> torch.Tensor:
        self.before()
        self.calls.append(SimpleNamespace(scene=scene, **options))
        return torch.full((options["height"], options["width"], 3), 0.5)

    def view_of(self, scene: Scene, camera: Camera | None = None, direct: bool = False) -> View:
        assert not direct
        return View(scene, camera or scene.camera or Camera(eye=(0, -2, 0), target=(0, 0, 0)))

    def shot(self, scene: Scene, camera: Camera | None, mode: str, layers: Layers) -> SimpleNamespace:
        return SimpleNamespace(scene=scene, camera=camera, mode=mode, layers=layers)

    def render_shot(self, shot: SimpleNamespace, width: int, height: int, samples: int, seed: int) -> torch.Tensor:
        options = {"width": width, "height": height, "samples": samples, "seed": seed, "linear": False}
        return self.render(shot.scene, camera=shot.camera, mode=shot.mode, layers=shot.layers, **options)

    def render_view(
        self, view: View, width: int, height: int, mode: str, samples: int, seed: int, linear: bool
    ) -> torch.Tensor:
        options = {"mode": mode, "samples": samples, "seed": seed, "linear": linear}
        return self.render(view.scene, width=width, height=height, camera=view.camera, **options)


@pytest.fixture
def renderer(monkeypatch: pytest.MonkeyPatch) -> Renderer:
    fake = Renderer()
    for name in ("render", "view_of", "render_view", "render_shot"):
        monkeypatch.setattr(rendering, name, getattr(fake, name))
    monkeypatch.setattr(rendering, "ViewCache", lambda direct: fake)
    return fake


@pytest.fixture
def ball(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a scene file in the working folder."""
    monkeypatch.chdir(tmp_path)
    Path("ball.toml").write_text(BALL)
    Path("grows.py").write_text(
        "from isofield.engine.shapes.solids import Sphere\ndef scene(time): return Sphere(radius=1 + time)"
    )
    return "ball.toml"


def status(*arguments: str) -> int:
    """The exit status of the command line."""
    try:
        return main(arguments)
    except SystemExit as exit_:
        return int(exit_.code or 0)


# render


def test_render_writes_the_picture(renderer: Renderer, ball: str) -> None:
    options = ("--width", "40", "--height", "30", "--mode", "normals", "--samples", "2", "--seed", "7")
    assert status("render", ball, "--output", "out.png", *options) == 0
    assert imageio.imread("out.png").shape == (30, 40, 3)
    (call,) = renderer.calls
    assert (call.width, call.height, call.mode, call.samples, call.seed) == (40, 30, "normals", 2, 7)
    assert call.scene == load(ball)
    assert not call.linear


def test_exr_is_linear(renderer: Renderer, ball: str) -> None:
    assert status("render", ball, "--output", "out.exr") == 0
    assert renderer.calls[0].linear


def test_set_changes_values(renderer: Renderer, ball: str) -> None:
    settings = ("--set", "ball.radius=2", "--set", "sun.strength=9")
    assert status("render", ball, "--output", "out.png", *settings) == 0
    assert renderer.calls[0].scene.shapes["ball"].radius == 2
    assert renderer.calls[0].scene.lights["sun"].strength == 9


def test_time_is_given_to_the_script(renderer: Renderer, ball: str) -> None:
    assert status("render", "grows.py", "--output", "out.png", "--time", "3") == 0
    assert renderer.calls[0].scene == Scene(Sphere(radius=4))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--output", "a.bmp"), "--output: expected a name that ends in .png, .jpg or .exr, got a.bmp"),
        (("--output", "a"), "--output: expected a name that ends in"),
        (("--output", "a.gif"), "got a.gif; a film needs --turntable, --animate or --path"),
        (("--output", "a.png", "--turntable", "3"), "--output: expected a name that ends in .gif or .mp4, got a.png"),
        (("--output", "a.png", "--width", "0"), "--width: expected a number from 1 to 16384, got 0"),
        (("--output", "a.png", "--height", "1000000"), "--height: expected a number from 1 to 16384, got 1e+06"),
        (("--output", "a.png", "--width", "-5"), "--width: expected a number from 1 to 16384, got -5"),
        (("--output", "a.png", "--samples", "0"), "--samples: expected a number from 1"),
        (("--output", "a.png", "--time", "nan"), "--time: expected a number from"),
        (("--output", "a.png", "--time", "1"), "--time: expected a script that defines scene(time), got ball.toml"),
        (("--output", "a.gif", "--turntable", "0"), "--turntable: expected a number from 1 to 10000, got 0"),
        (("--output", "a.gif", "--turntable", "2", "--animate", "2"), "--turntable: expected alone, got --animate too"),
        (("--output", "a.gif", "--animate", "2"), "--animate: expected a script that defines scene(time)"),
        (("--output", "a.gif", "--animate", "2", "--duration", "0"), "--duration: expected a number from"),
        (("--output", "a.png", "--mode", "pretty"), "pretty"),
        (("--output", "a.png", "--cut", "w=0"), "--cut: expected x, y or z, =, and a number, such as y=0.1; got 'w=0'"),
        (("--output", "a.png", "--cut", "x=nan"), "--cut: expected x, y or z"),
        (("--output", "a.png", "--cut", "x"), "--cut: expected x, y or z"),
        (("--output", "a.png", "--flip"), "--flip: expected with --cut only"),
        (
            ("--output", "a.exr", "--bounds"),
            "--output: expected .png or .jpg with --level, --cut or --bounds, got .exr",
        ),
        (("--output", "a.png", "--level", "inf"), "--level: expected a number from"),
        (("--output", "a.gif", "--path", "cameras.json", "0"), "--path: expected a number from 1 to 10000, got 0"),
        (("--output", "a.png", "--width", "wide"), "wide"),
        ((), "--output"),
        (("--output", "a.png", "--colour", "1"), "--colour"),
    ],
)
def test_wrong_usage_is_told_before_any_work(
    options: tuple[str, ...], told: str, renderer: Renderer, ball: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status("render", ball, *options) == 2
    assert told in capsys.readouterr().err
    assert not renderer.calls
    assert sorted(os.listdir()) == ["ball.toml", "grows.py"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("none.toml", "--output", "a.png"), "none.toml: cannot be read: no such file or directory\n"),
        (("no_such_scene", "--output", "a.png"), 'unknown scene "no_such_scene"'),
        (("ball.json", "--output", "a.png"), "expected a scene file (.toml), a script (.py) or a built-in name"),
        (("ball.toml", "--output", "none/a.png"), "none/a.png: cannot be written: there is no folder"),
        (("ball.toml", "--output", "folder.png"), "folder.png: cannot be written: it is a folder"),
        (("ball.toml", "--output", "a.png", "--set", "bal.radius=2"), 'did you mean "ball"?'),
        (("ball.toml", "--output", "a.png", "--set", "ball.radius=-2"), "shapes.ball.radius: expected a number > 0"),
        (("ball.toml", "--output", "a.png", "--set", "ball"), "expected name.key=value"),
        (("raises.py", "--output", "a.png"), 'raises.py", line 1, in <module>\n    1 / 0\n'),
    ],
)
def test_what_fails_is_told_in_words(
    arguments: tuple[str, ...], told: str, renderer: Renderer, ball: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("raises.py").write_text("1 / 0")
    Path("folder.png").mkdir()
    assert status("render", *arguments) == 1
    error = capsys.readouterr().err
    assert told in error
    assert "cli" not in error
    assert not renderer.calls


def test_mp4_without_its_library_is_told_before_any_work(
    renderer: Renderer, ball: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert status("render", ball, "--output", "a.mp4", "--turntable", "2") == 1
    assert "pip install 'isofield[video]'" in capsys.readouterr().err


def test_errors_of_the_program_itself_keep_their_traceback(renderer: Renderer, ball: str) -> None:
    """A ValueError of a library in its depths says nothing to a user; the traceback does."""
    renderer.before = lambda: int("x")
    with pytest.raises(ValueError, match="invalid literal"):
        main(["render", ball, "--output", "a.png"])


# Films


@pytest.mark.parametrize("ending", ["gif", "mp4"])
def test_a_turntable_goes_once_around(ending: str, renderer: Renderer, ball: str) -> None:
    options = ("--turntable", "4", "--width", "32", "--height", "16")
    assert status("render", ball, "--output", f"out.{ending}", *options) == 0
    eyes = [[round(row[3], 9) for row in call.camera.matrix()[:2]] for call in renderer.calls]
    assert eyes == [[0, -2], [2, 0], [0, 2], [-2, 0]]
    assert Path(f"out.{ending}").stat().st_size > 0


def test_an_animation_asks_for_every_time(renderer: Renderer, ball: str) -> None:
    options = ("--animate", "4", "--duration", "2", "--time", "10", "--width", "8", "--height", "8")
    assert status("render", "grows.py", "--output", "out.gif", *options) == 0
    assert [call.scene.shapes["sphere_1"].radius for call in renderer.calls] == [11, 11.5, 12, 12.5]
    assert len({call.camera for call in renderer.calls}) == 1


def test_layers_are_drawn_as_asked(renderer: Renderer, ball: str) -> None:
    options = ("--level", "0.1", "--cut", "y=-0.5", "--flip", "--bounds", "--width", "8", "--height", "8")
    assert status("render", ball, "--output", "out.png", *options) == 0
    assert renderer.calls[0].layers == Layers(level=0.1, slice="y", offset=-0.5, flipped=True, bounds=True)


def test_a_film_goes_along_a_path(renderer: Renderer, ball: str) -> None:
    keys = [Pose((0.0, -2.0, 0.0), (0.0, 0.0, 0.0), fov=30.0), Pose((4.0, 0.0, 0.0), (0.0, 0.0, 0.0), fov=40.0)]
    write_cameras(Path("cameras.json"), keys)
    options = ("--path", "cameras.json", "3", "--width", "8", "--height", "8")
    assert status("render", ball, "--output", "out.gif", *options) == 0
    cameras = [call.camera for call in renderer.calls]
    assert [camera.fov for camera in cameras] == [30.0, 35.0, 40.0]
    assert [math.hypot(*camera.eye) for camera in cameras] == pytest.approx([2.0, math.sqrt(8.0), 4.0])


@pytest.mark.parametrize(
    "text",
    ["{", "{}", "[]", '{"cameras": 3}', '{"cameras": [{"eye": [0, 0, 0], "target": [0, 0, 0]}]}', '{"cameras": [{}]}',
     '{"cameras": [{"eye": [0, 0, 1], "target": [0, 0, 0]}]}'],
)  # fmt: skip
def test_a_file_without_cameras_is_told(
    text: str, renderer: Renderer, ball: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("cameras.json").write_text(text)
    assert status("render", ball, "--output", "out.gif", "--path", "cameras.json", "3") == 1
    assert "cameras.json: expected" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--inputs", "inputs.json"), "--inputs: expected with --offscreen only"),
        (("--width", "8"), "--width: expected a number from 64"),
        (("--offscreen", "0", "out"), "--offscreen: expected a number from 1"),
        (("--sampled",), "--sampled: expected a field (.safetensors) to look at, got toy"),
    ],
)
def test_wrong_options_of_the_viewer_are_named(
    options: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status("view", "toy", *options) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_and_sigterm_keep_the_frames_made(
    number: signal.Signals, code: int, renderer: Renderer, ball: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt_in_the_third() -> None:
        if len(renderer.calls) == 2:
            signal.raise_signal(number)

    renderer.before = interrupt_in_the_third
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    options = ("--turntable", "50", "--width", "8", "--height", "8", "--set", "ball.radius=1")
    assert status("render", ball, "--output", "out.gif", *options) == code
    assert "out.gif: stopped after 3 of 50 frames, which it holds" in capsys.readouterr().err
    assert len(renderer.calls) == 3
    film = Path("out.gif").read_bytes()
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == handlers

    renderer.calls.clear()  # and now there is a film
    assert status("render", ball, "--output", "out.gif", *options) == code
    assert "out.gif: stopped after 3 of 50 frames, which are not written: it holds an earlier film" in (
        capsys.readouterr().err
    )
    assert Path("out.gif").read_bytes() == film
    assert {path.name for path in Path().iterdir()} == {"ball.toml", "grows.py", "out.gif"}


def test_ctrl_c_in_the_last_frame_comes_too_late(renderer: Renderer, ball: str) -> None:
    Path("out.gif").write_bytes(b"old")
    renderer.before = lambda: signal.raise_signal(signal.SIGINT) if len(renderer.calls) == 1 else None
    assert status("render", ball, "--output", "out.gif", "--turntable", "2", "--width", "8", "--height", "8") == 0
    assert Path("out.gif").read_bytes().startswith(b"GIF")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_and_sigterm_in_a_picture_leave_nothing(
    number: signal.Signals, code: int, renderer: Renderer, ball: str
) -> None:
    renderer.before = lambda: signal.raise_signal(number)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    try:
        assert status("render", ball, "--output", "out.png") == code
    finally:
        signal.signal(signal.SIGINT, before)
    assert not Path("out.png").exists()


# The other commands


def test_check_tells_all_mistakes_of_all_scenes(ball: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.toml").write_text('show = "bal"\n[shapes]\nball = { kind = "sphere", radius = -1 }')
    Path("empty.toml").touch()
    assert status("check", "bad.toml", ball, "empty.toml", "grows.py") == 1
    out, error = capsys.readouterr()
    assert out == "ball.toml: no mistakes in 1 shape\ngrows.py: no mistakes in 1 shape\n"
    assert error.splitlines() == [
        "bad.toml: shapes.ball.radius: expected a number > 0, got -1",
        'bad.toml: show: unknown shape "bal", did you mean "ball"?',
        "empty.toml: the file is empty",
    ]


def test_check_tells_what_cannot_be_built(ball: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A child larger than its cell: every field is right, and what they make is not."""
    Path("grid.toml").write_text(
        'show = "grid"\n[shapes]\nball = { kind = "sphere", radius = 3 }\n'
        'grid = { kind = "repeat", of = "ball", spacing = 1 }\n'
    )
    assert status("check", "grid.toml") == 1
    assert capsys.readouterr().err.startswith("grid.toml: ")


def test_check_of_good_scenes_succeeds(ball: str) -> None:
    assert status("check", ball) == 0


def test_check_of_nothing_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("check") == 2


def test_a_process_leaves_its_kernels_in_the_cache(ball: str) -> None:
    code = "import sys\nfrom isofield.engine.cli import run_as_process\nsys.argv[0] = 'isofield'\nrun_as_process()"
    command = [sys.executable, "-c", code, "render", ball, "--output", "a.png", "--mode", "depth", "--width", "8"]
    environment = os.environ | {"ISOFIELD_CACHE": str(Path.cwd() / "kernels")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, env=environment)
    assert done.returncode == 0, done.stderr
    assert Path("a.png").exists()
    assert list(Path("kernels").rglob("*.tic"))


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("schema") == 0
    assert json.loads(capsys.readouterr().out)["type"] == "object"


def test_list_names_the_built_in_scenes(capsys: pytest.CaptureFixture[str]) -> None:
    from isofield.engine.scene import built_in_names

    assert status("list") == 0
    assert capsys.readouterr().out.split() == built_in_names()


def test_info_names_what_a_report_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("info") == 0
    facts = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    wanted = {"isofield", "python", "numpy", "torch", "taichi", "backend", "lane width", "cache folder", "vulkan"}
    assert wanted <= set(facts)
    assert all(value.strip() for value in facts.values())


def test_info_tells_of_a_backend_that_does_not_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> dict[str, str]:
        raise RuntimeError("no driver")

    monkeypatch.setattr("isofield.kernels.runtime.describe", fails)
    assert status("info") == 0
    assert "none: no driver" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [(), ("frobnicate",), ("--nonsense",)])
def test_unknown_commands_are_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert status(*arguments) == 2


@pytest.mark.parametrize(
    "arguments", ["--help", "render --help", "check --help", "fit image --help", "fit shape --help", "sample --help"]
)
def test_help_imports_nothing_slow(arguments: str) -> None:
    code = (
        "import sys\nfrom isofield.engine.cli import main\n"
        f"try: main({arguments.split()!r})\n"
        "except SystemExit: pass\n"
        "heavy = ('pydantic', 'torch', 'taichi', 'numpy', 'imageio', 'rich')\n"
        "print([name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "usage: isofield" in done.stdout
    assert done.stderr == "[]\n"


def test_a_reader_that_leaves_early_is_no_error() -> None:
    code = "import sys\nfrom isofield.engine.cli import main\nsys.exit(main(['schema']))"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    assert process.wait() == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "wrong.toml"],
        ["render", "wrong.toml", "--output", "out.png"],
        ["render", "ball.toml", "--output", "out.png", "--set", "ball.radius=-1"],
    ],
)
def test_mistakes_are_said_before_anything_slow_is_imported(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "ball.toml").write_text(BALL)
    (tmp_path / "wrong.toml").write_text(BALL.replace("sphere", "spere"))
    code = (
        "import sys\nfrom isofield.engine.cli import main\n"
        f"status = main({arguments!r})\n"
        "print(status, sorted({'torch', 'taichi'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split("\n")[-2] == "1 []", done.stderr
