"""Kernels under torch.func: grad, vjp, jacrev and vmap, in each other, give what they give for the PyTorch twins."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor
from torch.func import grad, jacrev, vjp, vmap
from twins.hash_encode import hash_encode_twin
from twins.interpolate import interpolate_twin

from isofield.kernels import HashLevels, hash_encode, interpolate, spherical_harmonics
from isofield.kernels.grids import linear_maps as device
from isofield.kernels.runtime.torch_bridge import bridge, derivative_of

Function = Callable[[Tensor, Tensor], Tensor]  # of values and points (N, D), (N, C)

LEVELS = {
    2: HashLevels(2, levels=3, base=3, finest=20, features=2, entries=2**6),
    3: HashLevels(3, levels=3, base=2, finest=9, features=2, entries=2**6),
}


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def places(*shape: int, seed: int = 1) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def hashed(dimensions: int, smoothstep: bool) -> tuple[Function, Function, Tensor]:
    levels, options = LEVELS[dimensions], {"smoothstep": smoothstep, "active": 2.5}
    return (
        lambda table, points: hash_encode(table, points, levels, **options),
        lambda table, points: hash_encode_twin(table, points, levels, **options),
        numbers(levels.rows, 2),
    )


CASES: dict[str, Callable[[], tuple[Function, Function, Tensor]]] = {
    "2D": lambda: (interpolate, interpolate_twin, numbers(4, 5, 3)),
    "2D, many channels": lambda: (interpolate, interpolate_twin, numbers(4, 3, 16)),
    "3D, one channel": lambda: (
        partial(interpolate, boundary="zeros", align_corners=False),
        partial(interpolate_twin, boundary="zeros", align_corners=False),
        numbers(3, 4, 5, 1),
    ),
    "hash 2D": lambda: hashed(2, False),
    "hash 3D smooth": lambda: hashed(3, True),
}


def squares(function: Function) -> Function:
    """A loss, so that derivatives depend on values and points."""
    return lambda values, points: function(values, points).square().sum()


def slopes(function: Function) -> Function:
    """A loss on the gradients to the points, as the eikonal one is."""
    return lambda values, points: grad(squares(function), 1)(values, points).square().sum()


TRANSFORMS: dict[str, Callable[[Function, Tensor, Tensor], object]] = {
    "grad": lambda f, v, x: grad(squares(f), (0, 1))(v, x),
    "grad of slopes": lambda f, v, x: grad(slopes(f), (0, 1))(v, x),
    "vjp": lambda f, v, x: vjp(f, v, x)[1](torch.ones_like(f(v, x))),
    "jacrev": lambda f, v, x: jacrev(f, (0, 1))(v, x),
    "hessian": lambda f, v, x: jacrev(jacrev(squares(f), 1), (0, 1))(v, x),
    "vmap over points": lambda f, v, x: vmap(lambda at: f(v, at[None])[0])(x),
    "vmap over batches of points": lambda f, v, x: vmap(f, (None, 1))(v, x.unflatten(0, (-1, 2))),
    "vmap over values": lambda f, v, x: vmap(f, (0, None))(torch.stack([v, 2 * v, v * v]), x),
    "vmap over both": lambda f, v, x: vmap(f)(torch.stack([v, v * v]), x.unflatten(0, (2, -1))),
    "vmap twice": lambda f, v, x: vmap(vmap(f, (0, None)), (None, 0))(torch.stack([v, v * v]), x.unflatten(0, (-1, 2))),
    "gradients of each point": lambda f, v, x: vmap(grad(squares(f), (0, 1)), (None, 0))(v, x[:, None]),
    "gradients of each grid": lambda f, v, x: vmap(grad(squares(f), (0, 1)), (0, None))(torch.stack([v, v * v]), x),
    "jacobians of each point": lambda f, v, x: vmap(jacrev(lambda v, at: f(v, at[None])[0], (0, 1)), (None, 0))(v, x),
    "hessians of each point": lambda f, v, x: vmap(jacrev(jacrev(squares(f), 1), 1), (None, 0))(v, x[:, None]),
    "grad of vmap": lambda f, v, x: grad(lambda v, x: vmap(squares(f), (None, 0))(v, x[:, None]).sin().sum(), (0, 1))(
        v, x
    ),
}


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("case", CASES)
def test_transforms_are_those_of_the_twin(case: str, transform: str) -> None:
    ours, twin, values = CASES[case]()
    points = places(6, 2 if "2D" in case else 3)
    apply = TRANSFORMS[transform]
    torch.testing.assert_close(apply(ours, values, points), apply(twin, values, points), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("transform", ["grad", "grad of slopes", "vmap over batches of points", "grad of vmap"])
def test_transforms_where_points_are_sorted(transform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An order made for one pass does not fit the batches of another one."""
    monkeypatch.setattr(device, "FEW_POINTS", 20)
    monkeypatch.setattr(device, "CACHED_BYTES", 0)
    values, points = numbers(6, 5, 2), places(60, 2)
    apply = TRANSFORMS[transform]
    torch.testing.assert_close(
        apply(interpolate, values, points), apply(interpolate_twin, values, points), rtol=1e-10, atol=1e-10
    )


def test_the_graph_of_autograd_goes_on_through_a_transform() -> None:
    """grad of torch.func on leaves that want gradients, and backward through its result."""
    values, points = numbers(4, 5, 3).requires_grad_(), places(6, 2).requires_grad_()
    found = []
    for function in (interpolate, interpolate_twin):
        loss = grad(squares(function), 1)(values, points).square().sum()
        found.append(torch.autograd.grad(loss, (values, points)))
    torch.testing.assert_close(*found, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("shape", [(0, 2), (3, 0, 2)])
def test_no_points_under_a_transform(shape: tuple[int, ...]) -> None:
    points, values = places(*shape), numbers(4, 5, 3)
    function = interpolate if len(shape) == 2 else vmap(interpolate, (None, 0))
    assert function(values, points).shape == (*shape[:-1], 3)
    gradient = grad(lambda values: function(values, points).sum())(values)
    assert gradient.count_nonzero() == 0


def test_nothing_of_a_transform_is_left_behind() -> None:
    """What was made under one (levels' factors are kept) serves the calls after it."""
    levels = HashLevels(2, levels=2, base=4, finest=7, features=1, entries=2**5)
    table, points = numbers(levels.rows, 1), places(3, 2)
    directions = torch.nn.functional.normalize(numbers(3, 3), dim=1).float()
    inside = grad(lambda table: hash_encode(table, points, levels, active=1.25).sum())(table)
    table.requires_grad_()
    (outside,) = torch.autograd.grad(hash_encode(table, points, levels, active=1.25).sum(), table)
    torch.testing.assert_close(inside, outside, rtol=0.0, atol=0.0)
    under = vmap(lambda one: spherical_harmonics(one[None], 5)[0])(directions)
    jacobian = jacrev(spherical_harmonics)(directions, 5)
    assert jacobian.shape == (3, 25, 3, 3)
    torch.testing.assert_close(under, spherical_harmonics(directions, 5))


def test_forward_mode_is_refused_in_a_sentence() -> None:
    values, points = numbers(4, 5, 3), places(6, 2)
    with pytest.raises(RuntimeError, match="no forward-mode derivatives"):
        torch.func.jvp(lambda x: interpolate(values, x), (points,), (points,))


def test_third_derivatives_are_refused_as_ever() -> None:
    values, points = numbers(3, 4, 5, 1), places(2, 3)
    with pytest.raises(RuntimeError, match="third order"):
        jacrev(jacrev(jacrev(squares(interpolate), 1), 1), 1)(values, points)


def test_a_bridge_of_several_results_that_are_no_rows_goes_batch_by_batch() -> None:
    calls = []

    def polar(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        calls.append(x.shape)
        return (x * x + y * y).sqrt(), torch.atan2(y, x)

    x, y = 1.0 + places(4, 3), 1.0 + places(3)
    found = vmap(lambda x: bridge(polar, derivative_of(polar), x, y))(x)
    torch.testing.assert_close(found, polar(x, y))
    assert calls == [(3,)] * 4 + [(4, 3)]


def test_rows_of_points_go_in_one_call() -> None:
    calls = []

    def scaled(factor: Tensor, points: Tensor) -> Tensor:
        calls.append(points.shape)
        return factor * points

    factor, points = torch.tensor(2.0), places(4, 3, 2)
    once = vmap(lambda points: bridge(scaled, derivative_of(scaled), factor, points, rows=(False, True)))(points)
    torch.testing.assert_close(once, 2.0 * points)
    assert calls == [(12, 2)]
