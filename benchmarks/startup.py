"""Whole processes: compilation from an empty cache, the command line, imports, and the most memory they hold.

Run by itself it compiles what holds the interpreter, `python startup.py compile`, or renders a city,
`python startup.py city COUNT SIZE`.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from timing import COMMAND, Goal, Row, own_process, process, row

SUBJECT = "startup"


def rows(quick: bool) -> tuple[list[Row], dict[str, Any]]:
    """Seconds and MiB of processes that begin with nothing."""
    times = 1 if quick else 5
    compiled, table = [], []
    for _ in range(1 if quick else 3):
        with tempfile.TemporaryDirectory() as cache:
            compiled.append(own_process("startup.py", "compile", cache=Path(cache))[0])
    totals = [sum(each.values()) for each in compiled]
    table.append(
        row(SUBJECT, "all kernels with the interpreter, empty cache", "s", totals, goal=Goal("ours", "at most", 10.0),
            details={"kernels": compiled})
    )  # fmt: skip
    empty, warm, memory = _render_times(times)
    name = "isofield render carved_box, whole process"
    table.append(row(SUBJECT, f"{name}, empty cache", "s", empty, goal=Goal("ours", "at most", 15.0)))
    table.append(row(SUBJECT, f"{name}, warm cache", "s", warm, goal=Goal("ours", "at most", 5.0)))
    process(COMMAND, "--help")
    helped = [process(COMMAND, "--help").seconds for _ in range(times)]
    table.append(row(SUBJECT, "isofield --help, whole process", "s", helped, goal=Goal("ours", "at most", 0.6)))
    imported = [own_process("startup.py", "import")[0] for _ in range(times)]
    table.append(row(SUBJECT, "import isofield", "s", imported, goal=Goal("ours", "at most", 0.2)))
    table.append(row(SUBJECT, "memory: isofield render carved_box", "MiB", memory))
    bare = [process(sys.executable, "-c", "import torch, taichi").memory for _ in range(times)]
    table.append(row(SUBJECT, "memory: import of torch and taichi alone", "MiB", bare))
    size = 128 if quick else 512
    for count in (1_000, 10_000):
        held = [own_process("startup.py", "city", count, size)[1].memory for _ in range(1 if quick else 3)]
        table.append(row(SUBJECT, f"memory: city of {count:_} shapes, {size}²".replace("_", " "), "MiB", held))
    return table, {}


def _render_times(times: int) -> tuple[list[float], list[float], list[float]]:
    """Seconds of `isofield render` with an empty cache and with the cache that it left, and MiB."""
    empty, warm, memory = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        command = (COMMAND, "render", "carved_box", "--output", Path(folder) / "picture.png")
        for number in range(max(times // 2, 1)):
            cache = Path(folder) / str(number)
            empty.append(process(*command, cache=cache).seconds)
        for _ in range(times):
            ended = process(*command, cache=cache)
            warm.append(ended.seconds)
            memory.append(ended.memory)
    return empty, warm, memory


def compile_all() -> dict[str, float]:
    """Seconds that the first call of each kernel with the interpreter takes longer than the second."""
    import torch

    import isofield as iso
    from isofield.engine.render import view_of
    from isofield.kernels import distance
    from isofield.kernels.light import visibility
    from isofield.kernels.program.tiles import PART, one_tile
    from isofield.kernels.trace import march
    from isofield.kernels.trace.surface import surface_on

    view = view_of(iso.load("carved_box"))
    program, device = view.program, view.program.rows.device
    origins = torch.tensor([[0.0, 0.0, 3.0]] * 16, device=device)
    ways = torch.tensor([[0.0, 0.0, -1.0]] * 16, device=device)
    far = torch.full((16,), 2.0, device=device)
    part = torch.full((16,), PART, dtype=torch.int32, device=device)
    tiles = one_tile(program)
    calls: dict[str, Callable[[], Any]] = {
        "distance": lambda: distance(program, origins),
        "march": lambda: march(program, tiles, origins, ways, (0.0, 9.0), (1e-4, 0.0), 9),
        "surface": lambda: surface_on(program, tiles, origins, ways, far, part),
        "visibility": lambda: visibility(program, tiles, view.lighting, origins, ways, far, part, (0.0, 1e-3)),
    }
    return {name: _seconds(call) - _seconds(call) for name, call in calls.items()}


def _seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def import_alone() -> float:
    """Seconds of `import isofield`."""
    start = time.perf_counter()
    import isofield  # noqa: F401

    return time.perf_counter() - start


def city(count: int, size: int) -> int:
    """Render a city, for the memory it takes."""
    import inputs
    from shading import frame

    from isofield.engine.render import view_of

    return len(frame(view_of(inputs.city(count)), size))


if __name__ == "__main__":
    what, *numbers = sys.argv[1:]
    done = {"compile": compile_all, "import": import_alone, "city": city}[what](*map(int, numbers))
    print(json.dumps(done))
