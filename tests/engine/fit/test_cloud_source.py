"""Fits to clouds of points: what is drawn, how the field begins, the loss, and clouds that have no inside."""

from __future__ import annotations

import pytest
import torch
from twins.meshes import globe

from isofield.engine.fields import LearnedField
from isofield.engine.files import PointCloud
from isofield.engine.fit import CloudLoss, CloudSource, FitSettings, ball_field, cleaned, fit, placed_cloud
from isofield.engine.fit.agreement import agreement_with_cloud
from isofield.engine.fit.cloud_source import CloudBatch

BOUNDS = ((-1.0,) * 3, (1.0,) * 3)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sphere(count: int, radius: float = 0.8) -> torch.Tensor:
    return radius * torch.nn.functional.normalize(torch.randn(count, 3, generator=generator()), dim=1)


class Cone(LearnedField):
    """slope · |x| - 0.5."""

    kind = "cone"

    def __init__(self, slope: float) -> None:
        super().__init__(3, 1, meaning="signed_distance", bounds=BOUNDS)
        self.slope = torch.nn.Parameter(torch.tensor(slope))

    def evaluate(self, points: torch.Tensor) -> torch.Tensor:
        return self.slope * points.norm(dim=1, keepdim=True) - 0.5


def test_a_batch_has_points_of_the_cloud_near_it_and_anywhere() -> None:
    cloud = PointCloud(sphere(2000), torch.nn.functional.normalize(sphere(2000), dim=1))
    source = CloudSource(cloud, BOUNDS)
    batch = source(5000, generator())
    assert torch.allclose(batch.points.norm(dim=1), torch.tensor(0.8))
    assert batch.normals is not None
    assert torch.allclose(0.8 * batch.normals, batch.points, atol=1e-6)
    offsets = (batch.near - batch.points).norm(dim=1)
    assert float(offsets.square().mean().sqrt()) == pytest.approx(3**0.5 * source.deviation, rel=0.2)
    assert float(batch.anywhere.abs().max()) <= 1.0
    assert float(batch.anywhere.std()) == pytest.approx(3**-0.5, abs=0.02)
    assert torch.equal(source(5, generator()).near, source(5, generator()).near)
    assert source.describe() != CloudSource(PointCloud(cloud.points), BOUNDS).describe()


def test_the_deviation_is_the_distance_of_the_fiftieth_neighbour() -> None:
    """A cap of a sphere that holds 50 of 2000 points has the chord 2 r √(50 / 2000)."""
    assert CloudSource(PointCloud(sphere(2000)), BOUNDS).deviation == pytest.approx(
        2.0 * 0.8 * (50 / 2000) ** 0.5, rel=0.1
    )
    assert CloudSource(PointCloud(sphere(4)), BOUNDS).deviation > 0.5


def test_a_field_begins_as_a_ball() -> None:
    field = ball_field(BOUNDS)
    points = 2.0 * torch.rand(2000, 3, generator=generator()) - 1.0
    with torch.no_grad():
        values = field(points)[:, 0]
    inside, outside = points.norm(dim=1) < 0.25, points.norm(dim=1) > 0.85
    assert bool((values[inside] < 0.0).all())
    assert bool((values[outside] > 0.0).all())
    assert torch.corrcoef(torch.stack([values, points.norm(dim=1)]))[0, 1] > 0.85  # 0.89 with this seed


def test_terms_of_the_loss() -> None:
    points = torch.tensor([[0.6, 0.8, 0.0]])
    far = torch.tensor([[0.0, 0.0, -1.0]])
    normals = torch.nn.functional.normalize(points, dim=1)
    for eikonal, off, weight in ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)):
        loss = CloudLoss(eikonal, off, weight)(Cone(1.5), CloudBatch(points, normals, points, far))
        wanted = 1.0 + 0.25 * eikonal + 0.0 * off + 0.5 * weight  # exp(-100 · 1) is nothing
        assert float(loss.detach()) == pytest.approx(wanted, rel=1e-5)
    on_it = CloudBatch(points, None, points, 0.5 * far)
    assert float(CloudLoss(0.0, 1.0, 1.0)(Cone(1.0), on_it).detach()) == pytest.approx(0.5 + 1.0)


@pytest.mark.parametrize("oriented", [False, True])
def test_a_sphere_is_found_from_its_points(oriented: bool) -> None:
    points = sphere(1000)
    cloud = PointCloud(points, torch.nn.functional.normalize(points, dim=1) if oriented else None)
    field = ball_field(BOUNDS, width=32, layers=2)
    fit(field, CloudSource(cloud, BOUNDS), FitSettings(steps=150, batch=128), loss=CloudLoss())
    found = agreement_with_cloud(field, points)
    assert (found["components"], found["watertight"]) == (1, True)
    assert found["mean_distance"] < 0.01
    with torch.no_grad():
        assert float(field(torch.zeros(1, 3))) < 0.0


def test_a_cloud_is_moved_into_the_unit_box_and_back() -> None:
    points = 50.0 * globe(10, 10)[0] + torch.tensor([1e3, 0.0, -1e3])
    moved, placement, bounds = placed_cloud(PointCloud(points))
    assert bounds == BOUNDS
    assert float(moved.points.abs().max()) == pytest.approx(1.0 / 1.2, rel=1e-4)
    assert torch.allclose(placement.to_model(moved.points), points, atol=1e-3)


def test_strays_are_left_out() -> None:
    points = torch.cat([sphere(100), torch.tensor([[1e9, 0.0, 0.0], [0.0, -50.0, 0.0]])])
    kept, strays = cleaned(PointCloud(points, points))
    assert strays == 2
    assert torch.equal(kept.points, points[:100])
    assert kept.normals is not None
    assert len(kept.normals) == 100


@pytest.mark.parametrize(
    ("points", "told"),
    [
        (torch.empty(0, 3), "cloud: expected at least 4 points, got 0"),
        (torch.zeros(1, 3), "cloud: expected at least 4 points, got 1"),
        (torch.eye(3), "cloud: expected at least 4 points, got 3"),
        (torch.ones(9, 3), "points of one plane, line or place"),
        (torch.arange(9.0)[:, None].expand(9, 3), "points of one plane, line or place"),
        (sphere(50) * torch.tensor([1.0, 1.0, 0.0]) + 3.0, "points of one plane, line or place"),
    ],
)
def test_clouds_without_an_inside(points: torch.Tensor, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        cleaned(PointCloud(points))
