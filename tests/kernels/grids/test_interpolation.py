"""Interpolation on grids: against PyTorch's grid_sample and a twin, derivatives twice, awkward points and arguments."""

from __future__ import annotations

import itertools
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor
from twins.interpolate import interpolate_twin

from isofield.kernels import interpolate
from isofield.kernels.grids import linear_maps as device

SETTINGS = list(itertools.product(("border", "zeros"), (True, False)))
MANY = device.FEW_POINTS + 1000  # points are sorted from here on


def grid_sample(values: Tensor, points: Tensor, *, boundary: str, align_corners: bool) -> Tensor:
    """PyTorch's: channels first, coordinates in [-1, 1], the last axis first."""
    dimensions = points.shape[1]
    at = (2 * points.flip(-1) - 1).reshape(1, *[1] * (dimensions - 1), len(points), dimensions)
    sampled = torch.nn.functional.grid_sample(
        values.movedim(-1, 0)[None], at, padding_mode=boundary, align_corners=align_corners
    )
    return sampled.reshape(values.shape[-1], len(points)).T


def some(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """Normal numbers."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def places(count: int, dimensions: int, seed: int = 1, dtype: torch.dtype = torch.float64) -> Tensor:
    """Points within and somewhat around the unit cube."""
    generator = torch.Generator().manual_seed(seed)
    return 1.5 * torch.rand(count, dimensions, generator=generator, dtype=dtype) - 0.25


def away_from_nodes(points: Tensor, sizes: tuple[int, ...], align_corners: bool) -> Tensor:
    """The points moved so that along each axis they lie between 0.1 and 0.9 of a cell, where there is a derivative."""
    count = torch.tensor(sizes, dtype=points.dtype)
    scale, shift = (count - 1, 0.0) if align_corners else (count, 0.5)
    position = points * scale - shift
    return (position.floor() + 0.1 + 0.8 * (position - position.floor()) + shift) / scale


@pytest.mark.parametrize("shape", [(1, 5, 4, 2), (1, 7, 3)])
def test_many_sorted_points_of_flat_grids(shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes are read ahead of the points only as far as there are some."""
    monkeypatch.setattr(device, "CACHED_BYTES", 0)
    values, points = some(*shape).requires_grad_(), places(MANY, len(shape) - 1).requires_grad_()
    found = []
    for function in (interpolate, interpolate_twin):
        result = function(values, points)
        found.append((result, *torch.autograd.grad(result.square().sum(), (values, points))))
    torch.testing.assert_close(*found, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize(("boundary", "align_corners"), SETTINGS)
@pytest.mark.parametrize("shape", [(5, 4, 3), (4, 3, 5, 2)])
@pytest.mark.parametrize("count", [50, MANY])
def test_values_and_gradients_are_those_of_grid_sample(
    boundary: Any, align_corners: bool, shape: tuple[int, ...], count: int
) -> None:
    values, points = some(*shape).requires_grad_(), places(count, len(shape) - 1).requires_grad_()
    upstream = some(count, shape[-1], seed=2)
    options: dict[str, Any] = {"boundary": boundary, "align_corners": align_corners}
    ours, theirs = interpolate(values, points, **options), grid_sample(values, points, **options)
    assert torch.allclose(ours, theirs, atol=1e-12)
    assert torch.allclose(ours, interpolate_twin(values, points, **options), atol=1e-12)
    for got, expected in zip(
        torch.autograd.grad(ours, (values, points), upstream),
        torch.autograd.grad(theirs, (values, points), upstream),
        strict=True,
    ):
        assert torch.allclose(got, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("channels", [1, 2, 3, 5, 8, 16, 24, 34, 128])
@pytest.mark.parametrize("count", [20, MANY])
def test_any_number_of_channels_in_single_precision(channels: int, count: int) -> None:
    values, points = (
        some(9, 8, channels, dtype=torch.float32).requires_grad_(),
        places(count, 2, dtype=torch.float32).requires_grad_(),
    )
    upstream = some(count, channels, seed=2, dtype=torch.float32)
    exact_values, exact_points = (tensor.detach().double().requires_grad_() for tensor in (values, points))
    exact = interpolate_twin(exact_values, exact_points)
    ours = interpolate(values, points)
    assert ours.dtype == torch.float32
    assert torch.allclose(ours.double(), exact, atol=1e-4)
    got = torch.autograd.grad(ours, (values, points), upstream)
    expected = torch.autograd.grad(exact, (exact_values, exact_points), upstream.double())
    assert torch.allclose(got[0].double(), expected[0], atol=1e-5 * count)
    assert float((got[1].double() - expected[1]).norm() / expected[1].norm()) < 1e-5


@pytest.mark.parametrize("first", [1, 2, 3, 8, 9, 40, 131])  # nodes along the first axis: planes, shared by slabs
@pytest.mark.parametrize("rest", [(5, 3), (4, 3, 24), (3, 4, 1)])
def test_gradients_need_no_clean_memory(first: int, rest: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = device.memory.empty
    monkeypatch.setattr(device, "CACHED_BYTES", 0)
    monkeypatch.setattr(device.memory, "empty", lambda *shape, **like: fresh(*shape, **like).fill_(torch.nan))
    values, points = some(first, *rest).requires_grad_(), places(MANY, len(rest))
    (got,) = torch.autograd.grad(interpolate(values, points).square().sum(), values)
    (expected,) = torch.autograd.grad(interpolate_twin(values, points).square().sum(), values)
    assert torch.allclose(got, expected, atol=1e-9)


def test_large_grids_are_read_in_the_order_of_their_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    values, points = some(30, 20, 25, 3), places(MANY, 3)
    direct = interpolate(values, points)
    monkeypatch.setattr(device, "CACHED_BYTES", 0)
    assert torch.equal(interpolate(values, points), direct)
    leaves = values.requires_grad_(), points.requires_grad_()
    upstream = some(MANY, 3, seed=2)
    got = torch.autograd.grad(interpolate(*leaves), leaves, upstream)
    expected = torch.autograd.grad(interpolate_twin(*leaves), leaves, upstream)
    assert torch.allclose(got[0], expected[0], atol=1e-10)
    assert torch.allclose(got[1], expected[1], atol=1e-10)


@pytest.mark.parametrize(("boundary", "align_corners"), SETTINGS)
@pytest.mark.parametrize("shape", [(4, 3, 2), (3, 4, 3, 2)])
def test_first_and_second_derivatives(boundary: Any, align_corners: bool, shape: tuple[int, ...]) -> None:
    values = some(*shape).requires_grad_()
    points = away_from_nodes(places(6, len(shape) - 1), shape[:-1], align_corners).requires_grad_()

    def through(values: Tensor, points: Tensor) -> Tensor:
        result: Tensor = interpolate(values, points, boundary=boundary, align_corners=align_corners)
        return result

    assert torch.autograd.gradcheck(through, (values, points))
    assert torch.autograd.gradgradcheck(through, (values, points))


@pytest.mark.parametrize("dimensions", [2, 3])
def test_second_derivatives_of_many_points_are_the_twins(dimensions: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loss on the gradient to the points, as an eikonal term has it, with points in the order of cells."""
    monkeypatch.setattr(device, "CACHED_BYTES", 0)
    sizes = (7, 6, 5)[:dimensions]
    values = some(*sizes, 2).requires_grad_()
    points = away_from_nodes(places(MANY, dimensions), sizes, True).requires_grad_()
    found = []
    for function in (interpolate, interpolate_twin):
        (slopes,) = torch.autograd.grad(function(values, points).square().sum(), points, create_graph=True)
        found.append(torch.autograd.grad(slopes.square().sum(), (values, points)))
    for got, expected in zip(*found, strict=True):
        assert torch.allclose(got, expected, rtol=1e-9, atol=1e-7)


def test_the_second_derivative_of_one_cell() -> None:
    """x y on the unit square: ∂²/∂x∂y is 1, ∂²/∂x² is 0."""
    values = torch.tensor([[[0.0], [0.0]], [[0.0], [1.0]]], dtype=torch.float64)
    point = torch.tensor([[0.25, 0.75]], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(interpolate(values, point).sum(), point, create_graph=True)
    assert slope.tolist() == [[0.75, 0.25]]
    (curvature,) = torch.autograd.grad(slope[0, 0], point)
    assert curvature.tolist() == [[0.0, 1.0]]


def test_derivatives_of_the_third_order_are_refused() -> None:
    values, points = some(4, 4, 4, 1).requires_grad_(), (places(3, 3) * 0.5).requires_grad_()
    (slopes,) = torch.autograd.grad(interpolate(values, points).sum(), points, create_graph=True)
    (curvature,) = torch.autograd.grad(slopes.sum(), points, create_graph=True)
    with pytest.raises(RuntimeError, match="derivatives of the third order are not available"):
        torch.autograd.grad(curvature.sum(), points)


@pytest.mark.parametrize("align_corners", [True, False])
def test_linear_functions_are_reproduced(align_corners: bool) -> None:
    sizes = (5, 7, 4)
    axes = [torch.linspace(0, 1, n) if align_corners else (torch.arange(n) + 0.5) / n for n in sizes]
    nodes = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).double()
    slopes = torch.tensor([2.0, -3.0, 0.5], dtype=torch.float64)
    points = 0.125 + 0.75 * torch.rand(200, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    points.requires_grad_()
    result = interpolate((nodes @ slopes + 1.0)[..., None], points, align_corners=align_corners)
    assert torch.allclose(result[:, 0], points @ slopes + 1.0, atol=1e-6)
    (gradient,) = torch.autograd.grad(result.sum(), points)
    assert torch.allclose(gradient, slopes.expand(200, 3), atol=1e-5)


def test_weights_are_a_partition_of_unity() -> None:
    values = torch.ones(4, 5, 6, 2, dtype=torch.float64, requires_grad=True)
    result = interpolate(values, places(MANY, 3))
    assert torch.allclose(result, torch.ones_like(result))
    (gradient,) = torch.autograd.grad(result.sum(), values)
    assert float(gradient.sum()) == pytest.approx(2 * MANY)


def test_nodes_have_their_own_values() -> None:
    values = some(4, 5, 3)
    points = torch.cartesian_prod(torch.arange(4) / 3, torch.arange(5) / 4).double()
    assert torch.allclose(interpolate(values, points).reshape(4, 5, 3), values, atol=1e-6)


def test_no_points() -> None:
    values, points = some(4, 5, 3).requires_grad_(), torch.empty(0, 2, dtype=torch.float64, requires_grad=True)
    result = interpolate(values, points)
    assert result.shape == (0, 3)
    to_values, to_points = torch.autograd.grad(result.sum(), (values, points))
    assert bool((to_values == 0).all())
    assert to_points.shape == (0, 2)


@pytest.mark.parametrize(("boundary", "align_corners"), SETTINGS)
@pytest.mark.parametrize("shape", [(1, 4, 2), (4, 1, 2), (1, 1, 2), (3, 1, 4, 2), (1, 1, 1, 2)])
def test_one_node_along_an_axis(boundary: Any, align_corners: bool, shape: tuple[int, ...]) -> None:
    values, points = some(*shape).requires_grad_(), places(40, len(shape) - 1).requires_grad_()
    options: dict[str, Any] = {"boundary": boundary, "align_corners": align_corners}
    ours, theirs = interpolate(values, points, **options), grid_sample(values, points, **options)
    assert torch.allclose(ours, theirs, atol=1e-12)
    for got, expected in zip(
        torch.autograd.grad(ours.square().sum(), (values, points)),
        torch.autograd.grad(theirs.square().sum(), (values, points)),
        strict=True,
    ):
        assert torch.allclose(got, expected, atol=1e-10)


@pytest.mark.parametrize(("boundary", "align_corners"), SETTINGS)
@pytest.mark.parametrize("far", [3.0, 1e6, 1e30, float("inf")])
def test_far_outside(boundary: Any, align_corners: bool, far: float) -> None:
    values = some(4, 5, 3).requires_grad_()
    points = torch.tensor([[far, 0.4], [-far, 0.4], [0.4, far], [far, -far]], dtype=torch.float64).requires_grad_()
    result = interpolate(values, points, boundary=boundary, align_corners=align_corners)
    nearest = interpolate_twin(values, points.detach().clamp(0, 1), align_corners=align_corners)
    assert torch.allclose(result, nearest if boundary == "border" else torch.zeros_like(nearest))
    to_values, to_points = torch.autograd.grad(result.sum(), (values, points))
    assert bool(to_values.isfinite().all())
    assert torch.equal(to_points[:2, 0], torch.zeros(2, dtype=torch.float64))
    assert torch.equal(to_points[2:, 1], torch.zeros(2, dtype=torch.float64))


@pytest.mark.parametrize("boundary", ["border", "zeros"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("count", [6, MANY])
def test_a_point_with_nan_gives_nan_and_nothing_else(boundary: Any, dtype: torch.dtype, count: int) -> None:
    values, points = some(4, 5, 3, 2, dtype=dtype).requires_grad_(), places(count, 3, dtype=dtype)
    points[2, 0], points[3, 1], points[4, 2] = (float("nan"),) * 3
    good = ~points.isnan().any(dim=1)
    points.requires_grad_()
    result = interpolate(values, points, boundary=boundary)
    assert torch.equal(result.isnan(), ~good[:, None].expand(-1, 2))
    to_values, to_points = torch.autograd.grad(result, (values, points), torch.ones_like(result))
    assert torch.equal(to_points.isnan(), ~good[:, None].expand(-1, 3))
    (alone,) = torch.autograd.grad(interpolate(values, points[good], boundary=boundary).sum(), values)
    assert torch.allclose(to_values, alone, atol=1e-3 if dtype == torch.float32 else 1e-10)


def test_nan_among_the_values_stays_in_its_cells() -> None:
    values = some(4, 4, 1)
    values[3, 3] = float("nan")
    result = interpolate(values, torch.tensor([[0.9, 0.9], [0.5, 0.5]], dtype=torch.float64))
    assert result.isnan().flatten().tolist() == [True, False]


@pytest.mark.parametrize(("boundary", "align_corners"), SETTINGS)
@pytest.mark.parametrize("count", [50, MANY])
def test_one_channel_keeps_its_slopes(boundary: Any, align_corners: bool, count: int) -> None:
    """With the values they are kept; with create_graph, which gives the same, they are computed again."""
    values, points = some(4, 5, 3, 1), places(count, 3)
    points[7, 1] = float("nan")
    leaves = values.requires_grad_(), points.requires_grad_()
    upstream = some(count, 1, seed=2)
    result = interpolate(*leaves, boundary=boundary, align_corners=align_corners)
    assert result[:, 0].isnan().nonzero().tolist() == [[7]]
    kept = torch.autograd.grad(result, leaves, upstream, retain_graph=True)
    again = torch.autograd.grad(result, leaves, upstream, create_graph=True)
    assert torch.equal(kept[0], again[0])
    assert bool(kept[1][7].isnan().all())
    others = torch.arange(count) != 7
    alone = interpolate_twin(values, points[others], boundary=boundary, align_corners=align_corners)
    (expected,) = torch.autograd.grad(alone, points, upstream[others])
    assert torch.allclose(kept[1][others], again[1][others], rtol=1e-12, atol=1e-12)
    assert torch.allclose(kept[1][others], expected[others], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("channels", [1, 3, 24])
def test_many_points_in_one_cell(channels: int) -> None:
    values = some(6, 6, 6, channels).requires_grad_()
    points = (0.41 + 0.17 * torch.rand(MANY, 3, generator=torch.Generator().manual_seed(0)).double()).requires_grad_()
    upstream = some(MANY, channels, seed=2)
    got = torch.autograd.grad(interpolate(values, points), (values, points), upstream)
    expected = torch.autograd.grad(interpolate_twin(values, points), (values, points), upstream)
    assert int((got[0].abs().sum(dim=-1) > 0).sum()) == 8
    assert torch.allclose(got[0], expected[0], atol=1e-10)
    assert torch.allclose(got[1], expected[1], atol=1e-10)


@pytest.mark.parametrize("count", [300, MANY])
def test_gradients_do_not_depend_on_the_order_of_threads(count: int) -> None:
    values, points = (
        some(9, 9, 9, 16, dtype=torch.float32).requires_grad_(),
        places(count, 3, dtype=torch.float32),
    )
    upstream = some(count, 16, dtype=torch.float32)
    first, *others = (torch.autograd.grad(interpolate(values, points), values, upstream)[0] for _ in range(5))
    assert all(torch.equal(first, other) for other in others)


def test_backward_again_and_again_adds_the_same() -> None:
    values, points = some(4, 5, 3).requires_grad_(), places(10, 2).requires_grad_()
    result = interpolate(values, points).sum()
    for turn in range(1, 6):
        result.backward(retain_graph=True)
        if turn == 1:
            once = values.grad.clone(), points.grad.clone()
        assert torch.allclose(values.grad, turn * once[0])
        assert torch.allclose(points.grad, turn * once[1])


def test_layouts_that_are_not_contiguous() -> None:
    values = some(3, 5, 4).permute(1, 2, 0).requires_grad_()
    points = places(2 * 30, 2)[::2].requires_grad_()
    weights = some(3, 30).T
    plain = [tensor.detach().contiguous().requires_grad_() for tensor in (values, points)]
    expected = torch.autograd.grad(interpolate(*plain), plain, weights.contiguous())
    got = torch.autograd.grad(interpolate(values, points), (values, points), weights)
    assert torch.equal(got[0], expected[0])
    assert torch.equal(got[1], expected[1])
    (expanded,) = torch.autograd.grad(interpolate(values, points).sum(), values)
    assert torch.allclose(expanded.sum(), torch.tensor(90.0, dtype=torch.float64))


def test_numpy_comes_and_goes() -> None:
    values, points = some(4, 5, 3), places(10, 2)
    result = interpolate(values.numpy(), points.numpy())
    assert isinstance(result, numpy.ndarray)
    assert numpy.array_equal(result, interpolate(values, points).numpy())


@pytest.mark.parametrize(
    ("values", "points", "error", "message"),
    [
        (torch.zeros(4, 5), torch.zeros(3, 2), ValueError, r"values: expected shape \(X, Y, C\) or .* got \(4, 5\)"),
        (torch.zeros(4, 0, 3), torch.zeros(3, 2), ValueError, r"values: expected shape .* none of them 0, got"),
        (torch.zeros(4, 5, 3), torch.zeros(3, 3), ValueError, r"points: expected shape \(N, 2\), got \(3, 3\)"),
        (torch.zeros(4, 5, 3), torch.zeros(2), ValueError, r"points: expected shape \(N, 2\), got \(2,\)"),
        (
            torch.zeros(4, 5, 3),
            torch.zeros(3, 2).double(),
            TypeError,
            r"points: expected the dtype of values, .*32.*64",
        ),
        (torch.zeros(4, 5, 3).half(), torch.zeros(3, 2), TypeError, r"values: expected torch.float32 or .*float16"),
        (torch.zeros(4, 5, 3), torch.zeros(3, 2).int(), TypeError, r"points: expected torch.float32 or .*int32"),
        ([[0.0]], torch.zeros(3, 2), TypeError, r"values: expected a torch tensor, .* got list"),
        (torch.zeros(4, 5, 3, device="meta"), torch.zeros(3, 2), ValueError, r"values: expected a tensor on 'cpu'"),
        (torch.zeros(1).expand(2048, 2048, 512), torch.zeros(3, 2), ValueError, r"values: expected at most 2\^31 - 1"),
        (torch.zeros(4, 5, 3), torch.zeros(1).expand(2**30, 2), ValueError, r"points: expected at most 2\^31 - 1"),
        (torch.zeros(4, 5, 64), torch.zeros(1).expand(2**26, 2), ValueError, r"points: .* in the result, got 67108864"),
    ],
)
def test_wrong_arguments_are_named(values: Any, points: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        interpolate(values, points)


def test_a_wrong_boundary_is_named() -> None:
    with pytest.raises(ValueError, match="boundary: expected 'border' or 'zeros', got 'reflection'"):
        interpolate(some(4, 4, 1), places(3, 2), boundary="reflection")  # type: ignore[arg-type]
