"""Flat shapes against dense outlines (exact segments and circles) and winding numbers."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from isofield.kernels.formulas import flat
from isofield.kernels.lanes.maths import TORCH


def outline_distance(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Distance of points (N, 2 or 3) to the closed outline, z ignored."""
    p = points[:, None, :2]
    a, b = corners, np.roll(corners, -1, axis=0)
    t = np.clip(((p - a) * (b - a)).sum(-1) / ((b - a) ** 2).sum(-1), 0, 1)
    return np.linalg.norm(p - a - t[..., None] * (b - a), axis=-1).min(1)


def winding(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Turns of the outline about each point, by the sum of angles: 0 outside, ±1 inside."""
    to = corners[None] - points[:, None, :2]
    angle = np.arctan2(to[..., 1], to[..., 0])
    turn = np.roll(angle, -1, axis=1) - angle
    return np.round(((turn + np.pi) % (2 * np.pi) - np.pi).sum(1) / (2 * np.pi))


def points_about(corners: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Queries, the corners, points at the corners' heights, and points closely beside the outline."""
    random = np.random.default_rng(2)
    level = np.array([(x, y) for x in np.linspace(-1.5, 1.5, 13) for y in corners[:, 1]])
    t = random.uniform(size=(40, 1, 1))
    edge = (corners + t * (np.roll(corners, -1, axis=0) - corners)).reshape(-1, 2)
    near = edge + random.normal(size=edge.shape) * 10 ** random.uniform(-7, -2, (len(edge), 1))
    flat_points = np.concatenate([corners, level, near])
    return np.concatenate([queries, np.column_stack([flat_points, np.zeros(len(flat_points))])])


def check_outline(found: np.ndarray, points: np.ndarray, corners: np.ndarray) -> None:
    expected = outline_distance(points, corners)
    np.testing.assert_allclose(np.abs(found), expected, atol=1e-12)
    clear = expected > 1e-10
    np.testing.assert_array_equal((found < 0)[clear], (winding(points, corners) != 0)[clear])


def test_circle(oracle: SimpleNamespace) -> None:
    points = oracle.queries(1.0)
    expected = np.hypot(points[:, 0], points[:, 1]) - 0.6
    np.testing.assert_allclose(oracle.run(flat.circle, points, 0.6), expected, atol=1e-14)


@pytest.mark.parametrize("rounding", [0.0, 0.1, 0.3])
def test_rectangle(oracle: SimpleNamespace, rounding: float) -> None:
    a, b = 0.7 - rounding, 0.3 - rounding
    points = oracle.queries(0.8)
    found = oracle.run(flat.rectangle, points, 0.7, 0.3, rounding)
    # A rounded rectangle by its outline: corners of 4096 chords each, whose sagitta bounds the oracle's error.
    angle = np.linspace(0, np.pi / 2, 4097)
    quarter = np.stack([rounding * np.cos(angle), rounding * np.sin(angle)], 1)
    corners = np.concatenate(
        [
            quarter + np.array([a, b]),
            quarter[::-1] * [-1, 1] + [-a, b],
            quarter * [-1, -1] + [-a, -b],
            quarter[::-1] * [1, -1] + [a, -b],
        ]
    )
    corners = (
        corners[np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1) > 0]
        if rounding
        else np.unique(corners, axis=0)[[0, 2, 3, 1]]
    )
    points = points[:: 1 if not rounding else 7]
    found = found[:: 1 if not rounding else 7]
    expected = outline_distance(points, corners)
    sagitta = rounding * (np.pi / 2 / 4096) ** 2 / 8
    np.testing.assert_allclose(np.abs(found), expected, atol=1e-12 + 2 * sagitta)
    clear = expected > 1e-6
    np.testing.assert_array_equal((found < 0)[clear], (winding(points, corners) != 0)[clear])
    assert oracle.lipschitz(lambda p: oracle.run(flat.rectangle, p, 0.7, 0.3, rounding), 0.8) <= 1 + 1e-9


@pytest.mark.parametrize("tips", range(3, 13))
@pytest.mark.parametrize("inner", [0.08, 0.5, None])
def test_star(oracle: SimpleNamespace, tips: int, inner: float | None) -> None:
    sector = 2 * math.pi / tips
    inner = 0.9 * math.cos(sector / 2) if inner is None else inner * math.cos(sector / 2)  # None: a regular polygon
    parameters = (sector, 0.9, inner * math.cos(sector / 2), inner * math.sin(sector / 2))
    corners = np.array(
        [
            (radius * math.cos(angle), radius * math.sin(angle))
            for k in range(tips)
            for radius, angle in ((0.9, k * sector), (inner, (k + 0.5) * sector))
        ]
    )
    points = points_about(corners, oracle.queries(0.9))
    check_outline(oracle.run(flat.star, points, *parameters), points, corners)
    assert oracle.lipschitz(lambda p: oracle.run(flat.star, p, *parameters), 0.9) <= 1 + 1e-9


POLYGONS = {
    "triangle": [(-0.5, -0.4), (0.6, -0.3), (0.1, 0.7)],
    "concave": [(-0.8, -0.6), (0.0, -0.1), (0.8, -0.6), (0.4, 0.5), (0.0, 0.1), (-0.4, 0.5)],
    "comb": [
        (-0.9, -0.5),
        (0.9, -0.5),
        (0.9, 0.5),
        (0.6, 0.5),
        (0.6, 0.0),
        (0.2, 0.0),
        (0.2, 0.5),
        (-0.2, 0.5),
        (-0.2, -0.2),
        (-0.9, -0.2),
    ],
    "sliver": [(-1.0, 0.0), (1.0, 1e-4), (1.0, 2e-4)],
}


@pytest.mark.parametrize("name", POLYGONS)
@pytest.mark.parametrize("reverse", [False, True])
def test_polygon(oracle: SimpleNamespace, name: str, reverse: bool) -> None:
    corners = np.array(POLYGONS[name][:: -1 if reverse else 1])
    points = points_about(corners, oracle.queries(0.9))
    vertices = torch.tensor(np.concatenate([[7.0, 7.0, 7.0], corners.ravel()]))  # the block starts at 3

    def value(p: np.ndarray) -> np.ndarray:
        return flat.polygon(TORCH, *torch.tensor(p).unbind(1), vertices, 3, len(corners)).numpy()

    check_outline(value(points), points, corners)
    assert oracle.lipschitz(value, 0.9) <= 1 + 1e-9
