"""The camera's matrix: rigid, looking at its target, whatever way it looks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from pydantic import ValidationError

from isofield.engine.scene import Camera

NUMBERS = st.floats(-100, 100)
VECTORS = st.tuples(NUMBERS, NUMBERS, NUMBERS)
QUARTER = ((0, -1, 0, 5), (1, 0, 0, 6), (0, 0, 1, 7), (0, 0, 0, 1))  # a quarter turn about z, moved


@given(VECTORS, VECTORS, VECTORS)
def test_matrix_is_rigid_and_looks_at_the_target(eye: tuple, target: tuple, up: tuple) -> None:
    assume(math.dist(eye, target) > 1e-3)
    assume(math.hypot(*up) > 1e-3)
    matrix = np.array(Camera(eye=eye, target=target, up=up).matrix())
    axes = matrix[:3, :3]
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-9)
    assert np.linalg.det(axes) == pytest.approx(1.0)
    np.testing.assert_array_equal(matrix[:3, 3], eye)
    np.testing.assert_array_equal(matrix[3], (0, 0, 0, 1))
    ahead = (np.array(target) - eye) / math.dist(eye, target)
    np.testing.assert_allclose(-axes[:, 2], ahead, atol=1e-9)


@given(VECTORS, VECTORS)
def test_up_is_upwards_in_the_picture(eye: tuple, target: tuple) -> None:
    assume(math.hypot(eye[0] - target[0], eye[1] - target[1]) > 0.1 * math.dist(eye, target) > 1e-3)
    matrix = np.array(Camera(eye=eye, target=target).matrix())
    assert matrix[2, 1] > 0.0  # y axis leans to +z
    assert matrix[2, 0] == pytest.approx(0.0, abs=1e-9)  # x axis is level


@pytest.mark.parametrize("up", [(0, 0, 1), (0, 0, -3), (0, 1, 0), (1, 0, 0), (1, 1, 1)])
def test_looking_along_up(up: tuple) -> None:
    matrix = np.array(Camera(eye=up, target=(0, 0, 0), up=up).matrix())
    np.testing.assert_allclose(matrix[:3, :3].T @ matrix[:3, :3], np.eye(3), atol=1e-12)


def test_looking_straight_down_has_y_upwards() -> None:
    matrix = np.array(Camera(eye=(0, 0, 5), target=(0, 0, 0)).matrix())
    np.testing.assert_allclose(matrix[:3, :3], np.eye(3), atol=1e-12)


def test_known_view() -> None:
    """From -y, x is to the right and z upwards."""
    matrix = np.array(Camera(eye=(0, -4, 0), target=(0, 0, 0)).matrix())
    np.testing.assert_allclose(matrix[:3, :3], [[1, 0, 0], [0, 0, -1], [0, 1, 0]], atol=1e-12)


def test_a_matrix_is_kept() -> None:
    np.testing.assert_allclose(Camera(camera_to_world=QUARTER).matrix(), QUARTER, atol=1e-12)


def test_a_matrix_with_few_digits_is_made_orthonormal() -> None:
    rough = ((0.7071, -0.7072, 0, 0), (0.7071, 0.7071, 0, 0), (0, 0, 1.0001, 0), (0, 0, 0, 1))
    axes = np.array(Camera(camera_to_world=rough).matrix())[:3, :3]
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-12)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, -1, 0), (0, 0, 0, 1)), "mirrored"),
        (((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 1, 1)), "last row"),
        (((1, 0.5, 0, 0), (0, 0.8660254, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)), "right angles"),
        (((2, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)), "equal length"),
        (((0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 1)), "not zero"),
        (((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0)), "Field required"),
    ],
)
def test_other_matrices_are_refused(rows: tuple, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Camera(camera_to_world=rows)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "eye and target missing"),
        ({"eye": (1, 2, 3)}, "target missing"),
        ({"eye": (1, 2, 3), "target": (1, 2, 3)}, "same point"),
        ({"eye": (1, 2, 3), "target": (0, 0, 0), "up": (0, 0, 0)}, "zero vector"),
        ({"eye": (1, 2, 3), "target": (0, 0, 0), "fov": 30, "width": 2}, "got both"),
        ({"eye": (1, 2, 3), "target": (0, 0, 0), "fov": None}, "fov .* or width .*, got neither"),
        ({"eye": (1, 2, 3), "target": (0, 0, 0), "fov": None, "width": None}, "fov .* or width .*, got neither"),
        ({"camera_to_world": QUARTER, "fov": None}, "fov .* or width .*, got neither"),
        ({"eye": (1, 2, 3), "camera_to_world": QUARTER}, "got both"),
        ({"eye": (1, 2, 3), "target": (0, 0, 0), "fov": 0.5}, "greater than or equal to 1"),
        ({"eye": (1, 2, 3), "target": (0, 0, 0), "fov": 180}, "less than or equal to 175"),
        ({"eye": (1, 2, 3), "target": (0, 0, 0), "width": 0}, "greater than or equal"),
    ],
)
def test_what_is_no_camera_is_refused(values: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Camera(**values)


def test_width_makes_it_orthographic() -> None:
    camera = Camera(eye=(1, 0, 0), target=(0, 0, 0), width=2)
    assert (camera.fov, camera.width) == (None, 2.0)
    assert Camera(eye=(1, 0, 0), target=(0, 0, 0)).fov == 35.0


@given(st.floats(-720, 720), st.floats(-720, 720))
def test_turns_add_up(a: float, b: float) -> None:
    camera = Camera(eye=(3, -2, 1), target=(0, 0, 0.5), fov=20)
    twice, once = camera.orbit(a).orbit(b), camera.orbit(a + b)
    # The second turn is about the z axis: the same axis only for a target on it, as here.
    np.testing.assert_allclose(twice.matrix(), once.matrix(), atol=1e-9)
    assert twice.fov == 20


def test_orbit_keeps_target_distance_and_height() -> None:
    camera = Camera(eye=(3, -2, 1), target=(1, 1, 0.5), width=4)
    turned = np.array(camera.orbit(90).matrix())
    np.testing.assert_allclose(turned[:3, 3], (4, 3, 1), atol=1e-12)
    ahead = np.array((1, 1, 0.5)) - turned[:3, 3]
    np.testing.assert_allclose(-turned[:3, 2], ahead / np.linalg.norm(ahead), atol=1e-12)
    assert camera.orbit(90).width == 4


def test_a_full_turn_is_none() -> None:
    camera = Camera(camera_to_world=QUARTER)
    np.testing.assert_allclose(camera.orbit(360).matrix(), camera.matrix(), atol=1e-9)
