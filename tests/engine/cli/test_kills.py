"""Commands that are killed at any change of a file: they leave the old state, the new one, or what can be resumed."""

from __future__ import annotations

import json
import shutil
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
