"""Formulas on points: copies against brute force, and warps against the distance they must not exceed."""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from isofield.kernels.formulas import solids, values, warps
from isofield.kernels.lanes.maths import TORCH


def moved(warp, points: np.ndarray, *parameters: float) -> np.ndarray:
    """The warp at points (N, 3) in float64."""
    xyz = torch.tensor(points, dtype=torch.float64).unbind(1)
    return torch.stack(warp(TORCH, *xyz, *torch.tensor(parameters, dtype=torch.float64).unbind()), 1).numpy()


def box(points: np.ndarray, centre: np.ndarray, half: np.ndarray) -> np.ndarray:
    gap = np.abs(points - centre) - half
    return np.linalg.norm(np.maximum(gap, 0), axis=-1) + np.minimum(gap.max(-1), 0)


def test_mirror() -> None:
    normal, offset = np.array([2.0, -3.0, 6.0]) / 7.0, 0.2
    points = np.random.default_rng(0).normal(size=(500, 3))
    depth = points @ normal - offset
    expected = points - 2 * np.minimum(depth, 0)[:, None] * normal
    np.testing.assert_allclose(moved(warps.mirror, points, *normal, offset), expected, atol=1e-14)


def test_elongated_sphere_is_the_capsule(oracle: SimpleNamespace) -> None:
    points = oracle.queries(1.0)
    stretched = moved(warps.elongate, points, 0.0, 0.0, 0.5)
    expected = oracle.run(solids.capsule, points, 0.5, 0.3)
    np.testing.assert_allclose(np.linalg.norm(stretched, axis=1) - 0.3, expected, atol=1e-14)
    # In a direction without elongation nothing moves; the box is elongated into a larger box outside.
    stretched = moved(warps.elongate, points, 0.2, 0.0, 0.4)
    outside = np.maximum(box(points, np.zeros(3), np.array([0.5, 0.3, 0.7])), 0)
    np.testing.assert_allclose(np.maximum(box(stretched, np.zeros(3), np.full(3, 0.3)), 0), outside, atol=1e-14)


SPACING = np.array([1.0, 0.8, 1.3])
CHILDREN = {
    "centred": (np.zeros(3), np.array([0.2, 0.1, 0.3])),
    "off centre": (np.array([0.35, -0.3, 0.5]), np.array([0.1, 0.05, 0.1])),
    "in the corner": (np.array([0.48, 0.38, -0.63]), np.array([0.02, 0.02, 0.02])),
    "fills the cell": (np.zeros(3), 0.5 * SPACING),
}


@pytest.mark.parametrize("child", CHILDREN)
@pytest.mark.parametrize(
    ("low", "high"),
    [((-2, -2, -2), (2, 2, 2)), ((0, 0, 0), (3, 1, 0)), ((-1, 0, -3), (0, 0, 1)), ((-1e6,) * 3, (1e6,) * 3)],
)
def test_repeat_is_the_nearest_copy(child: str, low: tuple, high: tuple) -> None:
    centre, half = CHILDREN[child]
    random = np.random.default_rng(1)
    points = np.concatenate(
        [
            random.uniform(-4, 4, (1500, 3)) * SPACING,
            0.5 * SPACING * random.integers(-4, 5, (200, 3)),  # centres and walls of the cells
        ]
    )
    found = np.full(len(points), np.inf)
    for neighbours in itertools.product((0.0, 1.0), repeat=3):
        q = moved(warps.repeat, points, *SPACING, *(1 / SPACING), *low, *high, *neighbours)
        found = np.minimum(found, box(q, centre, half))
    ranges = [range(int(max(a, -7)), int(min(b, 7)) + 1) for a, b in zip(low, high, strict=True)]
    expected = np.min([box(points, centre + SPACING * cell, half) for cell in itertools.product(*ranges)], axis=0)
    if child == "fills the cell":  # overlapping walls: inside, the union's distance is another
        found, expected = np.maximum(found, 0), np.maximum(expected, 0)
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("count", range(2, 13))
def test_polar_repeat_is_the_nearest_copy(count: int) -> None:
    sector = 2 * math.pi / count
    random = np.random.default_rng(2)
    points = np.concatenate(
        [random.uniform(-2, 2, (1500, 3)), np.array([[0, 0, 0], [0, 0, 1.0], [-1, 0, 0], [-1, -0.0, 0]])]
    )
    for radius, turn, size in (
        (1.0, 0.0, 0.05),
        (1.0, 0.45 * sector, 0.02),
        (1.4, -0.3 * sector, 0.1 * min(1, sector)),
    ):
        centre = np.array([radius * math.cos(turn), radius * math.sin(turn), 0.1])
        found = np.full(len(points), np.inf)
        for neighbour in (0.0, 1.0):
            q = moved(warps.polar_repeat, points, sector, neighbour)
            found = np.minimum(found, np.linalg.norm(q - centre, axis=1) - size)
        copies = [
            np.array([radius * math.cos(turn + k * sector), radius * math.sin(turn + k * sector), 0.1])
            for k in range(count)
        ]
        expected = np.min([np.linalg.norm(points - copy, axis=1) - size for copy in copies], axis=0)
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_revolved_circle_is_the_torus(oracle: SimpleNamespace) -> None:
    points = oracle.queries(1.0)
    q = moved(warps.revolve, points, 0.6)
    np.testing.assert_allclose(np.hypot(q[:, 0], q[:, 1]) - 0.2, oracle.run(solids.torus, points, 0.6, 0.2), atol=1e-14)
    np.testing.assert_array_equal(q[:, 2], 0.0)


# A shape is the union of its points, and the warp's value for a single point c of it is |warp(p) - c|. So if no single
# point's bound exceeds its distance to where the warp really puts that point, no shape's does.


@pytest.mark.parametrize(("rate", "radius"), [(1.0, 0.5), (6.0, 1.0), (-3.0, 0.2), (40.0, 0.5)])
def test_twist_is_a_bound(rate: float, radius: float) -> None:
    random = np.random.default_rng(3)
    count = 200_000
    turn = random.uniform(0, 2 * np.pi, count)
    rho = radius * np.sqrt(random.uniform(0.2, 1, count))
    c = np.stack([rho * np.cos(turn), rho * np.sin(turn), random.uniform(-1, 1, count)], 1)
    angle = rate * c[:, 2]
    place = np.stack(
        [np.cos(angle) * c[:, 0] - np.sin(angle) * c[:, 1], np.sin(angle) * c[:, 0] + np.cos(angle) * c[:, 1], c[:, 2]],
        1,
    )
    points = place + random.normal(size=place.shape) * 10 ** random.uniform(-4, 0.7, (count, 1))
    shear = abs(rate) * radius / 2
    factor = math.sqrt(1 + shear**2) + shear
    value = np.linalg.norm(moved(warps.twist, points, rate) - c, axis=1) / factor
    assert (value / np.linalg.norm(points - place, axis=1)).max() <= 1 + 1e-9


def bend_constants(curvature: float, reach: float, top: float) -> tuple[float, float, float]:
    """near, plateau and far of `values.bound` for a child within |x| ≤ reach ≤ π / (2 κ) and z ≤ top < 1/κ.

    With ρ ≥ least for the child, nearer than least / 4 the other point has ρ ≥ 3/4 least and the angle between them is
    below asin(1/4), where angle and chord differ by a factor below 1.003; along ρ and y the warp never shortens or
    stretches. Farther away the angle is at most (π + κ reach) / least times the distance.
    """
    least = 1 / curvature - top
    near = min(1.0, curvature * least * math.sqrt(0.75) / 1.003)
    return near, 0.25 * least, 1 / math.sqrt(1 + ((math.pi + curvature * reach) / (curvature * least)) ** 2)


@pytest.mark.parametrize("curvature", [0.2, 1.0, 3.0])
@pytest.mark.parametrize("turn", [0.3, math.pi / 2])
@pytest.mark.parametrize("top", [-3.0, -0.2, 0.0, 0.6, 0.95])
def test_bend_is_a_bound(curvature: float, turn: float, top: float) -> None:
    random = np.random.default_rng(4)
    count = 120_000
    reach, top = turn / curvature, top / curvature
    least = 1 / curvature - top
    c = np.stack(
        [
            random.uniform(-reach, reach, count),
            random.uniform(-1, 1, count),
            top - least * random.choice([0.0, 0.1, 3.0], count),
        ],
        1,
    )
    c[: count // 2, 0] = reach * random.choice([-1, 1], count // 2)
    angle, rho = curvature * c[:, 0], 1 / curvature - c[:, 2]
    place = np.stack([rho * np.sin(angle), c[:, 1], 1 / curvature - rho * np.cos(angle)], 1)
    points = place + random.normal(size=place.shape) * least * 10 ** random.uniform(-4, 1, (count, 1))
    # Points about the centre of the bend and behind it, where arc length is farthest from distance.
    centre = random.normal(size=(count // 3, 3)) * least * 10 ** random.uniform(-3, 0, (count // 3, 1))
    points[: count // 3] = centre + np.array([0, 0, 1 / curvature])
    points[count // 3 : count // 2, 0] *= 1e-3
    value = torch.tensor(np.linalg.norm(moved(warps.bend, points, curvature) - c, axis=1))
    constants = torch.tensor(bend_constants(curvature, reach, top), dtype=torch.float64)
    safe = values.bound(TORCH, None, None, None, value, *constants).numpy()
    assert (safe / np.linalg.norm(points - place, axis=1)).max() <= 1 + 1e-9


def test_bend_inverts_the_bending() -> None:
    random = np.random.default_rng(5)
    curvature = 0.8
    c = random.uniform(-1, 1, (500, 3))
    angle, rho = curvature * c[:, 0], 1 / curvature - c[:, 2]
    place = np.stack([rho * np.sin(angle), c[:, 1], 1 / curvature - rho * np.cos(angle)], 1)
    np.testing.assert_allclose(moved(warps.bend, place, curvature), c, atol=1e-13)
