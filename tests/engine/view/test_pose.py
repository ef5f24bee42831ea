"""The viewer's camera: what moves it keeps what it should."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

from isofield.engine.scene import Camera
from isofield.engine.view.pose import (
    STEEPEST,
    Pose,
    along_axis,
    between,
    flown,
    focused,
    orbited,
    panned,
    pose_of,
    zoomed,
)

POSE = Pose((3.0, -4.0, 2.0), (0.5, 0.2, -0.1), fov=40.0)
ANGLE = st.floats(-400.0, 400.0)


def elevation(pose: Pose) -> float:
    return math.degrees(math.asin((pose.eye[2] - pose.target[2]) / pose.distance))


@given(ANGLE, ANGLE)
def test_orbiting_keeps_target_and_distance(turn: float, rise: float) -> None:
    after = orbited(POSE, turn, rise)
    assert after.target == POSE.target
    assert after.distance == pytest.approx(POSE.distance, rel=1e-9)
    assert abs(elevation(after)) <= STEEPEST + 1e-6


def test_a_turn_to_the_right_moves_the_eye_to_the_right() -> None:
    front = Pose((0.0, -2.0, 0.0), (0.0, 0.0, 0.0))
    assert orbited(front, 90.0, 0.0).eye == pytest.approx((2.0, 0.0, 0.0), abs=1e-12)
    assert orbited(front, 0.0, 30.0).eye == pytest.approx((0.0, -math.sqrt(3.0), 1.0))


def test_over_the_top_the_heading_is_kept() -> None:
    top = orbited(POSE, 0.0, 500.0)
    assert elevation(top) == pytest.approx(STEEPEST)
    assert orbited(top, 0.0, elevation(POSE) - STEEPEST).eye == pytest.approx(POSE.eye)


@pytest.mark.parametrize("lens", [{"fov": 40.0}, {"fov": None, "width": 3.0}])
def test_panning_moves_what_is_at_the_target_by_as_many_heights(lens: dict[str, float | None]) -> None:
    pose = Pose((0.0, -5.0, 0.0), (0.0, 0.0, 0.0), **lens)
    height = 3.0 if lens["fov"] is None else 10.0 * math.tan(math.radians(20.0))
    after = panned(pose, 0.5, -0.25)
    assert after.target == pytest.approx((0.5 * height, 0.0, -0.25 * height))
    assert after.eye == pytest.approx((0.5 * height, -5.0, -0.25 * height))


def test_zooming_makes_the_target_as_much_larger() -> None:
    assert zoomed(POSE, 2.0).distance == pytest.approx(0.5 * POSE.distance)
    assert zoomed(Pose((0, -1, 0), (0, 0, 0), fov=None, width=3.0), 2.0).width == 1.5
    assert zoomed(zoomed(POSE, 1e30), 1e-30).distance > 0.0


def test_flying_goes_where_the_camera_looks() -> None:
    after = flown(POSE, 0.0, 0.0, POSE.distance)
    assert after.eye == pytest.approx(POSE.target)
    assert after.distance == pytest.approx(POSE.distance)


@pytest.mark.parametrize("side", ["front", "back", "right", "left", "top", "bottom"])
def test_axis_views_look_along_their_axis_from_as_far(side: str) -> None:
    axis = {"front": (0, -1, 0), "back": (0, 1, 0), "right": (1, 0, 0)}
    axis |= {"left": (-1, 0, 0), "top": (0, 0, 1), "bottom": (0, 0, -1)}
    pose = along_axis(POSE, side)
    way = tuple((a - b) / pose.distance for a, b in zip(pose.eye, pose.target, strict=True))
    assert way == pytest.approx(axis[side], abs=2e-3)
    assert pose.distance == pytest.approx(POSE.distance)


def test_focus_puts_the_point_in_the_middle() -> None:
    after = focused(POSE, (1.0, 1.0, 1.0))
    assert after.target == (1.0, 1.0, 1.0)
    assert after.distance == pytest.approx(POSE.distance)
    assert after.axes[2] == pytest.approx(POSE.axes[2])


@pytest.mark.parametrize(
    "camera",
    [
        Camera(eye=(1.0, -2.0, 3.0), target=(0.0, 0.0, 0.5), fov=20.0),
        Camera(eye=(1.0, -2.0, 3.0), target=(0.0, 0.0, 0.5), up=(0.0, 1.0, 0.0), width=2.0),
        Camera(eye=(1.0, -2.0, 3.0), target=(0.0, 0.0, 0.5)).orbit(30.0),
        Camera(camera_to_world=((0, 0, 1, 4), (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 0, 1))),
        Camera(camera_to_world=((0, -1, 0, 0), (1, 0, 0, 0), (0, 0, 1, 4), (0, 0, 0, 1))),
    ],
)
def test_a_pose_is_the_camera_it_was_made_of(camera: Camera) -> None:
    again = pose_of(camera, (0.1, 0.0, 0.2)).camera()
    for row, wanted in zip(again.matrix(), camera.matrix(), strict=True):
        assert row == pytest.approx(wanted, abs=1e-6)
    assert (again.fov, again.width) == (camera.fov, camera.width)


def test_a_path_ends_at_its_cameras_and_keeps_its_distance_between_them() -> None:
    first, last = Pose((2.0, 0.0, 0.0), (0.0, 0.0, 0.0), fov=30.0), Pose((0.0, 4.0, 0.0), (0.0, 0.0, 0.0), fov=50.0)
    assert between(first, last, 0.0).eye == pytest.approx(first.eye)
    assert between(first, last, 1.0).eye == pytest.approx(last.eye)
    middle = between(first, last, 0.5)
    assert middle.distance == pytest.approx(math.sqrt(8.0))
    assert middle.eye == pytest.approx((2.0, 2.0, 0.0))
    assert middle.fov == 40.0
    assert between(first, first, 0.3).eye == pytest.approx(first.eye)
