"""Meshes and clouds from files: what is read, and what is wrong with the rest."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from twins.meshes import cube, globe

from isofield.engine.files.clouds import read_cloud
from isofield.engine.files.meshes import TriangleMesh, read_mesh
from isofield.engine.files.model_files import ModelFileError
from isofield.engine.files.polygons import Polygons, triangulated
from isofield.engine.fit import placed_cloud, placed_mesh
from isofield.engine.meshing import report_of
from isofield.kernels import MeshTree

TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\n"


def _arrays(mesh: TriangleMesh) -> tuple[torch.Tensor, torch.Tensor]:
    return mesh.vertices, mesh.faces


def _welded_arrays(mesh: TriangleMesh) -> tuple[torch.Tensor, torch.Tensor]:
    vertices, numbers = torch.unique(mesh.vertices, dim=0, return_inverse=True)
    return vertices, numbers[mesh.faces.long()]


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
    Path(tmp_path / "a.obj").write_text(vertices + vertices.replace(" 0\n", " 1\n") + "f 1 2 3 5\nf 6 7 8 9 10\n")
    mesh = read_mesh(tmp_path / "a.obj")
    corners = mesh.vertices[mesh.faces.long()]
    areas = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2] / 2.0
    assert bool((areas > 0.0).all())
    assert float(areas.sum()) == pytest.approx(4.0 + 5.0)


def prism(profile: list[tuple[float, float]]) -> tuple[list[tuple[float, float, float]], list[list[int]]]:
    """A prism over a polygon from z = 0 to 1, one polygon at each end and a quad at each side."""
    count = len(profile)
    corners = [(x, y, float(z)) for z in (0, 1) for x, y in profile]
    sides = [[i, (i + 1) % count, (i + 1) % count + count, i + count] for i in range(count)]
    return corners, [list(range(count))[::-1], list(range(count, 2 * count)), *sides]


def write_polygons(path: Path, corners: list[tuple[float, float, float]], faces: list[list[int]]) -> Path:
    """A text file of polygons."""
    if path.suffix == ".obj":
        lines = [f"v {x} {y} {z}" for x, y, z in corners]
        lines += [" ".join(["f", *(str(corner + 1) for corner in face)]) for face in faces]
    else:
        names = "".join(f"property double {name}\n" for name in "xyz")
        lines = [f"ply\nformat ascii 1.0\nelement vertex {len(corners)}\n{names}element face {len(faces)}"]
        lines += ["property list uchar int vertex_indices\nend_header"]
        lines += [f"{x} {y} {z}" for x, y, z in corners]
        lines += [" ".join(map(str, [len(face), *face])) for face in faces]
    path.write_text("\n".join(lines) + "\n")
    return path


L_SHAPE = [(2.0, 0.0), (2.0, 2.0), (0.0, 2.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0)]


@pytest.mark.parametrize("ending", ["obj", "ply"])
@pytest.mark.parametrize("first", range(6))
def test_polygons_that_are_not_convex_are_filled_and_no_more(first: int, ending: str, tmp_path: Path) -> None:
    path = write_polygons(tmp_path / f"a.{ending}", *prism(L_SHAPE[first:] + L_SHAPE[:first]))
    mesh = read_mesh(path)
    assert mesh.notes == ()
    report = report_of(mesh.vertices, mesh.faces)
    assert (report.watertight, report.volume, report.area) == (True, pytest.approx(3.0), pytest.approx(14.0))
    # In the notch, on its bisector, at its end; inside an arm, and above it.
    points = torch.tensor([[0.5, 0.5, 1.0], [0.25, 0.25, 0.0], [0.3, 0.3, 0.98], [1.5, 0.5, 0.5], [1.5, 0.5, 1.25]])
    found = MeshTree(mesh.vertices, mesh.faces).distance(points)
    assert found.tolist() == pytest.approx([0.5, 0.75, 0.7, -0.5, 0.25])


@pytest.mark.parametrize("ending", ["obj", "ply"])
def test_a_polygon_with_a_hole_touches_itself(ending: str, tmp_path: Path) -> None:
    # A square with a square hole, cut open between their corners: the frame's area is 16 - 4.
    around, hole = [(0, 0), (4, 0), (4, 4), (0, 4)], [(1, 1), (1, 3), (3, 3), (3, 1)]
    corners = [(float(x), float(y), 0.1 * (x > 2)) for x, y in around + hole]  # not quite flat
    mesh = read_mesh(write_polygons(tmp_path / f"a.{ending}", corners, [[0, 1, 2, 3, 0, 4, 5, 6, 7, 4]]))
    flat = mesh.vertices[:, :2][mesh.faces.long()].double()
    areas = torch.linalg.det(flat[:, 1:] - flat[:, :1]) / 2.0
    assert float(areas.sum()) == pytest.approx(12.0)
    assert bool((areas >= 0.0).all())
    points = torch.tensor([[2.0, 2.0, 0.05], [0.5, 2.0, 3.0]])
    assert MeshTree(mesh.vertices, mesh.faces).distance(points, signed=False).tolist() == pytest.approx([1, 3], abs=0.1)


def test_polygons_share_the_corners_in_line_with_others(tmp_path: Path) -> None:
    # A box whose top and bottom have a corner in the middle of each edge, which the sides have too.
    ring = [(0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (1, 2), (0, 2), (0, 1)]
    mesh = read_mesh(write_polygons(tmp_path / "a.obj", *prism([(float(x), float(y)) for x, y in ring])))
    assert report_of(mesh.vertices, mesh.faces).watertight
    assert mesh.notes == ()


def test_random_polygons_are_covered_once(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for count in (4, 5, 7, 12, 40):
        angles = np.sort(generator.uniform(0.0, 2.0 * np.pi, count))
        radii = generator.uniform(0.2, 1.0, count)
        flat = np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)
        turn = np.linalg.qr(generator.normal(size=(3, 3)))[0][:, :2]
        vertices = flat @ turn.T + 5.0
        triangles = triangulated(Polygons(vertices, np.arange(count), np.array([count])))
        assert triangles.shape == (count - 2, 3)
        corners = vertices[triangles]
        covered = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum()
        x, y = flat.T
        assert covered == pytest.approx(abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()))


@pytest.mark.parametrize("quads", [True, False])
def test_negative_indices_count_back_from_their_line(quads: bool, tmp_path: Path) -> None:
    lines: list[str] = []
    for side, place in ((1.0, 0.0), (0.5, 2.0)):
        corners, faces = prism([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
        lines += [f"v\t{side * x + place} {side * y} {side * (z - 0.5)}" for x, y, z in corners]
        for face in faces:
            parts = [face] if quads else [face[:3], [face[0], *face[2:]]]
            lines += [" ".join(["f", *(f"{corner - 8}/1/-1" for corner in part)]) for part in parts]
    (tmp_path / "a.obj").write_bytes("\r\n".join(["\ufeffo two \\", "cubes", *lines]).encode())
    mesh = read_mesh(tmp_path / "a.obj")
    report = report_of(mesh.vertices, mesh.faces)
    assert (report.components, report.volume) == (2, pytest.approx(1.125))
    centres = torch.tensor([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    assert MeshTree(mesh.vertices, mesh.faces).distance(centres).tolist() == pytest.approx([-0.5, -0.25])


@pytest.mark.parametrize(
    ("face", "told"),
    [
        ("f 1 2 -4", "face 1: expected vertices from 1 to 3, or -1 back, got -4"),
        ("f 1 0 2", "face 1: expected vertices from 1 to 3, or -1 back, got 0"),
        ("f 1 2 3\nf 1 2", "face 2: expected three corners or more, got '1 2'"),
        ("f 1 2 x", "faces: expected whole numbers"),
        ("f 1 2 99999999999999999999", "faces: expected whole numbers"),
        ("v 1 2\nf 1 2 3", "vertex 4: expected three numbers, got '1 2'"),
        ("v 1 2 x\nf 1 2 3", "vertices: expected numbers"),
    ],
)
def test_wrong_faces_of_obj_files_are_named(face: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text(TRIANGLE + face + "\n")
    with pytest.raises(ModelFileError, match=f"a.obj: cannot be read as a model: {re.escape(told)}"):
        read_mesh(tmp_path / "a.obj")


def test_headers_and_ends_of_lines_of_ply_files(tmp_path: Path) -> None:
    path = write_polygons(tmp_path / "a.ply", *prism(L_SHAPE))
    text = path.read_text()
    remarked = text.replace("element vertex", "obj_info by hand\ncomment gr\u00f6\u00dfe\nelement vertex")
    for content in (
        remarked.encode("latin-1"),
        text.replace("\n", "\r").encode(),
        text.replace("\n", "\r\n").encode(),
        text.replace("end_header\n", "end_header\n\n").encode(),
    ):
        path.write_bytes(content)
        assert report_of(*_arrays(read_mesh(path))).volume == pytest.approx(3.0)


def test_stl_files_of_both_kinds(tmp_path: Path) -> None:
    vertices, faces = cube()
    box = trimesh.Trimesh(vertices.numpy(), faces.numpy(), process=False)
    binary, text = box.export(file_type="stl"), box.export(file_type="stl_ascii")
    path = tmp_path / "a.stl"
    for content in (
        binary,
        binary + b"\0" * 10,
        text.encode(),
        text.replace("solid", "solid facet vertex", 1).encode(),
    ):
        path.write_bytes(content)
        assert report_of(*_welded_arrays(read_mesh(path))).volume == pytest.approx(1.0)
    for wrong in (binary[:-20], text[: len(text) // 2].encode(), b"", text.replace("0.5", "x").encode()):
        path.write_bytes(wrong)
        with pytest.raises(ModelFileError, match=r"a\.stl: "):
            read_mesh(path)


FAR = (4_500_000.0, 510_000.0, 120.0)


@pytest.mark.parametrize("ending", ["obj", "ply", "glb"])
def test_a_model_far_from_the_origin_keeps_its_shape(ending: str, tmp_path: Path) -> None:
    ball = trimesh.creation.icosphere(2, 5.0)
    corners, faces = ball.vertices + FAR, ball.faces
    path = tmp_path / f"a.{ending}"
    if ending == "glb":
        scene = trimesh.Scene()
        scene.add_geometry(ball, transform=trimesh.transformations.translation_matrix(FAR))
        scene.export(path)
    else:
        write_polygons(path, [tuple(corner) for corner in corners.tolist()], faces.tolist())
    mesh = read_mesh(path)
    assert mesh.origin == pytest.approx(FAR, abs=0.1)
    assert mesh.notes[0].startswith("far from the origin: its coordinates are counted from (4")
    centre = torch.tensor(FAR, dtype=torch.float64) - torch.tensor(mesh.origin, dtype=torch.float64)
    radii = (mesh.vertices.double() - centre).norm(dim=1)
    assert radii.tolist() == pytest.approx([5.0] * len(radii), abs=2e-6)
    moved, placement, _ = placed_mesh(mesh)
    assert placement.centre == pytest.approx(FAR, abs=1e-6)
    assert float(moved.vertices.abs().max()) == pytest.approx(1.0 / 1.2)


def test_a_model_near_the_origin_keeps_its_numbers(tmp_path: Path) -> None:
    corners, faces = prism([(14.9, 0.1), (15.9, 0.1), (15.9, 1.1)])
    mesh = read_mesh(write_polygons(tmp_path / "a.obj", corners, faces))
    assert mesh.origin == (0.0, 0.0, 0.0)
    assert torch.equal(mesh.vertices, torch.tensor(corners))
    assert any(read_mesh(write_polygons(tmp_path / "b.obj", [(x + 1, y, z) for x, y, z in corners], faces)).origin)


def test_a_model_that_float32_cannot_hold_is_refused(tmp_path: Path) -> None:
    path = write_polygons(tmp_path / "a.obj", [(0.0, 0.0, 0.0), (1e39, 0.0, 0.0), (0.0, 1e39, 0.0)], [[0, 1, 2]])
    with pytest.raises(ModelFileError, match=r"a\.obj: expected coordinates up to 1e38, got 1e\+39"):
        read_mesh(path)


def test_a_cloud_far_from_the_origin_keeps_its_shape(tmp_path: Path) -> None:
    ball = trimesh.creation.icosphere(2, 5.0).vertices
    np.savez(tmp_path / "a.npz", points=ball + FAR)
    np.savetxt(tmp_path / "a.xyz", ball + FAR)
    for name in ("a.npz", "a.xyz"):
        cloud = read_cloud(tmp_path / name)
        assert cloud.origin == pytest.approx(FAR, abs=1e-6)
        assert torch.allclose(cloud.points, torch.from_numpy(ball).float(), atol=1e-6)
        moved, placement, _ = placed_cloud(cloud)
        assert placement.centre == pytest.approx(FAR, abs=1e-6)
        assert float(moved.points.norm(dim=1).std()) < 1e-6


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
        ("a.obj", TRIANGLE + "f 1 2 9\n", "a.obj: .* face 1: expected vertices from 1 to 3, or -1 back, got 9"),
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
    monkeypatch.setattr("isofield.engine.files.model_files.MOST_BYTES", 20)
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
