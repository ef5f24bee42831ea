"""Which way faces look: what is turned, what is left alone, and what is said."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from twins.meshes import Mesh, cube, globe, joined, torus

from isofield.engine.files.orientation import oriented
from isofield.kernels import MeshTree


def turned(mesh: Mesh) -> Mesh:
    """The mesh inside out."""
    return mesh[0], mesh[1].flip(1)


def moved(mesh: Mesh, x: float, size: float = 1.0) -> Mesh:
    return size * mesh[0] + torch.tensor([x, 0.0, 0.0]), mesh[1]


def found(mesh: Mesh, *points: float) -> tuple[list[float], tuple[str, ...]]:
    """Signed distances at points of the x axis after orientation, and the notes."""
    vertices, faces = (numbers.numpy() for numbers in mesh)
    result = oriented(vertices.astype(np.float64), faces.astype(np.int64))
    places = torch.tensor([[x, 0.0, 0.0] for x in points])
    return MeshTree(vertices, result.faces).distance(places).tolist(), result.notes


def _from_least(faces: np.ndarray) -> np.ndarray:
    """Faces that begin with their least corner, as one number each."""
    rolled = np.stack([np.roll(face, -int(face.argmin())) for face in faces]).astype(np.int64)
    return (rolled[:, 0] * 1000 + rolled[:, 1]) * 1000 + rolled[:, 2]


def split(mesh: Mesh) -> Mesh:
    """The mesh with three vertices of its own for each triangle, as .stl files have it."""
    return mesh[0][mesh[1].long()].reshape(-1, 3), torch.arange(3 * len(mesh[1]), dtype=torch.int32).reshape(-1, 3)


@pytest.mark.parametrize("own", [False, True])
def test_a_part_that_is_inside_out_is_turned(own: bool) -> None:
    both = joined(cube(), moved(turned(cube()), 3.0))
    distances, notes = found(split(both) if own else both, 0.0, 3.0)
    assert distances == pytest.approx([-0.5, -0.5])
    assert notes == ("1 of 2 parts faced inwards and were turned",)
    assert found(joined(cube(), moved(cube(), 3.0)), 0.0, 3.0) == (pytest.approx([-0.5, -0.5]), ())


def test_a_cavity_stays_and_what_is_in_it_faces_outwards() -> None:
    # Cubes of side 4, 2 and 1 within each other: full, hollow, full. The innermost is not hollow, so it is turned too
    # only if it faced inwards there.
    shells = joined(moved(cube(), 0.0, 4.0), moved(turned(cube()), 0.0, 2.0), moved(cube(), 0.0, 1.0))
    assert found(shells, 0.0, 0.75, 1.5) == (pytest.approx([-0.5, 0.25, -0.5]), ())
    everything_inwards = turned(joined(moved(cube(), 0.0, 4.0), moved(turned(cube()), 0.0, 2.0)))
    distances, notes = found(everything_inwards, 0.0, 1.5)
    assert distances[1] == pytest.approx(-0.5)
    assert notes == ("1 of 2 parts faced inwards and were turned",)


def test_a_part_beside_one_whose_box_it_lies_in_is_no_cavity() -> None:
    # A small cube in the hole of a ring.
    ring = torus(40, 20, 1.0, 0.3)
    distances, notes = found(joined(ring, moved(turned(cube()), 0.0, 0.3)), 0.0, 1.0)
    assert distances == pytest.approx([-0.15, -0.3], abs=0.01)
    assert notes == ("1 of 2 parts faced inwards and were turned",)


def test_single_faces_that_run_against_their_neighbours() -> None:
    vertices, faces = torus(20, 12)
    generator = torch.Generator().manual_seed(0)
    wrong = torch.rand(len(faces), generator=generator) < 0.3
    mixed = torch.where(wrong[:, None], faces.flip(1), faces)
    distances, notes = found((vertices, mixed), 0.7)
    assert distances[0] < -0.2
    assert notes == (f"{int(wrong.sum())} of {len(faces)} faces ran against their neighbours and were turned",)
    result = oriented(vertices.double().numpy(), mixed.long().numpy())
    assert np.array_equal(np.sort(result.faces, axis=1), np.sort(faces.numpy(), axis=1))
    assert np.array_equal(np.sort(_from_least(result.faces), axis=0), np.sort(_from_least(faces.numpy()), axis=0))


def test_parts_that_share_an_edge_are_oriented_alone() -> None:
    other = cube()[0] + torch.tensor([1.0, 1.0, 0.0])  # shares the edge x = y = 0.5
    both = joined(cube(), turned((other, cube()[1])))
    vertices, faces = (numbers.numpy() for numbers in both)
    result = oriented(vertices.astype(np.float64), faces.astype(np.int64))
    centres = torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
    assert MeshTree(vertices, result.faces).distance(centres).tolist() == pytest.approx([-0.5, -0.5])
    assert result.notes == ("1 of 2 parts faced inwards and were turned",)


def test_doubled_faces_enclose_nothing_and_it_is_said() -> None:
    distances, notes = found(joined(cube(), turned(cube())), 0.0)
    assert distances == pytest.approx([0.5])
    assert notes == ('every face is there in both directions: it has no inside, with sign = "none" it is a shell',)
    distances, notes = found(joined(cube(), cube()), 0.0)
    assert distances == pytest.approx([-0.5])
    assert notes == ("12 of 24 faces are there twice and count once",)
    corners = torch.tensor([[3.0, 0, 0], [4.0, 0, 0], [3.0, 1, 0]])
    sheet = (corners, torch.tensor([[0, 1, 2], [0, 2, 1]], dtype=torch.int32))
    distances, notes = found(joined(cube(), sheet), 0.0)
    assert distances == pytest.approx([-0.5])
    assert notes == ("2 of 14 faces are there in both directions: they enclose nothing",)


def test_a_sheet_has_no_inside_and_it_is_said() -> None:
    corners = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [1.0, 1.0, 1.0]])
    faces = np.array([[0, 1, 2], [1, 3, 2]])
    result = oriented(corners, faces)
    assert result.notes[0].startswith("open: 4 border edges around 1 hole, the largest 4.4")
    assert result.notes[1].startswith("all of it lies in a plane: it has no inside")
    assert np.array_equal(result.faces, faces)


def test_what_is_open_is_told_with_its_place_and_size() -> None:
    vertices, faces = moved(cube(), 7.0)
    lid = (vertices[faces.long()][:, :, 2] > 0.0).all(dim=1)
    result = oriented(vertices.double().numpy(), faces[~lid].long().numpy())
    (note,) = result.notes
    assert note == (
        "open: 4 border edges around 1 hole, the largest 4 around at (7, 0, 0.5), of a mesh 1 long; "
        'its inside is a guess, with sign = "none" it is a shell'
    )
    inside_out = oriented(vertices.double().numpy(), faces[~lid].flip(1).long().numpy())
    assert inside_out.notes == ("what is open faced inwards and was turned", note)
    assert np.array_equal(np.sort(inside_out.faces, axis=1), np.sort(faces[~lid].numpy(), axis=1))


def test_a_moebius_strip_has_no_inside_and_it_is_said() -> None:
    count = 24
    angle = torch.arange(count) * (2.0 * torch.pi / count)
    outwards = torch.stack([torch.cos(angle), torch.sin(angle), torch.zeros(count)], dim=1)
    upwards = torch.tensor([0.0, 0.0, 1.0])
    half = 0.2 * (torch.cos(angle / 2)[:, None] * outwards + torch.sin(angle / 2)[:, None] * upwards)
    vertices = torch.cat([outwards - half, outwards + half])
    faces = []
    for i in range(count):
        low, high, next_low, next_high = i, i + count, i + 1, i + 1 + count
        if i == count - 1:  # half a turn
            next_low, next_high = count, 0
        faces += [[low, next_low, high], [high, next_low, next_high]]
    result = oriented(vertices.double().numpy(), np.array(faces))
    assert result.notes[0] == "48 faces have no two sides, as on a M\u00f6bius strip: they have no inside"


def test_a_seam_that_differs_by_rounding_is_closed() -> None:
    vertices, faces = globe(10, 16, 3.0)  # whose last column is the sine and cosine of 2 pi in float32
    assert not torch.equal(vertices[0::17], vertices[16::17])
    result = oriented(vertices.double().numpy() + 5.0, faces.long().numpy())
    assert (result.is_open, result.notes) == (False, ())


def test_one_triangle_and_points() -> None:
    triangle = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert len(oriented(triangle, np.array([[0, 1, 2]])).faces) == 1
    assert len(oriented(triangle, np.array([[0, 0, 2], [1, 1, 1]])).faces) == 2
