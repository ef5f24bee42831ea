"""Meshes and clouds from files: what is read, and what is wrong with the rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from twins.meshes import cube, globe

from isofield.engine.files.meshes import ModelFileError, read_cloud, read_mesh
from isofield.kernels import MeshTree

TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\n"


def written(mesh: tuple[torch.Tensor, torch.Tensor], path: Path) -> Path:
    trimesh.Trimesh(mesh[0].numpy(), mesh[1].numpy(), process=False).export(path)
    return path


@pytest.mark.parametrize("ending", ["ply", "obj", "stl", "glb"])
def test_a_mesh_of_each_kind_of_file_is_the_same_body(ending: str, tmp_path: Path) -> None:
    mesh = globe(10, 12)
    read = read_mesh(written(mesh, tmp_path / f"a.{ending}"))
    assert read.vertices.dtype == torch.float32
    assert read.faces.dtype == torch.int32
    points = 1.5 * (2.0 * torch.rand(200, 3) - 1.0)
    found, wanted = MeshTree(read.vertices, read.faces).distance(points), MeshTree(*mesh).distance(points)
    assert torch.allclose(found, wanted, atol=1e-5)


def test_quads_and_polygons_are_split(tmp_path: Path) -> None:
    vertices = "v 0 0 0\nv 2 0 0\nv 2 2 0\nv 1 3 0\nv 0 2 0\n"
    Path(tmp_path / "a.obj").write_text(vertices + "f 1 2 3 5\nf 1 2 3 4 5\n")
    mesh = read_mesh(tmp_path / "a.obj")
    corners = mesh.vertices[mesh.faces.long()]
    areas = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2] / 2.0
    assert bool((areas > 0.0).all())
    assert float(areas.sum()) == pytest.approx(4.0 + 5.0)


def test_parts_of_a_scene_are_joined_where_they_stand(tmp_path: Path) -> None:
    scene = trimesh.Scene()
    for shift in (-2.0, 2.0):
        place = np.eye(4)
        place[0, 3] = shift
        scene.add_geometry(trimesh.creation.box(), transform=place)
    scene.export(tmp_path / "a.glb")
    mesh = read_mesh(tmp_path / "a.glb")
    assert len(mesh.faces) == 24
    assert (float(mesh.vertices[:, 0].min()), float(mesh.vertices[:, 0].max())) == (-2.5, 2.5)


def test_a_mesh_that_faces_inwards_is_turned(tmp_path: Path) -> None:
    vertices, faces = cube()
    read = read_mesh(written((vertices, faces.flip(1)), tmp_path / "a.ply"))
    assert MeshTree(read.vertices, read.faces).distance(torch.zeros(1, 3)).tolist() == [-0.5]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.obj", TRIANGLE, "a.obj: expected a mesh of triangles, got 3 points, no faces"),
        ("a.obj", TRIANGLE + "f 1 2 9\n", "a.obj: cannot be read as a model: index 8 is out of bounds"),
        ("a.obj", TRIANGLE + "v nan 0 0\nf 1 2 4\n", "a.obj: face 0: expected finite vertices, got .*nan"),
        ("a.obj", TRIANGLE + "v inf 0 0\nf 1 2 4\n", "a.obj: face 0: expected finite vertices, got .*inf"),
        ("a.obj", "hello\n", "a.obj: expected a mesh of triangles, got 0 points, no faces"),
        ("a.ply", "ply\nformat ascii 1.0\nelement vertex 99999999999\n", "a.ply: cannot be read as a model"),
        ("a.stl", "solid x\n", "a.stl: "),
        ("a.glb", "glTF", "a.glb: cannot be read as a model"),
        ("a.fbx", "", "a.fbx: expected a name that ends in .ply, .obj, .stl, .glb"),
    ],
)
def test_meshes_that_cannot_be_read(name: str, text: str, told: str, tmp_path: Path) -> None:
    Path(tmp_path / name).write_text(text)
    with pytest.raises(ModelFileError, match=told):
        read_mesh(tmp_path / name)


def test_files_that_are_not_there_or_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OSError, match=r"none\.obj: cannot be read: no such file or directory"):
        read_mesh(tmp_path / "none.obj")
    (tmp_path / "a.obj").mkdir()
    with pytest.raises(ModelFileError, match="expected a file, got a folder or a device"):
        read_mesh(tmp_path / "a.obj")
    monkeypatch.setattr("isofield.engine.files.meshes.MOST_BYTES", 20)
    Path(tmp_path / "b.xyz").write_text("0 0 0\n" * 4)
    with pytest.raises(ModelFileError, match=r"b\.xyz: expected at most 20 bytes, got 24"):
        read_cloud(tmp_path / "b.xyz")


def test_clouds_of_each_kind_of_file(tmp_path: Path) -> None:
    points = torch.rand(7, 3)
    normals = torch.nn.functional.normalize(torch.randn(7, 3), dim=1)
    np.savez(tmp_path / "a.npz", verts=points.numpy())
    np.savez(tmp_path / "b.npz", other=np.zeros(2), points=points.double().numpy(), normals=2.0 * normals.numpy())
    np.savetxt(tmp_path / "a.xyz", points.numpy())
    np.savetxt(tmp_path / "b.xyz", torch.cat([points, normals], dim=1).numpy())
    trimesh.PointCloud(points.numpy()).export(tmp_path / "a.ply")
    rows = "\n".join(" ".join(map(str, row)) for row in torch.cat([points, normals], dim=1).tolist())
    names = "".join(f"property float {name}\n" for name in ("x", "y", "z", "nx", "ny", "nz"))
    Path(tmp_path / "b.ply").write_text(f"ply\nformat ascii 1.0\nelement vertex 7\n{names}end_header\n{rows}\n")
    for ending in ("npz", "xyz", "ply"):
        plain, oriented = read_cloud(tmp_path / f"a.{ending}"), read_cloud(tmp_path / f"b.{ending}")
        assert plain.normals is None
        assert oriented.normals is not None
        assert torch.allclose(plain.points, points, atol=1e-6)
        assert torch.allclose(oriented.points, points, atol=1e-6)
        assert torch.allclose(oriented.normals, normals, atol=1e-5)


def test_the_vertices_of_a_mesh_are_a_cloud(tmp_path: Path) -> None:
    assert torch.equal(read_cloud(written(cube(), tmp_path / "a.ply")).points, cube()[0])


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.xyz", "", r"a.xyz: expected points|a.xyz"),
        ("a.xyz", "1 2\n3 4\n", r"a.xyz: expected points \(N, 3\), got \(2, 2\)"),
        ("a.xyz", "1 2 3\n4 5\n", "a.xyz: no readable .xyz file"),
        ("a.xyz", "1 2 x\n", "a.xyz: no readable .xyz file"),
        ("a.xyz", "1 2 3\nnan 0 0\n", "a.xyz: point 1: expected finite numbers"),
        ("a.xyz", "1 2 3 0 0 inf\n", "a.xyz: normal 0: expected finite numbers"),
        ("a.npz", {"a": np.zeros((2, 3)), "b": np.zeros(3)}, "a.npz: expected an array named points, .*, got a, b"),
        ("a.npz", {"points": np.array([None, 1])}, "a.npz: no readable .npz file"),
        ("a.npz", {"points": np.array(["x"])}, "a.npz: expected numbers"),
        ("a.npz", {"points": np.zeros((4, 3)), "normals": np.zeros((3, 3))}, "expected as many normals as points"),
        ("a.npz", "no archive", "a.npz: no readable .npz file"),
        ("a.txt", "1 2 3\n", "a.txt: expected a name that ends in .ply, .npz, .xyz"),
    ],
)
def test_clouds_that_cannot_be_read(name: str, content: str | dict[str, np.ndarray], told: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if isinstance(content, str):
        path.write_text(content)
    else:
        np.savez(path, **content)
    if content == "":
        assert len(read_cloud(path).points) == 0
        return
    with pytest.raises(ModelFileError, match=told):
        read_cloud(path)


def test_y_up_is_a_quarter_turn_about_x(tmp_path: Path) -> None:
    (tmp_path / "corner.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 2 0\nv 0 0 3\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n")
    stood, lay = (read_mesh(tmp_path / "corner.obj", up) for up in ("y", "z"))
    wanted = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 2.0], [0.0, -3.0, 0.0]])
    assert torch.equal(stood.vertices, wanted)
    assert torch.equal(stood.faces, lay.faces)  # facing outwards as they did
