"""Files that are no scenes, looked at as scenes."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
import torch
import trimesh

from isofield.engine.cli import main
from isofield.engine.files import MeshOptions
from isofield.engine.program.errors import BuildError
from isofield.engine.render.sources import open_as_scene
from isofield.engine.scene import SceneError
from isofield.engine.shapes.from_files import MeshFile


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ISOFIELD_CACHE", str(tmp_path))


def test_a_volume_stands_on_a_floor_as_a_shape() -> None:
    line = numpy.linspace(-1.0, 1.0, 24, dtype=numpy.float32)
    x, y, z = numpy.meshgrid(line, line, line, indexing="ij")
    numpy.save("ball.npy", numpy.sqrt(x * x + y * y + z * z) - 0.5)
    scene = open_as_scene("ball.npy").at(0.0)
    assert scene.shapes[scene.show].kind == "sampled"
    assert -0.6 < scene.shapes["floor"].offset <= -0.5


def test_a_mesh_stands_on_a_floor_as_a_shape() -> None:
    trimesh.creation.box((2.0, 4.0, 6.0)).export("brick.OBJ")
    scene = open_as_scene("brick.OBJ").at(0.0)
    assert scene.shapes[scene.show].kind == "mesh"
    assert -3.6 < scene.shapes["floor"].offset <= -3.0


def test_a_mesh_with_y_up_is_put_on_its_feet() -> None:
    feet = trimesh.creation.box((2.0, 6.0, 4.0))
    feet.apply_translation((0.0, 0.0, 5.0))
    feet.export("upright.obj")
    scene = open_as_scene("upright.obj", MeshOptions(up="y")).at(0.0)
    shape = scene.shapes[scene.show]
    assert isinstance(shape, MeshFile)
    bricks = shape.bake().bricks
    for found, wanted in zip((*bricks.low, *bricks.high), (-1.0, -7.0, -3.0, 1.0, -3.0, 3.0), strict=True):
        assert abs(found - wanted) < 0.3
    assert float(bricks.value(torch.tensor([[0.0, -5.0, 0.0]]))) < -0.4


def test_a_scene_is_what_it_was() -> None:
    assert open_as_scene("toy").at(0.0).show == "toy"


def test_what_holds_nothing_is_named() -> None:
    numpy.save("flat.npy", numpy.ones((8, 8, 8), dtype=numpy.float32))
    with pytest.raises(BuildError, match=r"flat\.npy: values: expected some below 0"):
        open_as_scene("flat.npy")
    with pytest.raises(SceneError, match="unknown scene"):
        open_as_scene("nothing_of_that_name")
    with pytest.raises((OSError, ValueError), match="missing"):
        open_as_scene("missing.obj")


@pytest.mark.parametrize(
    "command",
    [
        ("render", "toy", "--output", "a.png"),
        ("render", "learned.safetensors", "--output", "a.png"),
        ("mesh", "volume.npy", "--output", "a.ply"),
        ("mesh", "toy", "--output", "a.ply"),
        ("view", "toy"),
        ("fit", "shape", "toy"),
    ],
)
def test_up_is_for_meshes_only(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command, "--up", "y"]) == 2
    assert "--up: expected for a mesh" in capsys.readouterr().err
