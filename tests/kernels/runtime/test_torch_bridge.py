"""The bridge: several inputs and outputs; `distance` through it: leaves used twice, repeated passes, second order."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import isofield as iso
from isofield.kernels import Program, distance
from isofield.kernels.runtime.torch_bridge import bridge, derivative_of


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


def polar(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Radius and angle of the points (x, y)."""
    return (x * x + y * y).sqrt(), torch.atan2(y, x)


def polar_derivative(
    inputs: tuple[Tensor, ...], gradients: tuple[Tensor | None, ...], wanted: tuple[bool, ...]
) -> tuple[Tensor | None, ...]:
    """Of `polar`, by hand."""
    x, y = inputs
    radius = (x * x + y * y).sqrt()
    along, across = (torch.zeros_like(x) if gradient is None else gradient for gradient in gradients)
    return (
        along * x / radius - across * y / radius**2 if wanted[0] else None,
        along * y / radius + across * x / radius**2 if wanted[1] else None,
    )


def numbers(*shape: int, seed: int = 0) -> Tensor:
    """Between 0.5 and 1.5, float64, wanting a gradient."""
    generator = torch.Generator().manual_seed(seed)
    return (0.5 + torch.rand(*shape, generator=generator, dtype=torch.float64)).requires_grad_()


@pytest.mark.parametrize("derivative", [polar_derivative, derivative_of(polar)])
def test_two_outputs_and_their_derivatives(derivative: Any) -> None:
    x, y = numbers(5), numbers(5, seed=1)

    def through(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return bridge(polar, derivative, x, y)

    assert torch.autograd.gradcheck(through, (x, y))
    assert torch.autograd.gradgradcheck(through, (x, y))


def test_an_output_without_a_gradient_comes_as_none_and_an_input_that_needs_none_gets_none() -> None:
    seen = []

    def derivative(inputs: Any, gradients: Any, wanted: Any) -> Any:
        seen.append((gradients[0] is None, gradients[1] is None, wanted))
        return polar_derivative(inputs, gradients, wanted)

    x, y = numbers(5), numbers(5, seed=1).detach()
    radius, angle = bridge(polar, derivative, x, y)
    (first,) = torch.autograd.grad(angle.sum(), x, retain_graph=True)
    assert torch.allclose(first, -y / (x * x + y * y))
    (second,) = torch.autograd.grad(radius.sum(), x)
    assert torch.allclose(second, x / (x * x + y * y).sqrt())
    assert seen == [(True, False, (True, False)), (False, True, (True, False))]


@pytest.mark.parametrize("inner", [False, True])
def test_only_the_gradients_that_a_call_names_are_computed(inner: bool) -> None:
    seen = []

    def derivative(inputs: Any, gradients: Any, wanted: Any) -> Any:
        seen.append(wanted)
        return polar_derivative(inputs, gradients, wanted)

    leaves = numbers(5), numbers(5, seed=1)
    x, y = (leaf * 1.0 for leaf in leaves) if inner else leaves
    radius, _ = bridge(polar, derivative, x, y)
    for targets in ([x], [y], [x, y]):
        found = torch.autograd.grad(radius.sum(), targets, retain_graph=True)
        assert torch.allclose(found[0], targets[0] / radius)
    torch.autograd.grad(radius.sum(), leaves[0], retain_graph=True)
    radius.sum().backward()
    assert seen == [(True, False), (False, True), (True, True), (True, False), (True, True)]


def test_derivatives_see_detached_tensors_unless_a_graph_is_wanted() -> None:
    seen = []

    def derivative(inputs: Any, gradients: Any, wanted: Any) -> Any:
        seen.append((torch.is_grad_enabled(), inputs[0].requires_grad))
        return polar_derivative(inputs, gradients, wanted)

    x = numbers(5)
    torch.autograd.grad(bridge(polar, derivative, x, x.detach())[0].sum(), x)
    torch.autograd.grad(bridge(polar, derivative, x, x.detach())[0].sum(), x, create_graph=True)
    assert seen == [(False, False), (True, True)]


def test_kernels_see_detached_tensors() -> None:
    def kernel(x: Tensor, y: Tensor) -> Tensor:
        assert not x.requires_grad
        assert not y.requires_grad
        return x * y

    with torch.no_grad():
        bridge(kernel, derivative_of(torch.mul), numbers(2), numbers(2))
    assert bridge(kernel, derivative_of(torch.mul), numbers(2), numbers(2)).requires_grad


@pytest.mark.parametrize("again", [False, True])
def test_an_input_computed_from_another_does_not_count_twice(again: bool) -> None:
    """d/dx of x · x², through a bridge that sees x and x²."""
    x = torch.tensor([2.0], dtype=torch.float64, requires_grad=True)
    (got,) = torch.autograd.grad(bridge(torch.mul, derivative_of(torch.mul), x, x * x), x, create_graph=again)
    assert float(got.detach()) == 12.0


def test_a_twin_that_does_not_depend_on_an_input_gives_no_gradient() -> None:
    def first(x: Tensor, y: Tensor) -> Tensor:
        return 2.0 * x

    x, y = numbers(3), numbers(3)
    got = torch.autograd.grad(bridge(first, derivative_of(first), x, y).sum(), (x, y), allow_unused=True)
    assert got[0].tolist() == [2.0, 2.0, 2.0]
    assert got[1] is None
    (alone,) = torch.autograd.grad(bridge(first, derivative_of(first), x.detach(), y).sum(), y, allow_unused=True)
    assert alone is None
