"""The base of every shape: its keys, its place and material, the operators as methods, and every kind by name.

The methods make a scene script read like the drawing: `(sphere(1) & box(1.5)) - cylinder(0.5)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeVar, cast

from pydantic import BaseModel, Field, InstanceOf, PrivateAttr, WithJsonSchema, field_validator, model_validator

from . import rotation
from .model import Model, Offset3, Positive, Quaternion, Rotation

if TYPE_CHECKING:
    from ..program import Lowering, Node

QUILEZ = "I. Quilez, Distance functions (iquilezles.org)"

Limit = tuple[str, float, str]  # a key, the most it may be, and what that is


class Shape(Model):
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
        if isinstance(factor, (int, float)):
            factor = float(factor)
            moved = None if self.translation is None else tuple(factor * c for c in self.translation)
            old = 1.0 if self.scaling is None else self.scaling
            scaling = tuple(factor * c for c in old) if isinstance(old, tuple) else factor * old
            return self._with(scaling=scaling, translation=moved)
        if self.scaling is None and self.rotation is None and self.translation is None:
            return self._with(scaling=tuple(factor))
        return _of_kind("union", of=(self,)).scale(factor)

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

    # Operators: what each does stands with its class in operators.py, modifiers.py and warps.py

    def __or__(self, other: Shape) -> Shape:
        """What is in either."""
        return _fold("union", self, other)

    def __and__(self, other: Shape) -> Shape:
        """What is in both."""
        return _fold("intersection", self, other)

    def __sub__(self, other: Shape) -> Shape:
        """What is in this and not in the other."""
        return _fold("difference", self, other)

    def __xor__(self, other: Shape) -> Shape:
        """What is in one but not in both."""
        return _fold("xor", self, other)

    def union(self, *others: Shape, smooth: float = 0.0) -> Shape:
        """What is in this or any of the others."""
        return _of_kind("union", of=(self, *others), smooth=smooth)

    def intersection(self, *others: Shape, smooth: float = 0.0) -> Shape:
        """What is in this and all of the others."""
        return _of_kind("intersection", of=(self, *others), smooth=smooth)

    def difference(self, *others: Shape, smooth: float = 0.0) -> Shape:
        """What is in this and in none of the others."""
        return _of_kind("difference", of=(self, *others), smooth=smooth)

    def round(self, radius: float) -> Shape:
        """Grown by `radius`, which rounds every outer edge with that radius; shrunk if negative."""
        return _of_kind("offset", of=self, distance=radius)

    def shell(self, thickness: float) -> Shape:
        """A skin of that thickness around the surface."""
        return _of_kind("shell", of=self, thickness=thickness)

    def elongate(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Shape:
        """Cut at the centre and pulled apart by so much along each axis."""
        return _of_kind("elongate", of=self, length=(x, y, z))

    def extrude(self, height: float) -> Shape:
        """A flat shape swept along z."""
        return _of_kind("extrude", of=self, height=height)

    def revolve(self, radius: float = 0.0) -> Shape:
        """A flat shape turned about the z axis, at distance `radius`."""
        return _of_kind("revolve", of=self, radius=radius)

    def mirror(self, normal: Sequence[float] = (1.0, 0.0, 0.0), offset: float = 0.0) -> Shape:
        """What lies on the positive side of a plane, and its reflection."""
        return _of_kind("mirror", of=self, normal=tuple(normal), offset=offset)

    def repeat(self, spacing: Sequence[float], count: Sequence[int] | None = None) -> Shape:
        """Copies on a lattice, endless without a count; a spacing of 0 does not repeat."""
        return _of_kind("repeat", of=self, spacing=tuple(spacing), count=None if count is None else tuple(count))

    def polar_repeat(self, count: int) -> Shape:
        """Copies around the z axis."""
        return _of_kind("polar_repeat", of=self, count=count)

    def twist(self, rate: float) -> Shape:
        """Turned about z by `rate` degrees per unit of height."""
        return _of_kind("twist", of=self, rate=rate)

    def bend(self, radius: float) -> Shape:
        """The x axis bent up into a circle of that radius."""
        return _of_kind("bend", of=self, radius=radius)

    def wave(self, amplitude: float, wavelength: float) -> Shape:
        """The surface rippled."""
        return _of_kind("wave", of=self, amplitude=amplitude, wavelength=wavelength)


Reference = Annotated[
    str | InstanceOf[Shape],
    Field(description="name of a shape (in Python also the shape itself)"),
    WithJsonSchema({"type": "string"}),
]

S = TypeVar("S", bound=Shape)

KINDS: dict[str, type[Shape]] = {}
"""Every kind of shape by name: what files may say, what the docs list, what the tests walk."""


def register(cls: type[S]) -> type[S]:
    """Class decorator: enter a shape under the default of its field `kind`."""
    kind = cls.model_fields["kind"].default
    if kind in KINDS:
        raise ValueError(f"kind: {kind!r} is registered twice")
    KINDS[kind] = cls
    return cls


def _of_kind(kind: str, **fields: Any) -> Shape:
    return KINDS[kind](**fields)


def _fold(kind: str, first: Any, second: Any) -> Shape:
    """The sharp fold of two shapes; a chain such as a - b - c becomes one fold of three."""
    if not isinstance(second, Shape):
        return cast("Shape", NotImplemented)  # Python then tries the other operand, or raises
    extended = first.kind == kind and first.extendable
    return _of_kind(kind, of=(*first.of, second) if extended else (first, second))
