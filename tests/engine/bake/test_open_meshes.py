"""Open meshes as bodies: lids, shells, what is promised of them, and what is said."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest
import torch
import trimesh
from twins.meshes import Mesh, cube, distance_twin, globe

import isofield as iso
from isofield.engine.bake import OpenMesh, axes_of, cache
from isofield.engine.bake.mesh import FarMeshError, baked_mesh
from isofield.engine.cli import main
from isofield.engine.fields import load_field
from isofield.engine.meshing import mesh
from isofield.engine.program.errors import BuildError
from isofield.engine.render import render_view, view_of
from isofield.engine.shapes import Bake, MeshFile
from isofield.kernels import MeshTree

CAP = 0.7  # what of a ball is above is missing


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "cache" / "taichi")
    monkeypatch.setattr(cache, "_bakes", {})


def written(mesh: Mesh, path: Path) -> str:
    trimesh.Trimesh(mesh[0].numpy(), mesh[1].numpy(), process=False).export(path)
    return str(path)


def without_cap(rows: int = 16, columns: int = 24) -> Mesh:
    """A ball of radius 1 without what lies above CAP."""
    vertices, faces = globe(rows, columns, 1.0)
    return vertices, faces[(vertices[faces.long()][:, :, 2] < CAP).all(dim=1)]


def mean_steps(shape: MeshFile) -> float:
    camera = iso.Camera(eye=(2.5, -2.5, 2.2), target=(0.0, 0.0, 0.0), fov=35.0)
    return float(render_view(view_of(iso.Scene(shape), camera), 128, 128, "steps", 1, 0, True).mean())


def test_a_ball_without_its_cap_is_closed_by_a_lid(tmp_path: Path) -> None:
    open_ball = MeshFile(file=written(without_cap(32, 48), tmp_path / "open.ply"), resolution=64)
    bake = baked_mesh(open_ball)
    assert bake.bricks.slopes[0] < 1.5
    assert bake.error < 2.0 * bake.bricks.voxel
    assert bake.bound is None
    assert bake.notes[0].startswith("open: 48 border edges around 1 hole")
    assert bake.notes[1].startswith("it is closed by a lid where its winding number is a half")
    # On the axis the lid is about where the hole's plane is: there half of all directions see the hole.
    heights = torch.linspace(-1.2, 1.2, 97)
    values = bake.bricks.value(torch.stack([heights * 0.0, heights * 0.0, heights], dim=1))
    inside = heights[values < 0.0]
    assert float(inside.min()) == pytest.approx(-1.0, abs=0.05)
    assert 0.4 < float(inside.max()) < 0.75
    whole = MeshFile(file=written(globe(32, 48, 1.0), tmp_path / "whole.ply"), resolution=64)
    assert mean_steps(open_ball) < 1.35 * mean_steps(whole)  # 1.2 in voxels half as large; the slope was 63


def test_a_shell_is_thick_and_hollow(tmp_path: Path) -> None:
    path = written(without_cap(), tmp_path / "open.ply")
    bake = baked_mesh(MeshFile(file=path, resolution=64, sign="none", thickness=0.2))
    points = torch.tensor([[0.95, 0.0, 0.0], [1.05, 0.0, 0.0], [0.85, 0.0, 0.0], [1.15, 0.0, 0.0], [0.0, 0.0, 0.0]])
    assert (bake.bricks.value(points) < 0.0).tolist() == [True, True, False, False, False]
    assert float(bake.bricks.value(torch.tensor([[0.0, 0.0, 0.68]]))) > 0.2  # no lid
    assert bake.bound is not None
    assert bake.error <= bake.bound
    assert len(bake.notes) == 1
    plain = baked_mesh(MeshFile(file=path, resolution=64, sign="none"))
    assert (plain.bricks.value(points[:, :] / points.norm(dim=1, keepdim=True).clamp_min(1e-9)) < 0.01)[:4].all()
    with pytest.raises(ValueError, match=r"thickness: expected at least 0\.05.*, 1\.75 voxels of .*, got 0\.01"):
        baked_mesh(MeshFile(file=path, resolution=64, sign="none", thickness=0.01))


def test_thickness_needs_a_shell() -> None:
    with pytest.raises(ValueError, match='thickness: expected with sign = "none" only'):
        MeshFile(file="a.ply", thickness=0.1)


def test_a_scene_with_a_shell_is_saved_and_read(tmp_path: Path) -> None:
    path = written(without_cap(8, 12), tmp_path / "open.ply")
    scene = iso.Scene(MeshFile(file=path, resolution=16, sign="none", thickness=0.5, centred=True).named("bowl"))
    (tmp_path / "scene.toml").write_text(scene.to_toml())
    shape = iso.load(tmp_path / "scene.toml").shapes["bowl"]
    assert isinstance(shape, MeshFile)
    assert (shape.sign, shape.thickness, shape.centred) == ("none", 0.5, True)


THIN = ([[-1.0, -1.0, -0.02], [1.0, 1.0, 0.02]], [[-0.02, -0.03, -1.0], [0.02, 0.03, 1.0]])


@pytest.mark.parametrize("case", range(4))
def test_values_exceed_the_distance_to_the_mesh_by_the_bound_at_most(case: int, tmp_path: Path) -> None:
    if case < 2:  # a sheet and a needle
        box = trimesh.creation.box(bounds=THIN[case])
    else:  # a cube at odd angles, and a torus
        box = trimesh.creation.box() if case == 2 else trimesh.creation.torus(0.7, 0.2, 24, 12)
    box.apply_transform(trimesh.transformations.euler_matrix(0.3, 0.5 + 0.1 * case, 0.7))
    path = written((torch.tensor(box.vertices).float(), torch.tensor(box.faces)), tmp_path / "a.ply")
    bake = baked_mesh(MeshFile(file=path, resolution=24))
    assert bake.bound is not None
    assert bake.error <= bake.bound
    generator = torch.Generator().manual_seed(case)
    surface, _ = trimesh.sample.sample_surface(box, 4000, seed=case)
    near = torch.from_numpy(surface).float() + 1.5 * bake.bricks.voxel * torch.randn(4000, 3, generator=generator)
    corners = torch.tensor(box.vertices).float()
    points = torch.cat([near, corners, corners * 1.001, corners * 0.999])
    tree = MeshTree(torch.tensor(box.vertices).float(), torch.tensor(box.faces))
    found, wanted = bake.bricks.value(points), tree.distance(points)
    assert float((found - wanted.abs()).max()) <= bake.bound
    surely = wanted.abs() > bake.bound
    assert torch.equal((found < 0.0)[surely], (wanted < 0.0)[surely])


def test_the_closed_distance_of_an_open_mesh_has_no_jump() -> None:
    vertices, faces = without_cap(16, 24)
    tree = MeshTree(vertices, faces)
    body = OpenMesh(tree, axes_of((-1.2, -1.2, -1.2), (1.2, 1.2, 1.2), 48))
    assert len(body.lid) > 100
    assert float((tree.winding_number(body.lid) - 0.5).abs().median()) < 0.005  # at the rim it falls within a voxel
    steps = torch.linspace(-1.1, 1.1, 2000)
    line = torch.stack([0.1 + 0.0 * steps, 0.05 + 0.0 * steps, steps], dim=1)
    rise = body.distance(line).diff().abs() / steps.diff()
    assert float(rise.quantile(0.99)) < 1.01
    assert float(body.distance(line).diff().abs().max()) < 0.06  # less than a diagonal, where it was up to 1.4
    assert float(tree.distance(line).diff().abs().max()) > 0.5


def test_a_closed_mesh_has_no_lid() -> None:
    tree = MeshTree(*cube())
    assert len(OpenMesh(tree, axes_of((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0), 24)).lid) == 0


def test_open_meshes_and_shells_are_meshed_alike(tmp_path: Path) -> None:
    vertices, faces = without_cap()
    lidded = mesh(MeshTree(vertices, faces), resolution=32)
    assert (lidded.report.watertight, lidded.report.genus) == (True, 0)
    cap = math.pi * (1.0 - CAP) ** 2 * (3.0 - (1.0 - CAP)) / 3.0
    assert lidded.report.volume == pytest.approx(4.0 / 3.0 * math.pi - cap, rel=0.1)
    shell = mesh(MeshTree(vertices, faces), resolution=32, sign="none", thickness=0.1)
    assert shell.report.watertight
    assert shell.report.volume == pytest.approx(0.1 * 2.0 * math.pi * (1.0 + CAP), rel=0.1)
    assert float((distance_twin((vertices, faces), shell.vertices) - 0.05).abs().max()) < 0.03
    outwards = torch.nn.functional.cosine_similarity(shell.normals, shell.vertices, dim=1)
    assert float(outwards.abs().mean()) > 0.95
    for wrong in ({"sign": "some"}, {"thickness": 0.1}, {"sign": "none", "thickness": 0.0}):
        with pytest.raises(ValueError, match=r"sign: expected|thickness: expected"):
            mesh(MeshTree(vertices, faces), resolution=16, **wrong)
    with pytest.raises(ValueError, match="sign: expected none for a mesh only"):
        mesh(torch.rand(4, 4, 4), sign="none")


def test_what_is_open_is_told_by_every_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isofield.engine.fit.mesh_source.LID_RESOLUTION", 24)
    monkeypatch.setattr("isofield.engine.fit.agreement.NODES", 24)
    path = written(without_cap(12, 16), tmp_path / "open.ply")
    out = str(tmp_path / "out")
    small = ("--width", "32", "--height", "32", "--samples", "1")
    (tmp_path / "scene.toml").write_text(
        'show = "it"\n[shapes]\nit = { kind = "mesh", file = "open.ply", resolution = 16 }\n'
    )
    scene = str(tmp_path / "scene.toml")
    for words in (
        ("mesh", path, "--output", f"{out}.ply", "--resolution", "16"),
        ("render", scene, "--output", f"{out}.png", *small),
        ("render", scene, "--output", f"{out}.gif", "--turntable", "2", *small),
        ("render", path, "--output", f"{out}.png", *small, "--sign", "none"),
        ("fit", "shape", path, "--output", out, "--field", "grid", "--steps", "2", "--batch", "64"),
        ("check", scene),
    ):
        assert main(words) == 0
        printed = capsys.readouterr()
        told = printed.out if words[0] == "check" else printed.err
        assert told.count("open: 16 border edges around 1 hole") == 1, words
    for words in (
        ("render", "toy", "--sign", "none"),
        ("render", path, "--thickness", "1"),
        ("mesh", "a.npy", "--thickness", "1"),
    ):
        assert main([*words, "--output", f"{out}.ply" if words[0] == "mesh" else f"{out}.png"]) == 2
        assert "expected " in capsys.readouterr().err


def test_a_shell_is_fitted_without_a_lid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("isofield.engine.fit.mesh_source.LID_RESOLUTION", 48)
    monkeypatch.setattr("isofield.engine.fit.agreement.NODES", 40)
    path = written(without_cap(16, 24), tmp_path / "open.ply")
    steps = ("--field", "grid", "--steps", "200", "--batch", "1024")
    assert (
        main(["fit", "shape", path, "--output", str(tmp_path / "a"), "--sign", "none", "--thickness", "0.3", *steps])
        == 0
    )
    shell = load_field(tmp_path / "a" / "field.safetensors")
    assert main(["fit", "shape", path, "--output", str(tmp_path / "b"), *steps]) == 0
    body = load_field(tmp_path / "b" / "field.safetensors")
    assert "has a lid where the mesh is open" in capsys.readouterr().err
    points = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.3]])
    for field, wanted in ((shell, [True, False, False]), (body, [False, True, True])):
        assert field.placement is not None
        values = field(field.placement.to_field(points))[:, 0]
        assert (values < 0.0).tolist()[1:] == wanted[1:]
    assert float(shell(shell.placement.to_field(points[:1])).detach()) < 0.0  # type: ignore[union-attr]


def test_a_mesh_too_far_for_float32_is_refused_or_centred(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    far = trimesh.creation.icosphere(2, 5.0)
    lines = [f"v {x + 4.5e6} {y} {z}" for x, y, z in far.vertices.tolist()]
    lines += [f"f {a + 1} {b + 1} {c + 1}" for a, b, c in far.faces.tolist()]
    path = tmp_path / "far.obj"
    path.write_text("\n".join(lines))
    with pytest.raises(FarMeshError, match="with centred = true its middle is put at the origin"):
        baked_mesh(MeshFile(file=str(path), resolution=16))
    with pytest.raises(BuildError, match=r"shapes\.\w+\.file: expected a mesh that float32 can hold where it stands"):
        iso.build_program(iso.Scene(MeshFile(file=str(path), resolution=16)))
    centred = baked_mesh(MeshFile(file=str(path), resolution=32, centred=True))
    assert centred.bricks.ball == pytest.approx((0.0, 0.0, 0.0, 5.0), abs=0.5)
    small = ("--width", "32", "--height", "32", "--samples", "1")
    assert main(["render", str(path), "--output", str(tmp_path / "a.png"), *small]) == 0
    assert "far from the origin: its coordinates are counted from (4500000.0" in capsys.readouterr().err


def test_notes_and_bound_come_back_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shape = MeshFile(file=written(without_cap(8, 12), tmp_path / "open.ply"), resolution=16, sign="none")
    first = baked_mesh(shape)
    monkeypatch.setattr(cache, "_bakes", {})
    again = baked_mesh(shape)
    assert (again.notes, again.bound, again.error) == (first.notes, first.bound, first.error)
    assert isinstance(again, Bake)
    assert dataclasses.asdict(again).keys() == {"bricks", "error", "bound", "notes"}
