"""Marching cubes: what is true of every mesh, known surfaces, another library, derivatives, awkward volumes."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy
import pytest
import torch
from meshes import defects, euler, volume
from torch import Tensor

from isofield.kernels import marching_cubes
from isofield.kernels.surfaces import triangle_tables
from isofield.kernels.surfaces.crossings import MARGIN

Axes = tuple[Tensor, Tensor, Tensor]


def axes(count: int, low: float = -1.0, high: float = 1.0) -> Axes:
    line = torch.linspace(low, high, count)
    x, y, z = torch.meshgrid(line, line, line, indexing="ij")
    return x, y, z


def ball(radius: float, x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    return (x * x + y * y + z * z).sqrt() - radius


def torus(x: Tensor, y: Tensor, z: Tensor, at: float = 0.0) -> Tensor:
    return (((x - at) ** 2 + y * y).sqrt() - 0.3).square().add(z * z).sqrt() - 0.12


def gyroid(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    return x.sin() * y.cos() + y.sin() * z.cos() + z.sin() * x.cos()


def scattered(kind: str, seed: int = 0) -> Tensor:
    """1000 small grids of random values in one volume, apart from each other, so that each has a mesh of its own."""
    random = torch.Generator().manual_seed(seed)
    size = (10, 10, 10, 3, 4, 5)
    if kind == "normal":
        own = torch.randn(size, generator=random)
    else:  # whole numbers are at the level again and again
        own = torch.randint(-2 if kind == "whole" else -1, 2, size, generator=random).float()
    apart = torch.nn.functional.pad(own, (1, 0, 1, 0, 1, 0), value=1.0)
    whole = apart.permute(0, 3, 1, 4, 2, 5).reshape(10 * 4, 10 * 5, 10 * 6)
    return torch.nn.functional.pad(whole, (0, 1, 0, 1, 0, 1), value=1.0).contiguous()


@pytest.mark.parametrize("kind", ["normal", "whole", "signs"])
def test_every_random_grid_gives_a_closed_oriented_manifold(kind: str) -> None:
    vertices, faces = marching_cubes(scattered(kind))
    assert len(faces) > 60_000
    assert defects(vertices, faces) == []
    assert volume(vertices, faces) > 0


def test_every_pattern_and_decision_fills_its_loops_through_all_crossed_edges() -> None:
    seen = set()
    for pattern in range(256):
        faces = triangle_tables.ambiguous_faces(pattern)
        for decided in range(2 ** len(faces)):
            joined = tuple(bool(decided >> at & 1) for at in range(len(faces)))
            loops = triangle_tables.loops(pattern, joined)
            edges = sorted(edge for loop in loops for edge in loop)
            crossed = [n for n, (a, b) in enumerate(triangle_tables.EDGES) if (pattern >> a ^ pattern >> b) & 1]
            assert edges == crossed
            for loop in loops:
                triangles = triangle_tables.fill_loop(tuple(loop))
                corners = {edge for triangle in triangles for edge in triangle}
                assert corners - {triangle_tables.CENTRE} == set(loop)
                assert len(triangles) == (len(loop) if triangle_tables.CENTRE in corners else len(loop) - 2)
            seen.add((pattern, joined))
    assert len(seen) == len(triangle_tables.triangle_tables(torch.device("cpu"))[1])


def test_an_octahedron_around_one_node_that_is_inside() -> None:
    values = torch.ones(3, 3, 3)
    values[1, 1, 1] = -1
    vertices, faces = marching_cubes(values)
    wanted = torch.cat([torch.eye(3), -torch.eye(3)]) / 2
    assert torch.equal(vertices.unique(dim=0), wanted.unique(dim=0))
    assert (len(faces), euler(vertices, faces)) == (8, 2)
    assert volume(vertices, faces) == pytest.approx(1 / 6)


SURFACES: dict[str, tuple[Callable[..., Tensor], int]] = {
    "sphere": (lambda x, y, z: ball(0.7, x, y, z), 2),
    "torus": (torus, 0),
    "double torus": (lambda x, y, z: torch.minimum(torus(x, y, z, -0.3), torus(x, y, z, 0.3)), -2),
    "nested spheres": (lambda x, y, z: (ball(0.6, x, y, z)).abs() - 0.15, 4),
    "nothing": (lambda x, y, z: ball(-0.5, x, y, z), 0),
}


@pytest.mark.parametrize("name", SURFACES)
def test_euler_characteristic(name: str) -> None:
    field, wanted = SURFACES[name]
    vertices, faces = marching_cubes(field(*axes(40)))
    assert euler(vertices, faces) == wanted
    assert defects(vertices, faces) == []


@pytest.mark.parametrize("count", [9, 33])
def test_a_cell_of_the_gyroid_has_euler_characteristic_minus_eight(count: int) -> None:
    vertices, faces = marching_cubes(gyroid(*axes(count, 0.1, 0.1 + 2 * math.pi)))
    # Opposite borders are the same: vertices there are glued, and so are the sides of triangles.
    glued = (vertices + 1.0).remainder(2.0).mul(1e4).round().remainder(2e4)
    unique, number = glued.unique(dim=0, return_inverse=True)
    sides = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).long()
    edges = number[sides].sort(dim=1).values.unique(dim=0)
    assert len(unique) - len(edges) + len(faces) == -8


def test_volume_and_place_of_a_sphere_in_bounds() -> None:
    low, high = (2.0, -1.0, 0.0), (6.0, 2.0, 5.0)
    lines = [torch.linspace(a, b, n) for a, b, n in zip(low, high, (70, 50, 61), strict=True)]
    x, y, z = torch.meshgrid(*lines, indexing="ij")
    vertices, faces = marching_cubes(ball(0.0, x - 4, y - 0.5, z - 2), level=1.2, bounds=(low, high))
    assert (vertices - torch.tensor([4, 0.5, 2])).norm(dim=1).sub(1.2).abs().max() < 1.5e-3  # cell² / (8 radius)
    assert volume(vertices, faces) == pytest.approx(4 / 3 * math.pi * 1.2**3, rel=3e-3)


def test_a_plane_is_met_exactly() -> None:
    x, y, z = axes(20)
    vertices, faces = marching_cubes(x + 0.5 * y - 0.3 * z + 0.0123)
    away = vertices @ torch.tensor([1, 0.5, -0.3]) + 0.0123
    assert away.abs().max() <= MARGIN * 2 / 19
    a, b, c = vertices[faces.long()].unbind(dim=1)
    assert bool((torch.linalg.cross(b - a, c - a) @ torch.tensor([1, 0.5, -0.3]) > 0).all())  # towards larger values


def test_the_vertices_of_another_library() -> None:
    measure = pytest.importorskip("skimage.measure")
    values = gyroid(*axes(40, -5.0, 4.0)) + 0.01
    theirs, their_faces, *_ = measure.marching_cubes(values.numpy(), 0.0, method="lorensen")
    ours, faces = marching_cubes(values, bounds=((0, 0, 0), (39, 39, 39)))
    assert len(ours) == len(theirs)
    exactly = "donot_use_mm_for_euclid_dist"
    near = torch.cdist(ours, torch.tensor(theirs.copy()), compute_mode=exactly).min(dim=1).values
    assert near.max() < 1.5 * MARGIN
    assert abs(len(faces) - len(their_faces)) < 0.01 * len(faces)


def test_an_ambiguous_face_is_joined_as_its_bilinear_interpolant_is() -> None:
    def parts(inside: float) -> int:
        """Parts of two columns of inside nodes that meet at an edge."""
        values = torch.ones(4, 4, 6)
        values[1, 1, 1:5] = values[2, 2, 1:5] = inside
        vertices, faces = marching_cubes(values)
        assert defects(vertices, faces) == []
        return euler(vertices, faces) // 2

    assert parts(-0.5) == 2  # the saddle lies at (0.25 - 1) / -3 = 0.25: outside
    assert parts(-2.0) == 1  # and here at (4 - 1) / -6 = -0.5: inside


def test_the_same_mesh_at_every_run() -> None:
    values = scattered("normal", seed=5)
    first, second = marching_cubes(values), marching_cubes(values)
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


def test_sizes_that_end_within_a_word_and_layouts_that_are_not_contiguous() -> None:
    for count in (31, 32, 33, 64, 65, 66):
        values = torch.nn.functional.pad(torch.randn(3, 4, count - 2), (1, 1, 1, 1, 1, 1), value=1.0)
        vertices, faces = marching_cubes(values)
        assert defects(vertices, faces) == []
        turned = marching_cubes(values.transpose(0, 2).contiguous().transpose(0, 2))
        assert torch.equal(turned[0], vertices)
        assert torch.equal(turned[1], faces)


@pytest.mark.parametrize("shape", [(1, 5, 5), (5, 1, 5), (5, 5, 1), (1, 1, 1), (2, 2, 2)])
def test_volumes_of_one_layer_or_without_a_crossing_are_empty(shape: tuple[int, int, int]) -> None:
    values = torch.randn(shape) if 1 in shape else torch.ones(shape)
    vertices, faces = marching_cubes(values)
    assert (vertices.shape, faces.shape) == ((0, 3), (0, 3))


def test_a_nan_is_outside_and_marks_the_vertices_beside_it() -> None:
    values = ball(0.7, *axes(20))
    values[10, 10, 10] = torch.nan  # within the ball
    values[0, 0, 0] = torch.nan
    vertices, faces = marching_cubes(values)
    assert int(vertices.isnan().any(dim=1).sum()) == 6
    assert int(faces.max()) == len(vertices) - 1
    whole = marching_cubes(torch.full((5, 5, 5), torch.nan))
    assert len(whole[1]) == 0


def test_vertices_beside_infinite_values_are_nan() -> None:
    values = torch.full((3, 3, 3), torch.inf)
    values[1, 1, 1] = -1
    vertices, faces = marching_cubes(values)
    assert (len(vertices), len(faces)) == (6, 8)
    assert bool(vertices.isnan().any(dim=1).all())


def test_gradients_to_the_values() -> None:
    level = 0.3
    random = torch.Generator().manual_seed(3)
    values = torch.randn(4, 3, 5, generator=random, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: marching_cubes(v, level)[0], values, eps=1e-7, atol=1e-5)
    small = torch.randn(3, 2, 3, generator=random, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradgradcheck(lambda v: marching_cubes(v, level)[0], small, eps=1e-7, atol=1e-4)


def test_a_loss_on_vertices_moves_the_values() -> None:
    values = ball(0.5, *axes(16)).requires_grad_()
    for _ in range(30):
        vertices, _ = marching_cubes(values)
        (gradient,) = torch.autograd.grad((vertices.norm(dim=1) - 0.6).square().sum(), values)
        values = (values - 0.3 * gradient).detach().requires_grad_()
    assert marching_cubes(values)[0].norm(dim=1).sub(0.6).abs().mean() < 0.02


def test_numpy_comes_back_as_numpy_and_float64_as_float64() -> None:
    vertices, faces = marching_cubes(ball(0.7, *axes(12)).double().numpy())
    assert isinstance(vertices, numpy.ndarray)
    assert (vertices.dtype, faces.dtype) == (numpy.float64, numpy.int32)
    single = marching_cubes(ball(0.7, *axes(12)))[0]
    assert numpy.abs(vertices - single.numpy()).max() < 1e-6


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        (torch.ones(3, 3), ValueError, r"values: expected shape \(X, Y, Z\), got \(3, 3\)"),
        (torch.ones(3, 0, 3), ValueError, "values: expected shape"),
        (torch.ones(3, 3, 3, dtype=torch.int32), TypeError, "values: expected torch.float32 or torch.float64"),
        ("ball", TypeError, "values: expected a torch tensor"),
    ],
)
def test_wrong_values_are_named(given: object, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        marching_cubes(given)


@pytest.mark.parametrize(
    "bounds",
    [((0, 0, 0), (1, 0, 1)), ((0, 0), (1, 1)), 3, ((0, 0, 0), (1, 1, math.inf)), ((1e9, 0, 0), (1e9 + 1, 1, 1))],
)
def test_wrong_bounds_are_named(bounds: object) -> None:
    with pytest.raises(ValueError, match="bounds: expected"):
        marching_cubes(torch.ones(3, 3, 3), bounds=bounds)
