"""The whole viewer on software Vulkan: a recorded session without a display, a real window under Xvfb.

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

import pytest

COMMAND = Path(sys.executable).with_name("isofield")
REQUIRED = bool(os.environ.get("ISOFIELD_REQUIRE_VULKAN"))

SESSION = """
import json, os, resource, shlex, sys
from pathlib import Path
import numpy, torch
import imageio.v3 as imageio
from isofield.engine.cli import main
from isofield.engine.render import render
from isofield.engine.scene import load
from isofield.engine.view.events import Act, Click, Drag, Edit, Key, Set, Settle
from isofield.engine.view.viewer import Viewer
from isofield.kernels.runtime import impl

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
many(200)
before, kernels = memory(), compiled()
many(int(sys.argv[3]))
assert memory() - before < 12.0, f"{memory() - before:.1f} MiB more"
assert compiled() == kernels
viewer.close()

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


def test_a_window_takes_mouse_and_keys(tmp_path: Path, display: str) -> None:
    """Orbit with the mouse, move a slider, save with a key, end with Escape."""
    command = [str(COMMAND), "view", "toy", "--width", "640", "--height", "360", "--samples", "1"]
    environment = {**os.environ, "DISPLAY": display}
    viewer = subprocess.Popen(
        [*command, "--record", "inputs.json"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        # The window system writes the frame rate into the title once frames come.
        def drawing() -> str:
            window = xdotool(display, "search", "--name", "isofield.*[0-9] FPS")
            return "ended" if viewer.poll() is not None else window.splitlines()[-1] if window else ""

        window = wait_for("a window", drawing)
        if window == "ended":
            skip_without_vulkan(viewer.communicate()[1])

        def mouse(*words: object) -> None:
            xdotool(display, *words)
            time.sleep(0.8)  # several frames, also of a busy machine: what falls into one frame has no order

        mouse("mousemove", "--window", window, 320, 200)
        mouse("mousedown", 1)
        mouse("mousemove_relative", "--", 30, 0)
        mouse("mousemove_relative", "--", 30, 0)
        mouse("mouseup", 1)
        mouse("mousemove", "--window", window, 300, 150)
        mouse("mousedown", 1)
        mouse("mouseup", 1)
        time.sleep(0.5)
        mouse("mousemove", "--window", window, 510, 168)  # a slider of the shape that was clicked
        mouse("mousedown", 1)
        mouse("mousemove_relative", "--", 15, 0)
        mouse("mouseup", 1)
        mouse("key", "o")
        wait_for("a saved scene", lambda: list(tmp_path.glob("toy-1.toml")))
        xdotool(display, "key", "Escape")
        assert viewer.wait(60) == 0
    finally:
        if viewer.poll() is None:
            viewer.kill()
        viewer.wait()
    events = json.loads((tmp_path / "inputs.json").read_text())
    kinds = [event["event"] for event in events]
    drags = [event for event in events if event["event"] == "drag"]
    assert sum(drag["x"] for drag in drags) == pytest.approx(60 / 360, abs=0.01), "and none from the slider's drag"
    assert "click" in kinds
    assert "edit" in kinds, events
    assert {"frame": events[-1]["frame"], "event": "key", "name": "Escape", "down": True} in events
    assert not list(tmp_path.rglob("imgui.ini"))
