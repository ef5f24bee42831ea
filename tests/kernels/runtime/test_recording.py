"""Kernels built from recordings are those that the front end builds; nothing else is taken for a recording."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from isofield.kernels.runtime import recording
from isofield.kernels.runtime.front_end import core

HOST = """
import torch
from taichi.lang.kernel_impl import Kernel
from isofield.kernels import runtime
from isofield.kernels.film.development import develop
from isofield.kernels.film.rays import Film
from isofield.kernels.runtime import ti

@ti.func
def folded(x, y: ti.template()):
    y += x
    return ti.select(x > 0.5, x, -x), y * 2.0

@ti.kernel
def everything(
    points: ti.types.ndarray(ti.f32, 2), pairs: ti.types.ndarray(ti.types.vector(2, ti.f32), 1),
    counts: ti.types.ndarray(ti.i32, 1), scale: ti.f64, most: ti.i32,
):
    for i in range(points.shape[0]):
        lanes = ti.Vector([points[i, 0], points[i, 1], 0.25])
        matrix = ti.Matrix([[1.0, 2.0], [3.0, 4.0]])
        total = ti.f32(0.0)
        step = 0
        while step < most:
            step += 1
            if step % 2 == 1:
                continue
            total += lanes[step % 3] + ti.sqrt(ti.abs(lanes)).sum()
            if total > 9.0 or step == 7 and i != 2:
                break
        for lane in ti.static(range(3)):
            first, second = folded(lanes[lane], total)
            total = first + second
        pairs[i] = matrix @ pairs[i] + ti.cast(scale, ti.f32)
        points[i, 0] = total
        ti.atomic_add(counts[0], ti.cast(total, ti.i32) // 3 & 7)
        counts[1] += ti.bit_cast(total, ti.i32) >> 28

everything.recipe = "everything"

def results():
    points = torch.linspace(-1, 2, 40).reshape(20, 2)
    pairs = torch.linspace(0, 1, 40).reshape(20, 2)
    counts = torch.zeros(2, dtype=torch.int32)
    runtime.run(everything, points, pairs, counts, 0.125, 6)
    runtime.run(everything, points, pairs, counts, 0.5, 9)
    film = Film(5, 7)
    return points, pairs, counts, develop(torch.linspace(0, 2, film.rays * 3).reshape(-1, 3), film, screen=True)

first = results()
"""


def run(program: str, cache: Path) -> str:
    """What the program prints; it is a file, because Taichi reads the source of kernels."""
    path = cache / "host.py"
    path.write_text(HOST + program, encoding="utf-8")
    environment = os.environ | {"ISOFIELD_CACHE": str(cache)}
    done = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, timeout=280, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_a_recorded_kernel_is_the_same_without_the_front_end(tmp_path: Path) -> None:
    out = run(
        """
from pathlib import Path
recordings = lambda: list(Path(runtime.cache_folder()).with_name("recordings").iterdir())
def check():
    again = results()
    assert all(torch.equal(a, b) for a, b in zip(first, again)), (first, again)
assert first[2][0] > 0 and first[3].std() > 0
assert len(recordings()) == 2
ti.reset()
front_end, Kernel.materialize = Kernel.materialize, None
check()
# A host's own runtime: neither read nor written.
ti.init(arch=ti.cpu, log_level=ti.ERROR)
Kernel.materialize = front_end
for path in recordings():
    path.unlink()
check()
print(recordings())
""",
        tmp_path,
    )
    assert out.endswith("\n[]\n")


def test_parts_of_unknown_origin_are_not_recorded() -> None:
    outside = core.make_const_expr_int(core.DataType_i32, 1)
    for known in (False, True):
        recorder = recording.Recorder()
        with recorder.listening():
            part = core.make_const_expr_int(core.DataType_i32, 2) if known else outside
            core.expr_neg(part)
        assert (recorder.text() is not None) is known


def test_functions_of_the_core_are_given_back() -> None:
    before = {name: getattr(core, name) for name in recording.FUNCTIONS}
    with recording.Recorder().listening():
        assert core.expr_neg is not before["expr_neg"]
    assert {name: getattr(core, name) for name in recording.FUNCTIONS} == before


def test_only_whole_recordings_of_the_same_sources_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "recordings"
    assert recording.load(folder, "a") is None
    recording.save(folder, "a", "[text]")
    assert recording.load(folder, "a") == "[text]"
    assert recording.load(folder, "b") is None
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole.replace(b"x", b"y"), b"", b"\xff\xfe"):
        path.write_bytes(damaged)
        assert recording.load(folder, "a") is None
    path.write_bytes(whole)
    monkeypatch.setattr(recording, "SOURCES", "others")
    assert recording.load(folder, "a") is None
    recording.save(folder, "c", "[text]")  # the sources are not those that were imported
    assert list(folder.iterdir()) == [path]


def test_what_cannot_be_saved_is_not(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    recording.save(tmp_path / "file", "a", "[text]")
    recording.save(tmp_path / "recordings", "a", None)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_oldest_recordings_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MOST_FILES", 2)
    for second, name in enumerate("abc"):
        recording.save(tmp_path, name, name)
        newest = max(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (second, second))
    assert [recording.load(tmp_path, name) for name in "abc"] == [None, "b", "c"]
