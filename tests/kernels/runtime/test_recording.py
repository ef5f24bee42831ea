"""Kernels built from recordings are those that the front end builds; nothing else is taken for a recording."""

from __future__ import annotations

import inspect
import linecache
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import pytest

from isofield import kernels
from isofield.kernels import runtime
from isofield.kernels.film import rays
from isofield.kernels.runtime import front_end, recording
from isofield.kernels.runtime.front_end import core

KERNEL = """
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
"""

HOST = """
import sys
import torch
from pathlib import Path
from taichi.lang.kernel_impl import Kernel
from isofield.kernels import runtime
from isofield.kernels.film import Film, develop
from isofield.kernels.runtime.front_end import add_source
from isofield.kernels.runtime import ti

source = Path(__file__).with_name("kernel.py")
name = add_source("kernel", source.read_text()) if sys.argv[1] == "added" else str(source)
exec(compile(source.read_text(), name, "exec"))
everything.recipe = "everything"

def recordings():
    return list(Path(runtime.cache_folder()).with_name("recordings").iterdir())

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


def run(program: str, cache: Path, source: Literal["added", "foreign"] = "added", kernel: str = KERNEL) -> str:
    """What the program prints, of which the kernel's source is made known to the front end, or is a file like any."""
    path = cache / "host.py"
    path.write_text(HOST + program, encoding="utf-8")
    path.with_name("kernel.py").write_text(kernel, encoding="utf-8")
    environment = os.environ | {"ISOFIELD_CACHE": str(cache)}
    done = subprocess.run(
        [sys.executable, str(path), source], capture_output=True, text=True, timeout=280, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_a_recorded_kernel_is_the_same_without_the_front_end(tmp_path: Path) -> None:
    out = run(
        """
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


def test_a_kernel_of_other_source_is_not_replayed(tmp_path: Path) -> None:
    """One recording is of `develop`, which is a file of the package, one of the kernel."""
    same = "print(first[0][0, 0].item(), len(recordings()))"
    before = run(same, tmp_path).split()
    assert before[1] == "2"
    assert run(same, tmp_path).split() == before
    changed = KERNEL.replace("y * 2.0", "y * 2.5")  # in the function that the kernel calls
    after, count = run(same, tmp_path, kernel=changed).split()
    assert after != before[0]
    assert count == "2"  # the same recipe: it takes the place of the first
    assert run(same, tmp_path).split() == before


def test_a_kernel_of_foreign_source_is_not_recorded(tmp_path: Path) -> None:
    assert run("print(len(recordings()))", tmp_path, "foreign") == "1\n"


def test_a_kernel_that_was_handed_a_function_is_not_recorded() -> None:
    @runtime.per_lane_width
    def factory(width: int, *variant: object) -> SimpleNamespace:
        return SimpleNamespace()

    assert factory(True, 2, "name", None).recipe.endswith(f"({runtime.lane_width()}, True, 2, 'name', None)")
    assert not hasattr(factory(True, abs), "recipe")
    assert not hasattr(factory((1, abs)), "recipe")


def test_files_that_the_front_end_reads() -> None:
    for file, kept in (
        (inspect.getfile(rays), True),
        (inspect.getfile(front_end.ti.Matrix), True),
        (front_end.add_source("a test's", "def f():\n    pass\n"), True),
        (__file__, False),
    ):
        recorder = recording.Recorder()
        with recorder.listening():
            front_end.source_of(file)
        assert (recorder.text() is not None) is kept, file


def test_one_name_stands_for_one_text() -> None:
    names = [front_end.add_source("a test's", f"def f():\n    return {number}\n") for number in (1, 2, 1)]
    assert names[0] == names[2] != names[1]
    for number, name in enumerate(names[:2], 1):
        linecache.clearcache()  # a host may
        lines, functions = front_end.source_of(name)
        assert (lines[1], list(functions)) == (f"    return {number}\n", [1])


def test_recordings_of_sources_in_no_file_want_the_same_sources(tmp_path: Path) -> None:
    text = f'["{front_end.add_source("known", "x = 1")}"]\n[]'
    recording.save(tmp_path, "a", text)
    recording.save(tmp_path, "b", text.replace("known", "unknown"))
    assert recording.load(tmp_path, "a") == text
    assert recording.load(tmp_path, "b") is None


def test_the_digest_is_of_every_file_of_the_package(tmp_path: Path) -> None:
    package = Path(kernels.__file__).parent
    assert recording.digest_of_sources(package) == recording.SOURCES
    copy = tmp_path / "kernels"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    deep = copy / "a" / "deep" / "room"
    deep.mkdir(parents=True)
    for name in ("device.py", "table.npy"):
        (deep / name).write_bytes(b"1")
    digest = recording.digest_of_sources(copy)
    files = [path for path in copy.rglob("*") if path.is_file()]
    assert len(files) > 50
    for path in files:
        before = path.read_bytes()
        path.write_bytes(before + b"#")
        assert recording.digest_of_sources(copy) != digest, path
        path.write_bytes(before)
    (deep / "device.py").rename(deep / "renamed.py")
    assert recording.digest_of_sources(copy) != digest
    (deep / "renamed.py").rename(deep / "device.py")
    for ignored in (deep / "__pycache__" / "device.pyc", deep / ".device.py.swp"):
        ignored.parent.mkdir(exist_ok=True)
        ignored.touch()
    assert recording.digest_of_sources(copy) == digest


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
    recording.save(folder, "a", "[]\ntext")
    assert recording.load(folder, "a") == "[]\ntext"
    assert recording.load(folder, "b") is None
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole.replace(b"x", b"y"), b"", b"\xff\xfe"):
        path.write_bytes(damaged)
        assert recording.load(folder, "a") is None
    path.write_bytes(whole)
    monkeypatch.setattr(recording, "SOURCES", "others")
    assert recording.load(folder, "a") is None
    recording.save(folder, "c", "[]\ntext")  # the sources are not those that were imported
    assert list(folder.iterdir()) == [path]


def test_what_cannot_be_saved_is_not(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    recording.save(tmp_path / "file", "a", "[]\ntext")
    recording.save(tmp_path / "recordings", "a", None)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_oldest_recordings_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MOST_FILES", 2)
    for second, name in enumerate("abc"):
        recording.save(tmp_path, name, f"[]\n{name}")
        newest = max(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (second, second))
    assert [recording.load(tmp_path, name) for name in "abc"] == [None, "[]\nb", "[]\nc"]
