"""Files that are written whole or not at all: their modes, full disks, and what kills leave."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh

from isofield.engine.cli import main
from isofield.engine.fields import ImageField
from isofield.engine.files import atomic, new_figure, write_figure, write_image, write_video
from isofield.engine.files.atomic import atomic_write, check_writable
from isofield.engine.meshing import Mesh


def noise(count: int = 1) -> Iterator[np.ndarray]:
    """Pictures that cannot be compressed."""
    yield from np.random.default_rng(0).random((count, 64, 64, 3))


def saved_mesh(path: Path) -> None:
    ball = trimesh.creation.icosphere(3)
    vertices, faces, normals = (
        torch.tensor(np.array(part)) for part in (ball.vertices, ball.faces, ball.vertex_normals)
    )
    Mesh(vertices.float(), faces.int(), normals.float()).save(path)


def plot(path: Path) -> None:
    figure, axes = new_figure(3.0, 2.0)
    axes.plot([0.0, 1.0])
    write_figure(path, figure)


WRITERS: dict[str, Callable[[Path], None]] = {
    "a.png": lambda path: write_image(path, next(noise())),
    "a.jpg": lambda path: write_image(path, next(noise())),
    "a.exr": lambda path: write_image(path, next(noise())),
    "a.gif": lambda path: write_video(path, noise(3), 10),
    "a.mp4": lambda path: write_video(path, noise(20), 10),
    "plot.png": plot,
    "a.ply": saved_mesh,
    "a.obj": saved_mesh,
    "a.stl": saved_mesh,
    "a.glb": saved_mesh,
    "a.safetensors": lambda path: ImageField(torch.zeros(64, 64, 3, dtype=torch.uint8)).save(path),
}


@pytest.fixture(params=[0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.parametrize("name", WRITERS)
def test_the_umask_decides_the_mode_of_new_files_and_old_ones_keep_theirs(
    name: str, umask: int, tmp_path: Path
) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    path.chmod(0o640)
    WRITERS[name](path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [each.name for each in tmp_path.iterdir()] == [name]


LIMITED = """
import resource, sys
from pathlib import Path
sys.path.insert(0, "TESTS")
from engine.files.test_atomic import WRITERS
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.RLIM_INFINITY))
for name, write in WRITERS.items():
    try:
        write(Path(name))
    except OSError as error:
        print(error)
    else:
        print(f"{name}: written")
"""


def test_files_that_grow_too_large_are_named_by_every_writer(tmp_path: Path) -> None:
    for name in WRITERS:
        (tmp_path / name).write_bytes(b"old")
    code = LIMITED.replace("TESTS", str(Path(__file__).parents[2]))
    found = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == [f"{name}: cannot be written: file too large" for name in WRITERS]
    assert found.stderr == ""
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == dict.fromkeys(WRITERS, b"old")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_and_the_old_file_kept(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.chdir(tmp_path)
    Path("ball.toml").write_text('show = "ball"\n[shapes]\nball = { kind = "sphere", radius = 0.5 }\n')
    Path("ball.ply").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)  # where a disk in a network says it
    assert main(("mesh", "ball.toml", "--resolution", "8", "--output", "ball.ply")) == 1
    assert capsys.readouterr().err == f"ball.ply: cannot be written: {os.strerror(number).lower()}\n"
    assert Path("ball.ply").read_bytes() == b"old"
    assert {path.name for path in tmp_path.iterdir()} == {"ball.toml", "ball.ply"}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("I/O error: No space left on device (os error 28)", "no space left on device"),
        ("It is\ntired", "it is tired"),
    ],
)
def test_what_a_library_says_is_told_of_the_file(said: str, told: str, tmp_path: Path) -> None:
    def fail() -> None:
        with atomic_write(tmp_path / "a.bin") as temporary, atomic.library_writes(temporary):
            raise RuntimeError(said)

    with pytest.raises(OSError, match=rf"a\.bin: cannot be written: {told}"):
        fail()
    assert not list(tmp_path.iterdir())


def test_errors_of_other_files_keep_their_names(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing"), atomic_write(tmp_path / "a.bin"):
        (tmp_path / "missing").read_bytes()


KILLED = """
import os, sys, time
from isofield.engine.files.atomic import atomic_write
with atomic_write(sys.argv[1]) as temporary:
    temporary.write_text("half")
    print("ready", flush=True)
    time.sleep(600)
"""


def unfinished(folder: Path) -> list[Path]:
    return list(folder.glob("*.unfinished"))


def test_what_a_kill_leaves_is_removed_by_the_next_write_of_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "a-b.txt"
    path.write_text("old")
    process = subprocess.Popen([sys.executable, "-c", KILLED, path], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    (folder,) = unfinished(tmp_path)
    check_writable(path)
    assert unfinished(tmp_path) == [folder], "its process lives"
    process.kill()
    process.communicate()
    assert path.read_text() == "old"
    for other in ("a.txt", "b.txt", "a-b.txt.bak", "a-b"):
        check_writable(tmp_path / other)
    assert unfinished(tmp_path) == [folder], "of another file"
    stranger = folder.with_name("-".join([".a-b.txt", "0" * 8, "1" * 8, "2" * 8 + atomic.ENDING]))
    stranger.mkdir()
    with atomic_write(path) as temporary:
        temporary.write_text("new")
    assert unfinished(tmp_path) == [stranger], "of another machine"
    assert path.read_text() == "new"


@pytest.mark.parametrize("same", [0, 1])
def test_a_machine_knows_itself_by_its_name_or_its_last_start(same: int, tmp_path: Path) -> None:
    known = ["0" * 8, "1" * 8]
    known[same] = atomic._machine()[same]
    left = tmp_path / "-".join([".a.txt", *known, "2" * 8 + atomic.ENDING])
    left.mkdir()
    (left / "new.txt").write_text("half")
    check_writable(tmp_path / "a.txt")
    assert not left.exists()


def test_files_of_one_name_can_be_written_at_the_same_time(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with atomic_write(path) as first:
        first.write_text("first")
        with atomic_write(path) as second:
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first"
    assert not unfinished(tmp_path)


def test_a_folder_that_was_taken_away_before_it_was_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, taken = atomic._lock, []

    def slow(folder: Path, *, wait: bool) -> int | None:
        if not taken:
            folder.rmdir()
            taken.append(folder)
        return lock(folder, wait=wait)

    monkeypatch.setattr(atomic, "_lock", slow)
    with atomic_write(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "a.txt").read_text() == "new"
    assert taken


def test_long_names_leave_room(tmp_path: Path) -> None:
    path = tmp_path / ("ü" * 125 + ".txt")
    with atomic_write(path) as temporary:
        temporary.write_text("new")
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
