"""Operators by what they do to points: sets, copies, sweeps, warps and their inverses; and what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pydantic import ValidationError

import isofield as iso
from isofield.engine.build import build_program
from isofield.engine.program import BuildError
from isofield.engine.shapes import Shape
from isofield.kernels import distance

POINTS = np.random.default_rng(0).uniform(-2.0, 2.0, (2000, 3))
A, B = iso.sphere(0.8), iso.box(1.2).rotate(30, (1, 1, 0)).translate(0.4, 0.2, 0)
C = iso.torus(0.7, 0.3)


def value(shape: Shape, points: np.ndarray = POINTS) -> np.ndarray:
    return distance(build_program(iso.Scene(show=shape)), np.asarray(points, dtype=float))


def inside(shape: Shape, points: np.ndarray = POINTS) -> np.ndarray:
    return value(shape, points) < 0.0


def test_operators_are_those_of_sets() -> None:
    a, b, c = inside(A), inside(B), inside(C)
    assert (inside(A | B | C) == a | b | c).all()
    assert (inside(A & B & C) == a & b & c).all()
    assert (inside(A - B - C) == a & ~b & ~c).all()
    assert (inside(A ^ B ^ C) == a ^ b ^ c).all()
    assert (inside((A & B) - C) == a & b & ~c).all()
    assert (inside(A - (B | C)) == a & ~b & ~c).all()


def test_chains_of_one_operator_are_one_fold() -> None:
    assert len((A | B | C).of) == 3
    assert len((A - B - C).of) == 3
    assert len((A - (B - C)).of) == 2
    named = (A | B).named("pair")
    assert (named | C).of[0] is named
    moved = (A | B).translate(1, 0, 0)
    assert (moved | C).of[0] is moved
    assert np.array_equal(value(moved | C), np.minimum(value(moved), value(C)))


def test_smooth_folds_grow_unions_and_shrink_intersections_within_the_blend() -> None:
    a, b, smooth = value(A), value(B), 0.3
    union, cut = value(A.union(B, smooth=smooth)), value(A.intersection(B, smooth=smooth))
    assert (union <= np.minimum(a, b) + 1e-9).all()
    assert (union >= np.minimum(a, b) - smooth / 4 - 1e-9).all()
    assert np.array_equal(union[np.abs(a - b) >= smooth], np.minimum(a, b)[np.abs(a - b) >= smooth])
    assert (cut >= np.maximum(a, b) - 1e-9).all()
    assert (cut <= np.maximum(a, b) + smooth / 4 + 1e-9).all()


def test_offset_and_shell_move_the_level() -> None:
    assert np.allclose(value(A.round(0.2)), value(A) - 0.2, atol=1e-6)
    assert np.allclose(value(A.shell(0.2)), np.abs(value(A)) - 0.1, atol=1e-6)


def copies(shape: Shape, places: list[tuple[float, float, float]]) -> np.ndarray:
    """The nearest of moved copies."""
    return np.min([value(shape.translate(*map(float, place))) for place in places], axis=0)


@pytest.mark.parametrize("count", [(1, 1, 1), (2, 1, 1), (3, 2, 4), (5, 5, 1)])
def test_finite_repeats_are_unions_of_copies_centred_together(count: tuple[int, int, int]) -> None:
    part = iso.box((0.3, 0.2, 0.4)).rotate(20, (1, 1, 1)).translate(0.05, -0.03, 0.0)
    spacing = np.array([0.7, 0.6, 0.8])
    places = [tuple((np.array(cell) - (np.array(count) - 1) / 2) * spacing) for cell in np.ndindex(*count)]
    assert np.abs(value(part.repeat(tuple(spacing), count)) - copies(part, places)).max() < 1e-6


def test_endless_repeats_look_like_many_copies_from_within() -> None:
    part = iso.torus(0.15, 0.05).rotate(40, (1, 0, 0))
    places = [(0.5 * i, 0.6 * j, 0.0) for i in range(-9, 10) for j in range(-9, 10)]
    assert np.abs(value(part.repeat((0.5, 0.6, 0.0))) - copies(part, places)).max() < 1e-6


@pytest.mark.parametrize("count", [1, 2, 3, 7, 24])
def test_polar_repeats_are_unions_of_turned_copies(count: int) -> None:
    part = iso.box((0.3, 0.1, 0.2)).rotate(20).translate(1.2, 0.02, 0.1)
    turned = np.min([value(part.rotate(360.0 / count * k)) for k in range(count)], axis=0)
    assert np.abs(value(part.polar_repeat(count)) - turned).max() < 1e-6


def test_mirrors_show_the_positive_side_twice() -> None:
    part = iso.sphere(0.3).translate(0.8, 0.2, 0.0) | iso.sphere(0.3).translate(-0.5, 0, 0)
    reflected = POINTS * np.array([-1.0, 1.0, 1.0])
    folded = np.where(POINTS[:, :1] >= 0.0, POINTS, reflected)
    assert np.allclose(value(part.mirror()), value(part, folded), atol=1e-6)
    slanted = value(part.mirror((1.0, 1.0, 0.0), 0.1))
    normal = np.array([1, 1, 0]) / math.sqrt(2)
    depth = np.minimum(POINTS @ normal - 0.1, 0.0)
    assert np.allclose(slanted, value(part, POINTS - 2 * depth[:, None] * normal), atol=1e-6)


def test_sweeps_are_the_solids_they_draw() -> None:
    pairs = [
        (iso.circle(0.4).extrude(0.9), iso.cylinder(0.4, 0.9)),
        (iso.rectangle((0.8, 0.5)).extrude(0.3), iso.box((0.8, 0.5, 0.3))),
        (iso.regular_polygon(6, 0.5).extrude(0.7), iso.hexagonal_prism(0.5, 0.7)),
        (iso.regular_polygon(3, 0.5).extrude(0.7), iso.triangular_prism(0.5, 0.7)),
        (iso.circle(0.2).revolve(0.7), iso.torus(0.7, 0.2)),
        (iso.circle(0.5).revolve(), iso.sphere(0.5)),
        (
            iso.polygon(((-1.0, -0.5), (0.5, -0.5), (0.5, 0.5), (-1.0, 0.5))).translate(0.2, 0).extrude(0.4),
            iso.box((1.5, 1.0, 0.4)).translate(-0.05, 0, 0),
        ),
        (iso.sphere(0.3).elongate(0, 0, 0.6), iso.capsule(0.3, 1.2)),
        (iso.circle(0.3).elongate(0.5, 0.4, 0).extrude(0.2), iso.rounded_rectangle((1.1, 1.0), 0.3).extrude(0.2)),
    ]
    for swept, solid in pairs:
        a, b = value(swept), value(solid)
        bound = type(swept).__name__ == "Elongate" or "elongate" in str(swept)
        outside = b > 0 if bound else np.ones(len(b), dtype=bool)
        assert np.abs(a - b)[outside].max() < 1e-6


def test_flat_operators_stay_flat() -> None:
    ring = (iso.circle(0.5) - iso.circle(0.3)).extrude(0.4)
    assert np.allclose(value(ring), value(iso.cylinder(0.5, 0.4) - iso.cylinder(0.3)), atol=0.3)
    assert (inside(ring) == inside(iso.cylinder(0.5, 0.4) - iso.cylinder(0.3))).all()
    skin = iso.rectangle((0.8, 0.6)).shell(0.1).round(0.02).repeat((1.5, 0, 0), (2, 1, 1)).extrude(0.3)
    assert inside(skin, np.array([[0.75 + 0.4, 0.0, 0.0], [0.75, 0.0, 0.0]])).tolist() == [True, False]


def test_twisted_points_are_inside_where_they_were_before() -> None:
    bar = iso.box((0.4, 0.8, 1.5))
    angle = np.radians(70.0) * POINTS[:, 2]
    x, y, z = POINTS.T
    turned = np.stack([np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y, z], axis=1)
    assert (inside(bar.twist(70.0), turned) == inside(bar)).all()
    assert np.allclose(value(bar.twist(0.0)), value(bar), atol=1e-6)


def test_bent_points_are_inside_where_they_were_before() -> None:
    bar, radius = iso.box((1.8, 0.6, 0.3)), 0.7
    x, y, z = (POINTS * np.array([0.5, 0.3, 0.15])).T
    bent = np.stack([(radius - z) * np.sin(x / radius), y, radius - (radius - z) * np.cos(x / radius)], axis=1)
    assert (inside(bar.bend(radius), bent) == inside(bar, np.stack([x, y, z], axis=1))).all()
    # The ends of the bar point upwards now.
    end = 0.9 / radius
    tip = np.array([[radius * math.sin(end), 0.0, radius - radius * math.cos(end)]])
    assert np.abs(value(bar.bend(radius), tip)).max() < 1e-6


def test_rippled_values_are_the_ripple_over_its_slope() -> None:
    k = 2 * math.pi / 0.5
    expected = (value(A) + 0.05 * np.sin(k * POINTS).prod(axis=1)) / (1.0 + 0.05 * k)
    assert np.allclose(value(A.wave(0.05, 0.5)), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (
            iso.sphere(0.5).named("ball").repeat((0.9, 2.0, 0.0)).named("rows"),
            r"rows\.spacing: a copy must fit.*along x",
        ),
        (iso.sphere(0.3).translate(0, 0, 0.4).repeat((0, 0, 1.0), (1, 1, 2)).named("rows"), r"rows\.spacing.*along z"),
        (iso.plane().repeat((1.0, 0, 0)).named("rows"), r"rows\.spacing"),
        (iso.sphere(0.5).translate(0.6, 0, 0).polar_repeat(6).named("ring"), r"ring\.count: .* sector of ± 30"),
        (iso.sphere(0.1).polar_repeat(2).named("ring"), r"ring\.count"),
        (iso.plane().twist(10.0).named("screw"), r"screw\.of: .*must end in x and y"),
        (iso.box((4.0, 0.1, 0.1)).bend(0.5).named("hook"), r"hook\.radius"),
        (iso.box((1.0, 0.1, 2.0)).bend(0.9).named("hook"), r"hook\.radius"),
        (iso.cylinder(0.2).rotate(90, (0, 1, 0)).bend(0.9).named("hook"), r"hook\.radius"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(shape: Shape, words: str) -> None:
    with pytest.raises(BuildError, match=words):
        build_program(iso.Scene(show=shape))


def test_what_just_fits_is_taken() -> None:
    build_program(iso.Scene(show=iso.box(0.5).repeat((0.5, 0.5, 0.5))))
    build_program(iso.Scene(show=iso.sphere(0.5).translate(1.0, 0, 0).polar_repeat(6)))
    build_program(iso.Scene(show=iso.plane().repeat((0.0, 0.0, 0.0))))
    build_program(iso.Scene(show=iso.cylinder(0.3).twist(20.0)))


@pytest.mark.parametrize(
    "make",
    [
        lambda: iso.sphere(0.0),
        lambda: iso.sphere(-1.0),
        lambda: iso.sphere(math.nan),
        lambda: iso.sphere(math.inf),
        lambda: iso.sphere("0.5"),
        lambda: iso.sphere(True),
        lambda: iso.box((1.0, 0.0, 1.0)),
        lambda: iso.box((1.0, 1.0)),
        lambda: iso.rounded_box(1.0, 0.6),
        lambda: iso.box_frame(1.0, 0.6),
        lambda: iso.capsule(0.5, 0.9),
        lambda: iso.plane((0.0, 0.0, 0.0)),
        lambda: iso.capped_torus(0.5, 0.1, 0.0),
        lambda: iso.capped_torus(0.5, 0.1, 361.0),
        lambda: iso.star(2),
        lambda: iso.star(5, 0.5, 0.6),
        lambda: iso.regular_polygon(2.5),
        lambda: iso.polygon(((0, 0), (1, 1))),
        lambda: iso.polygon(((0.0, 0.0), (1.0, 0.0), (1.0, 0.0))),
        lambda: iso.rounded_cylinder(0.5, 1.0, 0.6),
        lambda: iso.union(),
        lambda: iso.union(A, smooth=-0.1),
        lambda: A.shell(0.0),
        lambda: A.scale(0.0),
        lambda: A.scale(-1.0),
        lambda: A.rotate(math.nan),
        lambda: A.rotate(10.0, (0.0, 0.0, 0.0)),
        lambda: A.translate(math.inf, 0.0, 0.0),
        lambda: A.repeat((1.0, 1.0, 1.0), (0, 1, 1)),
        lambda: A.repeat((-1.0, 0.0, 0.0)),
        lambda: A.polar_repeat(0),
        lambda: A.repeat((1.0, 1.0, 1.0), (2.0, 1, 1)),
        lambda: A.mirror((0.0, 0.0, 0.0)),
        lambda: A.bend(0.0),
        lambda: A.wave(0.1, 0.0),
    ],
)
def test_numbers_without_sense_are_refused(make: object) -> None:
    with pytest.raises(ValidationError):
        make()  # type: ignore[operator]


def test_factories_take_fields_in_their_order() -> None:
    assert iso.torus(0.4, 0.1) == iso.torus(tube=0.1, radius=0.4)
    with pytest.raises(TypeError, match="torus: takes radius, tube; got 3"):
        iso.torus(1.0, 2.0, 3.0)
    with pytest.raises(TypeError, match="radius given twice"):
        iso.torus(1.0, radius=2.0)
    with pytest.raises(ValidationError, match="diameter"):
        iso.sphere(diameter=2.0)


def test_shapes_are_immutable_and_operators_leave_their_parts_alone() -> None:
    with pytest.raises(ValidationError):
        A.radius = 3.0  # type: ignore[misc, attr-defined]
    before = repr(A)
    A.translate(1, 2, 3).scale(2).rotate(10).material("gold").named("x")
    assert repr(A) == before
    with pytest.raises(TypeError):
        A | 3  # type: ignore[operator]
