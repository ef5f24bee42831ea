"""`isofield ntk`: what it writes, what it says, and its exit status."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import imageio.v3 as imageio
import pytest
import torch

from isofield.engine.cli import main
from isofield.engine.fields import Grid, ImageField
from isofield.engine.ntk import line_points, tangent_kernel

FILES = {"ntk.json", "eigenvalues.png", "frequencies.png", "distance.png", "decay.png", "regression.png"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder to work in."""
    monkeypatch.chdir(tmp_path)


def status(*arguments: str) -> int:
    """Exit status of `isofield ntk` with these arguments."""
    try:
        return main(("ntk", *arguments))
    except SystemExit as stop:
        return int(stop.code or 0)


def test_new_and_saved_fields_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    field = Grid(3, 2, nodes=3, bounds=((-1.0,) * 3, (1.0,) * 3))
    field.save("mine.safetensors")
    assert status("mlp", "mine.safetensors", "grid", "--points", "16", "--steps", "5", "--output", "a/b") == 0
    assert {path.name for path in Path("a/b").iterdir()} == FILES
    table = json.loads(Path("a/b/ntk.json").read_text())
    assert [(row["name"], row["kind"], row["parameters"], row["channels"]) for row in table["rows"]] == [
        ("mlp", "mlp", 17025, 1),
        ("mine", "grid", 54, 2),
        ("grid", "grid", 1089, 1),
    ]
    kernel = tangent_kernel(field.double(), line_points(field, 16))
    wanted = torch.linalg.eigvalsh(kernel.reshape(32, 32)).flip(0).clamp(min=0.0)
    torch.testing.assert_close(torch.tensor(table["rows"][1]["eigenvalues"], dtype=torch.float64), wanted)
    for name in FILES - {"ntk.json"}:
        assert imageio.imread(f"a/b/{name}").std() > 0.0
    assert "mine.safetensors: 54 parameters" in capsys.readouterr().err


def test_the_seed_is_that_of_the_parameters() -> None:
    found = []
    for seed in ("0", "0", "1"):
        assert status("siren", "--points", "8", "--steps", "1", "--seed", seed, "--output", "run") == 0
        found.append(json.loads(Path("run/ntk.json").read_text())["rows"][0]["eigenvalues"])
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "FIELD: expected at least one"),
        (("cake",), "FIELD: expected a .safetensors file or one of mlp, encoded_mlp"),
        (("mlp", "--points", "0"), "--points: expected a number from 8 to 4096, got 0"),
        (("mlp", "--points", "1"), "--points: expected a number from 8"),
        (("mlp", "--steps", "0"), "--steps: expected a number from 1"),
        (("mlp", "--error", "0"), "--error: expected a number from 1e-06"),
        (("mlp", "--seed", "-1"), "--seed: expected a number from 0"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(*arguments) == 2
    assert message in capsys.readouterr().err
    assert not Path("out").exists()


def test_files_that_are_no_fields_with_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("missing.safetensors") == 1
    assert "missing.safetensors: cannot be read" in capsys.readouterr().err
    Path("cut.safetensors").write_bytes(b"\0" * 20)
    assert status("cut.safetensors") == 1
    assert "cut.safetensors: no whole .safetensors file" in capsys.readouterr().err
    ImageField(torch.zeros(2, 2, 3)).save("photo.safetensors")
    assert status("photo.safetensors") == 2
    assert "expected fields with parameters that are trained, photo.safetensors has none" in capsys.readouterr().err


def test_without_matplotlib_one_sentence_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "matplotlib" else find(name))
    assert status("mlp") == 1
    assert capsys.readouterr().err == "plots need matplotlib: run pip install 'isofield[plots]'\n"
    assert not Path("out").exists()
