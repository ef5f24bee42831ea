"""Meshes in files: what trimesh reads back, and what cannot be written."""

from __future__ import annotations

import dataclasses
import math
import sys
from pathlib import Path

import numpy
import pytest
import torch
import trimesh

import isofield as iso
from isofield.engine.cli import main
from isofield.engine.fields import MLP, Placement
from isofield.engine.files import read_mesh
from isofield.engine.files.endings import MESHES
from isofield.engine.meshing import Mesh, mesh
from isofield.kernels import MeshTree


@pytest.fixture(scope="module")
def made() -> Mesh:
    colour = iso.Material(base_color="#d2542d")
    return mesh(iso.Scene(show=iso.box((1.0, 0.8, 0.6)).material(colour) - iso.cylinder(0.2)), resolution=24)


@pytest.mark.parametrize("ending", MESHES)
def test_files_hold_the_mesh(ending: str, made: Mesh, tmp_path: Path) -> None:
    path = tmp_path / f"box{ending}"
    made.save(path)
    read = trimesh.load_scene(path, process=False).geometry.popitem()[1]  # load_mesh would lose the normals
    corners = made.vertices[made.faces.long()].numpy()
    assert numpy.abs(read.vertices[read.faces] - corners).max() < 1e-6
    if ending != ".stl":
        assert numpy.abs(read.vertex_normals - made.normals.numpy()).max() < 1e-4
        shown = read.visual.vertex_colors[:, :3]
        # Linear (0.644, 0.089, 0.026) in .glb.
        assert numpy.abs(shown.astype(int) - ([164, 23, 7] if ending == ".glb" else [210, 84, 45])).max() <= 1
        report = made.report
        assert (read.is_watertight, read.is_winding_consistent) == (report.watertight, True)
        assert report.volume == pytest.approx(read.volume)
        assert report.area == pytest.approx(read.area)
        assert read.euler_number == 2 * report.components - 2 * (report.genus or 0)


def test_a_ply_is_binary(made: Mesh, tmp_path: Path) -> None:
    made.save(tmp_path / "box.ply")
    assert (tmp_path / "box.ply").read_bytes().startswith(b"ply\nformat binary_little_endian")


def test_names_that_are_no_mesh_are_refused(made: Mesh, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"path: expected a name that ends in .ply, .obj, .stl, .glb, got"):
        made.save(tmp_path / "box.step")
    with pytest.raises(OSError, match="cannot be written: there is no folder"):
        made.save(tmp_path / "nowhere" / "box.ply")


@pytest.mark.skipif(sys.platform == "win32", reason="sets a limit that Windows has not")
@pytest.mark.parametrize("ending", MESHES)
def test_a_full_disk_keeps_the_old_file(ending: str, made: Mesh, tmp_path: Path) -> None:
    import resource
    import signal

    path = tmp_path / f"box{ending}"
    path.write_bytes(b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        with pytest.raises(OSError, match=f"box{ending}: cannot be written: file too large"):
            made.save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [(path.name, b"old")]


def test_the_command_writes_and_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "box.ply"
    words = ["--resolution", "48", "--report", "--set", "cube.size=1.4,1.4,1.4"]
    assert main(["mesh", "carved_box", "--output", str(path), *words]) == 0
    printed = capsys.readouterr()
    assert "watertight, 1 component, genus 5" in printed.out
    assert printed.err.startswith(f"{path}: ")
    assert trimesh.load(path).bounds[1].max() == pytest.approx(0.7, abs=1e-5)


def test_the_command_takes_volumes_and_says_what_is_wrong_with_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = numpy.ones((6, 6, 6))
    numpy.save(tmp_path / "nothing.npy", values)
    values[2, 2, 2] = numpy.nan
    numpy.save(tmp_path / "nan.npy", values)
    out = tmp_path / "out.ply"
    assert main(["mesh", str(tmp_path / "nothing.npy"), "--output", str(out)]) == 0
    assert "nothing has the level within the bounds, so no file is written" in capsys.readouterr().err
    assert main(["mesh", str(tmp_path / "nan.npy"), "--output", str(out)]) == 1
    told = capsys.readouterr().err
    assert told == f"{tmp_path / 'nan.npy'}: values: expected finite numbers, got 1 of 216 that are not\n"
    assert not out.exists()


@pytest.mark.parametrize("dtype", [bool, numpy.uint8, numpy.int64])
def test_an_occupancy_is_not_meshed_inside_out(dtype: type, tmp_path: Path) -> None:
    axis = numpy.linspace(-1.0, 1.0, 21)
    inside = (numpy.stack(numpy.meshgrid(axis, axis, axis), axis=-1) ** 2).sum(axis=-1) < 0.6**2
    numpy.save(tmp_path / "inside.npy", inside.astype(dtype))
    assert main(["mesh", str(tmp_path / "inside.npy"), "--output", str(tmp_path / "a.ply")]) == 0
    # Half of a crossed edge's cell is inside, so that the volume is about that of the nodes' cells.
    assert trimesh.load(tmp_path / "a.ply").volume == pytest.approx(inside.sum() * 0.1**3, rel=0.05)


def test_other_volumes_need_a_level_and_the_solid_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    axis = numpy.linspace(-1.0, 1.0, 21)
    radius = numpy.sqrt((numpy.stack(numpy.meshgrid(axis, axis, axis), axis=-1) ** 2).sum(axis=-1))
    scan, density = tmp_path / "scan.npy", tmp_path / "density.npy"
    numpy.save(scan, (1000.0 * numpy.maximum(2.0 - radius, 0.0)).astype(numpy.int16))
    numpy.save(density, numpy.maximum(2.0 - radius, 0.0))
    out = tmp_path / "out.ply"
    for words in ([str(scan)], [str(scan), "--level", "1400"], [str(density), "--level", "1.4"]):
        assert main(["mesh", *words, "--output", str(out)]) == 1
        assert "give " in (said := capsys.readouterr().err)
        assert 'solid, the side of the level that is inside ("above" or "below")' in said
        assert not out.exists()
    for path, level in ((scan, "1400"), (density, "1.4")):
        for solid, sign in (("above", 1.0), ("below", -1.0)):
            assert main(["mesh", str(path), "--output", str(out), "--level", level, "--solid", solid]) == 0
            made = trimesh.load(out)
            assert made.volume == pytest.approx(sign * 4.0 / 3.0 * math.pi * 0.6**3, rel=0.02)
            outwards = numpy.einsum("ij,ij->i", made.vertices, made.vertex_normals)
            assert (sign * outwards > 0.5).all()
    assert main(["mesh", str(density), "--output", str(out)]) == 0
    assert "its values are 0.267949 to 2; see --level, --solid" in capsys.readouterr().err


def test_the_command_keeps_the_largest_piece(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    axis = numpy.linspace(-1.0, 1.0, 31)
    x, y, z = numpy.meshgrid(axis, axis, axis, indexing="ij")
    numpy.save(tmp_path / "two.npy", numpy.minimum(numpy.hypot(numpy.hypot(x + 0.3, y), z) - 0.4,
                                                    numpy.hypot(numpy.hypot(x - 0.7, y), z) - 0.1))  # fmt: skip
    words = ["mesh", str(tmp_path / "two.npy"), "--output", str(tmp_path / "a.ply"), "--report"]
    assert main(words) == 0
    assert "2 components" in capsys.readouterr().out
    assert main([*words, "--keep", "largest"]) == 0
    printed = capsys.readouterr()
    assert ": 1 of 2 pieces, 0.94" in printed.err
    assert "1 component," in printed.out
    assert trimesh.load(tmp_path / "a.ply").bounds[1][0] < 0.2
    assert main([*words, "--keep", "0.01"]) == 0
    assert ": 2 of 2 pieces, 1 of the area" in capsys.readouterr().err
    for wrong in ("0", "1.5", "nan", "0.99"):
        assert main([*words, "--keep", wrong]) == 2
        assert "--keep: expected " in capsys.readouterr().err


@pytest.mark.parametrize("ending", ["ply", "obj", "glb"])
def test_a_mesh_far_from_the_origin_is_written_where_it_was(ending: str, tmp_path: Path) -> None:
    far = (4_500_000.0, 510_000.0, 120.0)
    ball = trimesh.creation.icosphere(3, 5.0)
    lines = [f"v {x} {y} {z}" for x, y, z in (ball.vertices + far).tolist()]
    lines += [f"f {a + 1} {b + 1} {c + 1}" for a, b, c in ball.faces.tolist()]
    (tmp_path / "far.obj").write_text("\n".join(lines))
    out = tmp_path / f"out.{ending}"
    assert main(["mesh", str(tmp_path / "far.obj"), "--output", str(out), "--resolution", "32"]) == 0
    mesh = read_mesh(out)
    radii = (mesh.vertices.double() + torch.tensor(mesh.origin) - torch.tensor(far, dtype=torch.float64)).norm(dim=1)
    assert 4.9 < float(radii.min()) < float(radii.max()) < 5.001
    bounds = [str(at + by) for by in (-6.0, 0.0) for at in far]
    words = ["mesh", str(tmp_path / "far.obj"), "--output", str(out), "--resolution", "32", "--bounds", *bounds]
    assert main(words) == 0
    assert read_mesh(out).origin == pytest.approx([at - 2.5 for at in far], abs=0.1)


def test_a_tree_far_from_the_origin_is_meshed_about_its_middle() -> None:
    ball = trimesh.creation.icosphere(3, 5.0)
    made = mesh(MeshTree(ball.vertices + numpy.array([4_500_000.0, 0.0, 0.0]), ball.faces), resolution=32)
    assert made.origin == pytest.approx((4_500_000.0, 0.0, 0.0))
    assert 4.9 < float(made.vertices.norm(dim=1).min()) < float(made.vertices.norm(dim=1).max()) < 5.001


def test_stl_has_no_room_for_far_coordinates(made: Mesh, tmp_path: Path) -> None:
    far = dataclasses.replace(made, origin=(4_500_000.0, 0.0, 0.0))
    with pytest.raises(ValueError, match=r"too far from the origin for the float32 numbers of \.stl"):
        far.save(tmp_path / "far.stl")
    assert not list(tmp_path.iterdir())


def test_a_fitted_field_is_meshed_where_its_far_model_was() -> None:
    field = MLP(3, 1, meaning="signed_distance", bounds=((-1.0,) * 3, (1.0,) * 3))
    field.forward = lambda points: points.norm(dim=1, keepdim=True) - 0.5  # type: ignore[method-assign]
    field.placement = Placement((4_500_000.0, 510_000.0, 120.0), 0.1)
    made = mesh(field, resolution=32)
    assert made.origin == field.placement.centre
    assert float((made.vertices.norm(dim=1) - 5.0).abs().max()) < 0.05
    field.placement = Placement((10.0, 0.0, 0.0), 0.1)
    near = mesh(field, resolution=32)
    assert not any(near.origin)
    assert torch.allclose(near.vertices, made.vertices + torch.tensor([10.0, 0.0, 0.0]))


def test_the_command_takes_a_mesh(made: Mesh, tmp_path: Path) -> None:
    made.save(tmp_path / "box.stl")  # three vertices of its own for each triangle
    again = tmp_path / "again.ply"
    assert main(["mesh", str(tmp_path / "box.stl"), "--output", str(again), "--resolution", "32"]) == 0
    read = trimesh.load(again)
    assert read.is_watertight
    assert read.euler_number == 0
    assert read.volume == pytest.approx(made.report.volume, rel=0.02)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["carved_box", "--output", "a.step"], "--output: expected a name that ends in .ply, .obj, .stl, .glb"),
        (["carved_box", "--output", "a.ply", "--resolution", "2"], "--resolution: expected a number from 4 to 4096"),
        (["carved_box", "--output", "a.ply", "--bounds", *"111000"], "--bounds: expected a lower corner and then"),
        (["a.npy", "--output", "a.ply", "--set", "a.b=1"], "--set: expected a scene to change, got a.npy"),
        (["a.ply", "--output", "b.ply", "--solid", "above"], "--solid: expected for a volume (.npy) only, got a.ply"),
        (["a.npy", "--output", "a.ply", "--resolution", "9"], "--resolution: expected none for a volume"),
    ],
)
def test_wrong_options_are_named(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mesh", *words]) == 2
    assert says in capsys.readouterr().err


def test_files_that_are_no_volume_are_named(tmp_path: Path) -> None:
    from isofield.engine.files.volumes import load_volume

    (tmp_path / "text.npy").write_text("no numbers")
    numpy.save(tmp_path / "flat.npy", numpy.ones((3, 3)))
    numpy.save(tmp_path / "words.npy", numpy.array([[["a"]]]))
    for name, says in (
        ("text.npy", "expected a whole .npy file of numbers"),
        ("flat.npy", r"expected numbers of shape \(X, Y, Z\), got float64 of shape \(3, 3\)"),
        ("words.npy", r"expected numbers of shape \(X, Y, Z\), got <U1"),
    ):
        with pytest.raises(ValueError, match=f"{name}: {says}"):
            load_volume(tmp_path / name)
    with pytest.raises(OSError, match=r"nowhere.npy: cannot be read: no such file"):
        load_volume(tmp_path / "nowhere.npy")


def test_a_volume_is_read_as_it_lies(tmp_path: Path) -> None:
    from isofield.engine.files.volumes import load_volume

    numpy.save(tmp_path / "v.npy", numpy.arange(24, dtype=numpy.int16).reshape(2, 3, 4))
    values = load_volume(tmp_path / "v.npy")
    assert isinstance(values, numpy.memmap)
    # x along which 12 x + m reaches 11.5, in [-1, 1].
    wanted = torch.tensor([2 * (11.5 - m) / 12 - 1 for m in range(11, -1, -1)])
    assert torch.allclose(mesh(values, level=11.5, solid="below").vertices[:, 0].unique(), wanted)
