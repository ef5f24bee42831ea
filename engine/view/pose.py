"""Where the viewer's camera stands, and how it moves: all functions give a new pose."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ..scene import Camera
from ..shapes import rotation

Vector = tuple[float, float, float]

STEEPEST = 89.9  # degrees above or below the horizon; straight up there is no heading left to keep
NEAREST, FARTHEST = 1e-4, 1e5  # from the eye to the target, scene units
SIDES: dict[str, Vector] = {
    "front": (0.0, -1.0, 0.0),
    "back": (0.0, 1.0, 0.0),
    "right": (1.0, 0.0, 0.0),
    "left": (-1.0, 0.0, 0.0),
    "top": (0.0, 0.0, 1.0),
    "bottom": (0.0, 0.0, -1.0),
}


@dataclass(frozen=True)
class Pose:
    """A camera at `eye` that looks at `target`; `fov` in degrees makes it perspective, `width` orthographic."""

    eye: Vector
    target: Vector
    up: Vector = (0.0, 0.0, 1.0)
    fov: float | None = 35.0
    width: float | None = None

    @property
    def distance(self) -> float:
        """From the eye to the target, scene units."""
        return math.dist(self.eye, self.target)

    @property
    def axes(self) -> tuple[Vector, Vector, Vector]:
        """Unit vectors to the right, upwards in the picture, and backwards."""
        matrix = self.camera().matrix()
        right, upwards, backwards = ((matrix[0][i], matrix[1][i], matrix[2][i]) for i in range(3))
        return right, upwards, backwards

    def camera(self) -> Camera:
        """The same as a part of a scene."""
        lens = {"width": self.width} if self.width is not None else {"fov": self.fov}
        return Camera.model_validate({"eye": self.eye, "target": self.target, "up": self.up, **lens})


def pose_of(camera: Camera, centre: Vector) -> Pose:
    """The pose of a scene's camera; one placed by a matrix is taken to look at what is level with `centre`."""
    if camera.eye is not None and camera.target is not None:
        return Pose(camera.eye, camera.target, camera.up, camera.fov, camera.width)
    matrix = camera.matrix()
    right, up, backwards, eye = ((matrix[0][i], matrix[1][i], matrix[2][i]) for i in range(4))
    ahead = -_dot(_between(eye, centre), backwards)
    target = _plus(eye, backwards, -max(ahead, 0.1 * math.dist(eye, centre), 1e-2))
    upright = abs(right[2]) < 1e-3 and up[2] > 0.0
    return Pose(eye, target, (0.0, 0.0, 1.0) if upright else up, camera.fov, camera.width)


def orbited(pose: Pose, turn: float, rise: float) -> Pose:
    """The camera carried about its target: `turn` degrees to the right about `up`, `rise` degrees upwards."""
    arm = _between(pose.target, pose.eye)
    up = _scaled(pose.up, 1.0 / math.hypot(*pose.up))
    reach = math.hypot(*arm)
    height = _dot(arm, up)
    elevation = math.degrees(math.asin(max(-1.0, min(1.0, height / reach))))
    heading = _plus(arm, up, -height)
    if math.hypot(*heading) < 1e-5 * reach:  # straight above: what is upwards in the picture lies ahead
        heading = _scaled(pose.axes[1], -1.0 if height > 0.0 else 1.0)
    heading = rotation.apply(rotation.from_axis_angle(up, turn), _scaled(heading, 1.0 / math.hypot(*heading)))
    angle = math.radians(max(-STEEPEST, min(STEEPEST, elevation + rise)))
    arm = _plus(_scaled(heading, reach * math.cos(angle)), up, reach * math.sin(angle))
    return replace(pose, eye=_plus(pose.target, arm, 1.0))


def panned(pose: Pose, right: float, up: float) -> Pose:
    """The camera moved sideways, in heights of what it sees at its target."""
    side, upwards, _ = pose.axes
    height = seen_height(pose)
    move = _plus(_scaled(side, right * height), upwards, up * height)
    return replace(pose, eye=_plus(pose.eye, move, 1.0), target=_plus(pose.target, move, 1.0))


def zoomed(pose: Pose, factor: float) -> Pose:
    """What is at the target appears `factor` times as large."""
    if pose.width is not None:
        return replace(pose, width=max(NEAREST, min(FARTHEST, pose.width / factor)))
    arm = _between(pose.target, pose.eye)
    reach = max(NEAREST, min(FARTHEST, pose.distance / factor))
    return replace(pose, eye=_plus(pose.target, arm, reach / pose.distance))


def flown(pose: Pose, right: float, up: float, ahead: float) -> Pose:
    """The camera and its target moved along the camera's axes, scene units."""
    side, upwards, backwards = pose.axes
    move = _plus(_plus(_scaled(side, right), upwards, up), backwards, -ahead)
    return replace(pose, eye=_plus(pose.eye, move, 1.0), target=_plus(pose.target, move, 1.0))


def along_axis(pose: Pose, side: str) -> Pose:
    """The camera as far from its target as before, on one of the sides in SIDES."""
    up = (0.0, 0.0, 1.0)
    turned = replace(pose, up=up, eye=_plus(pose.target, (0.0, -1.0, 0.0), pose.distance))
    axis = SIDES[side]
    if axis[2]:
        return orbited(turned, 0.0, 90.0 * axis[2])
    return replace(turned, eye=_plus(pose.target, axis, pose.distance))


def focused(pose: Pose, point: Vector) -> Pose:
    """The camera turned by moving it sideways so that a point is in the middle, as far away as the target was."""
    move = _between(pose.target, point)
    return replace(pose, eye=_plus(pose.eye, move, 1.0), target=point)


def between(first: Pose, second: Pose, share: float) -> Pose:
    """The pose between two: the targets and lenses in a straight line, the eye about the target on a spiral."""
    target = _mix(first.target, second.target, share)
    one, two = _between(first.target, first.eye), _between(second.target, second.eye)
    reach = math.hypot(*one) ** (1.0 - share) * math.hypot(*two) ** share
    start, stop = _scaled(one, 1.0 / math.hypot(*one)), _scaled(two, 1.0 / math.hypot(*two))
    angle = math.acos(max(-1.0, min(1.0, _dot(start, stop))))
    if math.sin(angle) < 1e-6:
        way = start
    else:
        way = _plus(
            _scaled(start, math.sin((1.0 - share) * angle) / math.sin(angle)),
            stop,
            math.sin(share * angle) / math.sin(angle),
        )
    return Pose(
        _plus(target, way, reach),
        target,
        _mix(first.up, second.up, share),
        _mixed(first.fov, second.fov, share),
        _mixed(first.width, second.width, share),
    )


def seen_height(pose: Pose) -> float:
    """How high a picture that is as wide as high is at the target, scene units."""
    if pose.fov is None:
        assert pose.width is not None
        return pose.width
    return 2.0 * pose.distance * math.tan(math.radians(pose.fov) / 2.0)


def _mixed(a: float | None, b: float | None, share: float) -> float | None:
    """Between two lenses of a kind; of two kinds the first."""
    return a if a is None or b is None else a + share * (b - a)


def _mix(a: Vector, b: Vector, share: float) -> Vector:
    return _plus(a, _between(a, b), share)


def _between(a: Vector, b: Vector) -> Vector:
    return (b[0] - a[0], b[1] - a[1], b[2] - a[2])


def _plus(a: Vector, b: Vector, weight: float) -> Vector:
    return (a[0] + weight * b[0], a[1] + weight * b[1], a[2] + weight * b[2])


def _scaled(a: Vector, factor: float) -> Vector:
    return (factor * a[0], factor * a[1], factor * a[2])


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
