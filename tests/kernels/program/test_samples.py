"""Bricks against what they were sampled from, and the promises that make them safe to trace."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from isofield.kernels import Program, distance
from isofield.kernels.formulas.sample_block import HEADER_SIZE
from isofield.kernels.program.operations import OPERATION_NUMBERS
from isofield.kernels.program.samples import SampleBlock, sample_block_of

LOW, HIGH = (-1.0, -0.8, -0.9), (1.0, 1.1, 0.9)

Function = Callable[[torch.Tensor], torch.Tensor]


def ball(points: torch.Tensor) -> torch.Tensor:
    return points.norm(dim=-1) - 0.5


def cube(points: torch.Tensor) -> torch.Tensor:
    over = points.abs() - 0.4
    return over.clamp(min=0.0).norm(dim=-1) + over.amax(dim=-1).clamp(max=0.0)


def steep(points: torch.Tensor) -> torch.Tensor:
    return 3.0 * ball(points) * (1.0 + 0.3 * torch.sin(9.0 * points[..., 0]))


def steep_far_away(points: torch.Tensor) -> torch.Tensor:
    return ball(points) + 4.0 * (ball(points) - 0.8).clamp(min=0.0)


def sampled(function: Function, *nodes: int) -> SampleBlock:
    axes = [torch.linspace(a, b, n) for a, b, n in zip(LOW, HIGH, nodes, strict=True)]
    return sample_block_of(function(torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)), LOW, HIGH)


def points_within(count: int, scale: float = 1.0) -> torch.Tensor:
    random = torch.Generator().manual_seed(0)
    low, high = torch.tensor(LOW, dtype=torch.float64), torch.tensor(HIGH, dtype=torch.float64)
    unit = torch.rand(count, 3, generator=random, dtype=torch.float64)
    return torch.lerp(low, high, 0.5 + scale * (unit - 0.5))


def test_a_plane_is_interpolated_exactly_wherever_it_lies() -> None:
    """Trilinear interpolation is exact for functions that are linear, in bricks, in cells without, and in between."""
    bricks = sampled(lambda points: points @ torch.tensor([0.48, 0.6, 0.64]) - 0.1, 65, 65, 65)
    assert 0 < bricks.count < 8**3
    points = points_within(5000)
    wanted = points @ torch.tensor([0.48, 0.6, 0.64], dtype=torch.float64) - 0.1
    # Where the shape meets the bounds it is cut off, and the nearest face decides.
    faces = torch.maximum(points - torch.tensor(HIGH), torch.tensor(LOW) - points).amax(dim=1)
    away = wanted > faces + 1e-6
    torch.testing.assert_close(bricks.value(points)[away], wanted[away], atol=1e-4, rtol=0)
    assert bricks.slopes[0] == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("nodes", [(33, 33, 33), (20, 31, 42), (3, 9, 17)])
def test_nodes_near_the_surface_keep_their_values(nodes: tuple[int, int, int]) -> None:
    bricks = sampled(ball, *nodes)
    axes = [torch.linspace(a, b, n) for a, b, n in zip(LOW, HIGH, nodes, strict=True)]
    points = torch.cartesian_prod(*axes)
    wanted = ball(points)
    near = (wanted.abs() < 2.0 * bricks.voxel) & (points.abs() < 0.7).all(dim=1)  # within the cell, and a neighbour
    found = bricks.value(points)
    scaled = torch.where(found > 0.0, found * bricks.slopes[0], found * bricks.slopes[1])
    assert near.sum() > 5
    torch.testing.assert_close(scaled[near], wanted[near], atol=1e-4, rtol=1e-4)


def test_error_falls_with_the_square_of_the_voxel() -> None:
    points = torch.nn.functional.normalize(points_within(5000), dim=1) * 0.5
    errors = [float(sampled(ball, n, n, n).value(points).abs().max()) for n in (17, 33, 65)]
    assert errors[1] < errors[0] / 3.0
    assert errors[2] < errors[1] / 3.0
    voxel = 1.9 / 64
    assert errors[2] < voxel**2 / 8.0 * 2.0 / 0.5  # h² / 8 for each of the two curvatures 1 / r


@pytest.mark.parametrize("function", [ball, cube, steep, steep_far_away])
@pytest.mark.parametrize("nodes", [(65, 65, 65), (20, 31, 42)])
def test_slopes_are_at_most_one_everywhere(function: Function, nodes: tuple[int, int, int]) -> None:
    bricks = sampled(function, *nodes)
    points = points_within(20_000, 2.0).requires_grad_()
    values = bricks.value(points)
    (gradient,) = torch.autograd.grad(values.sum(), points)
    assert gradient.norm(dim=1).max() <= 1.0 + 1e-9
    # Also from point to point: there is no jump between cells, at the bounds, or beyond.
    random = torch.Generator().manual_seed(1)
    reach = 10.0 ** (-5.0 * torch.rand(len(points), 1, generator=random, dtype=torch.float64))
    others = points.detach() + reach * torch.randn(len(points), 3, generator=random, dtype=torch.float64)
    assert ((bricks.value(others) - values).abs() - (others - points).norm(dim=1)).max() <= 1e-9


def test_far_away_the_value_is_nearly_the_distance() -> None:
    bricks = sampled(ball, 33, 33, 33)
    points = torch.tensor([[100.0, 0.0, 0.0], [0.0, 0.0, -40.0]])
    torch.testing.assert_close(bricks.value(points), ball(points), atol=0.5, rtol=0)
    assert bool((bricks.value(points) <= ball(points)).all())


def test_what_reaches_the_bounds_is_cut_off_there() -> None:
    bricks = sampled(lambda points: points.norm(dim=-1) - 5.0, 17, 17, 17)
    found = bricks.value(torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 0.8], [0.0, 0.0, 0.9], [0.0, 0.0, 1.4]]))
    torch.testing.assert_close(found, torch.tensor([-0.8, -0.1, 0.0, 0.5]), atol=1e-5, rtol=0)
    assert bricks.low == pytest.approx(LOW)
    assert bricks.high == pytest.approx(HIGH)


def test_nan_points_are_no_place() -> None:
    found = sampled(ball, 9, 9, 9).value(torch.tensor([[torch.nan, 0.0, 0.0], [0.0, 0.0, 0.0]]))
    assert found[1] < 0.0  # and the first read nothing outside the data


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (torch.full((9, 9, 9), torch.nan), "expected finite numbers, got nan at \\(0, 0, 0\\)"),
        (torch.full((9, 9, 9), torch.inf), "expected finite numbers, got inf at \\(0, 0, 0\\)"),
        (torch.linspace(-1e38, 1e38, 729).reshape(9, 9, 9), "expected a slope below 1e\\+15 between nodes, got inf"),
        (torch.ones(9, 9, 9), "expected some below 0, inside the shape; the smallest is 1"),
        (-torch.ones(1, 9, 9), "expected at least 2 nodes along each of 3 axes"),
        (-torch.ones(9, 9), "expected at least 2 nodes along each of 3 axes"),
    ],
)
def test_wrong_values_are_named(values: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=f"values: {message}"):
        sample_block_of(values, LOW, HIGH)


def program_of(data: torch.Tensor, start: int = 3) -> Program:
    """A program of one row that reads samples from `start` on, behind its three numbers."""
    rows = torch.tensor([[OPERATION_NUMBERS["samples"], 0, 0, 0, 0, 0, 0, start, 0, 0]], dtype=torch.int32)
    return Program(rows, torch.tensor([1.0, 0.0, 0.0]), torch.zeros(1, 8), ("it",), data=data)


def test_a_program_reads_only_whole_blocks() -> None:
    bricks = sampled(ball, 17, 17, 17)
    points = points_within(1000).float()
    torch.testing.assert_close(distance(program_of(bricks.data), points), bricks.value(points), atol=1e-5, rtol=0)
    wrong = bricks.data.clone()
    wrong[HEADER_SIZE] = 1000.0  # a brick that is not there
    for data, start in ((bricks.data[:-1], 3), (bricks.data, 2), (bricks.data, 4), (torch.empty(0), 3), (wrong, 3)):
        with pytest.raises(ValueError, match="rows: row 0 reads samples where no whole block of them stands"):
            program_of(data, start)
