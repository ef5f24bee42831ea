"""Derivatives of `distance` through the bridge: leaves used twice, repeated passes, strided gradients, second order."""

from __future__ import annotations

import pytest
import torch

import isofield as iso
from isofield.kernels import Program, distance


@pytest.fixture(scope="module")
def program() -> Program:
    """A ball of radius 0.5 about the origin and the half-space below z = -2."""
    return iso.build_program(iso.Scene(show=iso.sphere(0.5), stage=[iso.plane(offset=-2.0)]))


def some(*shape: int) -> torch.Tensor:
    return 4.0 * torch.rand(*shape, 3, generator=torch.Generator().manual_seed(0)) - 2.0


def test_a_leaf_used_twice_collects_both(program: Program) -> None:
    points = torch.tensor([[3.0, 4.0, 0.0]], requires_grad=True)
    (distance(program, points) + 2.0 * distance(program, 2.0 * points)).sum().backward()
    # The plane is nearer to both: its gradient is (0, 0, 1).
    assert points.grad.tolist() == [[0.0, 0.0, 5.0]]


def test_backward_again_and_again_adds_the_same(program: Program) -> None:
    points = torch.tensor([[0.6, 0.8, 0.0]], requires_grad=True)
    for turn in range(1, 11):
        distance(program, points).sum().backward()
        assert torch.allclose(points.grad, turn * torch.tensor([[0.6, 0.8, 0.0]]))


def test_a_graph_kept_runs_backward_twice(program: Program) -> None:
    points = torch.tensor([[0.6, 0.8, 0.0]], requires_grad=True)
    value = distance(program, points).sum()
    value.backward(retain_graph=True)
    value.backward()
    assert torch.allclose(points.grad, torch.tensor([[1.2, 1.6, 0.0]]))


def test_upstream_gradients_of_any_layout(program: Program) -> None:
    points = some(6, 5).requires_grad_()
    weights = torch.rand(5, 6, generator=torch.Generator().manual_seed(1)).T
    (got,) = torch.autograd.grad(distance(program, points), points, weights)
    (expanded,) = torch.autograd.grad(distance(program, points), points, torch.ones(()).expand(6, 5))
    assert torch.allclose(got, expanded * weights[..., None], atol=1e-6)


def test_a_point_changed_between_the_passes_is_noticed(program: Program) -> None:
    points = some(4).requires_grad_()
    inner = points * 1.0
    value = distance(program, inner).sum()
    inner.data += 0.0
    value.backward()
    other = points * 1.0
    value = distance(program, other).sum()
    other += 1.0
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        value.backward()


def test_derivatives_to_the_programs_own_vector(program: Program) -> None:
    numbers = program.parameters.clone().requires_grad_()
    points = torch.tensor([[1.0, 0.0, 0.0]])
    distance(program.with_parameters(numbers), points).sum().backward()
    moved = program.parameters.double()
    for at in numbers.grad.nonzero().flatten().tolist():
        up, down = moved.clone(), moved.clone()
        up[at] += 1e-5
        down[at] -= 1e-5
        ends = [distance(program.with_parameters(n), points.double()) for n in (up, down)]
        assert float(numbers.grad[at]) == pytest.approx(float(ends[0] - ends[1]) / 2e-5, abs=1e-5)
    assert numbers.grad.count_nonzero() >= 2  # factor and radius


def test_no_graph_where_none_is_wanted(program: Program) -> None:
    points = some(4).requires_grad_()
    with torch.no_grad():
        assert not distance(program, points).requires_grad
    assert not distance(program, points.detach()).requires_grad
    assert points.grad is None


def test_second_derivatives_are_the_curvature() -> None:
    """The mean curvature of a ball's distance field, ∇·∇|p| = 2 / |p|, in float32 through the bridge."""
    program = iso.build_program(iso.Scene(show=iso.sphere(0.5)))
    points = torch.tensor([[0.0, 3.0, 4.0], [1.0, 0.0, 0.0]], requires_grad=True)
    (gradient,) = torch.autograd.grad(distance(program, points).sum(), points, create_graph=True)
    trace = sum(torch.autograd.grad(gradient[:, i].sum(), points, retain_graph=True)[0][:, i] for i in range(3))
    assert trace.tolist() == pytest.approx([0.4, 2.0], abs=1e-5)


def test_eikonal_losses_train(program: Program) -> None:
    numbers = program.parameters.clone().requires_grad_()
    points = some(30).requires_grad_()
    (gradient,) = torch.autograd.grad(
        distance(program.with_parameters(numbers), points).sum(), points, create_graph=True
    )
    ((gradient.norm(dim=1) - 1.0) ** 2).sum().backward()
    assert bool(numbers.grad.isfinite().all())
    assert bool(points.grad.isfinite().all())
