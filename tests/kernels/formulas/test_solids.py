"""Solids against the distance to their parametrised surfaces and inside tests from their definitions."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from isofield.kernels.formulas import solids

H = math.pi / 2


def check_exact(oracle, formula, parameters, patches, inside, extent, fold=None) -> None:
    """Distance and sign at awkward points, and the Lipschitz bound.

    `fold` maps queries to the part of space in which the patches, one of several mirrored copies, are the closest.
    """
    points = oracle.queries(extent, patches)
    found = oracle.run(formula, points, *parameters)
    expected = oracle.distance(points if fold is None else fold(points), patches)
    # The search ends within 1e-9 of a local minimum; a wrong basin would be second order in the grid's spacing.
    np.testing.assert_allclose(np.abs(found), expected, atol=1e-7 * extent, rtol=1e-7)
    clear = expected > 1e-6 * extent
    np.testing.assert_array_equal((found < 0)[clear], inside(points)[clear])
    assert oracle.lipschitz(lambda p: oracle.run(formula, p, *parameters), extent) <= 1 + 1e-9


def test_sphere(oracle: SimpleNamespace) -> None:
    patch = oracle.turned(oracle.arc((0, 0), 0.7, -H, H))
    check_exact(oracle, solids.sphere, (0.7,), [patch], lambda p: (p**2).sum(1) < 0.49, 0.8)


def octant_of_rounded_box(oracle, half, r):
    """Three faces, three edges and the corner of a rounded box in the positive octant."""
    a, b, c = half[0] - r, half[1] - r, half[2] - r
    patches = [
        oracle.quad((half[0], 0, 0), (half[0], b, 0), (half[0], b, c), (half[0], 0, c)),
        oracle.quad((0, half[1], 0), (a, half[1], 0), (a, half[1], c), (0, half[1], c)),
        oracle.quad((0, 0, half[2]), (a, 0, half[2]), (a, b, half[2]), (0, b, half[2])),
    ]
    if r == 0:
        return patches

    def edge(axis):
        def patch(u, v):
            parts = [None, None, None]
            parts[axis] = u * (half[axis] - r) + 0 * v
            parts[(axis + 1) % 3] = half[(axis + 1) % 3] - r + r * np.cos(H * v) + 0 * u
            parts[(axis + 2) % 3] = half[(axis + 2) % 3] - r + r * np.sin(H * v) + 0 * u
            return np.stack(parts, -1)

        return patch

    def corner(u, v):
        flat = np.cos(H * u)
        return np.stack([a + r * flat * np.cos(H * v), b + r * flat * np.sin(H * v), c + r * np.sin(H * u) + 0 * v], -1)

    return [*patches, edge(0), edge(1), edge(2), corner]


@pytest.mark.parametrize("rounding", [0.0, 0.1, 0.3])
def test_box(oracle: SimpleNamespace, rounding: float) -> None:
    half = np.array([0.5, 0.3, 0.8])

    def inside(p):
        core = np.abs(p) - (half - rounding)
        beyond = np.maximum(core, 0)
        return (np.abs(p) < half).all(1) & ((beyond**2).sum(1) < rounding**2 if rounding else True)

    patches = octant_of_rounded_box(oracle, half, rounding)
    check_exact(oracle, solids.box, (*half, rounding), patches, inside, 0.9, np.abs)


def bars(half, width):
    """Centres and half extents of the twelve bars of a box frame."""
    for axis in range(3):
        others = [k for k in range(3) if k != axis]
        for s in (-1, 1):
            for t in (-1, 1):
                centre, size = np.zeros(3), np.full(3, width / 2)
                size[axis] = half[axis]
                centre[others[0]] = s * (half[others[0]] - width / 2)
                centre[others[1]] = t * (half[others[1]] - width / 2)
                yield centre, size


@pytest.mark.parametrize("width", [0.02, 0.15])
def test_box_frame(oracle: SimpleNamespace, width: float) -> None:
    half = np.array([0.5, 0.3, 0.8])
    points = oracle.queries(0.9, octant_of_rounded_box(oracle, half, 0))
    found = oracle.run(solids.box_frame, points, *half, width)
    gaps = [np.abs(points - centre) - size for centre, size in bars(half, width)]
    outside = np.min([np.linalg.norm(np.maximum(gap, 0), axis=1) for gap in gaps], axis=0)
    np.testing.assert_allclose(np.maximum(found, 0), outside, atol=1e-12)
    strictly_inside = np.any([(gap < -1e-9).all(1) for gap in gaps], axis=0)
    np.testing.assert_array_equal(found < -1e-9, strictly_inside)
    # 1-Lipschitz and zero on the surface, so a bound inside.
    assert oracle.lipschitz(lambda p: oracle.run(solids.box_frame, p, *half, width), 0.9) <= 1 + 1e-9


def test_torus(oracle: SimpleNamespace) -> None:
    patch = oracle.turned(oracle.arc((0.6, 0), 0.2, 0, 4 * H))

    def inside(p):
        return (np.hypot(p[:, 0], p[:, 1]) - 0.6) ** 2 + p[:, 2] ** 2 < 0.04

    check_exact(oracle, solids.torus, (0.6, 0.2), [patch], inside, 0.9)


@pytest.mark.parametrize("degrees", [5, 40, 90, 140])
def test_capped_torus(oracle: SimpleNamespace, degrees: float) -> None:
    radius, tube, half = 0.6, 0.15, math.radians(degrees)

    def tube_patch(u, v):
        along, round_ = half * (2 * u - 1), 2 * math.pi * v
        ring = radius + tube * np.cos(round_)
        return np.stack([ring * np.sin(along), ring * np.cos(along), tube * np.sin(round_) + 0 * u], -1)

    def cap(side):
        centre = np.array([side * radius * math.sin(half), radius * math.cos(half), 0.0])
        outward = np.array([side * math.cos(half), -math.sin(half), 0.0])
        radial = np.array([side * math.sin(half), math.cos(half), 0.0])

        def patch(u, v):
            # Square to disc, disc to hemisphere by stereographic projection: no pole on which the search could stall.
            s, t = 2 * u - 1, 2 * v - 1
            a, b = (s * np.sqrt(1 - t * t / 2))[..., None], (t * np.sqrt(1 - s * s / 2))[..., None]
            square = a * a + b * b
            sphere = 2 * a * radial + 2 * b * np.array([0.0, 0.0, 1.0]) + (1 - square) * outward
            return centre + tube * sphere / (1 + square)

        return patch

    def inside(p):
        angle = np.clip(np.arctan2(np.abs(p[:, 0]), p[:, 1]), 0, half)
        nearest = np.stack([radius * np.sin(angle), radius * np.cos(angle)], 1)
        flat = np.stack([np.abs(p[:, 0]), p[:, 1]], 1)
        return ((flat - nearest) ** 2).sum(1) + p[:, 2] ** 2 < tube**2

    parameters = (radius, tube, math.sin(half), math.cos(half))
    check_exact(oracle, solids.capped_torus, parameters, [tube_patch, cap(-1), cap(1)], inside, 0.9)


@pytest.mark.parametrize("half_length", [0.0, 0.4])
def test_link(oracle: SimpleNamespace, half_length: float) -> None:
    radius, tube = 0.4, 0.12

    def bow(side):
        def patch(u, v):
            ring = radius + tube * np.cos(2 * math.pi * v)
            along = math.pi * u
            return np.stack(
                [
                    ring * np.cos(along),
                    side * (half_length + ring * np.sin(along)),
                    tube * np.sin(2 * math.pi * v) + 0 * u,
                ],
                -1,
            )

        return patch

    def bar(side):
        def patch(u, v):
            round_ = 2 * math.pi * v
            return np.stack(
                [
                    side * radius + tube * np.cos(round_) + 0 * u,
                    half_length * (2 * u - 1) + 0 * v,
                    tube * np.sin(round_) + 0 * u,
                ],
                -1,
            )

        return patch

    def inside(p):
        straight = np.stack([np.abs(p[:, 0]) - radius, np.maximum(np.abs(p[:, 1]) - half_length, 0), p[:, 2]], 1)
        in_bar = (np.abs(p[:, 1]) <= half_length) & (straight[:, 0] ** 2 + straight[:, 2] ** 2 < tube**2)
        y = np.abs(p[:, 1]) - half_length
        in_bow = (y >= 0) & ((np.hypot(p[:, 0], y) - radius) ** 2 + p[:, 2] ** 2 < tube**2)
        return in_bar | in_bow

    patches = [bow(-1), bow(1), bar(-1), bar(1)]
    check_exact(oracle, solids.link, (half_length, radius, tube), patches, inside, 1.0)


@pytest.mark.parametrize("half", [0.0, 0.5])
def test_capsule(oracle: SimpleNamespace, half: float) -> None:
    patches = [
        oracle.turned(oracle.arc((0, half), 0.3, 0, H)),
        oracle.turned(oracle.arc((0, -half), 0.3, -H, 0)),
        oracle.turned(oracle.line((0.3, -half), (0.3, half))),
    ]

    def inside(p):
        ends = [((p - [0, 0, end]) ** 2).sum(1) < 0.09 for end in (-half, half)]
        return ends[0] | ends[1] | ((np.hypot(p[:, 0], p[:, 1]) < 0.3) & (np.abs(p[:, 2]) < half))

    check_exact(oracle, solids.capsule, (half, 0.3), patches, inside, 0.9)


@pytest.mark.parametrize(
    ("radius", "half", "rounding"), [(0.5, 0.7, 0.0), (0.5, 0.7, 0.1), (0.4, 0.6, 0.4), (0.8, 0.05, 0.0)]
)
def test_cylinder(oracle: SimpleNamespace, radius: float, half: float, rounding: float) -> None:
    a, b = radius - rounding, half - rounding
    patches = [oracle.turned(oracle.line((radius, -b), (radius, b)))]
    for s in (-1, 1):
        patches.append(oracle.turned(oracle.line((0, s * half), (a, s * half))))
        if rounding:
            patches.append(oracle.turned(oracle.arc((a, s * b), rounding, 0, s * H)))

    def inside(p):
        rho, z = np.hypot(p[:, 0], p[:, 1]), np.abs(p[:, 2])
        rim = np.maximum(rho - a, 0) ** 2 + np.maximum(z - b, 0) ** 2
        return (rho < radius) & (z < half) & (rim < rounding**2 if rounding else True)

    check_exact(oracle, solids.cylinder, (radius, half, rounding), patches, inside, 0.9)


@pytest.mark.parametrize(
    ("half", "bottom", "top"),
    [(0.6, 0.5, 0.2), (0.6, 0.4, 0.0), (0.6, 0.0, 0.4), (0.5, 0.3, 0.3), (0.02, 0.8, 0.1), (0.9, 0.03, 0.0)],
)
def test_capped_cone(oracle: SimpleNamespace, half: float, bottom: float, top: float) -> None:
    patches = [
        oracle.turned(oracle.line(a, b))
        for a, b in (((0, -half), (bottom, -half)), ((bottom, -half), (top, half)), ((0, half), (top, half)))
    ]

    def inside(p):
        share = (p[:, 2] + half) / (2 * half)
        return (np.abs(p[:, 2]) < half) & (np.hypot(p[:, 0], p[:, 1]) < bottom + share * (top - bottom))

    check_exact(oracle, solids.capped_cone, (half, bottom, top), patches, inside, 0.9)


def test_plane(oracle: SimpleNamespace) -> None:
    normal = np.array([2.0, -3.0, 6.0]) / 7.0
    points = oracle.queries(1.0)
    np.testing.assert_allclose(oracle.run(solids.plane, points, *normal, 0.25), points @ normal - 0.25, atol=1e-14)


def test_octahedron(oracle: SimpleNamespace) -> None:
    r = 0.7
    patches = [oracle.triangle((r, 0, 0), (0, r, 0), (0, 0, r))]
    check_exact(oracle, solids.octahedron, (r,), patches, lambda p: np.abs(p).sum(1) < r, 0.8, np.abs)


@pytest.mark.parametrize(("base", "half"), [(0.5, 0.4), (0.1, 0.9), (0.8, 0.03), (1e-3, 0.5)])
def test_pyramid(oracle: SimpleNamespace, base: float, half: float) -> None:
    apex = (0, 0, half)
    corners = [(base, base, -half), (-base, base, -half), (-base, -base, -half), (base, -base, -half)]
    patches = [oracle.quad(*corners)]
    patches += [oracle.triangle(corners[k], corners[(k + 1) % 4], apex) for k in range(4)]

    def inside(p):
        share = (half - p[:, 2]) / (2 * half)
        return (np.abs(p[:, 2]) < half) & (np.abs(p[:, :2]).max(1) < base * share)

    check_exact(oracle, solids.pyramid, (base, half), patches, inside, 0.9)


@pytest.mark.parametrize("sides", [3, 6])
@pytest.mark.parametrize(("radius", "half"), [(0.5, 0.4), (0.1, 0.7), (0.8, 0.02)])
def test_prism(oracle: SimpleNamespace, sides: int, radius: float, half: float) -> None:
    turns = 2 * math.pi * np.arange(sides) / sides
    corners = [(radius * math.cos(turn), radius * math.sin(turn)) for turn in turns]
    caps = [[(*corner, z) for corner in corners] for z in (-half, half)]
    patches = [oracle.quad(caps[0][k - 1], caps[0][k], caps[1][k], caps[1][k - 1]) for k in range(sides)]
    patches += [oracle.triangle((0, 0, cap[0][2]), cap[k - 1], cap[k]) for cap in caps for k in range(sides)]
    normal = math.cos(math.pi / sides), math.sin(math.pi / sides)

    def inside(p):
        outward = turns + math.pi / sides
        across = p[:, :2] @ np.stack([np.cos(outward), np.sin(outward)])
        return (np.abs(p[:, 2]) < half) & (across.max(1) < radius * normal[0])

    numbers = (radius * normal[1], radius * normal[0], half, *normal, 1.0 if sides == 3 else -1.0)
    check_exact(oracle, solids.prism, numbers, patches, inside, 0.9)
