"""The viewer: pictures a second while something moves, a slider, a file that is saved.

The windows of most rows are hidden ones: counted is the time from the input until picture and panels are handed to the
window system; what that takes to draw them is not. The loop of a visible window, and fits that are watched in one, need
a display, or Xvfb. `python viewing.py measure QUICK`, `loop QUICK` and `fits QUICK` are processes of their own.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import inputs
from timing import COMMAND, Goal, Row, Sample, no_new_kernel, own_process, pin_threads, process, require, row, timed

SUBJECT = "viewing"
WARM_UP = 8


def rows(quick: bool) -> tuple[list[Row], dict[str, Any]]:
    """Times of the viewer's frames."""
    found, _ = own_process("viewing.py", "measure", int(quick))
    orbit, details = found["orbit"]
    rate, goal = [1e3 / milliseconds for milliseconds in orbit], Goal("ours", "at least", 30.0)
    name = "carved box, 640 × 360, orbiting"
    table = [
        row(SUBJECT, f"{name}, frames a second", "/s", rate, goal=goal, details=details),
        row(SUBJECT, f"{name}, input to picture", "ms", orbit, goal=Goal("ours", "at most", 50.0)),
    ]
    adaptive, details = found["adaptive"]
    rate, goal = [1e3 / milliseconds for milliseconds in adaptive], Goal("ours", "at least", 15.0)
    name = "50 primitives, 960 × 540, adaptive"
    table.append(row(SUBJECT, f"{name}, frames a second", "/s", rate, goal=goal, details=details))
    slider, details = found["slider"]
    table.append(row(SUBJECT, "carved box, 640 × 360, slider to picture", "ms", slider, details=details))
    reload, _ = found["reload"]
    goal = Goal("ours", "at most", 200.0)
    table.append(row(SUBJECT, "300 shapes, 640 × 360, saved file to picture", "ms", reload, goal=goal))
    with tempfile.TemporaryDirectory() as folder:
        command = (COMMAND, "view", "toy", "--offscreen", 1, Path(folder) / "frames")
        process(*command)
        opened = [process(*command).seconds for _ in range(1 if quick else 3)]
    goal = Goal("ours", "at most", 5.0)
    table.append(row(SUBJECT, "isofield view toy, first picture, whole process", "s", opened, goal=goal))
    with display() as found_one:
        if found_one:
            table += _visible(quick)
    return table, {}


def _visible(quick: bool) -> list[Row]:
    """Rows of windows on a screen: the viewer's whole loop, and a fit that is watched beside one that is not."""
    seconds, _ = own_process("viewing.py", "loop", int(quick))
    name = "carved box, 640 × 360, orbiting in a visible window"
    rate, goal = [1.0 / second for second in seconds], Goal("ours", "at least", 30.0)
    table = [row(SUBJECT, f"{name}, frames a second", "/s", rate, goal=goal)]
    (ratios, details), _ = own_process("viewing.py", "fits", int(quick))
    name = "hash grid fitted to a photo, seconds watched in a visible window for each not watched"
    table.append(row(SUBJECT, name, "×", ratios, goal=Goal("ours", "at most", 1.1), details=details))
    return table


@contextlib.contextmanager
def display() -> Iterator[bool]:
    """Whether there is a display for windows, which is an Xvfb of our own where there is no other."""
    if os.environ.get("DISPLAY") or shutil.which("Xvfb") is None:
        yield bool(os.environ.get("DISPLAY"))
        return
    read, write = os.pipe()
    words = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    server = subprocess.Popen(words, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as pipe:
            os.environ["DISPLAY"] = f":{pipe.readline().strip()}"
        yield True
    finally:
        os.environ.pop("DISPLAY", None)
        server.terminate()
        server.wait()


def loop(quick: bool) -> list[float]:
    """Seconds of the frames of a visible window while it is orbited, from one look at its inputs to the next."""
    from isofield.engine.view.events import Drag
    from isofield.engine.view.pace import Pace
    from isofield.engine.view.viewer import Viewer

    viewer = Viewer("carved_box", 640, 360, whole_passes=False)
    found = []
    for _ in range((5 if quick else 120) + WARM_UP):
        start = time.perf_counter()
        viewer.painter.pace = Pace(moving=((1, 1.0),))
        viewer.step([*viewer.window.events(), Drag("left", 0.01, 0.001)], 0.0)
        viewer.window.show()
        found.append(time.perf_counter() - start)
    viewer.close()
    return found[WARM_UP:]


def fits(quick: bool) -> tuple[list[float], dict[str, Any]]:
    """How many times as long a fit takes while it is watched, of pairs, and what else there is to say of them.

    The two of a pair follow each other within seconds, and each is the first of every other pair: a machine that
    changes its speed favours neither.
    """
    from isofield.engine.fields import ImageField
    from isofield.engine.files.pictures import read_pixels
    from isofield.engine.fit import FitSettings, ImageSource, fit, make_field
    from isofield.engine.view.learning import LearningWindow

    image = ImageField(read_pixels(next(iter(inputs.photos()))))
    source, settings = ImageSource(image), FitSettings(steps=40 if quick else 200)
    looks, shares = [], []

    def seconds(watched: bool) -> Sample:
        field = make_field("hash_grid", 2, 3, meaning="colour", aspect=image.aspect)
        with contextlib.ExitStack() as stack:
            window = LearningWindow(settings.steps, Path(), psnr=True) if watched else None
            if window is not None:
                stack.callback(window.close)
            work = functools.partial(fit, field, source, settings, psnr=True, watch=window)
            (sample,) = timed(work, 1, warm_up=0, own_threads=True)  # the window's
        if window is not None:
            looks.append(window.picture_budget.count)
            shares.append((window.picture_budget.spent + window.input_budget.spent) / sample.wall)
        return sample

    pairs = []
    for number in range(2 if quick else 16):
        first, second = seconds(number % 2 == 1), seconds(number % 2 == 0)
        pairs.append((first, second) if number % 2 else (second, first))
    pairs, looks, shares = pairs[1:], looks[1:], shares[1:]  # the first ones compile
    details = {
        "processor time, watched / not": statistics.median(watched.cores / alone.cores for watched, alone in pairs),
        "share of the time that frames took": statistics.median(shares),
        "looks of a fit": statistics.median(looks),
        "seconds of a fit": statistics.median(alone.wall for _, alone in pairs),
    }
    return [watched.wall / alone.wall for watched, alone in pairs], details


def measure(quick: bool) -> dict[str, tuple[list[float], dict[str, Any]]]:
    """Milliseconds of frames, and what else there is to say of them."""
    from isofield.engine.view.events import Drag, Edit, Event
    from isofield.engine.view.pace import Pace
    from isofield.engine.view.viewer import Viewer

    times = 5 if quick else 60

    def frame(viewer: Viewer, *events: Event) -> float:
        start = time.perf_counter()
        viewer.step(events, 0.0)
        milliseconds = 1e3 * (time.perf_counter() - start)
        viewer.window.read()  # ends the frame
        return milliseconds

    def frames(viewer: Viewer, events: Sequence[Event], full: bool) -> list[float]:
        found = []
        for number, event in enumerate(events):
            if full:  # forget what was measured, but that light for every pixel is too slow
                viewer.painter.pace = Pace(moving=((1, 1.0),))
            milliseconds = frame(viewer, event)
            if number >= WARM_UP:
                found.append(milliseconds)
        return found

    orbit = [Drag("left", 0.01, 0.001)] * (times + WARM_UP)
    result: dict[str, tuple[list[float], dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        viewer = Viewer("carved_box", 640, 360, hidden=True, whole_passes=False)
        result["orbit"] = frames(viewer, orbit, True), {"status": viewer.painter.status}
        sliders = [Edit("ball.radius", 1.0 - 0.002 * number) for number in range(times + WARM_UP)]
        frames(viewer, [Edit("ball.radius", 1.001)], True)  # what no orbit needs
        with no_new_kernel("a slider"):
            result["slider"] = frames(viewer, sliders, True), {"kernels compiled": 0, "frames later": 0}
        viewer.close()

        path = Path(folder) / "fifty.toml"
        path.write_text(inputs.torus_and_spheres().to_toml(), encoding="utf-8")
        viewer = Viewer(str(path), 960, 540, hidden=True, whole_passes=False)
        result["adaptive"] = frames(viewer, [*orbit, *orbit], False)[times:], {"status": viewer.painter.status}
        viewer.close()

        path = Path(folder) / "many.toml"
        text = inputs.city(300).to_toml()
        path.write_text(text, encoding="utf-8")
        viewer = Viewer(str(path), 640, 360, hidden=True, whole_passes=False)
        frames(viewer, orbit, False)
        reloads = []
        for number in range(3 if quick else 12):
            path.write_text(f"{text}# saved {number}\n", encoding="utf-8")
            reloads.append(frame(viewer))
            require(viewer.state.message == "reloaded", "the file was not read again")
        result["reload"] = reloads, {}
        viewer.close()
    return result


if __name__ == "__main__":
    pin_threads()
    print(json.dumps({"measure": measure, "loop": loop, "fits": fits}[sys.argv[1]](sys.argv[2] == "1")))
