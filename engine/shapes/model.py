"""What parts of a scene are made of: immutable models, and the numbers, sizes and directions that their keys hold."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, WithJsonSchema

from . import rotation

LARGEST = 1e6  # beyond this a float32 coordinate has no digits left below 0.06

Number = Annotated[float, Strict(), Field(ge=-LARGEST, le=LARGEST)]
Length = Annotated[float, Strict(), Field(ge=0.0, le=LARGEST)]
Positive = Annotated[float, Strict(), Field(ge=1e-6, le=LARGEST)]
Vector2 = tuple[Number, Number]
Vector3 = tuple[Number, Number, Number]


def _repeated(count: int) -> BeforeValidator:
    """One number stands for the same number on every axis."""

    def repeat(value: object) -> object:
        return (value,) * count if isinstance(value, (int, float)) and not isinstance(value, bool) else value

    return BeforeValidator(repeat)


def _lift(value: object) -> object:
    """(x, y) stands for (x, y, 0)."""
    return (*value, 0.0) if isinstance(value, (list, tuple)) and len(value) == 2 else value


def _not_zero(direction: tuple[float, ...]) -> tuple[float, ...]:
    if not any(direction):
        raise ValueError("expected a direction, got the zero vector")
    return direction


def _schema(low: float, counts: tuple[int, int], *, single: bool) -> WithJsonSchema:
    """What an editor may accept: a list of so many numbers, or where `single` says so one number."""
    number = {"type": "number", "minimum": low, "maximum": LARGEST}
    vector = {"type": "array", "items": number, "minItems": counts[0], "maxItems": counts[1]}
    return WithJsonSchema({"anyOf": [number, vector]} if single else vector)


Size2 = Annotated[tuple[Positive, Positive], _repeated(2), _schema(1e-6, (2, 2), single=True)]
Size3 = Annotated[tuple[Positive, Positive, Positive], _repeated(3), _schema(1e-6, (3, 3), single=True)]
Offset3 = Annotated[Vector3, BeforeValidator(_lift), _schema(-LARGEST, (2, 3), single=False)]
Direction = Annotated[Vector3, AfterValidator(_not_zero)]
Quaternion = tuple[Number, Number, Number, Number]


class Model(BaseModel):
    """What every part of a scene shares: immutable, no unknown keys, no NaN or infinity, fields with file names."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True, defer_build=True)


class Rotation(Model):
    """A turn by `angle` degrees about `axis`, counter-clockwise for who looks against the axis."""

    axis: Annotated[Direction, Field(description="direction of the axis, any length but zero")] = (0.0, 0.0, 1.0)
    angle: Annotated[Number, Field(description="counter-clockwise seen against the axis, degrees")]

    def quaternion(self) -> rotation.Quaternion:
        """The same turn as a unit quaternion, w first."""
        return rotation.from_axis_angle(self.axis, self.angle)
