"""Commands that are killed at any change of a file: they leave the old state, the new one, or what can be resumed."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import trimesh
from kills import Killed, changes, contents, left
from twins.meshes import torus

from isofield.engine.cli import main

BALL = 'show = "ball"\n[shapes]\nball = { kind = "sphere", radius = 0.5 }\n'
SMALL = ("--steps", "4", "--batch", "8", "--checkpoint-every", "2")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder to work in, with something to fit to."""
    monkeypatch.chdir(tmp_path)
    for name in ("agreement.NODES", "mesh_source.POOL"):
        monkeypatch.setattr(f"isofield.engine.fit.{name}", 16 if name.endswith("NODES") else 2**10)
    imageio.imwrite("photo.png", np.random.default_rng(0).integers(0, 256, (12, 20, 3)).astype(np.uint8))
    Path("ball.toml").write_text(BALL)
    vertices, faces = torus(12, 8)
    trimesh.Trimesh(vertices.numpy(), faces.numpy(), process=False).export("ring.obj")
    np.savez("cloud.npz", points=vertices.numpy())


def results(found: dict[str, bytes]) -> dict[str, object]:
    """What a run gave, without the times that it took."""
    return {
        name: [{**entry, "seconds": 0.0} for entry in json.loads(content)["entries"]] if name == "log.json" else content
        for name, content in found.items()
    }


def killed_everywhere(run: Callable[[], int], keep: Callable[[Path], None], step: int = 1) -> None:
    """Run in a copy of old/, killed at every `step`-th change; `keep` looks each time at what is left."""
    place = Path("run")
    shutil.copytree("old", place)
    with changes(place) as seen:
        assert run() == 0
    assert seen.count > 3
    for last in range(0, seen.count, step):
        shutil.rmtree(place)
        shutil.copytree("old", place)
        with changes(place, last), pytest.raises(Killed):
            run()
        keep(place)


@pytest.mark.parametrize(
    ("words", "step"),
    [
        (("image", "photo.png", "--field", "grid", "--snapshot-every", "2"), 3),
        (("shape", "ball.toml", "--field", "grid"), 7),
        (("shape", "ring.obj", "--field", "grid"), 7),
        (("points", "cloud.npz"), 3),
    ],
)
def test_a_fit_that_is_killed_anywhere_comes_to_the_same_field(words: tuple[str, ...], step: int) -> None:
    def fitted(*more: str) -> int:
        return main(("fit", *words, *SMALL, *more))

    assert fitted("--output", "whole") == 0
    assert fitted("--output", "old", "--seed", "1") == 0
    old, whole = (results(contents(Path(name))) for name in ("old", "whole"))
    assert old["field.safetensors"] != whole["field.safetensors"]
    outcomes = set()

    def keep(place: Path) -> None:
        found = contents(place)
        resumable = "checkpoint.safetensors" in found
        if not resumable and results(found) != whole:
            kept = {name: content for name, content in old.items() if not name.startswith("snapshots")}
            assert {name: results(found)[name] for name in kept} == kept
        outcomes.add(resumable)
        assert fitted("--output", "run", *(["--resume"] if resumable else [])) == 0
        assert results(contents(place)) == whole
        assert not left(place)

    killed_everywhere(lambda: fitted("--output", "run"), keep, step)
    assert outcomes == {False, True}


COMPARE = ("compare", "photo.png", "--steps", "2", "--batch", "8", "--side", "16", "--output", "run")
NTK = ("ntk", "grid", "--points", "8", "--steps", "2", "--output", "run")


@pytest.mark.parametrize(("words", "numbers"), [(COMPARE, "compare.json"), (NTK, "ntk.json")])
def test_reports_that_are_killed_anywhere_keep_old_numbers_until_all_is_new(
    words: tuple[str, ...], numbers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from isofield.engine.compare import entries, learn

    monkeypatch.setattr(
        learn.compare, "__kwdefaults__", {**learn.compare.__kwdefaults__, "entries": entries.ENTRIES[3:4]}
    )
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)  # the numbers hold seconds
    place = Path("run")
    assert main((*words, "--seed", "1")) == 0
    place.rename("old")
    assert main(words) == 0
    old, whole = contents(Path("old")), contents(place)
    assert old[numbers] != whole[numbers]
    shutil.rmtree(place)
    outcomes = set()

    def keep(place: Path) -> None:
        found = contents(place)
        assert found.keys() == whole.keys()
        for name, content in found.items():
            assert content in (old[name], whole[name]), name
        outcomes.add(found[numbers] == whole[numbers])
        if found[numbers] == whole[numbers]:
            assert found == whole

    killed_everywhere(lambda: main(words), keep, 5)
    assert main(words) == 0
    assert not left(place)


@pytest.mark.parametrize(
    "words",
    [
        ("mesh", "ball.toml", "--resolution", "8", "--output", "run/out.ply"),
        ("render", "ball.toml", "--turntable", "2", "--width", "16", "--height", "16", "--output", "run/out.gif"),
        ("render", "ball.toml", "--turntable", "2", "--width", "16", "--height", "16", "--output", "run/out.mp4"),
    ],
)
def test_meshes_and_films_that_are_killed_anywhere_are_the_old_or_the_new(words: tuple[str, ...]) -> None:
    name = Path(words[-1]).name
    Path("run").mkdir()
    assert main(words) == 0
    new = Path("run", name).read_bytes()
    Path("run").rename("old")
    Path("old", name).write_bytes(b"old")
    seen = []

    def keep(place: Path) -> None:
        assert contents(place).keys() == {name}
        seen.append(contents(place)[name])

    killed_everywhere(lambda: main(words), keep)
    assert set(seen) == {b"old", new}
    assert left(Path("run"))
    assert main(words) == 0
    assert not left(Path("run"))


def started(*words: str) -> subprocess.Popen[str]:
    """A process of `isofield`."""
    code = "import sys; from isofield.engine.cli import run_as_process; run_as_process()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    """Wait until a file is there."""
    while not path.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_is_ended_is_resumed(number: signal.Signals) -> None:
    steps = "3000"
    options = ("fit", "image", "photo.png", "--field", "grid", "--batch", "8", "--checkpoint-every", "20")
    process = started(*options, "--steps", steps, "--output", "run")
    checkpoint = Path("run/checkpoint.safetensors")
    wait_for(checkpoint, process)
    process.send_signal(number)
    _, errors = process.communicate()
    if number == signal.SIGTERM:
        assert process.returncode == 143
        assert "run: stopped after" in errors
        assert "go on with --resume" in errors
        assert Path("run/field.safetensors").exists()
    else:
        assert process.returncode == -signal.SIGKILL
    assert main((*options, "--steps", steps, "--output", "whole")) == 0
    assert main((*options, "--steps", steps, "--output", "run", "--resume")) == 0
    whole, found = contents(Path("whole")), contents(Path("run"))
    assert found.keys() == whole.keys()
    assert found["field.safetensors"] == whole["field.safetensors"]
    assert not left(Path("run"))
