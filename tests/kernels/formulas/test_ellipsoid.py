"""The ellipsoid against a bisection of Eberly's equation: both sides, all axis orders, the focal ellipse."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from isofield.kernels.formulas import solids
from isofield.kernels.lanes.maths import TORCH

# Sphere, nearly a sphere, flat, needle, three different, two close ones, very flat.
AXES = [
    (1.0, 1.0, 1.0),
    (1.0, 0.999, 0.998),
    (1.0, 1.0, 0.05),
    (1.0, 0.05, 0.05),
    (1.0, 0.3, 0.05),
    (1.0, 0.5, 0.25),
    (1.0, 0.2, 0.19),
    (1.0, 1.0, 0.01),
]


def bisection(points: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Signed distance for axes in descending order, from the largest root u of Σ (r p / (u + r² - r3²))² = 1."""
    p = np.abs(points)
    shift = axes**2 - axes[2] ** 2
    low, high = np.zeros(len(p)), np.sqrt(((axes * p) ** 2).sum(1)) + 1e-300
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for _ in range(200):
            middle = 0.5 * (low + high)
            value = np.nansum((axes * p / (middle[:, None] + shift)) ** 2, axis=1)
            low, high = np.where(value > 1, middle, low), np.where(value > 1, high, middle)
        direction = np.nan_to_num(axes * p / (high[:, None] + shift))
    # Over the medial disc the smallest axis's coordinate follows from the ellipsoid's equation.
    rest = np.sqrt(np.maximum(1 - direction[:, 0] ** 2 - direction[:, 1] ** 2, 0))
    direction[:, 2] = np.where(high > 1e-9 * axes[2] ** 2, direction[:, 2], rest)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    gap = np.linalg.norm(p - axes * direction, axis=1)
    return np.where(((p / axes) ** 2).sum(1) < 1, -gap, gap)


def hard_points(axes: np.ndarray, count: int = 1500) -> np.ndarray:
    """Near and far, by the surface, the medial disc, the focal ellipse and the axes."""
    random = np.random.default_rng(3)
    box = random.uniform(-1, 1, (count, 3)) * axes
    direction = random.normal(size=(count, 3))
    surface = direction / np.linalg.norm(direction, axis=1, keepdims=True) * axes
    shell = surface * (1 + random.choice([-1, 1], (count, 1)) * 10 ** random.uniform(-6, -0.5, (count, 1)))
    disc = random.uniform(-1, 1, (count, 3)) * axes
    disc[:, 2] *= 10 ** random.uniform(-9, 0, count)
    angle = random.uniform(0, 2 * np.pi, count)
    focal = (axes[:2] ** 2 - axes[2] ** 2) / axes[:2] * np.stack([np.cos(angle), np.sin(angle)], 1)
    focal = focal * (1 + random.normal(size=(count, 1)) * 10 ** random.uniform(-7, -1, (count, 1)))
    height = random.normal(size=count) * axes[2] * 10 ** random.uniform(-9, 0, count)
    line = random.uniform(-1.2, 1.2, (count, 3)) * axes * np.eye(3)[random.integers(0, 3, count)]
    far = random.normal(size=(count, 3)) * 10
    return np.concatenate(
        [box, 1.5 * axes[0] * box / axes, shell, disc, np.column_stack([focal, height]), line, far, np.zeros((1, 3))]
    )


def ellipsoid(points: np.ndarray, axes: np.ndarray, dtype: torch.dtype = torch.float64) -> np.ndarray:
    point = torch.tensor(points, dtype=dtype).unbind(1)
    return solids.ellipsoid(TORCH, *point, *torch.tensor(axes, dtype=dtype).unbind()).double().numpy()


@pytest.mark.parametrize("axes", AXES)
def test_distance(axes: tuple[float, float, float]) -> None:
    radii = np.array(axes)
    points = hard_points(radii)
    expected = bisection(points, radii)
    # The formula moves points on the medial disc off it by 1e-7 of the smallest axis.
    scale = np.maximum(np.abs(expected), 0.01 * radii.min())
    for order in itertools.permutations(range(3)):
        found = ellipsoid(points[:, order], radii[list(order)])
        assert (np.abs(found - expected) / scale).max() <= 1e-5
        np.testing.assert_array_equal((found < 0)[np.abs(expected) > 1e-9], (expected < 0)[np.abs(expected) > 1e-9])
        assert (np.abs(found) - np.abs(expected)).max() <= 1.1e-7 * radii.min()  # a bound beyond that
    single = ellipsoid(points, radii, torch.float32)
    assert (np.abs(single - expected) / np.maximum(np.abs(expected), radii.min())).max() <= 1e-4


@pytest.mark.parametrize("factor", [1e-6, 1e-3, 1e6])
def test_scale(factor: float) -> None:
    """No float32 intermediate leaves its range for the smallest and largest sizes that scenes allow, near and far."""
    radii = np.array([1.0, 0.3, 0.05])
    points = hard_points(radii, 300)
    expected = bisection(points, radii)
    found = ellipsoid(points * factor, radii * factor, torch.float32) / factor
    assert (np.abs(found - expected) / np.maximum(np.abs(expected), radii.min())).max() <= 1e-4
    far = np.array([[1e6, 0.0, 0.0], [0.0, 1e6, 0.0], [0.0, 0.0, 1e6], [6e5, -3e5, 2e5]])
    reach = np.linalg.norm(far, axis=1)
    np.testing.assert_allclose(ellipsoid(far, np.array([1e-3, 3e-4, 5e-5]), torch.float32), reach, rtol=1e-5)


@pytest.mark.parametrize("axes", AXES)
def test_gradient_is_a_unit_vector_at_most(axes: tuple[float, float, float]) -> None:
    points = torch.tensor(hard_points(np.array(axes)), dtype=torch.float64, requires_grad=True)
    radii = torch.tensor(axes, dtype=torch.float64, requires_grad=True)
    value = solids.ellipsoid(TORCH, *points.unbind(1), *radii.unbind())
    slope, towards = torch.autograd.grad(value.sum(), (points, radii))
    assert torch.isfinite(slope).all()
    assert torch.isfinite(towards).all()
    # On the medial disc, and in the hair's breadth round it that the formula flattens, the gradient does not exist.
    p = points.detach().numpy()
    off_disc = torch.tensor(np.abs(p[:, 2]) > 1e-6 * axes[2])
    assert slope.norm(dim=1)[off_disc].max() <= 1 + 1e-3
    off_medial = (np.abs(p) > 1e-4 * np.array(axes)).all(1)
    assert slope.norm(dim=1)[torch.tensor(off_medial)].min() >= 1 - 1e-3


@pytest.mark.parametrize("axes", AXES)
def test_lipschitz_over_pairs(axes: tuple[float, float, float], oracle) -> None:
    radii = np.array(axes)
    assert oracle.lipschitz(lambda p: ellipsoid(p, radii), radii[0]) <= 1 + 1e-3
    assert oracle.lipschitz(lambda p: ellipsoid(p, radii), radii[2]) <= 1 + 1e-3
