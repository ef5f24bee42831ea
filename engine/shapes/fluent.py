"""The operators as methods, so that a scene script reads like the drawing: `(sphere(1) & box(1.5)) - cylinder(0.5)`.

What each does stands with its class in operators.py, modifiers.py and warps.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from .base import Shape


class Fluent:
    """Methods that wrap a shape in an operator."""

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
        return _make("union", of=(self, *others), smooth=smooth)

    def intersection(self, *others: Shape, smooth: float = 0.0) -> Shape:
        """What is in this and all of the others."""
        return _make("intersection", of=(self, *others), smooth=smooth)

    def difference(self, *others: Shape, smooth: float = 0.0) -> Shape:
        """What is in this and in none of the others."""
        return _make("difference", of=(self, *others), smooth=smooth)

    def round(self, radius: float) -> Shape:
        """Grown by `radius`, which rounds every outer edge with that radius; shrunk if negative."""
        return _make("offset", of=self, distance=radius)

    def shell(self, thickness: float) -> Shape:
        """A skin of that thickness around the surface."""
        return _make("shell", of=self, thickness=thickness)

    def elongate(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Shape:
        """Cut at the centre and pulled apart by so much along each axis."""
        return _make("elongate", of=self, length=(x, y, z))

    def extrude(self, height: float) -> Shape:
        """A flat shape swept along z."""
        return _make("extrude", of=self, height=height)

    def revolve(self, radius: float = 0.0) -> Shape:
        """A flat shape turned about the z axis, at distance `radius`."""
        return _make("revolve", of=self, radius=radius)

    def mirror(self, normal: Sequence[float] = (1.0, 0.0, 0.0), offset: float = 0.0) -> Shape:
        """What lies on the positive side of a plane, and its reflection."""
        return _make("mirror", of=self, normal=tuple(normal), offset=offset)

    def repeat(self, spacing: Sequence[float], count: Sequence[int] | None = None) -> Shape:
        """Copies on a lattice, endless without a count; a spacing of 0 does not repeat."""
        return _make("repeat", of=self, spacing=tuple(spacing), count=None if count is None else tuple(count))

    def polar_repeat(self, count: int) -> Shape:
        """Copies around the z axis."""
        return _make("polar_repeat", of=self, count=count)

    def twist(self, rate: float) -> Shape:
        """Turned about z by `rate` degrees per unit of height."""
        return _make("twist", of=self, rate=rate)

    def bend(self, radius: float) -> Shape:
        """The x axis bent up into a circle of that radius."""
        return _make("bend", of=self, radius=radius)

    def wave(self, amplitude: float, wavelength: float) -> Shape:
        """The surface rippled."""
        return _make("wave", of=self, amplitude=amplitude, wavelength=wavelength)


def _make(kind: str, **fields: Any) -> Shape:
    from .registry import KINDS

    return KINDS[kind](**fields)


def _fold(kind: str, first: Any, second: Any) -> Shape:
    """The sharp fold of two shapes; a chain such as a - b - c becomes one fold of three."""
    from .base import Shape

    if not isinstance(second, Shape):
        return cast("Shape", NotImplemented)  # Python then tries the other operand, or raises
    plain = first.kind == kind and first.extendable
    return _make(kind, of=(*first.of, second) if plain else (first, second))
