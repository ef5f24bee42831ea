"""Batches from meshes, and how well surfaces agree."""

from __future__ import annotations

import math

import pytest
import torch
from twins.meshes import cube, globe, joined, torus

from isofield.engine.fields import LearnedField, Placement
from isofield.engine.files.meshes import TriangleMesh
from isofield.engine.fit import MeshSource, cross_entropy, placed_mesh
from isofield.engine.fit.agreement import (
    agreement,
    agreement_with_cloud,
    agreement_with_mesh,
    intersection_over_union,
)
from isofield.engine.fit.mesh_source import surface_points
from isofield.kernels import MeshTree

BOUNDS = ((-1.0,) * 3, (1.0,) * 3)


@pytest.fixture(autouse=True)
def few_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isofield.engine.fit.mesh_source.POOL", 2**14)
    monkeypatch.setattr("isofield.engine.fit.agreement.SAMPLES", 2**15)
    monkeypatch.setattr("isofield.engine.fit.agreement.INSIDES", 2**16)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Ball(LearnedField):
    """The distance to a ball about the origin, or, as an occupancy, its sigmoid."""

    kind = "ball"

    def __init__(self, radius: float, meaning: str = "signed_distance") -> None:
        super().__init__(3, 1, meaning=meaning, bounds=BOUNDS)
        self.radius = torch.nn.Parameter(torch.tensor(radius))

    def evaluate(self, points: torch.Tensor) -> torch.Tensor:
        distance = points.norm(dim=1, keepdim=True) - self.radius
        return distance if self.meaning == "signed_distance" else torch.sigmoid(-20.0 * distance)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_mesh_is_moved_into_the_unit_box_and_back(scale: float) -> None:
    vertices, faces = torus(20, 20)
    mesh = TriangleMesh(scale * (vertices + torch.tensor([3.0, -2.0, 1.0])), faces)
    moved, placement, (low, high) = placed_mesh(mesh)
    assert max(high) == pytest.approx(1.0)
    assert float(moved.vertices.abs().max()) == pytest.approx(1.0 / 1.2, rel=1e-5)
    assert torch.allclose(moved.vertices.amax(dim=0) + 0.2 / 1.2, torch.tensor(high), atol=1e-5)
    assert low == pytest.approx([-bound for bound in high])
    assert torch.allclose(placement.to_model(moved.vertices), mesh.vertices, rtol=1e-5, atol=1e-6 * scale)


def test_a_mesh_without_extent_cannot_be_placed() -> None:
    with pytest.raises(ValueError, match="mesh: expected a longest side from 1e-30"):
        placed_mesh(TriangleMesh(torch.ones(3, 3), torch.tensor([[0, 1, 2]], dtype=torch.int32)))


def test_points_on_a_surface_are_as_dense_everywhere() -> None:
    points, normals = surface_points(TriangleMesh(*cube()), 60_000, generator())
    outermost, axis = points.abs().max(dim=1)
    assert torch.allclose(outermost, torch.tensor(0.5))
    facing = points.gather(1, axis[:, None])[:, 0].sign()
    assert torch.equal(normals.gather(1, axis[:, None])[:, 0].round(), facing)
    sides = torch.bincount(2 * axis + (facing > 0.0), minlength=6) / len(points)
    assert torch.allclose(sides, torch.full((6,), 1 / 6), atol=0.01)
    with pytest.raises(ValueError, match="mesh: expected faces with an area, got none"):
        surface_points(TriangleMesh(torch.ones(3, 3), torch.tensor([[0, 1, 2]])), 10, generator())


def test_distances_and_gradients_are_the_meshs() -> None:
    source = MeshSource(TriangleMesh(*globe(40, 60, 0.6)), "signed_distance", bounds=BOUNDS, near=0.6, gradients=True)
    batch = source(4000, generator())
    assert torch.allclose(batch.values[:, 0], batch.points.norm(dim=1) - 0.6, atol=4e-3)
    assert batch.gradients is not None
    away = batch.points.norm(dim=1) > 0.2
    cosine = torch.nn.functional.cosine_similarity(batch.gradients, batch.points, dim=1)[away]
    assert float(cosine.min()) > 0.99
    close = batch.values.abs()[:, 0]
    assert float((close < 1e-6).float().mean()) == pytest.approx(0.2, abs=0.03)
    assert float((close < 0.01 * math.dist(*BOUNDS)).float().mean()) > 0.5
    again = source(4000, generator())
    assert torch.equal(batch.points, again.points)


def test_occupancy_is_the_inside_also_of_a_mesh_that_crosses_itself() -> None:
    vertices, faces = cube()
    pair = joined((vertices, faces), (vertices + 0.25, faces))
    batch = MeshSource(TriangleMesh(*pair), "occupancy", bounds=BOUNDS, near=0.0)(4000, generator())
    inside = (batch.points.abs() < 0.5).all(dim=1) | ((batch.points - 0.25).abs() < 0.5).all(dim=1)
    assert torch.equal(batch.values[:, 0] == 1.0, inside)
    assert batch.gradients is None


def test_a_fit_is_measured_where_it_was_not_trained() -> None:
    asked = []

    class Noted(Ball):
        def evaluate(self, points: torch.Tensor) -> torch.Tensor:
            asked.append(points)
            return super().evaluate(points)

    source = MeshSource(TriangleMesh(*globe(8, 8, 0.5)), "occupancy", bounds=BOUNDS)
    intersection_over_union(Noted(0.5), source.tree)
    trained = set(map(tuple, source.points.tolist()))
    assert not trained & set(map(tuple, torch.cat(asked).tolist()))


def test_the_pool_has_no_more_points_than_are_drawn() -> None:
    source = MeshSource(TriangleMesh(*globe(8, 8, 0.5)), "signed_distance", bounds=BOUNDS, count=100)
    assert len(source.points) == 100
    assert len(torch.unique(source(5000, generator()).points, dim=0)) == 100
    larger = MeshSource(source.mesh, "signed_distance", bounds=BOUNDS, count=2**20)
    assert len(larger.points) == 2**14
    assert larger.describe() != source.describe()


def test_cross_entropy_is_the_formula() -> None:
    batch = MeshSource(TriangleMesh(*globe(8, 8, 0.5)), "occupancy", bounds=BOUNDS)(500, generator())
    field = Ball(0.4, "occupancy")
    inside = field(batch.points).double()
    wanted = -torch.where(batch.values > 0.5, inside.log(), (1.0 - inside).log()).mean()
    assert float(cross_entropy(field, batch).detach()) == pytest.approx(float(wanted.detach()), rel=1e-5)


def test_sources_tell_themselves_apart() -> None:
    one, other = (MeshSource(TriangleMesh(*globe(8, 8, size)), "occupancy", bounds=BOUNDS) for size in (0.5, 0.6))
    assert one.describe() != other.describe()
    assert one.describe() != MeshSource(one.mesh, "occupancy", bounds=BOUNDS, near=0.4).describe()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"target": "colour"}, "target: expected signed_distance or occupancy, got 'colour'"),
        ({"target": "occupancy", "near": -0.1}, "near: expected a number from 0 to 1, got -0.1"),
    ],
)
def test_what_cannot_be_drawn_is_named(options: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        MeshSource(TriangleMesh(*cube()), bounds=BOUNDS, **options)  # type: ignore[arg-type]


def test_agreement_of_two_spheres_is_known() -> None:
    small, large = TriangleMesh(*globe(60, 120, 0.5)), TriangleMesh(*globe(60, 120, 0.6))
    found = agreement(small, large)
    assert found.chamfer == pytest.approx(0.1, abs=2e-3)
    assert found.hausdorff == pytest.approx(0.1, abs=2e-3)
    assert found.normal_consistency > 0.999
    assert agreement(small, small).chamfer < 1e-6


def test_normals_across_one_another_do_not_agree() -> None:
    """From a square to the same one at a right angle, both through one line."""
    faces = torch.tensor([[0, 1, 2], [0, 2, 3]], dtype=torch.int32)
    corners = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
    level = TriangleMesh(torch.tensor([[x, y, 0.0] for x, y in corners]), faces)
    upright = TriangleMesh(torch.tensor([[x, 0.0, y] for x, y in corners]), faces)
    found = agreement(level, upright)
    assert found.normal_consistency < 1e-6
    assert found.chamfer == pytest.approx(0.5, abs=5e-3)
    assert found.hausdorff == pytest.approx(1.0)


@pytest.mark.parametrize("meaning", ["signed_distance", "occupancy"])
def test_a_field_agrees_with_its_mesh(meaning: str) -> None:
    mesh = TriangleMesh(*globe(100, 200, 0.5))
    found = agreement_with_mesh(Ball(0.5, meaning), mesh, MeshTree(mesh.vertices, mesh.faces))
    assert found["iou"] > 0.995
    assert found["chamfer"] < 1e-3
    assert found["normal_consistency"] > 0.999
    other = agreement_with_mesh(Ball(0.4, meaning), mesh, MeshTree(mesh.vertices, mesh.faces))
    assert other["iou"] == pytest.approx(0.8**3, abs=0.03)  # a standard deviation is 0.008
    assert other["chamfer"] == pytest.approx(0.1, abs=1e-3)


def test_a_field_without_a_surface_has_no_distance() -> None:
    mesh = TriangleMesh(*cube())
    assert agreement_with_mesh(Ball(-1.0), mesh, MeshTree(*cube())) == {"iou": 0.0}
    assert agreement_with_cloud(Ball(-1.0), torch.rand(5, 3)) == {"faces": 0}


def test_a_cloud_agrees_with_its_field() -> None:
    points = torch.nn.functional.normalize(torch.randn(500, 3, generator=generator()), dim=1)
    found = agreement_with_cloud(Ball(0.5), 0.52 * points)
    assert (found["components"], found["watertight"]) == (1, True)
    diagonal = float((0.52 * points).amax(0).sub((0.52 * points).amin(0)).norm())
    assert found["mean_distance"] == pytest.approx(0.02 / diagonal, rel=0.02)


def test_a_placement_and_its_inverse() -> None:
    placement, points = Placement((1.0, 2.0, 3.0), 0.5), torch.tensor([[3.0, 2.0, 1.0]])
    assert placement.to_field(points).tolist() == [[1.0, 0.0, -1.0]]
    assert torch.equal(placement.to_model(placement.to_field(points)), points)
