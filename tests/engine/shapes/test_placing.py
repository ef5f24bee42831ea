"""Scale, rotation and translation against matrices, written as keys or chained as methods."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest

import isofield as iso
from isofield.engine.build import build_program
from isofield.engine.shapes import KINDS, Shape
from isofield.kernels import distance

POINTS = np.random.default_rng(0).uniform(-2.0, 2.0, (400, 3))


def value(shape: Shape, points: np.ndarray = POINTS) -> np.ndarray:
    return distance(build_program(iso.Scene(show=shape)), points)


def box(points: np.ndarray) -> np.ndarray:
    """The distance to the box (1, 0.6, 0.3), by hand."""
    q = np.abs(points) - np.array([0.5, 0.3, 0.15])
    return np.linalg.norm(np.maximum(q, 0.0), axis=1) + np.minimum(q.max(axis=1), 0.0)


def turn(degrees: float, axis: tuple[float, float, float] = (0.0, 0.0, 1.0)) -> np.ndarray:
    """Rodrigues' rotation matrix."""
    k = np.array(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -k[2], k[1]], [k[2], 0, -k[0]], [-k[1], k[0], 0]])
    angle = math.radians(degrees)
    return np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross


BOX = iso.box((1.0, 0.6, 0.3))


def test_keys_scale_then_rotate_then_translate() -> None:
    keys = {"scale": 1.5, "rotate": {"axis": (1, 2, 0.5), "angle": 40.0}, "translate": (0.3, -0.2, 0.7)}
    placed = KINDS["box"](size=(1.0, 0.6, 0.3), **keys)
    matrix = turn(40.0, (1, 2, 0.5))
    expected = 1.5 * box((POINTS - np.array([0.3, -0.2, 0.7])) @ matrix / 1.5)
    assert np.abs(value(placed) - expected).max() < 1e-6


def test_a_quaternion_has_w_first_and_any_length() -> None:
    half = math.radians(20.0)
    for length in (1.0, 3.0):
        quaternion = (length * math.cos(half), 0.0, 0.0, length * math.sin(half))
        turned = KINDS["box"](size=(1.0, 0.6, 0.3), rotate=quaternion)
        assert np.abs(value(turned) - value(BOX.rotate(40.0))).max() < 1e-6


def test_a_positive_angle_turns_counter_clockwise() -> None:
    bar = iso.box((2.0, 0.1, 0.1)).translate(1.0, 0, 0).rotate(90.0)
    assert value(bar, np.array([[0.0, 1.5, 0.0], [1.5, 0.0, 0.0]])) == pytest.approx([-0.05, 1.45], abs=1e-6)


CHAINS = [
    [("translate", (0.5, 0.2, -0.3)), ("scale", 2.0)],
    [("translate", (0.5, 0.2, -0.3)), ("rotate", 70.0, (1.0, 1.0, 0.0))],
    [("rotate", 70.0, (1.0, 1.0, 0.0)), ("translate", (0.5, 0.2, -0.3)), ("rotate", 20.0), ("scale", 0.7)],
    [
        ("scale", 2.0),
        ("rotate", 30.0, (0.0, 1.0, 0.0)),
        ("scale", 0.5),
        ("translate", (1.0, 0, 0)),
        ("translate", (0, 1, 0)),
    ],
    [("rotate", 30.0, (1.0, 0.0, 0.0)), ("rotate", -50.0, (0.0, 1.0, 0.0)), ("rotate", 200.0, (0.3, 0.2, 0.1))],
]


@pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: "-".join(step[0] for step in chain))
def test_methods_apply_in_the_order_written(chain: list) -> None:
    for whole in (BOX, iso.union(BOX, iso.box((1.0, 0.6, 0.3))), BOX.round(0.0)):
        shape, points, size = whole, POINTS, 1.0
        for name, *arguments in chain:
            shape = getattr(shape, name)(*arguments)
        for name, *arguments in reversed(chain):
            if name == "translate":
                points = points - np.array(arguments[0])
            elif name == "rotate":
                points = points @ turn(*arguments)
            else:
                points, size = points / arguments[0], size * arguments[0]
        assert np.abs(value(shape) - size * box(points)).max() < 2e-6


def test_transforms_of_parts_and_wholes_multiply() -> None:
    inner = BOX.scale(0.5).rotate(30.0).translate(0.4, 0, 0)
    whole = iso.union(inner, iso.sphere(0.1).translate(-5, 0, 0))
    whole = whole.scale(2.0).rotate(90.0, (1, 0, 0)).translate(0, 0.3, 0)
    points = (POINTS - np.array([0, 0.3, 0])) @ turn(90.0, (1, 0, 0)) / 2.0
    points = (points - np.array([0.4, 0, 0])) @ turn(30.0, (0, 0, 1)) / 0.5
    assert np.abs(value(whole) - box(points)).max() < 2e-6


def test_unequal_scales_move_the_surface_where_it_belongs_and_stay_below_the_distance() -> None:
    factors = np.array([2.0, 0.5, 1.5])
    stretched = iso.sphere(0.5).scale(tuple(factors))
    unit = POINTS / np.linalg.norm(POINTS, axis=1, keepdims=True)
    on_it = 0.5 * unit * factors
    assert np.abs(value(stretched, on_it)).max() < 1e-6
    ellipsoid = value(iso.ellipsoid(tuple(factors)))
    bound = value(stretched)
    assert (np.abs(bound) <= np.abs(ellipsoid) + 1e-6).all()
    assert (np.sign(bound) == np.sign(ellipsoid)).all()
    # What lies under it counts in its own axes: scaled, then turned.
    turned = value(iso.sphere(0.5).scale(tuple(factors)).rotate(50.0, (1, 1, 0)), on_it @ turn(50.0, (1, 1, 0)).T)
    assert np.abs(turned).max() < 1e-6
    # And after a turn: the scale's axes are the world's.
    leaning = BOX.rotate(30.0).scale(tuple(factors))
    corner = (np.array([[0.5, 0.3, 0.15]]) @ turn(30.0, (0, 0, 1)).T) * factors
    assert np.abs(value(leaning, corner)).max() < 1e-6


def test_lengths_of_operators_are_scaled_with_them() -> None:
    pairs = [
        (iso.sphere(0.4).round(0.1).scale(2.0), iso.sphere(1.0)),
        (iso.plane().shell(0.2).scale(3.0), iso.plane().shell(0.6)),
        (iso.circle(0.2).extrude(0.5).scale(2.0), iso.cylinder(0.4, 1.0)),
        (iso.circle(0.2).revolve(0.5).scale(1.5), iso.torus(0.75, 0.3)),
        (iso.sphere(0.2).elongate(0.4, 0, 0).scale(2.0), iso.sphere(0.4).elongate(0.8, 0, 0)),
        (iso.sphere(0.1).repeat((0.5, 0, 0), (3, 1, 1)).scale(2.0), iso.sphere(0.2).repeat((1.0, 0, 0), (3, 1, 1))),
        (iso.box((0.2, 0.2, 1.0)).twist(60).scale(2.0), iso.box((0.4, 0.4, 2.0)).twist(30)),
        (iso.sphere(0.5).wave(0.05, 0.4).scale(2.0), iso.sphere(1.0).wave(0.1, 0.8)),
        (iso.sphere(0.3).union(iso.box(0.4), smooth=0.1).scale(2.0), iso.sphere(0.6).union(iso.box(0.8), smooth=0.2)),
        (iso.box((1.0, 0.2, 0.2)).bend(0.5).scale(2.0), iso.box((2.0, 0.4, 0.4)).bend(1.0)),
    ]
    for small, large in pairs:
        assert np.abs(value(small) - value(large)).max() < 1e-5


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (iso.sphere(0.5), "Sphere()"),
        (iso.sphere(1.0).translate(1, 2), "Sphere(translate=(1.0, 2.0, 0.0), radius=1.0)"),
        (iso.box(2.0).material("clay").scale(2), "Box(material='clay', scale=2.0, size=(2.0, 2.0, 2.0))"),
    ],
)
def test_a_shape_says_what_has_been_set(shape: Shape, text: str) -> None:
    assert repr(shape) == text


def test_factories_show_their_arguments() -> None:
    assert str(inspect.signature(iso.torus)).startswith("(radius=0.5, tube=0.15)")
    assert str(inspect.signature(iso.polygon)).startswith("(points)")
    assert str(inspect.signature(iso.union)).startswith("(*parts, smooth=0.0)")


def test_kinds_stand_in_the_order_of_their_groups() -> None:
    """The board and the page of shapes show them in this order: first flat shapes, then those from files, and so on."""
    kinds = list(KINDS)
    firsts = ["circle", "sampled", "offset", "union", "gyroid", "sphere", "elongate"]
    assert [kind for kind in kinds if kind in firsts] == firsts
