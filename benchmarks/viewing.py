"""The viewer: pictures a second while something moves, a slider, a file that is saved.

The windows are hidden ones: counted is the time from the input until picture and panels are handed to the window
system; what that takes to draw them is not. `python viewing.py measure QUICK` is the process of its own.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import inputs
from timing import COMMAND, Goal, Row, own_process, process, require, row

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
    return table, {}


def measure(quick: bool) -> dict[str, tuple[list[float], dict[str, Any]]]:
    """Milliseconds of frames, and what else there is to say of them."""
    from isofield.engine.view.events import Drag, Edit, Event
    from isofield.engine.view.pace import Pace
    from isofield.engine.view.viewer import Viewer
    from isofield.kernels.runtime import impl

    times = 5 if quick else 60

    def compiled() -> int:
        return sum(len(kernel.compiled_kernels) for kernel in impl.get_runtime().kernels)

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
                viewer.pace = Pace(moving=((1, 1.0),))
            milliseconds = frame(viewer, event)
            if number >= WARM_UP:
                found.append(milliseconds)
        return found

    orbit = [Drag("left", 0.01, 0.001)] * (times + WARM_UP)
    result: dict[str, tuple[list[float], dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        viewer = Viewer("carved_box", 640, 360, hidden=True, whole=False)
        result["orbit"] = frames(viewer, orbit, True), {"status": viewer.status}
        before = compiled()
        sliders = [Edit("ball.radius", 1.0 - 0.002 * number) for number in range(times + WARM_UP)]
        shown = frames(viewer, sliders, True)
        require(compiled() == before, "a slider compiled a kernel")
        result["slider"] = shown, {"kernels compiled": compiled() - before, "frames later": 0}
        viewer.close()

        path = Path(folder) / "fifty.toml"
        path.write_text(inputs.torus_and_spheres().to_toml(), encoding="utf-8")
        viewer = Viewer(str(path), 960, 540, hidden=True, whole=False)
        result["adaptive"] = frames(viewer, [*orbit, *orbit], False)[times:], {"status": viewer.status}
        viewer.close()

        path = Path(folder) / "many.toml"
        text = inputs.city(300).to_toml()
        path.write_text(text, encoding="utf-8")
        viewer = Viewer(str(path), 640, 360, hidden=True, whole=False)
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
    print(json.dumps(measure(sys.argv[2] == "1")))
