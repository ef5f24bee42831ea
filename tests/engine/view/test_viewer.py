"""The whole viewer on software Vulkan: a recorded session without a display, real windows under Xvfb.

In processes of their own: a process may have one window, and one that ends badly takes its process with it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import imageio.v3 as imageio
import numpy
import pytest

COMMAND = Path(sys.executable).with_name("isofield")
REQUIRED = bool(os.environ.get("ISOFIELD_REQUIRE_VULKAN"))

SESSION = """
import json, os, resource, shlex, signal, sys
from pathlib import Path
import numpy, torch
import imageio.v3 as imageio
from isofield.engine.cli import main
from isofield.engine.render import render
from isofield.engine.scene import load
from isofield.engine.view.events import Act, Click, Drag, Edit, Key, Set, Settle
from isofield.engine.view.viewer import Viewer
from isofield.kernels.runtime.front_end import impl

def compiled():
    return sum(len(kernel.compiled_kernels) for kernel in impl.get_runtime().kernels)

def frame(*events):
    viewer.step(events, 0.03)
    return viewer.window.read()

folder = Path(sys.argv[1])
os.chdir(folder)
good = Path(sys.argv[2]).read_text()
scene_file = folder / "scene.toml"
scene_file.write_text(good)
said = []
try:
    viewer = Viewer("scene.toml", 160, 96, hidden=True, samples=2, say=said.append)
except RuntimeError as error:
    print("MISSING", error)
    raise SystemExit(0)
frame()
scene = load(scene_file)
assert torch.equal(viewer.picture, render(scene, width=160, height=96, samples=1)), "the first picture"
panels = frame()  # the window system shows a new panel in its second frame
bare = frame(Key("Tab"))
wanted = viewer.picture.numpy()
assert numpy.abs(bare - wanted).max() < 1.5 / 255, "what the window holds is the picture"
assert (panels != bare).any(axis=2).mean() > 0.3, "panels are drawn"
frame(Key("Tab"))

turned = frame(Drag("left", 0.3, 0.1), Drag("left", 0.1, 0.0))
kernels = compiled()
for radius in (0.32, 0.36, 0.4):
    before = viewer.picture
    frame(Edit("knob.radius", radius))
    assert not torch.equal(viewer.picture, before), "a slider is seen in the same frame"
assert compiled() == kernels, "a slider compiles nothing"
frame(Settle(), Act("undo"))
assert viewer.state.edits == {} and viewer.state.scene == scene

for mode in ("normals", "depth", "steps", "shapes", "ambient", "shaded"):
    frame(Set("mode", mode))
frame(Set("slice", "y"), Set("bounds", True), Set("level", 0.02), Set("mode", "normals"))
frame(Edit("body.size", [1.2, 1.0, 0.5]))

frame(Act("screenshot"), Act("copy camera"))
assert "[camera]" in said[-1] or "[camera]" in said[-2] or "[camera]" in said[0], said
command = next(line for line in said if "isofield render" in line).partition(": ")[2]
words = shlex.split(command)
made = imageio.imread(words[words.index("--output") + 1])
words[words.index("--output") + 1] = "again.png"
assert main(words[1:]) == 0
assert numpy.abs(made.astype(int) - imageio.imread("again.png")).max() <= 1, "the command makes the picture again"
frame(Act("reset"), Set("slice", None), Set("bounds", False), Set("level", 0.0), Set("mode", "shaded"))

shown = viewer.state.scene
scene_file.write_text(good.replace("radius = 0.3,", "radius = -0.3,"))
frame()
assert "knob.radius" in viewer.state.error and viewer.state.scene is shown, "the last good scene stays"
frame()
scene_file.write_text(good.replace("radius = 0.3,", "radius = 0.35,"))
frame()
assert viewer.state.error == "" and viewer.state.scene.shapes["knob"].radius == 0.35, "and the next good one comes"

frame(Click(0.1, 0.95))
assert viewer.state.picked.shape == "floor" and viewer.state.selected == "floor"
assert abs(viewer.state.picked.point[2] + 0.3) < 1e-3

frame(Act("save"))
saved = load("scene-1.toml")
assert saved.shapes == viewer.state.scene.shapes and saved.camera == viewer.state.pose.camera()

frame(Act("add camera"), Drag("left", 0.1, 0.0), Act("add camera"))
import isofield.engine.view.capture as capture
capture.PATH_FRAMES, capture.TURN_FRAMES = 2, 2
said.clear()
frame(Act("film"), Act("turntable"))
for number, line in enumerate(line for line in said if "isofield render" in line):
    words = shlex.split(line.partition(": ")[2])
    first = Path(words[words.index("--output") + 1])
    words[words.index("--output") + 1] = f"film-{number}{first.suffix}"
    assert main(words[1:]) == 0
    one, other = imageio.imread(first), imageio.imread(f"film-{number}{first.suffix}")
    assert one.shape == other.shape and numpy.abs(one.astype(int) - other).mean() < 2.0, line
assert number == 1

def memory():
    # MiB in use; nothing to see where there is no /proc
    file = Path("/proc/self/statm")
    return int(file.read_text().split()[1]) * resource.getpagesize() / 2**20 if file.exists() else 0.0

def many(count):
    for number in range(count):
        event = Edit("knob.radius", 0.3 + 0.001 * (number % 50)) if number % 4 == 0 else Drag("left", 0.01, 0.0)
        viewer.step([event], 0.03)
        if number % 5 == 0:
            viewer.window.read()

viewer.close()
viewer = Viewer("scene.toml", 32, 24, hidden=True, samples=1)
frame(Key("Tab"))
many(200)
before, kernels = memory(), compiled()
many(int(sys.argv[3]))
assert memory() - before < 12.0, f"{memory() - before:.1f} MiB more"
assert compiled() == kernels
viewer.close()

# A script plays and is scrubbed.
script = "import isofield as iso; scene = lambda time: iso.Scene(show=iso.sphere(1.0 + time))"
Path("ball.py").write_text(script)
viewer = Viewer("ball.py", 48, 32, hidden=True, samples=1)
frame()
still = viewer.picture
frame(Set("time", 0.5))
(ball,) = viewer.state.scene.shapes.values()
assert ball.radius == 1.5 and not torch.equal(viewer.picture, still), "a scrub is seen in the same frame"
frame(Key(" "))
frame()
assert viewer.state.time > 0.5
viewer.close()

# A window on a field that is trained.
from isofield.engine.fit import make_field
from isofield.engine.view import learning

field = make_field("mlp", 3, 1, meaning="signed_distance", seed=1)
window = learning.LearningWindow(60, folder, psnr=False, width=160, height=96, hidden=True)
assert window(20, 0.5, field) and window.picture_budget.spent > 0.0
spent = window.picture_budget.spent
assert window(40, 0.25, field) and window.picture_budget.spent == spent, "it looks again when it may"
assert window.losses == [(20, 0.5), (40, 0.25)]
# What the window gives: a pause that lasts until it is ended, meanwhile a snapshot and another cut.
window.picture_budget.share, learning.MOST_RATE = 1e9, 1e9
waiting = [[Key(" ")], [], [Act("snapshot"), Set("axis", 2)], [Set("at", 0.25)], [Act("pause")], [Act("stop")]]
window.window.events = lambda: waiting.pop(0)
draw, shown, start = window.window.draw, [], window.picture_budget.start
window.window.draw = lambda picture, panels: shown.append(picture) or draw(picture, panels)
assert window(60, 0.125, field) and len(waiting) == 1 and not window.paused
assert window.picture_budget.start > start and window.input_budget.start > start, "a pause is no training"
assert len(shown) == 5 and shown[1] is shown[0] and not torch.equal(shown[-1], shown[0]), "another cut is seen"
assert window.cut == learning.Cut(2, 0.25)
assert list(folder.glob("step-60-1.png"))
assert not window(80, 0.1, field), "stop"
window.going = True
window.window.events = lambda: [Key(" ")] if not window.paused else os.kill(os.getpid(), signal.SIGINT) or []
assert not window(90, 0.1, field) and window.paused, "Ctrl-C ends a pause, and with it the training"
window.close()
assert not window(100, 0.1, field)

# The command, from inputs in a file.
events = [
    {"frame": 1, "event": "key", "name": "Tab", "down": True},
    {"frame": 2, "event": "drag", "button": "left", "x": 0.2, "y": 0.0},
    {"frame": 4, "event": "act", "name": "quit"},
]
Path("inputs.json").write_text(json.dumps(events))
words = ["view", "scene.toml", "--width", "96", "--height", "64", "--samples", "1", "--offscreen", "9", "frames"]
assert main([*words, "--inputs", "inputs.json", "--record", "recorded.json"]) == 0
assert sorted(path.name for path in Path("frames").iterdir()) == [f"frame-{number:04d}.png" for number in range(5)]
assert json.loads(Path("recorded.json").read_text()) == events
assert (imageio.imread("frames/frame-0001.png") != imageio.imread("frames/frame-0002.png")).any()
assert not list(folder.rglob("imgui.ini"))
print("PASSED")
"""


def run(tmp_path: Path, *words: object, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    return subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, timeout=280, cwd=tmp_path, env=environment
    )


def skip_without_vulkan(said: str) -> None:
    assert not REQUIRED, f"Vulkan is required here: {said}"
    pytest.skip(f"no Vulkan on this machine: {said.strip()}")


def test_a_session_without_a_display(tmp_path: Path) -> None:
    toy = Path(__file__).parents[3] / "scenes" / "toy.toml"
    done = run(tmp_path, sys.executable, "-c", SESSION, tmp_path, toy, 1000, DISPLAY="")
    assert done.returncode == 0, done.stderr[-3000:]
    if "MISSING" in done.stdout:
        skip_without_vulkan(done.stdout)
    assert "PASSED" in done.stdout


def test_without_vulkan_there_is_one_sentence_with_the_remedy(tmp_path: Path) -> None:
    nowhere = {"VK_ICD_FILENAMES": "/nonexistent", "VK_DRIVER_FILES": "/nonexistent", "DISPLAY": ""}
    done = run(tmp_path, COMMAND, "view", "carved_box", "--offscreen", 1, "frames", **nowhere)
    assert done.returncode == 1
    assert "the viewer needs Vulkan" in done.stderr
    assert "mesa-vulkan-drivers" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def display() -> Iterator[str]:
    """The name of an X display that nobody looks at."""
    if shutil.which("Xvfb") is None or shutil.which("xdotool") is None:
        assert not REQUIRED, "Xvfb and xdotool are required here"
        pytest.skip("no Xvfb and xdotool on this machine")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "800x600x24", "-nolisten", "tcp"],
        pass_fds=[write], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    try:
        with os.fdopen(read) as pipe:
            yield f":{pipe.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


def xdotool(display: str, *words: object) -> str:
    done = subprocess.run(
        ["xdotool", *map(str, words)], capture_output=True, text=True, env={**os.environ, "DISPLAY": display}
    )
    return done.stdout.strip()


def wait_for(what: str, found: object, seconds: float = 120.0) -> str:
    """What `found()` returns as soon as that is not empty."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = found()  # type: ignore[operator]
        if value:
            return str(value)
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come")


VISIBLE = """
from isofield.engine.cli import main

view = main(["view", "toy", "--width", "640", "--height", "360", "--samples", "1", "--record", "inputs.json"])
print("VIEW", view, flush=True)
if view == 0:
    words = ["photo.png", "--field", "grid", "--steps", "1000000", "--batch", "64", "--output", "fit", "--view"]
    print("FIT", main(["fit", "image", *words]), flush=True)
"""


def test_windows_take_mouse_and_keys(tmp_path: Path, display: str) -> None:
    """Orbit with the mouse, move a slider and a panel, save with a key, end; then watch a fit, and stop it."""
    imageio.imwrite(tmp_path / "photo.png", numpy.arange(192, dtype=numpy.uint8).reshape(8, 8, 3))
    process = subprocess.Popen(
        [sys.executable, "-c", VISIBLE], cwd=tmp_path, env={**os.environ, "DISPLAY": display},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip

    def window_of(title: str) -> str:
        """A window whose title has the frame rate, which the window system writes there once frames come."""
        found = xdotool(display, "search", "--name", f"{title}.*[0-9] FPS")
        return "ended" if process.poll() is not None else found.splitlines()[-1] if found else ""

    def title_of(window: str, not_: str) -> str:
        title = xdotool(display, "getwindowname", window)
        return "" if title == not_ else title

    def mouse(*words: object) -> None:
        xdotool(display, *words)
        time.sleep(0.5)  # several frames, also of a busy machine: what falls into one frame has no order

    def dragged(window: str, x: int, y: int, *steps: int) -> None:
        mouse("mousemove", "--window", window, x, y)
        mouse("mousedown", 1)
        for step in steps:
            mouse("mousemove_relative", "--", step, 0)
        mouse("mouseup", 1)

    try:
        window = wait_for("a window", lambda: window_of("isofield: toy"))
        if window == "ended":
            skip_without_vulkan("\n".join(process.communicate()))
        first = title_of(window, "")
        wait_for("another frame rate, after the first frame and what compiles then", lambda: title_of(window, first))
        dragged(window, 320, 200, 30, 30)
        dragged(window, 300, 150)
        dragged(window, 510, 168, 15)  # a slider of the shape that was clicked
        dragged(window, 60, 8, 300)  # a panel, which goes back
        dragged(window, 60, 165)  # and is where it was, so this is no click on the picture
        mouse("key", "o")
        wait_for("a saved scene", lambda: list(tmp_path.glob("toy-1.toml")))
        xdotool(display, "key", "Escape")
        window = wait_for("a window on a fit", lambda: window_of("isofield: fit"))
        assert window != "ended", process.communicate()
        mouse("key", "p")
        wait_for("a snapshot", lambda: list(tmp_path.glob("fit/step-*.png")))
        dragged(window, 80, 134)  # the button that stops it
        said, errors = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
    assert "VIEW 0" in said, said + errors
    assert "FIT 130" in said, "stopped, as Ctrl-C does"
    assert (tmp_path / "fit" / "field.safetensors").exists()
    events = json.loads((tmp_path / "inputs.json").read_text())
    kinds = [event["event"] for event in events]
    drags = [event for event in events if event["event"] == "drag"]
    assert sum(drag["x"] for drag in drags) == pytest.approx(60 / 360, abs=0.01), "and none from slider and panel"
    assert kinds.count("click") == 1
    assert "edit" in kinds, events
    assert {"frame": events[-1]["frame"], "event": "key", "name": "Escape", "down": True} in events
    assert not list(tmp_path.rglob("imgui.ini"))
