"""Where a part stands: the affine map from a point register to the part's own coordinates."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import numbers
from .extent import Extent, Matrix
from .numbers import Triple, as_float

Rows = tuple[Triple, Triple, Triple]


class Frame(NamedTuple):
    """q = scale · turn p + shift, with its inverse p = turnᵀ-like `back` q + `origin` in plain floats for extents.

    `turn` None is the identity; else any matrix (a rotation, or one times unequal scales). `stretch` bounds how much
    longer a vector is in p than in q.
    """

    scale: Any = 1.0
    turn: Rows | None = None
    shift: Triple = (0.0, 0.0, 0.0)
    back: Matrix | None = None
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    back_scale: float = 1.0
    stretch: float = 1.0

    @property
    def trivial(self) -> bool:
        """Whether the map is the identity."""
        return self.turn is None and not any(self.shift) and bool(self.scale == 1.0)

    @property
    def largest_entry(self) -> float:
        """The largest number of the map's matrix: how much longer than in p a vector is in q, within a factor √3."""
        turn = self.turn or ((1.0, 0.0, 0.0),)
        return abs(as_float(self.scale)) * max(abs(as_float(entry)) for row in turn for entry in row)

    def placed(self, extent: Extent, factor: float) -> Extent:
        """An extent given in q, taken to p, its values multiplied by `factor`."""
        return extent.placed(self.back, self.back_scale, self.origin, self.stretch, factor)

    def numbers(self) -> list[Any]:
        """The map as the machine stores it: 0, 4 or 12 numbers (`operations.Frame`)."""
        if self.turn is None:
            return [] if self.trivial else [self.scale, *self.shift]
        stored: list[Any] = []
        for row, shift in zip(self.turn, self.shift, strict=True):
            stored += [self.scale * row[0], self.scale * row[1], self.scale * row[2], shift]
        return stored

    def translated(self, offset: Triple) -> Frame:
        """The frame of a part moved by `offset` in this frame's coordinates."""
        (a, b, c), (x, y, z) = self.shift, offset
        shift, origin = (a - x, b - y, c - z), self._outer((as_float(x), as_float(y), as_float(z)))
        # Nearly every shape is moved, and `_replace` takes three times as long.
        return Frame(self.scale, self.turn, shift, self.back, origin, self.back_scale, self.stretch)

    def rotated(self, quaternion: tuple[Any, Any, Any, Any]) -> Frame:
        """The frame of a part turned by a quaternion (w first, of any length but zero) in this frame's coordinates."""
        matrix = rotation_matrix(quaternion)
        inverse = tuple(zip(*matrix, strict=True))  # a rotation's inverse is its transpose
        turn: Any = inverse if self.turn is None else _product(inverse, self.turn)
        back_matrix = tuple(tuple(as_float(entry) for entry in row) for row in matrix)
        back: Any = back_matrix if self.back is None else _product(self.back, back_matrix)
        return self._replace(turn=turn, shift=_apply(inverse, self.shift), back=back)

    def scaled(self, factor: Any) -> Frame:
        """The frame of a part `factor` times as large."""
        size = as_float(factor)
        shift: Any = tuple(c / factor for c in self.shift)
        return self._replace(
            scale=self.scale / factor, shift=shift, back_scale=self.back_scale * size, stretch=self.stretch * size
        )

    def scaled_by_axis(self, factors: Triple) -> Frame:
        """The frame of a part scaled by one factor an axis."""
        identity: Rows = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
        sizes = tuple(as_float(factor) for factor in factors)
        turn: Any = tuple(tuple(e / f for e in row) for row, f in zip(self.turn or identity, factors, strict=True))
        back: Any = tuple(tuple(e * s for e, s in zip(row, sizes, strict=True)) for row in self.back or identity)
        shift: Any = tuple(c / f for c, f in zip(self.shift, factors, strict=True))
        return self._replace(turn=turn, back=back, shift=shift, stretch=self.stretch * max(sizes))

    def _outer(self, point: tuple[float, float, float]) -> tuple[float, float, float]:
        """A point of q in p."""
        (x, y, z), (a, b, c) = point if self.back is None else _apply(self.back, point), self.origin
        scale = self.back_scale
        return (scale * x + a, scale * y + b, scale * z + c)


IDENTITY = Frame()


def rotation_matrix(quaternion: tuple[Any, Any, Any, Any]) -> Rows:
    """Rows of the rotation that a quaternion, w first and of any length but zero, stands for."""
    w, x, y, z = numbers.with_squares(quaternion)
    s = 2.0 / (w * w + x * x + y * y + z * z)
    return (
        (1.0 - s * (y * y + z * z), s * (x * y - w * z), s * (x * z + w * y)),
        (s * (x * y + w * z), 1.0 - s * (x * x + z * z), s * (y * z - w * x)),
        (s * (x * z - w * y), s * (y * z + w * x), 1.0 - s * (x * x + y * y)),
    )


def quaternion_of(axis: Triple, degrees: Any) -> tuple[Any, Any, Any, Any]:
    """The turn by `degrees` about `axis` as a quaternion, w first."""
    half = degrees * (3.141592653589793 / 360.0)
    x, y, z = numbers.normalized(axis)
    sine = numbers.sin(half)
    return (numbers.cos(half), x * sine, y * sine, z * sine)


def _apply(matrix: Any, vector: Any) -> Any:
    return tuple(row[0] * vector[0] + row[1] * vector[1] + row[2] * vector[2] for row in matrix)


def _product(a: Any, b: Any) -> Any:
    columns = tuple(zip(*b, strict=True))
    return tuple(tuple(r[0] * c[0] + r[1] * c[1] + r[2] * c[2] for c in columns) for r in a)
