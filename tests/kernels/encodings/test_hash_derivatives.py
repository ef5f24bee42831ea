"""First and second derivatives of the hash encoding, to the table, to the points, and to the incoming gradient."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch.autograd import grad, gradcheck, gradgradcheck
from twins.hash_encode import hash_encode_twin

from isofield.kernels import HashLevels, hash_encode, runtime
from isofield.kernels.encodings.hash_encoding import FEWEST_POINTS, _Sums
from isofield.kernels.runtime import turns

# Two levels each: a dense one, and a hashed one with four rows for all its nodes' collisions.
SMALL = {
    2: HashLevels(2, levels=2, base=1, finest=3, features=1, entries=4),
    3: HashLevels(3, levels=2, base=1, finest=3, features=2, entries=8),
}
CASES = pytest.mark.parametrize(("dimensions", "smoothstep"), list(itertools.product((2, 3), (False, True))))


def numbers(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def inner_points(count: int, levels: HashLevels) -> torch.Tensor:
    """Points away from every level's nodes, where linear weights have a kink."""
    points = torch.rand(40 * count, levels.dimensions, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    cells = torch.tensor(levels.resolutions)[:, None, None]
    parts = (points * cells).frac()
    return points[((parts > 0.02) & (parts < 0.98)).all(dim=-1).all(dim=0)][:count]


@CASES
def test_first_derivatives(dimensions: int, smoothstep: bool) -> None:
    levels = SMALL[dimensions]
    assert levels.dense == (True, False)
    table = numbers(levels.rows, levels.features).requires_grad_()
    points = inner_points(5, levels).requires_grad_()
    assert gradcheck(lambda t, p: hash_encode(t, p, levels, smoothstep=smoothstep, active=1.75), (table, points))


@CASES
def test_second_derivatives(dimensions: int, smoothstep: bool) -> None:
    levels = SMALL[dimensions]
    table = numbers(levels.rows, levels.features).requires_grad_()
    points = inner_points(3, levels).requires_grad_()
    incoming = numbers(3, 2 * levels.features, seed=2).requires_grad_()
    assert gradgradcheck(lambda t, p: hash_encode(t, p, levels, smoothstep=smoothstep), (table, points), (incoming,))


@CASES
def test_all_derivatives_like_the_twin(dimensions: int, smoothstep: bool) -> None:
    """Also at points outside, with strided gradients, and through a sum of both first derivatives."""
    features = 5 - dimensions
    levels = HashLevels(dimensions, levels=4, base=3, finest=17, features=features, entries=2**7)
    table = numbers(levels.rows, features).requires_grad_()
    points = (numbers(200, dimensions) * 0.4 + 0.5).requires_grad_()
    incoming = numbers(4 * features, 200, seed=2).T.requires_grad_()
    weights = numbers(levels.rows, features, seed=3), numbers(dimensions, 200, seed=4).T

    def derivatives(encode: object) -> tuple[torch.Tensor, ...]:
        features = encode(table, points, levels, smoothstep=smoothstep, active=3.5)
        first = grad(features, (table, points), incoming, create_graph=True)
        total = sum((weight * part).sum() for weight, part in zip(weights, first, strict=True))
        return (*first, *grad(total, (table, points, incoming)))

    for ours, twin in zip(derivatives(hash_encode), derivatives(hash_encode_twin), strict=True):
        torch.testing.assert_close(ours, twin, rtol=1e-10, atol=1e-9)


def test_float32_is_float64_but_for_rounding() -> None:
    """A place in a cell of 17 is off by 17 · 6e-8, its derivatives by as much of theirs, in sums of a hundred parts."""
    levels = HashLevels(3, levels=4, base=3, finest=17, entries=2**7)
    results = []
    for dtype in (torch.float32, torch.float64):
        table = numbers(levels.rows, 2).to(dtype).requires_grad_()
        points = inner_points(100, levels).float().to(dtype).requires_grad_()
        features = hash_encode(table, points, levels, smoothstep=True)
        slope = grad(features.square().sum(), points, create_graph=True)[0]
        results.append((features, slope, *grad(slope.square().mean(), (table, points))))
    for single, double in zip(*results, strict=True):
        assert bool((single - double).abs().max() <= 1e-4 * double.abs().max())


@pytest.mark.parametrize("dimensions", [2, 3])
def test_smoothstep_is_flat_at_the_nodes(dimensions: int) -> None:
    levels = HashLevels(dimensions, levels=1, base=4, finest=4, entries=2**7)
    table = numbers(levels.rows, 2)
    ticks = torch.arange(5, dtype=torch.float64) / 4
    points = torch.cartesian_prod(*[ticks] * dimensions).requires_grad_()
    (smooth,) = grad(hash_encode(table, points, levels, smoothstep=True).sum(), points)
    (linear,) = grad(hash_encode(table, points, levels).sum(), points)
    assert not smooth.any()
    assert float(linear.abs().max()) > 1.0


def test_linear_weights_bend_only_along_two_axes() -> None:
    """Of ab, xy on one cell: the second derivative is 1 off the diagonal and 0 on it."""
    levels = HashLevels(2, levels=1, base=1, finest=1, features=1, entries=4)
    table = torch.tensor([[0.0], [0.0], [0.0], [1.0]], dtype=torch.float64)
    points = torch.tensor([[0.3, 0.6]], dtype=torch.float64, requires_grad=True)
    (slope,) = grad(hash_encode(table, points, levels).sum(), points, create_graph=True)
    assert slope.tolist() == [pytest.approx([0.6, 0.3])]
    assert grad(slope[0, 0], points, retain_graph=True)[0].tolist() == [[0.0, 1.0]]
    assert grad(slope[0, 1], points)[0].tolist() == [[1.0, 0.0]]


def test_no_gradient_across_the_border() -> None:
    """Outside along x only, the gradient along y stays."""
    levels = HashLevels(2, levels=1, base=2, finest=2, features=1, entries=16)
    table = numbers(levels.rows, 1)
    points = torch.tensor([[-0.1, 0.3], [1.1, 0.3], [0.0, 0.3], [1.0, 0.3]], dtype=torch.float64, requires_grad=True)
    (slope,) = grad(hash_encode(table, points, levels).sum(), points)
    assert slope[:2, 0].tolist() == [0.0, 0.0]
    assert bool((slope[2:, 0] != 0.0).all())
    assert torch.equal(slope[:2, 1], slope[2:, 1])


def test_collisions_add_up() -> None:
    """One row for all nodes: it collects every weight of every point, whose sum is one each."""
    levels = HashLevels(3, levels=1, base=50, finest=50, features=1, entries=1)
    table = torch.zeros(1, 1, dtype=torch.float64, requires_grad=True)
    points = torch.rand(1000, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    hash_encode(table, points, levels).sum().backward()
    assert table.grad.item() == pytest.approx(1000.0)


def test_equal_points_add_up() -> None:
    levels = HashLevels(2, levels=1, base=1, finest=1, features=1, entries=4)
    table = torch.zeros(4, 1, requires_grad=True)
    points = torch.tensor([[0.25, 0.5]]).expand(1001, 2)
    hash_encode(table, points, levels).sum().backward()
    assert table.grad.flatten().tolist() == pytest.approx([1001 * w for w in (0.375, 0.375, 0.125, 0.125)])


def test_nan_points_leave_the_table_alone() -> None:
    levels = SMALL[3]
    table = numbers(levels.rows, 2).requires_grad_()
    good = inner_points(6, levels)
    bad = good.clone()
    bad[2, 0] = math.nan
    bad.requires_grad_()
    features = hash_encode(table, bad, levels)
    to_table, to_points = grad(features[[0, 1, 3, 4, 5]].sum() + features[2].sum(), (table, bad), create_graph=True)
    kept = good[[0, 1, 3, 4, 5]].requires_grad_()
    expected = grad(hash_encode(table, kept, levels).sum(), (table, kept), create_graph=True)
    torch.testing.assert_close(to_table, expected[0])
    torch.testing.assert_close(to_points[[0, 1, 3, 4, 5]], expected[1])
    assert to_points[2].isnan().all()
    (again,) = grad(to_points.nan_to_num(0.0).square().sum(), table)
    torch.testing.assert_close(again, grad(expected[1].square().sum(), table)[0])


def test_switched_off_levels_get_no_gradient() -> None:
    levels = HashLevels(2, levels=3, base=2, finest=8, entries=2**7)
    table = numbers(levels.rows, 2).requires_grad_()
    points = inner_points(50, levels).requires_grad_()
    (to_table,) = grad(hash_encode(table, points, levels, active=1).sum(), table)
    assert to_table[: levels.offsets[1]].any()
    assert not to_table[levels.offsets[1] :].any()


def test_backward_again_and_again_adds_the_same() -> None:
    levels = SMALL[3]
    table = numbers(levels.rows, 2).requires_grad_()
    points = inner_points(20, levels).requires_grad_()
    hash_encode(table, points, levels).square().sum().backward()
    first = table.grad.clone(), points.grad.clone()
    for turn in range(2, 6):
        hash_encode(table, points, levels).square().sum().backward()
        torch.testing.assert_close(table.grad, turn * first[0])
        torch.testing.assert_close(points.grad, turn * first[1])
    value = hash_encode(table, points, levels).square().sum()
    value.backward(retain_graph=True)
    value.backward()
    torch.testing.assert_close(table.grad, 7 * first[0])


# The gradient to the table does not depend on the table.
@pytest.mark.parametrize(("trained", "changed"), [("table", "points"), ("points", "table"), ("both", "points")])
def test_an_input_changed_between_the_passes_is_noticed(trained: str, changed: str) -> None:
    levels = SMALL[2]
    given = {"table": numbers(levels.rows, 1), "points": inner_points(4, levels)}
    for name in given:
        if trained in (name, "both"):
            given[name] = given[name].requires_grad_() * 1.0
    value = hash_encode(**given, levels=levels).sum()
    with torch.no_grad():
        given[changed] += 0.01
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        value.backward()


def test_only_what_is_asked_for_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A normal needs no gradient of the table, and a fixed point none of its own."""
    levels = SMALL[3]
    launched = []
    launch = _Sums._launch

    def note(self: _Sums, kernel: str, *rest: object) -> None:
        launched.append(kernel)
        launch(self, kernel, *rest)

    monkeypatch.setattr(_Sums, "_launch", note)
    table = numbers(levels.rows, 2).requires_grad_()
    points = inner_points(4, levels).requires_grad_()
    (slope,) = grad(hash_encode(table, points, levels).sum(), points, create_graph=True)
    assert launched == ["encode", "to_points"]
    launched.clear()
    slope.square().sum().backward(inputs=[table])
    assert launched == ["to_table"]
    launched.clear()
    hash_encode(table, points.detach(), levels).sum().backward()
    assert launched == ["encode", "to_table"]


def test_copies_of_the_table_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """With more cores than levels the points are shared out too, and each part adds to a table of its own."""
    levels = HashLevels(3, levels=2, base=4, finest=30, entries=2**7)
    table = numbers(levels.rows, 2).requires_grad_()
    count = 3 * FEWEST_POINTS + 5
    points = torch.rand(count, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    results = []
    for cores in (1, 5):
        for owner in (runtime, turns):
            monkeypatch.setattr(owner, "available_cores", lambda cores=cores: cores)
        results += grad(hash_encode(table, points, levels).square().sum(), table)
    torch.testing.assert_close(*results)


def test_a_third_derivative_is_refused() -> None:
    levels = SMALL[2]
    table = numbers(levels.rows, 1).requires_grad_()
    points = inner_points(4, levels).requires_grad_()
    (slope,) = grad(hash_encode(table, points, levels).sum(), points, create_graph=True)
    (bend,) = grad(slope.square().sum(), points, create_graph=True)
    with pytest.raises(RuntimeError, match="at most a second derivative"):
        bend.sum().backward()


def test_an_empty_batch_has_gradients() -> None:
    levels = SMALL[2]
    table = numbers(levels.rows, 1).requires_grad_()
    points = torch.empty(0, 2, dtype=torch.float64, requires_grad=True)
    hash_encode(table, points, levels).sum().backward()
    assert not table.grad.any()
    assert points.grad.shape == (0, 2)


def test_as_a_gpu_is_given_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """One point at a time and one table for all, added to atomically; run by the CPU here."""
    levels = SMALL[3]
    table = numbers(levels.rows, 2).requires_grad_()
    points = inner_points(50, levels).requires_grad_()
    results = []
    for backend in ("cpu", "cuda"):
        for owner in (runtime, turns):
            monkeypatch.setattr(owner, "backend", lambda backend=backend: backend)
        monkeypatch.setattr(runtime, "check_device", lambda **tensors: None)
        features = hash_encode(table, points, levels, smoothstep=True)
        first = grad(features.square().sum(), (table, points), create_graph=True)
        results.append((features, *first, *grad(first[1].square().sum(), (table, points))))
    for by_packets, one_by_one in zip(*results, strict=True):
        torch.testing.assert_close(by_packets, one_by_one)
