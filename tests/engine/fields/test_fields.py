"""What single kinds of fields promise beyond the contract."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import isofield as iso
from isofield.engine.fields import (
    MLP,
    Grid,
    GroundPlan,
    HashGrid,
    HybridGrid,
    ImageField,
    ShapeField,
    Siren,
    occupancy_of,
    picture_points,
    sample_picture,
)
from isofield.engine.fit import PRESETS, make_field


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("mlp", 17_283), ("encoded_mlp", 20_099), ("siren", 198_915), ("grid", 3_267), ("hybrid_grid", 152_003),
    ],
)  # fmt: skip
def test_presets_have_the_sizes_of_the_comparison(name: str, parameters: int) -> None:
    assert make_field(name, 2, 3, meaning="colour").parameter_count == parameters  # type: ignore[arg-type]


def test_the_ground_plan_has_its_size_and_three_dimensions() -> None:
    assert make_field("ground_plan", 3, 1, meaning="occupancy").parameter_count == 554_305
    with pytest.raises(ValueError, match="field: ground_plan takes points of 3 dimensions, these have 2"):
        make_field("ground_plan", 2, 3, meaning="colour")


def test_presets_begin_from_their_seed_and_leave_the_callers() -> None:
    for name, preset in PRESETS.items():
        dimensions = preset.only or 2
        torch.manual_seed(5)
        before = torch.get_rng_state()
        first, again, other = (make_field(name, dimensions, 1, meaning="raw", seed=seed) for seed in (1, 1, 2))
        assert torch.equal(torch.get_rng_state(), before)
        pairs = list(zip(first.parameters(), again.parameters(), other.parameters(), strict=True))
        assert all(torch.equal(a, b) for a, b, _ in pairs)
        assert name == "grid" or not all(torch.equal(a, c) for a, _, c in pairs)  # a grid begins at 0


def test_sizes_of_a_preset_can_be_changed() -> None:
    field = make_field("mlp", 2, 3, meaning="colour", width=7)
    assert field.configuration()["width"] == 7


def test_values_of_siren_are_spread_alike_in_every_layer() -> None:
    """Sines of the first layer are arcsine distributed, ½ mean square, and every layer keeps that (theorem 1.8)."""
    torch.manual_seed(0)
    field = Siren(2, 1, width=1024, layers=3)
    values = 2.0 * torch.rand(4096, 2) - 1.0
    *hidden, last = field.linear
    for layer in hidden:
        values = torch.sin(30.0 * layer(values))
        assert float(values.detach().square().mean()) == pytest.approx(0.5, abs=0.05)
    assert float(last.weight.detach().abs().max()) <= math.sqrt(6.0 / 1024) / 30.0


def test_siren_takes_the_bounds_as_minus_one_to_one() -> None:
    field = Siren(1, 1, width=1, layers=0, omega=1.0, bounds=((-3.0,), (5.0,)))
    with torch.no_grad():
        for layer in field.linear:
            layer.weight.fill_(1.0)
            layer.bias.zero_()
    points = torch.tensor([[-3.0], [1.0], [3.0], [5.0]])
    assert field(points)[:, 0].tolist() == pytest.approx([math.sin(x) for x in (-1.0, 0.0, 0.5, 1.0)])


def test_grid_nodes_span_the_bounds() -> None:
    field = Grid(2, 1, nodes=3, bounds=((0.0, 10.0), (2.0, 14.0)))
    with torch.no_grad():
        field.values[..., 0] = torch.tensor([[0.0, 1.0, 2.0], [10.0, 11.0, 12.0], [20.0, 21.0, 22.0]])
    points = torch.tensor([[0.0, 10.0], [1.0, 12.0], [2.0, 14.0], [0.5, 11.0], [-9.0, 99.0]])
    assert field(points)[:, 0].tolist() == pytest.approx([0.0, 11.0, 22.0, 5.5, 2.0])


def test_the_encoding_repeats_with_the_bounds() -> None:
    field = MLP(2, 3, octaves=3, width=8, bounds=((-1.0, -1.0), (1.0, 3.0)))
    points = torch.rand(20, 2)
    assert torch.allclose(field(points), field(points + torch.tensor([2.0, -4.0])), atol=1e-4)


def test_the_ground_plan_knows_height_by_its_encoding_alone() -> None:
    field = GroundPlan(3, 1, nodes=4, features=4, octaves=2, width=8)
    points = torch.rand(20, 3)
    assert torch.allclose(field(points), field(points + torch.tensor([0.0, 0.0, 1.0])), atol=1e-5)
    assert not torch.allclose(field(points), field(points + torch.tensor([0.0, 0.0, 0.3])), atol=1e-5)
    beyond = points.clone()
    beyond[:, 0] = 7.0
    border = points.clone()
    border[:, 0] = 1.0
    assert torch.allclose(field(beyond), field(border))


def test_levels_of_a_hash_grid_can_be_switched_off() -> None:
    field = HashGrid(2, 1, levels=4, base=2, finest=16, entries=64, width=8)
    with torch.no_grad():
        field.table.normal_()
    points = torch.rand(20, 2)
    whole = field(points)
    field.active = 0.0
    assert torch.allclose(field(points), field(points[:1]).expand(20, 1))
    field.active = 4.0
    assert torch.equal(field(points), whole)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: MLP(0, 3), "dimensions: expected a whole number from 1 to 3, got 0"),
        (lambda: MLP(4, 3), "dimensions: expected a whole number from 1 to 3, got 4"),
        (lambda: MLP(2, 0), "channels: expected"),
        (lambda: MLP(2, 3, meaning="occupancy"), "channels: expected 1 for occupancy, got 3"),
        (lambda: MLP(2, 3, meaning="red"), "meaning: expected one of signed_distance, occupancy, colour"),
        (lambda: MLP(2, 3, bounds=((0, 0, 0), (1, 1, 1))), "bounds: expected corners of 2 coordinates"),
        (lambda: MLP(2, 3, bounds=((0, 0), (1, math.inf))), "bounds: expected finite corners"),
        (lambda: MLP(2, 3, octaves=25), "octaves: expected a whole number from 0 to 24"),
        (lambda: Siren(2, 3, omega=0), "omega: expected a number from"),
        (lambda: Grid(1, 3), "dimensions: expected a whole number from 2 to 3"),
        (lambda: Grid(3, 4, nodes=65536), "nodes: expected at most 2\\^31 - 1 numbers"),
        (lambda: HybridGrid(2, 3, features=0), "features: expected"),
        (lambda: GroundPlan(2, 3), "dimensions: expected 3 for a ground plan, got 2"),
        (lambda: HashGrid(1, 3), "dimensions: expected 2 or 3"),
        (lambda: HashGrid(2, 3, levels=65), "levels: expected a whole number from 1 to 64"),
        (lambda: ImageField(torch.zeros(3, 4)), r"pixels: expected shape \(H, W, C\), got \(3, 4\)"),
        (lambda: ImageField(torch.zeros(0, 4, 3)), r"pixels: expected shape \(H, W, C\), got \(0, 4, 3\)"),
        (lambda: occupancy_of(MLP(3, 1), 3.0), "field: expected one that means signed_distance, got raw"),
    ],
)
def test_arguments_out_of_range_are_named(make: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()  # type: ignore[operator]


def test_pixels_of_other_numbers_are_refused() -> None:
    with pytest.raises(TypeError, match=r"pixels: expected uint8 or float32, got torch\.int64"):
        ImageField(torch.zeros(2, 2, 3, dtype=torch.long))


# Pictures


def test_a_picture_at_its_own_size_is_itself() -> None:
    pixels = torch.randint(0, 256, (37, 61, 3)).byte()
    sampled = sample_picture(ImageField(pixels), 61, 37)
    assert float((sampled * 255.0 - pixels).abs().max()) < 1e-3


def test_a_picture_is_grid_sample_with_corners_aligned() -> None:
    pixels = torch.rand(9, 13, 3)
    points = 1.4 * torch.rand(500, 2) - 0.2
    wanted = torch.nn.functional.grid_sample(
        pixels.permute(2, 0, 1)[None], (2.0 * points - 1.0)[None, None], padding_mode="border", align_corners=True
    )[0, :, 0].T
    assert torch.allclose(ImageField(pixels)(points), wanted, atol=1e-5)


def test_picture_x_is_right_and_y_is_down() -> None:
    pixels = torch.arange(6.0).reshape(2, 3, 1) / 10.0
    corners = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.25, 0.0]])
    assert ImageField(pixels)(corners)[:, 0].tolist() == pytest.approx([0.0, 0.2, 0.3, 0.5, 0.05])


def test_picture_points_are_the_pixels_places() -> None:
    points = picture_points(3, 2)
    assert points.tolist() == [[0.0, 0.0], [0.5, 0.0], [1.0, 0.0], [0.0, 1.0], [0.5, 1.0], [1.0, 1.0]]
    assert picture_points(1, 1).tolist() == [[0.5, 0.5]]
    assert torch.equal(picture_points(4, 9, range(3, 5)), picture_points(4, 9)[12:20])


def test_large_pictures_are_sampled_in_bands() -> None:
    largest = 0

    class Counting(ImageField):
        def evaluate(self, points: torch.Tensor) -> torch.Tensor:
            nonlocal largest
            largest = max(largest, len(points))
            return super().evaluate(points)

    pixels = torch.randint(0, 256, (5, 4, 3)).byte()
    sampled = sample_picture(Counting(pixels), 700, 500)
    assert largest <= 2**16
    corners = sampled[[0, 0, -1, -1], [0, -1, 0, -1]] * 255.0
    assert np.allclose(corners, pixels[[0, 0, -1, -1], [0, -1, 0, -1]], atol=1e-3)


def test_only_flat_fields_are_pictures() -> None:
    with pytest.raises(ValueError, match="field: expected one of 2 dimensions, got 3"):
        sample_picture(MLP(3, 3), 4, 4)


# Shapes


def test_a_shape_is_its_distance() -> None:
    field = ShapeField(iso.Scene(show=iso.sphere(0.5).translate(1, 0, 0), stage=[iso.plane()]), trainable=())
    assert field(torch.tensor([[1.0, 0.0, 0.0], [3.0, 0.0, 0.0]]))[:, 0].tolist() == pytest.approx([-0.5, 1.5])
    low, high = field.bounds
    assert all(a <= c - 0.5 and b >= c + 0.5 for a, b, c in zip(low, high, (1.0, 0.0, 0.0), strict=True))


def test_bounds_of_a_shape_are_its_scenes() -> None:
    given = iso.Scene(show=iso.gyroid(), bounds=((-1, -2, -3), (1, 2, 4)))
    assert ShapeField(given, trainable=()).bounds == ((-1.0, -2.0, -3.0), (1.0, 2.0, 4.0))
    assert ShapeField(iso.Scene(show=iso.gyroid()), trainable=()).bounds == ((-1.0,) * 3, (1.0,) * 3)


def test_occupancy_is_half_on_the_surface_and_one_inside() -> None:
    field = occupancy_of(ShapeField(iso.Scene(show=iso.sphere(0.5)), trainable=()), 40.0)
    points = torch.tensor([[0.5, 0.0, 0.0], [0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.5 + math.log(3.0) / 40.0, 0.0, 0.0]])
    assert field(points)[:, 0].tolist() == pytest.approx([0.5, 1.0, 0.0, 0.25], abs=1e-4)
