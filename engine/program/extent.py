"""How far a part of a scene reaches: a box that holds its surface, and a cone under its values.

The cone promises value(p) ≥ slope · |p - centre| - radius everywhere. It is what a skip tests: where it stays above
what is known already, the part cannot matter. `exact` says that the value outside is the true distance, `exact_inside`
the same of the inside; where they are not said, a value is a bound: never more than the distance. A warp under a scale
does not say so, because its values are in other units than its point.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from .numbers import vector

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]

INFINITY = math.inf


class Extent(NamedTuple):
    """Box and cone of a part, in the coordinates of its point register."""

    low: Vector
    high: Vector
    centre: Vector
    radius: float
    slope: float = 1.0
    exact: bool = True
    exact_inside: bool = True

    def claiming(self, outside: bool, inside: bool) -> Extent:
        """The part with its values exact only where they were so and this says so too."""
        if (outside or not self.exact) and (inside or not self.exact_inside):
            return self
        return self._replace(exact=self.exact and outside, exact_inside=self.exact_inside and inside)

    @property
    def finite(self) -> bool:
        """Whether the cone says anything."""
        return self.radius < INFINITY and self.slope > 0.0

    @property
    def bounded(self) -> bool:
        """Whether a ball in space says something: not so for flat shapes, whose cone is one of the plane."""
        return self.finite and self.high[2] < INFINITY

    @property
    def reach(self) -> float:
        """Radius of a ball about the centre that holds the surface."""
        return self.radius / self.slope if self.finite else INFINITY

    def grown(self, amount: float) -> Extent:
        """The part with `amount` taken off its values."""
        if amount <= 0.0:
            return self  # shrunk: the old box and cone still hold
        radius = self.radius + amount
        if self.exact:
            low, high = _shifted(self.low, -amount), _shifted(self.high, amount)
        elif self.finite:
            reach = radius / self.slope
            low, high = _shifted(self.centre, -reach), _shifted(self.centre, reach)
        else:
            low, high = (-INFINITY,) * 3, (INFINITY,) * 3
        return self._replace(low=low, high=high, radius=radius)

    def recentred(self, centre: Vector) -> Extent:
        """The same promise about another centre: the cone is lowered by the way between the two."""
        if not self.finite:
            return self._replace(centre=centre)
        return self._replace(centre=centre, radius=self.radius + self.slope * math.dist(centre, self.centre))

    def placed(self, matrix: Matrix | None, scale: float, offset: Vector, stretch: float, factor: float) -> Extent:
        """The part in outer coordinates p = scale · matrix q + offset, with its values multiplied by `factor`.

        `matrix` None is the identity; `stretch` is the most that the map lengthens a vector.
        """
        kept = math.isclose(factor, stretch)
        if matrix is None:
            low, high, centre = (
                _moved(self.low, scale, offset),
                _moved(self.high, scale, offset),
                _moved(self.centre, scale, offset),
            )
        else:
            low, high = _box_through(matrix, scale, offset, self.low, self.high)
            x, y, z = self.centre
            centre = vector(
                scale * (row[0] * x + row[1] * y + row[2] * z) + b for row, b in zip(matrix, offset, strict=True)
            )
        radius, slope = self.radius * factor, self.slope * factor / stretch
        return Extent(low, high, centre, radius, slope, self.exact and kept, self.exact_inside and kept)


ENDLESS = Extent((-INFINITY,) * 3, (INFINITY,) * 3, (0.0, 0.0, 0.0), INFINITY)


def of_box(low: Vector, high: Vector, *, radius: float | None = None) -> Extent:
    """Extent of a shape that fills at most a box; `radius` if a smaller ball about the box's centre holds it too."""
    centre = _middle(low, high)
    reach = 0.5 * math.dist(low, high)
    return Extent(low, high, centre, reach if radius is None else min(reach, radius))


def union(parts: Iterable[Extent]) -> Extent:
    """Extent of the smallest of the parts' values."""
    parts = list(parts)
    low = vector(map(min, zip(*[part.low for part in parts], strict=True)))
    high = vector(map(max, zip(*[part.high for part in parts], strict=True)))
    exact = _exact_union(parts)
    slope = min([part.slope for part in parts])
    if slope <= 0.0 or max([part.radius for part in parts]) == INFINITY:
        return Extent(low, high, (0.0, 0.0, 0.0), INFINITY, 1.0, *exact)
    centre = _middle(low, high)
    radius = max([slope * math.dist(centre, part.centre) + part.radius for part in parts])
    return Extent(low, high, centre, radius, slope, *exact)


def intersection(parts: Iterable[Extent]) -> Extent:
    """Extent of the largest of the parts' values: the smallest part's cone holds for all."""
    parts = list(parts)
    low = vector(map(max, zip(*(part.low for part in parts), strict=True)))
    high = vector(map(min, zip(*(part.high for part in parts), strict=True)))
    if any(a > b for a, b in zip(low, high, strict=True)):  # the boxes do not meet: nothing is left
        low = high = parts[0].centre
    best = min(parts, key=lambda part: part.reach)
    exact_inside = all(part.exact_inside for part in parts)
    return Extent(low, high, best.centre, best.radius, best.slope, False, exact_inside)


def _exact_union(parts: list[Extent]) -> tuple[bool, bool]:
    """Whether the smallest of the parts' values is exact outside and inside: where two overlap, it is not inside."""
    return all(part.exact for part in parts), len(parts) == 1 and parts[0].exact_inside


def of_flat(low: tuple[float, float], high: tuple[float, float]) -> Extent:
    """Extent of a shape of the x-y plane: its cone holds for distances in the plane."""
    flat = of_box((*low, 0.0), (*high, 0.0))
    return flat._replace(low=(*low, -INFINITY), high=(*high, INFINITY))


def _middle(low: Vector, high: Vector) -> Vector:
    """Centre of a box; 0 along its endless axes."""
    x, y, z = 0.5 * (low[0] + high[0]), 0.5 * (low[1] + high[1]), 0.5 * (low[2] + high[2])
    if math.isfinite(x + y + z):
        return (x, y, z)
    return vector([side if math.isfinite(side) else 0.0 for side in (x, y, z)])


def _moved(point: Vector, scale: float, offset: Vector) -> Vector:
    x, y, z = point
    a, b, c = offset
    return (scale * x + a, scale * y + b, scale * z + c)


def _shifted(point: Vector, amount: float) -> Vector:
    return (point[0] + amount, point[1] + amount, point[2] + amount)


def _box_through(matrix: Matrix, scale: float, offset: Vector, low: Vector, high: Vector) -> tuple[Vector, Vector]:
    """The box around a box taken through p = scale · matrix q + offset; an endless side stays endless."""
    lows, highs = [], []
    for row, start in zip(matrix, offset, strict=True):
        bottom = top = start
        for entry, a, b in zip(row, low, high, strict=True):
            if abs(entry) < 1e-12:
                continue
            first, second = scale * entry * a, scale * entry * b
            bottom += min(first, second)
            top += max(first, second)
        lows.append(bottom)
        highs.append(top)
    return vector(lows), vector(highs)
