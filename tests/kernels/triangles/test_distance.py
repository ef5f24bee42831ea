"""Distance to meshes and winding numbers: against formulas, sums over all triangles, and awkward inputs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from twins.meshes import Mesh, cube, distance_twin, globe, joined, soup, torus, winding_twin

from isofield.kernels import MeshTree, mesh_distance


def uniform(count: int, reach: float = 1.2, seed: int = 0) -> torch.Tensor:
    return reach * (2.0 * torch.rand(count, 3, generator=torch.Generator().manual_seed(seed)) - 1.0)


def box_distance(points: torch.Tensor, size: float) -> torch.Tensor:
    over = points.abs() - 0.5 * size
    return over.clamp_min(0.0).norm(dim=1) + over.amax(dim=1).clamp_max(0.0)


def test_the_example_of_the_docstring() -> None:
    vertices = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    points = torch.tensor([[0.25, 0.25, 2.0], [4.0, 0.0, 4.0]])
    assert mesh_distance(vertices, torch.tensor([[0, 1, 2]]), points).tolist() == [2.0, 5.0]


def test_a_cube_is_the_formula() -> None:
    points = uniform(4000)
    assert torch.allclose(mesh_distance(*cube(), points), box_distance(points, 1.0), atol=2e-7)


# Leaves that are full and not, roots of one to eight children, one level to four.
@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 16, 17, 33, 65, 129, 1000])
def test_a_soup_is_the_sum_over_its_triangles(count: int) -> None:
    mesh, points = soup(count, seed=count), uniform(300, seed=count)
    tree = MeshTree(*mesh)
    assert torch.allclose(tree.distance(points, signed=False).double(), distance_twin(mesh, points), atol=2e-7)
    assert torch.allclose(tree.winding_number(points).double(), winding_twin(mesh, points), atol=0.04)


def test_closest_points_lie_on_their_faces() -> None:
    vertices, faces = soup(500)
    points = uniform(500)
    found = MeshTree(vertices, faces).closest(points.reshape(5, 100, 3))
    assert found.distance.shape == found.faces.shape == (5, 100)
    closest, own = found.points.reshape(-1, 3), faces[found.faces.flatten().long()]
    assert torch.allclose((points - closest).norm(dim=1), found.distance.flatten(), atol=2e-7)
    for point, face, foot in zip(points[:50], own, closest, strict=False):
        alone = (vertices, face[None])
        assert float(distance_twin(alone, foot[None])) < 1e-6
        assert float(distance_twin(alone, point[None])) == pytest.approx(float((point - foot).norm()), abs=1e-6)


def test_a_point_on_the_mesh_has_no_distance() -> None:
    vertices, faces = torus(40, 30)
    assert float(mesh_distance(vertices, faces, vertices, signed=False).max()) == 0.0


@pytest.mark.parametrize("mesh", [globe(24, 40), torus(40, 24), joined(globe(20, 30, 0.9), torus(30, 20))])
def test_inside_is_where_the_winding_number_says(mesh: Mesh) -> None:
    points = uniform(1000)
    tree, exact = MeshTree(*mesh), winding_twin(mesh, points)
    found = tree.winding_number(points)
    assert float((found - exact).abs().max()) < 0.04
    decided = (exact - 0.5).abs() > 0.04
    assert torch.equal(tree.distance(points)[decided] < 0.0, exact[decided] > 0.5)


def test_meshes_that_overlap_or_lie_within_one_another_are_one_inside() -> None:
    vertices, faces = cube()
    pair = joined((vertices, faces), (vertices + torch.tensor([0.5, 0.0, 0.0]), faces))
    points = torch.tensor([[0.25, 0.0, 0.0], [-0.3, 0.0, 0.0], [0.8, 0.0, 0.0], [1.2, 0.0, 0.0]])
    assert MeshTree(*pair).winding_number(points).tolist() == pytest.approx([2.0, 1.0, 1.0, 0.0], abs=0.01)
    assert mesh_distance(*pair, points).sign().tolist() == [-1.0, -1.0, -1.0, 1.0]


def test_an_open_bowl_has_an_inside() -> None:
    """At the centre of a hemisphere it takes half of all directions."""
    tree = MeshTree(*globe(40, 80, bottom=math.pi / 2))
    points = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 0.5], [0.0, 0.0, -0.5], [0.0, 0.0, 1.5]])
    winding = tree.winding_number(points)
    assert float(winding[0]) == pytest.approx(0.5, abs=0.02)
    exact = 1.0 - 0.5 * (1.0 - 0.5 / math.sqrt(1.25))  # what is not seen through the opening
    assert float(winding[1]) == pytest.approx(exact, abs=0.02)
    assert (tree.distance(points) < 0.0).tolist()[1:] == [True, False, False]


def test_the_gradient_leads_away_from_the_closest_point() -> None:
    tree = MeshTree(*torus(60, 40))
    points = uniform(200)
    leaf = points.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(tree.distance(leaf.reshape(2, 100, 3)).sum(), leaf)
    assert torch.allclose(gradient.norm(dim=1), torch.ones(200), atol=1e-5)
    step = 1e-3
    taps = torch.stack([points + sign * step * axis for axis in torch.eye(3) for sign in (1.0, -1.0)])
    values = tree.distance(taps)
    differences = ((values[0::2] - values[1::2]) / (2.0 * step)).T
    close = (gradient - differences).norm(dim=1) < 5e-3  # but for points with a crease of the distance between the taps
    assert float(close.float().mean()) > 0.9
    (weighted,) = torch.autograd.grad((tree.distance(leaf) * torch.arange(200.0)).sum(), leaf)
    assert torch.allclose(weighted, gradient * torch.arange(200.0)[:, None])


def test_the_gradient_is_zero_on_the_surface_and_has_none_itself() -> None:
    tree = MeshTree(*cube())
    leaf = torch.tensor([[0.5, 0.1, 0.2], [0.9, 0.0, 0.0]], requires_grad=True)
    (gradient,) = torch.autograd.grad(tree.distance(leaf).sum(), leaf, create_graph=True)
    assert gradient.tolist() == [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    with pytest.raises(RuntimeError, match="at most a first derivative, a second was asked for"):
        gradient.square().sum().backward()


def test_faces_without_area_are_segments_and_points() -> None:
    vertices = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.5, 0.0, 0.0], [0.0, 3.0, 0.0]])
    faces = torch.tensor([[0, 1, 2], [0, 0, 1], [3, 3, 3]])
    tree = MeshTree(vertices, faces)
    points = torch.tensor([[0.5, 0.0, 2.0], [0.0, 5.0, 0.0], [0.7, -1.0, 0.0]])
    assert tree.distance(points).tolist() == pytest.approx([2.0, 2.0, 1.0])
    assert tree.winding_number(points).tolist() == [0.0, 0.0, 0.0]
    mesh = joined(globe(20, 20), (vertices, faces.to(torch.int32)))
    inside = uniform(200, 0.5)
    assert bool((mesh_distance(*mesh, inside) <= 0.0).all())


def test_thin_triangles_are_met() -> None:
    vertices = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.5, 1e-6, 0.0]])
    mesh = (vertices, torch.tensor([[0, 1, 2]], dtype=torch.int32))
    points = uniform(500)
    assert torch.allclose(mesh_distance(*mesh, points, signed=False).double(), distance_twin(mesh, points), atol=1e-6)


@pytest.mark.parametrize("scale", [1e-18, 1e-6, 1e6, 1e18])
def test_meshes_of_any_size(scale: float) -> None:
    vertices, faces = globe(20, 20)
    points = uniform(200)
    plain = mesh_distance(vertices, faces, points)
    assert torch.allclose(mesh_distance(vertices * scale, faces, points * scale) / scale, plain, atol=1e-6)


def test_points_that_are_no_numbers_or_far_away() -> None:
    nan, inf = float("nan"), float("inf")
    points = torch.tensor([[nan, 0.0, 0.0], [0.0, inf, 0.0], [0.0, -inf, nan], [1e30, 0.0, 0.0], [0.0, 0.0, 3e38]])
    tree = MeshTree(*globe(20, 20))
    distance, winding = tree.distance(points), tree.winding_number(points)
    assert distance.isnan().tolist() == winding.isnan().tolist() == [True, True, True, False, False]
    assert distance[3:].tolist() == pytest.approx([1e30, 3e38])
    assert winding[3:].tolist() == [0.0, 0.0]
    assert tree.distance(points.double()).isnan().tolist() == [True, True, True, False, False]
    assert bool(tree.closest(points[:1]).points.isnan().all())


FAR = torch.tensor([4_500_000.0, 510_000.0, 120.0], dtype=torch.float64)


@pytest.mark.parametrize("size", [20.0, 1e-3])
def test_a_mesh_far_from_the_origin_has_the_distances_of_one_near_it(size: float) -> None:
    (vertices, faces), points = globe(24, 40, 0.5 * size), size * uniform(3000)
    far = MeshTree(vertices.double() + FAR, faces)
    near = MeshTree(vertices, faces)
    # A double of this size is good to 1e-9.
    close = {"atol": 1e-6 * size + 2e-9, "rtol": 0.0}
    found = far.distance(points.double() + FAR)
    assert found.dtype == torch.float64
    assert torch.allclose(found, near.distance(points).double(), **close)
    assert torch.equal(found < 0.0, near.distance(points) < 0.0)
    closest = far.closest(points.double() + FAR)
    assert torch.allclose((closest.points - FAR - points.double()).norm(dim=1), found.abs(), **close)
    assert far.low == pytest.approx((vertices.amin(dim=0).double() + FAR).tolist())
    moved = (points.double() + FAR).requires_grad_()
    (slopes,) = torch.autograd.grad(far.distance(moved).sum(), moved)
    assert float((slopes.norm(dim=1) - 1.0).abs().max()) < 1e-6


def test_float32_coordinates_far_from_the_origin_lose_nothing_more() -> None:
    vertices, faces = globe(24, 40, 10.0)
    rounded = (vertices.double() + FAR).float()  # to half a unit
    points = (20.0 * uniform(3000).double() + FAR).float()
    there = MeshTree((rounded.double() - FAR).float(), faces).distance((points.double() - FAR).float())
    assert torch.allclose(MeshTree(rounded, faces).distance(points), there, atol=1e-5)


def bowl(rows: int = 14) -> Mesh:
    """A ball of radius 0.7 that lacks what is above z = 0.35."""
    vertices, faces = globe(rows, 24, 0.7)
    return vertices, faces[(vertices[faces.long()][:, :, 2] < 0.35).all(dim=1)]


@pytest.mark.parametrize("mesh", [bowl(), soup(40, 0.7), joined(bowl(), soup(30, 0.5, seed=3))])
def test_the_inside_of_an_open_mesh_is_that_of_the_exact_winding_number(mesh: Mesh) -> None:
    points = uniform(12_000, seed=4)
    exact = winding_twin(mesh, points)
    near = (exact - 0.5).abs() < 0.03
    assert int(near.sum()) > 30  # which far fields alone may put on the wrong side
    tree = MeshTree(*mesh)
    sure = (exact - 0.5).abs() > 1e-6
    assert torch.equal((tree.distance(points) < 0.0)[sure], (exact > 0.5)[sure])
    assert torch.allclose(tree.winding_number(points[near]).double(), exact[near], atol=1e-3)


def test_what_comes_in_comes_out() -> None:
    vertices, faces = cube()
    points = uniform(60).reshape(3, 4, 5, 3)
    tensor = mesh_distance(vertices, faces, points)
    array = mesh_distance(vertices.numpy(), faces.numpy().astype(np.uint16), points.numpy())
    assert isinstance(array, np.ndarray)
    assert tensor.shape == array.shape == (3, 4, 5)
    assert np.array_equal(array, tensor.numpy())
    strided = torch.empty(60, 6)[:, ::2].copy_(points.reshape(-1, 3))
    assert torch.equal(mesh_distance(vertices.T.contiguous().T, faces.long(), strided), tensor.flatten())
    assert mesh_distance(vertices, faces, torch.empty(0, 3)).shape == (0,)


def test_a_point_has_the_same_distance_alone_and_among_others() -> None:
    tree, points = MeshTree(*torus(60, 40)), uniform(300)
    together = tree.distance(points)
    assert torch.allclose(torch.cat([tree.distance(point[None]) for point in points]), together, atol=1e-7)
    assert torch.equal(tree.distance(points), together)


VERTICES, FACES = cube()


@pytest.mark.parametrize(
    ("vertices", "faces", "error", "told"),
    [
        (VERTICES[:, :2], FACES, ValueError, r"vertices: expected shape \(V, 3\), got \(8, 2\)"),
        (VERTICES[None], FACES, ValueError, r"vertices: expected shape \(V, 3\), got \(1, 8, 3\)"),
        (VERTICES.half(), FACES, TypeError, "vertices: expected torch.float32 or torch.float64, got torch.float16"),
        (VERTICES, FACES.float(), TypeError, "faces: expected whole numbers, got torch.float32"),
        (VERTICES, FACES[:, :2], ValueError, r"faces: expected shape \(F, 3\), got \(12, 2\)"),
        (VERTICES, FACES[:0], ValueError, "faces: expected from 1 to 16777216, got 0"),
        (VERTICES, FACES + 1, ValueError, "faces: expected indices from 0 to 7, one a vertex, got 8"),
        (VERTICES, FACES - 1, ValueError, "faces: expected indices from 0 to 7, one a vertex, got -1"),
        (
            VERTICES,
            [[0, 1, 2]],
            TypeError,
            "faces: expected a torch tensor, numpy array, DLPack .*, got list",
        ),
        (
            VERTICES * float("nan"),
            FACES,
            ValueError,
            r"vertices: expected finite numbers up to .*, got .*nan.* at face 0",
        ),
        (
            VERTICES.where(VERTICES < 0, math.inf),
            FACES,
            ValueError,
            "vertices: expected finite numbers up to .*, got .*inf",
        ),
    ],
)
def test_meshes_that_cannot_be_used(vertices: object, faces: object, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        MeshTree(vertices, faces)


def test_a_vertex_that_no_face_uses_may_be_anything() -> None:
    vertices = torch.cat([VERTICES, torch.full((1, 3), float("nan"))])
    assert mesh_distance(vertices, FACES, torch.zeros(1, 3)).tolist() == [-0.5]


def sheet(folds: int) -> Mesh:
    """A slanting square of two layers that look in opposite directions, so that normals add up to nothing."""
    side = torch.linspace(-1.0, 1.0, folds + 1)
    u, v = torch.meshgrid(side, side, indexing="ij")
    vertices = torch.stack([u, v, 0.7 * u + 0.3 * v], dim=-1).reshape(-1, 3)
    corner = (torch.arange(folds)[:, None] * (folds + 1) + torch.arange(folds)).flatten()
    right, up = folds + 1, 1
    one = torch.stack([corner, corner + right, corner + up], dim=1)
    two = torch.stack([corner + right, corner + right + up, corner + up], dim=1)
    faces = torch.cat([one, two, one.flip(1), two.flip(1)])
    return vertices, faces


@pytest.mark.parametrize("mesh", [sheet(1), sheet(12), joined(sheet(9), globe(20, 30, 0.9)), soup(300, seed=3)])
@pytest.mark.parametrize("count", [1, 15, 17, 2000])  # packets that are not full, and many that start from others
def test_boxes_along_normals_lose_no_triangle(mesh: Mesh, count: int) -> None:
    points = torch.cat([uniform(count - 1, 2.0, seed=count), torch.tensor([[50.0, -70.0, 20.0]])])
    found = mesh_distance(*mesh, points, signed=False)
    assert torch.allclose(found.double(), distance_twin(mesh, points), atol=4e-7, rtol=2e-7)


def test_boxes_of_tiny_triangles_stand_upright() -> None:
    corners = 1e-11 * torch.rand(40, 3, 3, generator=torch.Generator().manual_seed(2)) + torch.rand(40, 1, 3)
    mesh = corners.reshape(-1, 3), torch.arange(120, dtype=torch.int32).reshape(-1, 3)
    points = uniform(500, 2.0)
    found = mesh_distance(*mesh, points, signed=False)
    assert torch.allclose(found.double(), distance_twin(mesh, points), atol=4e-7)


@pytest.mark.parametrize("count", [9, 17, 130])  # roots with children that are not there
@pytest.mark.parametrize("away", [2e17, 6e17, 9e17, 1e20])
def test_what_is_far_off_stays_in_the_tree(count: int, away: float) -> None:
    points = away * torch.tensor([[1.0, 1.0, 1.0], [-1.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
    found = mesh_distance(*soup(count), points, signed=False)
    assert torch.allclose(found.double(), points.double().norm(dim=1), rtol=1e-6)


def test_points_of_one_packet_may_lie_anywhere() -> None:
    """Those that are no numbers or too far off leave their neighbours alone."""
    mesh = globe(24, 40)
    points = uniform(64)
    exact = mesh_distance(*mesh, points, signed=False)
    strange = points.clone()
    strange[::3] = torch.tensor([math.nan, 0.0, 0.0])
    strange[1::3] = torch.tensor([1e30, -1e25, math.inf])
    found = mesh_distance(*mesh, strange, signed=False)
    assert torch.allclose(found[2::3], exact[2::3], atol=1e-7)
    assert found[::3].isnan().all()
