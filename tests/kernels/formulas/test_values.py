"""Formulas on values: smooth minimum, extrusion, displacement and the bound."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, strategies

from isofield.kernels.formulas import flat, solids, values
from isofield.kernels.lanes.maths import TORCH

number = strategies.floats(-2, 2, allow_nan=False, width=32)


def fold(a: torch.Tensor, b: torch.Tensor, support: float) -> torch.Tensor:
    quarter = 0.25 / support if support else 0.0
    return values.smooth_minimum(TORCH, a, b, *torch.tensor([support, quarter], dtype=torch.float64))


@pytest.mark.parametrize("support", [0.0, 0.1, 1.0])
def test_smooth_minimum(support: float) -> None:
    a, b = (torch.rand(4000, dtype=torch.float64, generator=torch.manual_seed(k)) * 4 - 2 for k in (1, 2))
    a.requires_grad_()
    b.requires_grad_()
    result = fold(a, b, support)
    least = torch.minimum(a, b)
    assert ((least - result) >= 0).all()
    assert (least - result).max() <= support / 4 + 1e-12
    apart = (a - b).abs() >= support
    torch.testing.assert_close(result[apart], least[apart], rtol=0, atol=0)  # local: beyond the support nothing changes
    to_a, to_b = torch.autograd.grad(result.sum(), (a, b))
    torch.testing.assert_close(to_a + to_b, torch.ones_like(to_a))  # convex combination, so 1-Lipschitz
    assert min(to_a.min(), to_b.min()) >= -1e-12
    quarter = torch.tensor(0.25 / support if support else 0.0, dtype=torch.float64)
    weight = values.share(TORCH, a, b, torch.tensor(support, dtype=torch.float64), quarter)
    torch.testing.assert_close(weight, to_b)


@given(number, number, number, number)
def test_smooth_minimum_is_1_lipschitz_in_both(a: float, b: float, c: float, d: float) -> None:
    p, q, r, s = torch.tensor([a, b, c, d], dtype=torch.float64)
    change = (fold(p, q, 0.3) - fold(r, s, 0.3)).abs()
    assert change <= torch.maximum((p - r).abs(), (q - s).abs()) + 1e-12


def test_smooth_minimum_of_equals() -> None:
    a = torch.tensor([0.5], dtype=torch.float64)
    assert fold(a, a, 0.4).item() == pytest.approx(0.5 - 0.1)
    half = values.share(TORCH, a, a, torch.tensor(0.4), torch.tensor(0.25 / 0.4))
    assert half.item() == pytest.approx(0.5)


def test_offset_and_shell() -> None:
    value = torch.tensor([-0.3, 0.0, 0.2], dtype=torch.float64)
    np.testing.assert_allclose(values.offset(TORCH, None, None, None, value, 0.1), [-0.4, -0.1, 0.1])
    np.testing.assert_allclose(values.shell(TORCH, None, None, None, value, 0.1), [0.2, -0.1, 0.1])
    assert values.keep(TORCH, None, None, None, value) is value


def test_extruded_circle_is_the_cylinder(oracle: SimpleNamespace) -> None:
    def extruded(m, x, y, z):
        return values.extrude(m, x, y, z, flat.circle(m, x, y, z, 0.4), torch.tensor(0.5))

    patches = [
        oracle.turned(oracle.line(*ends))
        for ends in (((0.4, -0.5), (0.4, 0.5)), ((0, 0.5), (0.4, 0.5)), ((0, -0.5), (0.4, -0.5)))
    ]
    points = oracle.queries(0.8, patches)
    found = oracle.run(extruded, points)
    expected = oracle.distance(points, patches)
    np.testing.assert_allclose(np.abs(found), expected, atol=1e-9)
    inside = (np.hypot(points[:, 0], points[:, 1]) < 0.4) & (np.abs(points[:, 2]) < 0.5)
    np.testing.assert_array_equal((found < 0)[expected > 1e-7], inside[expected > 1e-7])


@pytest.mark.parametrize("sides", [3, 6])
def test_extruded_polygon_is_the_prism(oracle: SimpleNamespace, sides: int) -> None:
    sector = 2 * math.pi / sides
    inner = 0.5 * math.cos(sector / 2)
    numbers = torch.tensor(
        [sector, 0.5, inner * math.cos(sector / 2), inner * math.sin(sector / 2)], dtype=torch.float64
    ).unbind()

    def prism(m, x, y, z):
        return values.extrude(m, x, y, z, flat.star(m, x, y, z, *numbers), torch.tensor(0.3))

    corners = [(0.5 * math.cos(k * sector), 0.5 * math.sin(k * sector)) for k in range(sides)]
    patches = []
    for k in range(sides):
        a, b = corners[k], corners[(k + 1) % sides]
        patches.append(oracle.quad((*a, -0.3), (*b, -0.3), (*b, 0.3), (*a, 0.3)))
        patches += [oracle.triangle((0, 0, h), (*a, h), (*b, h)) for h in (-0.3, 0.3)]
    points = oracle.queries(0.6, patches[:6])
    np.testing.assert_allclose(np.abs(oracle.run(prism, points)), oracle.distance(points, patches), atol=1e-7)
    assert oracle.lipschitz(lambda p: oracle.run(prism, p), 0.6) <= 1 + 1e-9


@pytest.mark.parametrize(("amplitude", "k"), [(0.05, 20.0), (0.3, 3.0), (1.0, 1.0)])
def test_wave_is_a_bound(oracle: SimpleNamespace, amplitude: float, k: float) -> None:
    numbers = torch.tensor([amplitude, k, 1 / (1 + amplitude * k)], dtype=torch.float64).unbind()

    def displaced(m, x, y, z):
        return values.wave(m, x, y, z, solids.sphere(m, x, y, z, torch.tensor(0.7)), *numbers)

    assert oracle.lipschitz(lambda p: oracle.run(displaced, p), 1.0) <= 1 + 1e-9


def test_bound_is_the_middle_of_three() -> None:
    value = torch.tensor([-10.0, -1.0, -0.1, 0.0, 0.1, 1.0, 10.0], dtype=torch.float64)
    near, plateau, far = torch.tensor([0.8, 0.4, 0.1], dtype=torch.float64)
    found = values.bound(TORCH, None, None, None, value, near, plateau, far)
    np.testing.assert_allclose(found, [-1.0, -0.4, -0.08, 0.0, 0.08, 0.4, 1.0])
