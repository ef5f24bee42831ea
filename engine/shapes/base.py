"""The base of every shape: its transforms, material and name, and the fluent methods that all shapes share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    PrivateAttr,
    Strict,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from . import rotation
from .fluent import Fluent

if TYPE_CHECKING:
    from ..program import Lowering, Node

QUILEZ = "I. Quilez, Distance functions (iquilezles.org)"
LARGEST = 1e6  # beyond this a float32 coordinate has no digits left below 0.06

Number = Annotated[float, Strict(), Field(ge=-LARGEST, le=LARGEST)]
Length = Annotated[float, Strict(), Field(ge=0.0, le=LARGEST)]
Positive = Annotated[float, Strict(), Field(ge=1e-6, le=LARGEST)]
Vector2 = tuple[Number, Number]
Vector3 = tuple[Number, Number, Number]
Limit = tuple[str, float, str]  # a key, the most it may be, and what that is


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


class Shape(Model, Fluent):
    """A shape in space, placed by `scale`, then `rotate`, then `translate`.

    Shapes are immutable: every method returns a new one. In Python the four common keys of a scene file are the
    methods `material`, `scale`, `rotate`, `translate`; what they set is held in `surface`, `scaling`, `rotation`,
    `translation`.
    """

    # Whether a value is the distance itself or a bound on it; operators keep the worse of this and of their parts.
    outside: ClassVar[Literal["exact", "bound"]] = "exact"
    inside: ClassVar[Literal["exact", "bound"]] = "exact"
    source: ClassVar[str] = ""  # where the formula comes from
    flat: ClassVar[bool] = False  # True: a shape of the x-y plane, to be extruded or revolved
    part: ClassVar[Literal["solid", "flat", "any"]] = "any"  # what an operator takes
    result: ClassVar[Literal["solid", "same"]] = "same"  # what it gives: a solid, or what its parts are

    surface: Annotated[
        str | InstanceOf[BaseModel] | None,
        Field(alias="material", description="name of a material; a shape without one takes its parent's"),
        WithJsonSchema({"type": "string"}),
    ] = None
    scaling: Annotated[
        Positive | tuple[Positive, Positive, Positive] | None,
        Field(alias="scale", description="one factor, or one per axis (the distance is a bound then)"),
    ] = None
    rotation: Annotated[
        Rotation | Quaternion | None,
        Field(
            alias="rotate",
            description="{ axis, angle } with the angle in degrees, or a quaternion, w first, of any length but zero",
        ),
    ] = None
    translation: Annotated[
        Offset3 | None, Field(alias="translate", description="offset along x, y, z (or x, y), scene units")
    ] = None

    _name: str | None = PrivateAttr(default=None)

    @field_validator("rotation")
    @classmethod
    def _turns(cls, turn: Rotation | Quaternion | None) -> Rotation | Quaternion | None:
        if isinstance(turn, tuple) and not any(turn):
            raise ValueError("a quaternion must not be zero")
        return turn

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """What has been set, by the names that a file uses."""
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if name != "kind" and value != field.get_default():
                yield field.alias or name, value

    def limits(self) -> Iterable[Limit]:
        """What must not be larger than other keys allow."""
        return ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for key, most, meaning in self.limits():
            if getattr(self, key) > most:
                raise ValueError(f"{key}: must be at most {meaning}, {most:g}")
        return self

    def lower(self, build: Lowering) -> Node:
        """The shape in its own coordinates as a node of the program's tree."""
        raise NotImplementedError(f"{type(self).__name__} cannot be drawn")

    # Name, material and place

    def named(self, name: str) -> Self:
        """The shape under a name, by which files, sliders and gradients refer to its parameters (`name.radius`)."""
        copy = self.model_copy()
        copy._name = name
        return copy

    def material(self, material: str | BaseModel) -> Self:
        """The shape with a material: an object, or the name of one in the scene."""
        return self._with(surface=material)

    def scale(self, factor: float | tuple[float, float, float]) -> Shape:
        """The shape `factor` times as large about the origin; one factor an axis makes its distance a bound."""
        from .operators import Union

        if isinstance(factor, (int, float)):
            factor = float(factor)
            moved = None if self.translation is None else tuple(factor * c for c in self.translation)
            old = 1.0 if self.scaling is None else self.scaling
            scaling = tuple(factor * c for c in old) if isinstance(old, tuple) else factor * old
            return self._with(scaling=scaling, translation=moved)
        if self.scaling is None and self.rotation is None and self.translation is None:
            return self._with(scaling=tuple(factor))
        return Union(of=(self,)).scale(factor)

    def rotate(self, angle: float, axis: tuple[float, float, float] = (0.0, 0.0, 1.0)) -> Self:
        """The shape turned by `angle` degrees about an axis through the origin."""
        turn = Rotation(axis=axis, angle=float(angle))
        if self.rotation is None and self.translation is None:
            return self._with(rotation=turn)
        quaternion = turn.quaternion()
        old = self.rotation.quaternion() if isinstance(self.rotation, Rotation) else self.rotation
        moved = None if self.translation is None else rotation.apply(quaternion, self.translation)
        return self._with(rotation=quaternion if old is None else rotation.multiply(quaternion, old), translation=moved)

    def translate(self, *offset: float | tuple[float, ...]) -> Self:
        """The shape moved by (x, y, z) or (x, y), given as one vector or as numbers."""
        vector: Sequence[Any] = offset[0] if len(offset) == 1 and not isinstance(offset[0], (int, float)) else offset
        x, y, z = (*vector, 0.0) if len(vector) == 2 else vector
        old = self.translation or (0.0, 0.0, 0.0)
        return self._with(translation=(old[0] + x, old[1] + y, old[2] + z))

    def _with(self, **fields: Any) -> Self:
        """A copy with some fields changed and checked."""
        values = {name: getattr(self, name) for name in type(self).model_fields} | fields
        copy = type(self)(**values)
        copy._name = self._name
        return copy


Reference = Annotated[
    str | InstanceOf[Shape],
    Field(description="name of a shape (in Python also the shape itself)"),
    WithJsonSchema({"type": "string"}),
]
