"""Solids: shapes with an inside, centred, their axis of symmetry +z, sizes full extents."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ..program import ENDLESS, INFINITY, Extent, Lowering, Node, as_float, numbers, of_box
from .base import QUILEZ, Limit, Shape, register
from .model import Direction, Length, Number, Positive, Size3


def halves(size: tuple[float, ...]) -> list[float]:
    """Half of each extent."""
    return [0.5 * extent for extent in size]


def around(*half: float, radius: float | None = None) -> Extent:
    """Extent of a centred box of those half extents."""
    x, y, z = map(as_float, half)
    return of_box((-x, -y, -z), (x, y, z), radius=None if radius is None else as_float(radius))


@register
class Sphere(Shape):
    """A ball."""

    source: ClassVar[str] = "|p| - radius"

    kind: Literal["sphere"] = "sphere"
    radius: Annotated[Positive, Field(description="radius, scene units")] = 0.5

    def lower(self, build: Lowering) -> Node:
        radius = build["radius"]
        return build.leaf("sphere", [radius], around(radius, radius, radius, radius=radius))


@register
class Ellipsoid(Shape):
    """An ellipsoid; `size` holds its three diameters."""

    source: ClassVar[str] = "Eberly, Distance from a point to an ellipsoid; root by Moré and Sorensen's iteration"

    kind: Literal["ellipsoid"] = "ellipsoid"
    size: Annotated[Size3, Field(description="diameters along x, y, z, scene units; one number for all three")] = (
        1.0,
        0.75,
        0.5,
    )

    def lower(self, build: Lowering) -> Node:
        half = halves(build["size"])
        return build.leaf("ellipsoid", half, around(*half, radius=max(half, key=as_float)))


@register
class Box(Shape):
    """A box with sharp edges."""

    source: ClassVar[str] = QUILEZ

    kind: Literal["box"] = "box"
    size: Annotated[Size3, Field(description="extents along x, y, z, scene units; one number for all three")] = (
        1.0,
        1.0,
        1.0,
    )

    def lower(self, build: Lowering) -> Node:
        half = halves(build["size"])
        return build.leaf("box", [*half, 0.0], around(*half))


@register
class RoundedBox(Shape):
    """A box whose edges are rounded with `radius`; `size` is that of the whole."""

    source: ClassVar[str] = QUILEZ

    kind: Literal["rounded_box"] = "rounded_box"
    size: Annotated[
        Size3, Field(description="extents of the whole along x, y, z, scene units; one number for all three")
    ] = (1.0, 1.0, 1.0)
    radius: Annotated[
        Length,
        Field(description="radius of the edges, scene units, 0 for sharp ones, at most half the smallest extent"),
    ] = 0.1

    def limits(self) -> Iterator[Limit]:
        yield "radius", 0.5 * min(self.size), "half the smallest extent"

    def lower(self, build: Lowering) -> Node:
        half = halves(build["size"])
        return build.leaf("box", [*half, build["radius"]], around(*half))


@register
class BoxFrame(Shape):
    """The twelve edges of a box as bars of square section `width`; `size` is that of the whole."""

    source: ClassVar[str] = QUILEZ
    inside: ClassVar[Literal["exact", "bound"]] = "bound"

    kind: Literal["box_frame"] = "box_frame"
    size: Annotated[
        Size3, Field(description="extents of the whole along x, y, z, scene units; one number for all three")
    ] = (1.0, 1.0, 1.0)
    width: Annotated[Positive, Field(description="side of a bar, scene units, at most half the smallest extent")] = 0.1

    def limits(self) -> Iterator[Limit]:
        yield "width", 0.5 * min(self.size), "half the smallest extent"

    def lower(self, build: Lowering) -> Node:
        half = halves(build["size"])
        return build.leaf("box_frame", [*half, build["width"]], around(*half))


@register
class Torus(Shape):
    """A ring about the z axis: `radius` to the middle of the tube, `tube` the tube's own radius.

    One whose tube is thicker than `radius` meets itself and is a bound inside.
    """

    source: ClassVar[str] = QUILEZ

    kind: Literal["torus"] = "torus"
    radius: Annotated[Positive, Field(description="from the axis to the middle of the tube, scene units")] = 0.5
    tube: Annotated[Positive, Field(description="the tube's own radius, scene units")] = 0.15

    def lower(self, build: Lowering) -> Node:
        radius, tube = build["radius"], build["tube"]
        extent = around(radius + tube, radius + tube, tube, radius=radius + tube)
        return build.leaf("torus", [radius, tube], extent.claiming(True, as_float(tube) <= as_float(radius)))


@register
class CappedTorus(Shape):
    """An arc of a torus around +y, of `angle` degrees in all, with round ends.

    One whose tube meets itself, across the middle or end to end, is a bound inside.
    """

    source: ClassVar[str] = QUILEZ

    kind: Literal["capped_torus"] = "capped_torus"
    radius: Annotated[Positive, Field(description="from the axis to the middle of the tube, scene units")] = 0.5
    tube: Annotated[Positive, Field(description="the tube's own radius, scene units")] = 0.15
    angle: Annotated[Number, Field(gt=0.0, le=360.0, description="of the whole arc, degrees")] = 180.0

    def lower(self, build: Lowering) -> Node:
        radius, tube = build["radius"], build["tube"]
        half = build["angle"] * (math.pi / 360.0)
        reach = radius + tube
        # The ends face each other only where the arc is more than a half ring; at a whole one they are one.
        facing = math.pi / 2.0 < as_float(half) < math.pi * (1.0 - 1e-6)
        room = as_float(radius) * (math.sin(as_float(half)) if facing else 1.0)
        extent = around(reach, reach, tube, radius=reach).claiming(True, as_float(tube) <= room)
        return build.leaf("capped_torus", [radius, tube, numbers.sin(half), numbers.cos(half)], extent)


@register
class Link(Shape):
    """A chain link: a torus pulled apart along y until it is `length` longer.

    One whose tube is thicker than `radius` meets itself and is a bound inside.
    """

    source: ClassVar[str] = QUILEZ

    kind: Literal["link"] = "link"
    length: Annotated[Length, Field(description="length of the straight parts, scene units, 0 for a ring")] = 0.5
    radius: Annotated[
        Positive, Field(description="from the middle of a bow to the middle of the tube, scene units")
    ] = 0.25
    tube: Annotated[Positive, Field(description="the tube's own radius, scene units")] = 0.1

    def lower(self, build: Lowering) -> Node:
        half, radius, tube = 0.5 * build["length"], build["radius"], build["tube"]
        extent = around(radius + tube, half + radius + tube, tube)
        return build.leaf("link", [half, radius, tube], extent.claiming(True, as_float(tube) <= as_float(radius)))


@register
class Cylinder(Shape):
    """A cylinder about the z axis; endless without a `height`."""

    source: ClassVar[str] = QUILEZ

    kind: Literal["cylinder"] = "cylinder"
    radius: Annotated[Positive, Field(description="radius, scene units")] = 0.5
    height: Annotated[Positive | None, Field(description="extent along z, scene units; endless without")] = None

    def lower(self, build: Lowering) -> Node:
        radius, height = build["radius"], build["height"]
        if height is None:
            return build.leaf("circle", [radius], around(radius, radius, INFINITY))
        return build.leaf("cylinder", [radius, 0.5 * height, 0.0], around(radius, radius, 0.5 * height))


@register
class RoundedCylinder(Shape):
    """A cylinder whose rims are rounded with `rounding`; `radius` and `height` are those of the whole."""

    source: ClassVar[str] = QUILEZ

    kind: Literal["rounded_cylinder"] = "rounded_cylinder"
    radius: Annotated[Positive, Field(description="radius of the whole, scene units")] = 0.5
    height: Annotated[Positive, Field(description="extent of the whole along z, scene units")] = 1.0
    rounding: Annotated[
        Length,
        Field(description="radius of the rims, scene units, 0 for sharp ones, at most the radius and half the height"),
    ] = 0.1

    def limits(self) -> Iterator[Limit]:
        yield "rounding", min(self.radius, 0.5 * self.height), "the radius and half the height"

    def lower(self, build: Lowering) -> Node:
        radius, half = build["radius"], 0.5 * build["height"]
        return build.leaf("cylinder", [radius, half, build["rounding"]], around(radius, radius, half))


@register
class CappedCone(Shape):
    """A cone cut flat at both ends, with a radius at the bottom and one at the top."""

    source: ClassVar[str] = QUILEZ

    kind: Literal["capped_cone"] = "capped_cone"
    height: Annotated[Positive, Field(description="extent along z, scene units")] = 1.0
    bottom: Annotated[Positive, Field(description="radius at the bottom, scene units")] = 0.5
    top: Annotated[Positive, Field(description="radius at the top, scene units")] = 0.25

    def lower(self, build: Lowering) -> Node:
        half, bottom, top = 0.5 * build["height"], build["bottom"], build["top"]
        widest = max(bottom, top, key=as_float)
        return build.leaf("capped_cone", [half, bottom, top], around(widest, widest, half))


@register
class Cone(Shape):
    """A cone with its tip up."""

    source: ClassVar[str] = QUILEZ

    kind: Literal["cone"] = "cone"
    radius: Annotated[Positive, Field(description="radius at the bottom, scene units")] = 0.5
    height: Annotated[Positive, Field(description="extent along z, scene units")] = 1.0

    def lower(self, build: Lowering) -> Node:
        half, radius = 0.5 * build["height"], build["radius"]
        return build.leaf("capped_cone", [half, radius, 0.0], around(radius, radius, half))


@register
class Capsule(Shape):
    """A cylinder with round ends; `height` is that of the whole, at least the diameter."""

    source: ClassVar[str] = QUILEZ

    kind: Literal["capsule"] = "capsule"
    radius: Annotated[Positive, Field(description="radius, scene units, at most half the height")] = 0.25
    height: Annotated[Positive, Field(description="extent of the whole along z, scene units")] = 1.0

    def limits(self) -> Iterator[Limit]:
        yield "radius", 0.5 * self.height, "half the height"

    def lower(self, build: Lowering) -> Node:
        radius, half = build["radius"], 0.5 * build["height"]
        return build.leaf("capsule", [half - radius, radius], around(radius, radius, half))


@register
class Plane(Shape):
    """All that lies below the plane of points p with normal · p = offset."""

    source: ClassVar[str] = "normal · p - offset"

    kind: Literal["plane"] = "plane"
    normal: Annotated[Direction, Field(description="direction out of the solid, any length but zero")] = (0.0, 0.0, 1.0)
    offset: Annotated[Number, Field(description="from the origin along the normal, scene units")] = 0.0

    def lower(self, build: Lowering) -> Node:
        return build.leaf("plane", [*numbers.normalized(tuple(build["normal"])), build["offset"]], ENDLESS)


@register
class Octahedron(Shape):
    """|x| + |y| + |z| ≤ radius."""

    source: ClassVar[str] = QUILEZ

    kind: Literal["octahedron"] = "octahedron"
    radius: Annotated[Positive, Field(description="from the centre to a corner, scene units")] = 0.5

    def lower(self, build: Lowering) -> Node:
        radius = build["radius"]
        return build.leaf("octahedron", [radius], around(radius, radius, radius, radius=radius))


@register
class Pyramid(Shape):
    """A pyramid with its tip up; `base` is the side of its square base."""

    source: ClassVar[str] = "distances to a side, its slanted edge and the base, by symmetry"

    kind: Literal["pyramid"] = "pyramid"
    base: Annotated[Positive, Field(description="side of the square base, scene units")] = 1.0
    height: Annotated[Positive, Field(description="extent along z, scene units")] = 1.0

    def lower(self, build: Lowering) -> Node:
        half_base, half_height = 0.5 * build["base"], 0.5 * build["height"]
        return build.leaf("pyramid", [half_base, half_height], around(half_base, half_base, half_height))


class Prism(Shape):
    """What the prisms share: the radius of the circle through their corners, and the height."""

    source: ClassVar[str] = "one side, by symmetry"
    sides: ClassVar[int]

    radius: Annotated[Positive, Field(description="of the circle through the corners, scene units")] = 0.5
    height: Annotated[Positive, Field(description="extent along z, scene units")] = 1.0

    def lower(self, build: Lowering) -> Node:
        radius, half = build["radius"], 0.5 * build["height"]
        normal = math.cos(math.pi / self.sides), math.sin(math.pi / self.sides)
        mirror = 1.0 if self.sides % 2 else -1.0
        return build.leaf(
            "prism", [radius * normal[1], radius * normal[0], half, *normal, mirror], around(radius, radius, half)
        )


@register
class HexagonalPrism(Prism):
    """A prism on a regular hexagon, its first edge on +x."""

    sides: ClassVar[int] = 6
    kind: Literal["hexagonal_prism"] = "hexagonal_prism"


@register
class TriangularPrism(Prism):
    """A prism on an equilateral triangle, its first edge on +x."""

    sides: ClassVar[int] = 3
    kind: Literal["triangular_prism"] = "triangular_prism"
