"""Batches from pictures and shapes, and the losses on them."""

from __future__ import annotations

import math

import pytest
import torch

import isofield as iso
from isofield.engine.fields import ImageField, LearnedField, ShapeField
from isofield.engine.fit import Batch, DistanceLoss, ImageSource, ShapeSource, TorusSource, squared_error


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ball(radius: float = 0.5) -> ShapeField:
    return ShapeField(iso.Scene(show=iso.sphere(radius)), trainable=())


class Cone(LearnedField):
    """slope · |x| - 0.5: a ball's distance where the slope is 1."""

    kind = "cone"

    def __init__(self, slope: float) -> None:
        super().__init__(3, 1, meaning="signed_distance", bounds=((-1.0,) * 3, (1.0,) * 3))
        self.slope = torch.nn.Parameter(torch.tensor(slope))

    def evaluate(self, points: torch.Tensor) -> torch.Tensor:
        return self.slope * points.norm(dim=1, keepdim=True) - 0.5


def test_colours_are_the_pictures() -> None:
    image = ImageField(torch.randint(0, 256, (7, 5, 3)).byte())
    batch = ImageSource(image)(1000, generator())
    assert batch.points.shape == (1000, 2)
    assert 0.0 <= float(batch.points.min()) < 0.01
    assert 0.99 < float(batch.points.max()) <= 1.0
    assert torch.equal(batch.values, image(batch.points))


@pytest.mark.parametrize("source", [ImageSource(ImageField(torch.rand(4, 4, 3))), TorusSource()])
def test_batches_follow_their_generator(source: ImageSource | TorusSource) -> None:
    first, again, other = source(50, generator()), source(50, generator()), source(50, generator(1))
    assert torch.equal(first.points, again.points)
    assert torch.equal(first.values, again.values)
    assert not torch.equal(first.points, other.points)


def test_a_batch_of_a_large_photo_takes_the_memory_of_the_batch() -> None:
    """What PyTorch takes is counted: no tensor may be as large as the photo, let alone as its pixels as floats."""
    pixels = torch.zeros(4000, 4000, 3, dtype=torch.uint8)
    source = ImageSource(ImageField(pixels))
    with torch.profiler.profile(profile_memory=True, activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        source(512, generator())
    largest = max(abs(event.cpu_memory_usage) for event in profile.events())
    assert largest < 2**20 < pixels.nbytes


def test_sources_tell_themselves_apart() -> None:
    one, two = (ImageSource(ImageField(torch.full((2, 2, 3), value, dtype=torch.uint8))) for value in (1, 2))
    assert one.describe() != two.describe()
    near, far = (ShapeSource(ball(), "signed_distance", near=near) for near in (0.5, 0.25))
    assert near.describe() != far.describe()
    assert near.describe() != ShapeSource(ball(0.4), "signed_distance").describe()


def test_the_torus_is_the_scenes() -> None:
    batch = TorusSource()(20_000, generator())
    torus = ShapeField(iso.Scene(show=iso.torus(0.25, 0.15).translate(0.5, 0.5, 0.5)), trainable=())
    distance = torus(batch.points)
    away = distance.abs() > 1e-5
    assert torch.equal(batch.values[away], (distance < 0.0).float()[away])
    volume = 2.0 * math.pi**2 * 0.25 * 0.15**2
    assert float(batch.values.mean()) == pytest.approx(volume, abs=4.0 * math.sqrt(volume / 20_000))


def test_distances_are_the_shapes() -> None:
    source = ShapeSource(ball(), "signed_distance", bounds=((-1.0,) * 3, (1.0,) * 3), gradients=True)
    batch = source(1000, generator())
    assert torch.allclose(batch.values[:, 0], batch.points.norm(dim=1) - 0.5, atol=1e-5)
    assert batch.gradients is not None
    assert torch.allclose(batch.gradients, torch.nn.functional.normalize(batch.points, dim=1), atol=1e-3)
    assert float(batch.points.abs().max()) <= 1.0


def test_so_many_points_lie_near_the_surface() -> None:
    for near, least, most in ((0.0, 0.0, 0.15), (0.25, 0.25, 0.4), (1.0, 0.95, 1.0)):
        source = ShapeSource(ball(), "signed_distance", bounds=((-1.0,) * 3, (1.0,) * 3), near=near)
        batch = source(4000, generator())
        close = float((batch.values.abs() < 3.0 * 0.01 * source.diagonal).float().mean())
        assert least - 0.02 <= close <= most + 0.05, near


def test_every_part_of_a_draw_is_like_the_whole() -> None:
    """The loop cuts a draw into batches: each has its share of points near the surface, close to it and less so."""
    source = ShapeSource(ball(), "signed_distance", bounds=((-4.0,) * 3, (4.0,) * 3), near=0.75)
    away = source(4096, generator()).values[:, 0].abs() / source.diagonal
    for some in away.split(512):
        assert float((some < 0.04).float().mean()) == pytest.approx(0.75, abs=0.04)
        assert float((some < 0.004).float().mean()) == pytest.approx(0.75 * (0.5 * 0.954 + 0.5 * 0.311), abs=0.09)


def test_points_near_the_surface_are_on_all_of_it() -> None:
    source = ShapeSource(ball(), "signed_distance", near=1.0)
    octants = (source.surface > 0.0).float() @ torch.tensor([1.0, 2.0, 4.0])
    counts = torch.bincount(octants.long(), minlength=8) / len(source.surface)
    assert torch.allclose(counts, torch.full((8,), 0.125), atol=0.02)
    assert float((source.surface.norm(dim=1) - 0.5).abs().max()) < 1e-3


def test_a_surface_is_found_under_bounds_of_distance() -> None:
    """A smooth union and an ellipsoid only promise bounds, so the walk down takes steps that are too short."""
    shape = iso.union(iso.ellipsoid((1.6, 0.4, 0.4)), iso.box(0.5).translate(0.0, 0.3, 0.0), smooth=0.2)
    source = ShapeSource(ShapeField(iso.Scene(show=shape), trainable=()), "signed_distance")
    assert len(source.surface) > 10_000


def test_points_near_the_surface_lie_as_densely_everywhere() -> None:
    """On a cube every face has a sixth of them, and few lie at its edges."""
    source = ShapeSource(ShapeField(iso.Scene(show=iso.box(1.0)), trainable=()), "signed_distance", near=1.0)
    outermost, axis = source.surface.abs().max(dim=1)
    face = 2 * axis + (source.surface.gather(1, axis[:, None])[:, 0] > 0.0)
    counts = torch.bincount(face, minlength=6) / len(source.surface)
    assert torch.allclose(counts, torch.full((6,), 1 / 6), atol=0.02)
    assert torch.allclose(outermost, torch.tensor(0.5), atol=1e-3)
    at_edges = (source.surface.abs() > 0.49).sum(dim=1) > 1
    assert float(at_edges.float().mean()) == pytest.approx(1.0 - 0.98**2, abs=0.006)


def test_occupancy_is_inside() -> None:
    batch = ShapeSource(ball(), "occupancy")(1000, generator())
    assert set(batch.values.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(batch.values[:, 0] == 1.0, batch.points.norm(dim=1) < 0.5)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"target": "colour"}, "target: expected signed_distance or occupancy, got 'colour'"),
        ({"target": "occupancy", "near": 1.5}, "near: expected a number from 0 to 1, got 1.5"),
        (
            {"target": "occupancy", "bounds": ((2.0,) * 3, (3.0,) * 3)},
            "shape: expected a surface within .*, found none",
        ),
    ],
)
def test_what_cannot_be_drawn_is_named(options: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        ShapeSource(ball(), **options)  # type: ignore[arg-type]


def test_squared_error_is_the_mean() -> None:
    batch = Batch(torch.tensor([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]]), torch.tensor([[0.0], [2.0]]))
    assert float(squared_error(Cone(1.0), batch).detach()) == pytest.approx((0.25 + 0.25) / 2)


def test_terms_of_the_loss_on_distances() -> None:
    """|∇f| is the slope 1.5; f differs by (slope - 1) |x|, and ∇f from the truth by slope - 1."""
    points = torch.tensor([[0.6, 0.8, 0.0], [0.0, 0.0, -2.0]])
    batch = Batch(points, points.norm(dim=1, keepdim=True) - 0.5, torch.nn.functional.normalize(points, dim=1))
    parts = {"value": 0.75, "eikonal": 0.25, "normals": 0.25}
    for eikonal, normals in ((0.0, 0.0), (2.0, 0.0), (0.0, 3.0), (2.0, 3.0)):
        wanted = parts["value"] + eikonal * parts["eikonal"] + normals * parts["normals"]
        cone = Cone(1.5)
        loss = DistanceLoss(eikonal, normals)(cone, batch)
        assert float(loss.detach()) == pytest.approx(wanted, rel=1e-6)
        (slope,) = torch.autograd.grad(loss, list(cone.parameters()))
        assert float(slope) == pytest.approx(1.5 + eikonal * 2 * 0.5 + normals * 2 * 0.5, rel=1e-5)


def test_normals_need_gradients() -> None:
    batch = Batch(torch.rand(3, 3), torch.rand(3, 1))
    with pytest.raises(ValueError, match="normals: expected 0 for batches without gradients"):
        DistanceLoss(0.0, 1.0)(Cone(1.0), batch)
