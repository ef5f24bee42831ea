"""Shapes of the x-y plane, to be extruded or revolved; combined among themselves they stay flat."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from ..program import Lowering, Node, as_float, of_flat
from .base import QUILEZ, Limit, Shape, register
from .model import Length, Positive, Size2, Vector2


def regular(radius: Any, sides: int) -> list[Any]:
    """Numbers of a regular polygon, a star whose inner corners are the middles of the sides."""
    return star_numbers(radius, radius * math.cos(math.pi / sides), sides)


def star_numbers(outer: Any, inner: Any, points: int) -> list[Any]:
    """Numbers of the operation `star`: the angle between tips, the first tip and the inner corner after it."""
    half = math.pi / points
    return [2.0 * half, outer, inner * math.cos(half), inner * math.sin(half)]


@register
class Circle(Shape):
    """A disc."""

    source: ClassVar[str] = "|(x, y)| - radius"
    flat: ClassVar[bool] = True

    kind: Literal["circle"] = "circle"
    radius: Annotated[Positive, Field(description="radius, scene units")] = 0.5

    def lower(self, build: Lowering) -> Node:
        radius = build["radius"]
        reach = as_float(radius)
        return build.leaf("circle", [radius], of_flat((-reach, -reach), (reach, reach)))


@register
class Rectangle(Shape):
    """A rectangle with sharp corners."""

    source: ClassVar[str] = QUILEZ
    flat: ClassVar[bool] = True

    kind: Literal["rectangle"] = "rectangle"
    size: Annotated[Size2, Field(description="extents along x and y, scene units; one number for both")] = (1.0, 1.0)

    def lower(self, build: Lowering) -> Node:
        x, y = (0.5 * extent for extent in build["size"])
        return build.leaf("rectangle", [x, y, 0.0], of_flat((-as_float(x), -as_float(y)), (as_float(x), as_float(y))))


@register
class RoundedRectangle(Shape):
    """A rectangle whose corners are rounded with `radius`; `size` is that of the whole."""

    source: ClassVar[str] = QUILEZ
    flat: ClassVar[bool] = True

    kind: Literal["rounded_rectangle"] = "rounded_rectangle"
    size: Annotated[
        Size2, Field(description="extents of the whole along x and y, scene units; one number for both")
    ] = (1.0, 1.0)
    radius: Annotated[
        Length, Field(description="radius of the corners, scene units, 0 for sharp ones, at most half the smaller side")
    ] = 0.1

    def limits(self) -> Iterator[Limit]:
        yield "radius", 0.5 * min(self.size), "half the smaller side"

    def lower(self, build: Lowering) -> Node:
        x, y = (0.5 * extent for extent in build["size"])
        return build.leaf(
            "rectangle", [x, y, build["radius"]], of_flat((-as_float(x), -as_float(y)), (as_float(x), as_float(y)))
        )


@register
class RegularPolygon(Shape):
    """A polygon of equal sides, its corners on a circle of `radius`, the first on +x."""

    source: ClassVar[str] = "one edge of a sector, by symmetry"
    flat: ClassVar[bool] = True

    kind: Literal["regular_polygon"] = "regular_polygon"
    sides: Annotated[int, Field(ge=3, le=1000, strict=True, description="number of sides")] = 6
    radius: Annotated[Positive, Field(description="from the centre to a corner, scene units")] = 0.5

    def lower(self, build: Lowering) -> Node:
        radius = build["radius"]
        reach = as_float(radius)
        return build.leaf("star", regular(radius, self.sides), of_flat((-reach, -reach), (reach, reach)))


@register
class Star(Shape):
    """A star of `points` tips at radius `outer`, the first on +x, and as many inner corners at radius `inner`."""

    source: ClassVar[str] = "one edge of a sector, by symmetry"
    flat: ClassVar[bool] = True

    kind: Literal["star"] = "star"
    points: Annotated[int, Field(ge=3, le=1000, strict=True, description="number of tips")] = 5
    outer: Annotated[Positive, Field(description="from the centre to a tip, scene units")] = 0.5
    inner: Annotated[Positive, Field(description="from the centre to an inner corner, scene units, at most outer")] = (
        0.25
    )

    def limits(self) -> Iterator[Limit]:
        yield "inner", self.outer, "outer"

    def lower(self, build: Lowering) -> Node:
        outer = build["outer"]
        reach = as_float(outer)
        return build.leaf(
            "star", star_numbers(outer, build["inner"], self.points), of_flat((-reach, -reach), (reach, reach))
        )


@register
class Polygon(Shape):
    """A polygon through `points` in order, closed by itself; its edges must not cross."""

    source: ClassVar[str] = "nearest edge, sign by winding (Quilez, 2D distance functions)"
    flat: ClassVar[bool] = True

    kind: Literal["polygon"] = "polygon"
    points: Annotated[
        tuple[Vector2, ...], Field(min_length=3, max_length=4096, description="corners [x, y] in order, scene units")
    ]

    @model_validator(mode="after")
    def _has_edges(self) -> Polygon:
        for index, corner in enumerate(self.points):
            if corner == self.points[index - 1]:
                raise ValueError(f"points: corner {index} repeats the one before it")
        return self

    def lower(self, build: Lowering) -> Node:
        corners = build["points"]
        xs = [as_float(corner[0]) for corner in corners]
        ys = [as_float(corner[1]) for corner in corners]
        extent = of_flat((min(xs), min(ys)), (max(xs), max(ys)))
        return build.leaf("polygon", [number for corner in corners for number in corner], extent, corners=len(corners))
