"""The camera: where it stands, where it looks, and how much of the scene it takes in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, Strict, field_validator, model_validator

from ..shapes import Direction, Model, Number, Positive, Vector3, rotation

Row = tuple[Number, Number, Number, Number]
Matrix = tuple[Row, Row, Row, Row]
Vector = tuple[float, float, float]

ORTHOGONAL = 1e-3  # cosine and relative length that the axes of a matrix written with few digits may be off
UPRIGHT = 1e-4  # sine of the angle to `up` below which the picture's vertical is taken from another axis


class Camera(Model):
    """A camera that looks from `eye` to `target`, or is placed by `camera_to_world`.

    `fov` makes it a perspective one, `width` an orthographic one. Axes are OpenGL's: x right, y up, looking along -z.
    """

    eye: Annotated[Vector3 | None, Field(description="where the camera stands, scene units")] = None
    target: Annotated[Vector3 | None, Field(description="the point in the middle of the picture, scene units")] = None
    up: Annotated[Direction, Field(description="direction that is upwards in the picture, any length but zero")] = (
        0.0,
        0.0,
        1.0,
    )
    fov: Annotated[
        Annotated[float, Strict(), Field(ge=1.0, le=175.0)] | None,
        Field(description="vertical angle of view, degrees, 1 to 175; a camera with a width has none"),
    ] = 35.0
    width: Annotated[
        Positive | None, Field(description="width of the picture in scene units: the camera is orthographic then")
    ] = None
    camera_to_world: Annotated[
        Matrix | None, Field(description="4x4, rigid, in place of eye, target and up; acts on column vectors")
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _has_one_lens(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        if values.get("width") is None:
            # Without either key the camera has the fov that is the default; to have none it must have a width.
            if values.get("fov", 0.0) is None:
                raise ValueError("expected fov (perspective) or width (orthographic), got neither")
            return values
        if values.get("fov") is not None:
            raise ValueError("expected fov (perspective) or width (orthographic), got both")
        return {**values, "fov": None}

    @field_validator("camera_to_world")
    @classmethod
    def _is_rigid(cls, matrix: Matrix | None) -> Matrix | None:
        if matrix is None:
            return None
        if any(abs(a - b) > ORTHOGONAL for a, b in zip(matrix[3], (0.0, 0.0, 0.0, 1.0), strict=True)):
            raise ValueError("the last row: expected 0, 0, 0, 1")
        x, y, z = _column(matrix, 0), _column(matrix, 1), _column(matrix, 2)
        lengths = [math.hypot(*axis) for axis in (x, y, z)]
        if min(lengths) < 1e-6 or max(lengths) > (1.0 + ORTHOGONAL) * min(lengths):
            raise ValueError("expected axes (the first three columns) of equal length, not zero")
        if any(abs(_dot(a, b)) > ORTHOGONAL * lengths[0] ** 2 for a, b in ((x, y), (y, z), (z, x))):
            raise ValueError("expected axes (the first three columns) at right angles")
        if _dot(_cross(x, y), z) < 0.0:
            raise ValueError("expected right-handed axes, got a mirrored matrix")
        return matrix

    @model_validator(mode="after")
    def _is_placed(self) -> Self:
        if self.camera_to_world is not None:
            if self.eye is not None or self.target is not None:
                raise ValueError("expected eye and target, or camera_to_world, got both")
            return self
        if self.eye is None or self.target is None:
            missing = "target" if self.eye is not None else "eye" if self.target is not None else "eye and target"
            raise ValueError(f"{missing} missing; a camera needs eye and target, or camera_to_world")
        if math.dist(self.eye, self.target) < 1e-6:
            raise ValueError("expected a target away from the eye, got the same point")
        return self

    def matrix(self) -> Matrix:
        """`camera_to_world`: 4x4 rows, the axes orthonormal; acts on column vectors."""
        if self.camera_to_world is not None:
            backwards, upwards = _column(self.camera_to_world, 2), _column(self.camera_to_world, 1)
            position = _column(self.camera_to_world, 3)
        else:
            assert self.eye is not None
            assert self.target is not None
            position = self.eye
            backwards = _difference(self.eye, self.target)
            upwards = self.up
        z = _unit(backwards)
        x = _unit(_cross(_upwards(upwards, z), z))
        y = _cross(z, x)
        return (
            (x[0], y[0], z[0], position[0]),
            (x[1], y[1], z[1], position[1]),
            (x[2], y[2], z[2], position[2]),
            (0.0, 0.0, 0.0, 1.0),
        )

    def orbit(self, angle: float) -> Camera:
        """The camera turned by `angle` degrees about the vertical through its target.

        One placed by `camera_to_world` has no target, and is turned about the z axis.
        """
        turn = rotation.from_axis_angle((0.0, 0.0, 1.0), angle)
        pivot = self.target or (0.0, 0.0, 0.0)
        matrix = self.matrix()
        x, y, z = (rotation.apply(turn, _column(matrix, axis)) for axis in range(3))
        arm = rotation.apply(turn, _difference(_column(matrix, 3), pivot))
        rows = tuple((x[i], y[i], z[i], pivot[i] + arm[i]) for i in range(3))
        placed = {"camera_to_world": (*rows, (0.0, 0.0, 0.0, 1.0)), "fov": self.fov, "width": self.width}
        return Camera.model_validate(placed)


def _upwards(wanted: Vector, z: Vector) -> Vector:
    """`wanted`, or where the camera looks along it, the world's axis that is farthest from the line of sight."""
    wanted = _unit(wanted)
    if math.hypot(*_cross(wanted, z)) > UPRIGHT:
        return wanted
    return (0.0, 1.0, 0.0) if abs(z[1]) <= abs(z[2]) else (0.0, 0.0, 1.0)


def _column(matrix: Matrix, index: int) -> Vector:
    return (matrix[0][index], matrix[1][index], matrix[2][index])


def _difference(a: Vector, b: Vector) -> Vector:
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2])


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _cross(a: Vector, b: Vector) -> Vector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def _unit(v: Vector) -> Vector:
    length = math.hypot(*v)
    return (v[0] / length, v[1] / length, v[2] / length)
