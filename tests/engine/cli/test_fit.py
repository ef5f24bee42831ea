"""`isofield fit` and `isofield sample`: what they write, what they say, and their exit status."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import torch
import trimesh
from twins.meshes import torus

from isofield.engine.cli import main
from isofield.engine.fields import MLP, ImageField, load_field

BALL = 'show = "ball"\n[shapes]\nball = { kind = "sphere", radius = 0.5 }\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a photo and a scene."""
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (12, 20, 3)).astype(np.uint8)
    imageio.imwrite("photo.png", pixels)
    Path("ball.toml").write_text(BALL)
    return tmp_path


def status(*arguments: str) -> int:
    """Exit status of `isofield` with these arguments."""
    try:
        return main(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)


def test_a_photo_is_fitted_and_sampled(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--steps", "30", "--batch", "64", "--log-every", "10", "--snapshot-every", "15", "--output", "run")
    assert status("fit", "image", "photo.png", "--field", "grid", *options) == 0
    assert "PSNR" in capsys.readouterr().err
    names = {path.name for path in Path("run").iterdir()}
    assert names == {"field.safetensors", "picture.png", "log.json", "progress.gif", "snapshots"}
    assert imageio.imread("run/picture.png").shape == (12, 20, 3)
    assert len(imageio.imread("run/progress.gif", index=...)) >= 2
    log = json.loads(Path("run/log.json").read_text())
    assert [entry["step"] for entry in log["entries"]] == [10, 20, 30]
    assert log["settings"]["batch"] == 64
    assert log["parameters"] == 3 * 33**2
    field = load_field("run/field.safetensors")
    assert (field.kind, str(field.meaning), field.aspect) == ("grid", "colour", pytest.approx(20 / 12))

    assert status("sample", "run/field.safetensors", "--size", "50", "--output", "large.png") == 0
    assert imageio.imread("large.png").shape == (30, 50, 3)


def test_a_field_that_is_not_finite_makes_no_picture(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    field = MLP(2, 3, meaning="colour")
    field.save("field.safetensors")
    monkeypatch.setattr(MLP, "raw", lambda self, unit: torch.where(unit[:, :1] == 0.0, torch.nan, unit.new_ones(1, 3)))
    monkeypatch.setattr("isofield.engine.fields.store._check_values", lambda field: None)  # it sees corners alone
    assert status("sample", "field.safetensors", "--size", "8", "--output", "picture.png") == 1
    assert "field.safetensors: expected finite values, got 24 of 192 that are not" in capsys.readouterr().err
    assert not Path("picture.png").exists()


def test_without_output_the_folder_is_named_after_photo_and_field() -> None:
    assert status("fit", "image", "photo.png", "--field", "mlp", "--steps", "2", "--batch", "8") == 0
    assert Path("out/photo-mlp/field.safetensors").is_file()


@pytest.mark.parametrize("target", ["sdf", "occupancy"])
def test_a_shape_is_fitted(target: str) -> None:
    options = ("--field", "encoded_mlp", "--steps", "3", "--batch", "32", "--output", "run")
    assert status("fit", "shape", "ball.toml", "--target", target, *options) == 0
    field = load_field("run/field.safetensors")
    assert str(field.meaning) == {"sdf": "signed_distance", "occupancy": "occupancy"}[target]
    assert field(torch.zeros(1, 3)).shape == (1, 1)


@pytest.mark.parametrize(("eikonal", "activation"), [("0.1", "softplus"), ("0", "relu")])
def test_fields_whose_gradients_are_trained_are_smooth(eikonal: str, activation: str) -> None:
    options = ("--eikonal", eikonal, "--steps", "1", "--batch", "32", "--output", "run")
    assert status("fit", "shape", "ball.toml", *options) == 0
    configuration = load_field("run/field.safetensors").configuration()
    assert (configuration["activation"], configuration["smoothstep"]) == (activation, eikonal != "0")


def test_a_mesh_with_y_up_is_fitted_on_its_feet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isofield.engine.fit.mesh_source.POOL", 2**15)
    monkeypatch.setattr("isofield.engine.fit.agreement.NODES", 16)
    bar = trimesh.creation.box((0.6, 2.0, 0.6))
    bar.apply_translation((1.0, 2.0, 3.0))
    bar.export("bar.obj")
    options = ("--field", "grid", "--steps", "100", "--batch", "2048", "--output", "run")
    assert status("fit", "shape", "bar.obj", "--up", "y", *options) == 0
    field = load_field("run/field.safetensors")
    assert field.placement is not None
    assert field.placement.centre == pytest.approx((1.0, -3.0, 2.0), abs=1e-6)
    upper, before = field(field.placement.to_field(torch.tensor([[1.0, -3.0, 2.8], [1.0, -3.8, 2.0]]))).flatten()
    assert upper < 0.0 < before


@pytest.mark.parametrize("target", ["sdf", "occupancy"])
def test_a_mesh_is_fitted_and_measured(
    target: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("isofield.engine.fit.mesh_source.POOL", 2**16)
    monkeypatch.setattr("isofield.engine.fit.agreement.NODES", 40)
    vertices, faces = torus(16, 12)
    trimesh.Trimesh(vertices.numpy() + 5.0, faces.numpy(), process=False).export("ring.obj")
    options = ("--field", "grid", "--steps", "200", "--batch", "2048", "--output", "run")
    assert status("fit", "shape", "ring.obj", "--target", target, *options) == 0
    assert "iou 0.9" in capsys.readouterr().out
    measured = json.loads(Path("run/log.json").read_text())["measured"]
    assert measured.keys() == {"iou", "chamfer", "hausdorff", "normal_consistency"}
    assert measured["iou"] > 0.9
    field = load_field("run/field.safetensors")
    assert field.placement is not None
    assert field.placement.centre == pytest.approx((5.0, 5.0, 5.0), abs=1e-6)
    assert field.placement.scale == pytest.approx(2.0 / (1.2 * 1.9))
    middle = field.placement.to_field(torch.tensor([[5.7, 5.0, 5.0], [5.0, 5.0, 5.0]]))
    inside, outside = field(middle).flatten().tolist()
    assert (inside < 0.0 < outside) if target == "sdf" else (outside < 0.5 < inside)


def test_points_are_fitted_and_measured(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("isofield.engine.fit.agreement.NODES", 24)
    points = torus(24, 16)[0] * torch.tensor([1.0, 1.0, 1.5])
    np.savez("cloud.npz", verts=torch.cat([points, torch.full((1, 3), 1e9)]).numpy())
    assert status("fit", "points", "cloud.npz", "--steps", "3", "--batch", "32", "--output", "run") == 0
    told = capsys.readouterr()
    assert "cloud.npz: 1 points far from all others are left out" in told.err
    measured = json.loads(Path("run/log.json").read_text())["measured"]
    assert measured.keys() == {"faces", "components", "watertight", "mean_distance", "largest_distance"}
    field = load_field("run/field.safetensors")
    assert (field.kind, str(field.meaning)) == ("mlp", "signed_distance")
    assert field.placement is not None


def test_ctrl_c_saves_and_resume_goes_on_as_if_never_stopped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from isofield.engine.fit import losses

    options = ("--field", "siren", "--steps", "25", "--batch", "16", "--snapshot-every", "5")
    assert status("fit", "image", "photo.png", *options, "--output", "whole") == 0
    plain, calls = losses.squared_error, 0

    def interrupting(*arguments: object) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == 12:
            signal.raise_signal(signal.SIGINT)
        return plain(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("isofield.engine.fit.squared_error", interrupting)
    assert status("fit", "image", "photo.png", *options, "--output", "run") == 130
    assert "run: stopped after 12 of 25 steps, which it holds; go on with --resume" in capsys.readouterr().err
    assert Path("run/field.safetensors").is_file()
    assert json.loads(Path("run/log.json").read_text())["steps"] == 12
    monkeypatch.setattr("isofield.engine.fit.squared_error", plain)

    assert status("fit", "image", "photo.png", *options, "--output", "run") == 2
    assert "--output: run holds the checkpoint of an unfinished run" in capsys.readouterr().err
    assert status("fit", "image", "photo.png", *options, "--output", "run", "--resume", "--seed", "3") == 1
    assert "settings.seed was 0, is 3" in capsys.readouterr().err
    assert status("fit", "image", "photo.png", *options, "--output", "run", "--resume") == 0
    for name in ("field.safetensors", "picture.png", "progress.gif"):
        assert Path("run", name).read_bytes() == Path("whole", name).read_bytes(), name
    assert not Path("run/checkpoint.safetensors").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--steps", "0"), "--steps: expected a whole number from 1 to 1000000000, got 0"),
        (("--batch", "0"), "--batch: expected a whole number from 1"),
        (("--rate", "nan"), "--rate: expected a finite number above 0, got nan"),
        (("--log-every", "0"), "--log-every: expected a whole number from 1"),
        (("--field", "ground_plan"), "--field: ground_plan takes points of 3 dimensions, these have 2"),
        (("--resume",), "--resume: expected a checkpoint"),
    ],
)
def test_options_that_cannot_be_used(options: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status("fit", "image", "photo.png", *options) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    "options", [("--field", "mpl"), ("--schedule", "linear"), ("--steps", "many"), ("--target", "sdf")]
)
def test_words_that_are_unknown(options: tuple[str, ...]) -> None:
    assert status("fit", "image", "photo.png", *options) == 2


def test_what_fails_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    Path("photo.ply").write_bytes(Path("photo.png").read_bytes())
    Path("flat.xyz").write_text("0 0 0\n1 0 0\n1 1 0\n0 1 0\n2 3 0\n")
    Path("three.xyz").write_text("0 0 0\n1 0 0\n1 1 0\n")
    Path("half.png").write_bytes(Path("photo.png").read_bytes()[:300])
    for arguments, told in (
        (("image", "none.png"), "none.png: cannot be read: no such file or directory"),
        (("image", "half.png"), "half.png: damaged or truncated"),
        (("image", "photo.png", "--batch", "2000000000"), "batch: 2000000000 points need about"),
        (("image", "photo.png", "--rate", "1e30", "--field", "siren"), "the loss is "),
        (("image", "photo.png", "--output", "photo.png"), "photo.png"),
        (("shape", "none.toml"), "none.toml: cannot be read"),
        (("shape", "none.obj"), "none.obj: cannot be read: no such file or directory"),
        (("shape", "photo.ply"), "photo.ply: cannot be read as a model"),
        (("points", "none.xyz"), "none.xyz: cannot be read: no such file or directory"),
        (("points", "flat.xyz"), "flat.xyz: cloud: expected points about a body, got points of one plane"),
        (("points", "three.xyz"), "three.xyz: cloud: expected at least 4 points, got 3"),
    ):
        assert status("fit", *arguments) == 1, arguments
        error = capsys.readouterr().err
        assert told in error
        assert "Traceback" not in error


@pytest.mark.parametrize(
    ("make", "options", "code", "told"),
    [
        (lambda: MLP(3, 3, width=4), (), 2, "FIELD: expected a field of 2 dimensions and 3 channels"),
        (lambda: MLP(2, 1, width=4), (), 2, "has 2 and 1"),
        (lambda: MLP(2, 3, width=4), ("--size", "0"), 2, "--size: expected a number from 1 to 16384, got 0"),
        (lambda: MLP(2, 3, width=4), ("--output", "a.exr"), 2, "--output: expected a name that ends in .png or .jpg"),
        (lambda: MLP(2, 3, width=4), ("--output", "no/a.png"), 1, "there is no folder"),
    ],
)
def test_samples_that_cannot_be_made(
    make: object, options: tuple[str, ...], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make().save("a.safetensors")  # type: ignore[operator]
    output = () if "--output" in options else ("--output", "a.png")
    assert status("sample", "a.safetensors", *output, *options) == code
    assert told in capsys.readouterr().err


def test_a_sample_of_no_field_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("sample", "photo.png", "--output", "a.png") == 1
    assert "photo.png: no whole .safetensors file" in capsys.readouterr().err


def test_a_picture_sampled_at_its_own_size_is_itself() -> None:
    pixels = torch.randint(0, 256, (9, 5, 3)).byte()
    ImageField(pixels).save("a.safetensors")
    assert status("sample", "a.safetensors", "--size", "9", "--output", "a.png") == 0
    assert np.array_equal(imageio.imread("a.png"), pixels.numpy())


def test_ctrl_c_keeps_a_field_that_was_finished_before(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from isofield.engine.fit import losses

    plain, number = losses.squared_error, signal.SIGTERM

    def interrupting(*arguments: object) -> torch.Tensor:
        signal.raise_signal(number)
        return plain(*arguments)  # type: ignore[arg-type]

    words = ("fit", "image", "photo.png", "--field", "grid", "--batch", "16", "--output", "run")
    assert status(*words, "--steps", "3", "--snapshot-every", "1") == 0
    before = {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()}
    monkeypatch.setattr("isofield.engine.fit.squared_error", interrupting)
    monkeypatch.setattr("isofield.engine.fit.loop.check_batch", lambda *arguments: None)
    assert status(*words, "--steps", "25") == 143
    assert "run: stopped after 1 of 25 steps, which its checkpoint holds; the finished" in capsys.readouterr().err
    Path("run/checkpoint.safetensors").rename("checkpoint")
    assert {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()} == before
    Path("checkpoint").rename("run/checkpoint.safetensors")
    monkeypatch.setattr("isofield.engine.fit.squared_error", plain)
    assert status(*words, "--steps", "25", "--resume") == 0
    assert json.loads(Path("run/log.json").read_text())["steps"] == 25


def test_a_run_without_snapshots_leaves_no_film_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("fit", "image", "photo.png", "--field", "grid", "--batch", "16", "--steps", "2", "--output", "run")
    assert status(*words, "--snapshot-every", "1") == 0
    assert Path("run/progress.gif").exists()
    assert status(*words) == 0
    assert {path.name for path in Path("run").iterdir()} == {"field.safetensors", "picture.png", "log.json"}
