"""Regression by the kernel is what training the linearised field leads to."""

from __future__ import annotations

import math

import pytest
import torch

from isofield.engine.fields import MLP, Field, Grid, Siren
from isofield.engine.ntk import KernelRegression, spectrum, tangent_kernel


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def scattered(count: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 2, generator=seeded(seed), dtype=torch.float64)


def linear_weights(field: Field, points: torch.Tensor) -> torch.Tensor:
    """The matrix (N · C, P) by which a field of linear parameters, all in one tensor, makes its values."""
    (parameter,) = field.parameters()
    columns = []
    for index in range(parameter.numel()):
        with torch.no_grad():
            parameter.zero_().view(-1)[index] = 1.0
            columns.append(field(points).flatten())
    with torch.no_grad():
        parameter.zero_()
    return torch.stack(columns, dim=1)


@pytest.mark.parametrize("channels", [1, 2])
def test_of_a_grid_it_is_the_shortest_least_squares_solution(channels: int) -> None:
    """Few points, many nodes: of all that fit, gradient descent from 0 finds the nodes of least norm."""
    field = Grid(2, channels, nodes=5).double()
    points, others = scattered(9), scattered(40, seed=1)
    values = torch.randn(9, channels, generator=seeded(2), dtype=torch.float64)
    nodes = torch.linalg.pinv(linear_weights(field, points)) @ values.flatten()
    wanted = (linear_weights(field, others) @ nodes).reshape(40, channels)
    torch.testing.assert_close(KernelRegression(field, points, values)(others), wanted)


def test_of_a_grid_with_more_points_than_nodes_jitter_makes_it_least_squares() -> None:
    """(JJᵀ + εI)⁻¹ is ridge regression, which is least squares for small ε."""
    field = Grid(2, 1, nodes=3).double()
    points, others = scattered(60), scattered(10, seed=1)
    values = torch.randn(60, 1, generator=seeded(2), dtype=torch.float64)
    nodes = torch.linalg.lstsq(linear_weights(field, points), values).solution
    found = KernelRegression(field, points, values, jitter=1e-9)(others)
    torch.testing.assert_close(found, linear_weights(field, others) @ nodes, rtol=1e-4, atol=1e-5)


def test_it_starts_from_the_field_or_from_zero() -> None:
    """Far from the points of a grid nothing is learned: the nodes keep what they were."""
    field = Grid(2, 1, nodes=9).double()
    with torch.no_grad():
        field.values.fill_(0.25)
    points, values = torch.full((1, 2), 0.1, dtype=torch.float64), torch.ones(1, 1, dtype=torch.float64)
    far = torch.full((1, 2), 0.9, dtype=torch.float64)
    for from_zero, rest in ((False, 0.25), (True, 0.0)):
        regression = KernelRegression(field, points, values, from_zero=from_zero)
        assert regression(points).item() == pytest.approx(1.0)
        assert regression(far).item() == pytest.approx(rest)


def test_a_wide_network_trained_to_the_end_approaches_its_prediction() -> None:
    """The wider the network the nearer: Lee et al. 2019, theorem 2.1, says by the square root of the width."""
    points = torch.linspace(0.1, 0.9, 5, dtype=torch.float64)[:, None]
    others = torch.linspace(0.0, 1.0, 21, dtype=torch.float64)[:, None]
    values = 0.5 * (2.0 * math.pi * points).sin()
    misses = []
    for width in (16, 512):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            field = Siren(1, 1, width=width, layers=1, omega=4.0).double()
        before = field(others).detach()
        wanted = KernelRegression(field, points, values)(others)
        trained_to_the_end(field, points, values)
        misses.append(float((field(others).detach() - wanted).abs().max() / (wanted - before).abs().max()))
    assert misses[1] < 0.02
    assert misses[1] < 0.3 * misses[0]


def trained_to_the_end(field: Field, points: torch.Tensor, values: torch.Tensor) -> None:
    """Gradient descent on ½ Σ (f - y)² until the values are met to 1e-4."""
    rate = 1.0 / float(spectrum(tangent_kernel(field, points)).eigenvalues[0])
    parameters = list(field.parameters())
    for _ in range(20000):
        error = field(points) - values
        if float(error.detach().abs().max()) < 1e-4:
            return
        gradients = torch.autograd.grad(0.5 * error.square().sum(), parameters)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.sub_(rate * gradient)
    pytest.fail(f"gradient descent has not come to its end: error {float(error.detach().abs().max())}")


def test_one_point_is_enough() -> None:
    field = MLP(2, 3, width=8).double()
    points, values = scattered(1), torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.float64)
    torch.testing.assert_close(KernelRegression(field, points, values)(points), values)


def test_equal_points_have_a_singular_kernel_which_jitter_mends() -> None:
    field = MLP(2, 1, width=8).double()
    points = scattered(4)[[0, 1, 2, 3, 1]]
    values = torch.tensor([[1.0], [2.0], [3.0], [4.0], [3.0]], dtype=torch.float64)
    with pytest.raises(ValueError, match=r"points: their kernel is singular .* distinct points .* or jitter above 0"):
        KernelRegression(field, points, values)
    found = KernelRegression(field, points, values, jitter=1e-9)(points)
    assert found[1].item() == pytest.approx(2.5, abs=1e-3)  # the mean of the two values there
    assert found[0].item() == pytest.approx(1.0, abs=1e-3)


def test_more_points_than_parameters_are_singular() -> None:
    field = Grid(2, 1, nodes=2).double()
    with pytest.raises(ValueError, match="singular"):
        KernelRegression(field, scattered(5), torch.zeros(5, 1, dtype=torch.float64))


def test_bad_values() -> None:
    field, points = Grid(2, 1, nodes=5).double(), scattered(3)
    good = torch.ones(3, 1, dtype=torch.float64)
    for values in (good[:2], good[:, 0], good.expand(3, 2)):
        with pytest.raises(ValueError, match=r"values: expected shape \(3, 1\), got"):
            KernelRegression(field, points, values)
    with pytest.raises(ValueError, match="values: expected finite numbers, got NaN"):
        KernelRegression(field, points, good * math.nan)
    with pytest.raises(ValueError, match="jitter: expected at least 0, got -1"):
        KernelRegression(field, points, good, jitter=-1.0)
    with pytest.raises(ValueError, match=r"points: expected shape \(N, 2\)"):
        KernelRegression(field, points[:, :1], good)
    with pytest.raises(ValueError, match="expected at least one point"):
        KernelRegression(field, points[:0], good[:0])
