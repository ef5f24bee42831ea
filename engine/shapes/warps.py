"""Operators on the point at which one shape is evaluated: copied, pulled, turned."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from ..program import (
    INFINITY,
    BuildError,
    Extent,
    Frame,
    Lowering,
    Node,
    OnValue,
    Vector,
    as_float,
    extent as extents,
    numbers,
)
from .base import Reference, Shape, register
from .model import Direction, Length, Number, Positive

MOST_CELLS = 1_000_000  # cell numbers stay whole in float32
Copies = Annotated[int, Field(ge=1, le=MOST_CELLS, strict=True)]


@register
class Elongate(Shape):
    """A shape cut at the three planes through its centre and pulled apart by `length` along each axis."""

    source: ClassVar[str] = "p - clamp(p) (Quilez)"
    outside: ClassVar[Literal["exact", "bound"]] = "bound"
    inside: ClassVar[Literal["exact", "bound"]] = "bound"

    kind: Literal["elongate"] = "elongate"
    of: Reference
    length: Annotated[tuple[Length, Length, Length], Field(description="added along x, y, z, scene units")] = (
        0.5,
        0.0,
        0.0,
    )

    def lower(self, build: Lowering) -> Node:
        half = [0.5 * length for length in build["length"]]
        inner = build.inner(self.of)
        pulled = inner.extent
        sizes = [as_float(length) for length in half]
        extent = pulled._replace(
            low=_sum(pulled.low, sizes, -1.0),
            high=_sum(pulled.high, sizes, 1.0),
            radius=pulled.radius + pulled.slope * math.hypot(*sizes),
        )
        return build.warp("elongate", [half], inner, extent)


@register
class Mirror(Shape):
    """What of a shape lies on the positive side of the plane normal · p = offset, and its reflection.

    A shape that the plane cuts is a bound, one that touches it a bound inside.
    """

    source: ClassVar[str] = "p - 2 min(normal · p - offset, 0) normal"

    kind: Literal["mirror"] = "mirror"
    of: Reference
    normal: Annotated[Direction, Field(description="direction of the side that is kept, any length but zero")] = (
        1.0,
        0.0,
        0.0,
    )
    offset: Annotated[Number, Field(description="of the plane from the origin along the normal, scene units")] = 0.0

    def lower(self, build: Lowering) -> Node:
        normal = numbers.normalized(tuple(build["normal"]))
        offset = build["offset"]
        inner = build.inner(self.of)
        n = numbers.vector(as_float(c) for c in normal)
        o = as_float(offset)
        # The box is reflected, p - 2 (n·p - o) n; the cone stands on the plane, where folding keeps lengths.
        rows = (numbers.vector((1.0 if i == j else 0.0) - 2.0 * n[i] * n[j] for j in range(3)) for i in range(3))
        other = inner.extent.placed(numbers.vector(rows), 1.0, numbers.vector(2.0 * o * c for c in n), 1.0, 1.0)
        height = sum(a * b for a, b in zip(n, inner.extent.centre, strict=True)) - o
        middle = numbers.vector(c - height * a for c, a in zip(inner.extent.centre, n, strict=True))
        both = extents.union([inner.extent, other])
        # A shape that the plane cuts has parts that the fold has thrown away; one that it touches grows into its image.
        corner = zip(n, inner.extent.low, inner.extent.high, strict=True)
        lowest = sum(a * (low if a > 0.0 else high) for a, low, high in corner if a != 0.0)
        folded = inner.extent.recentred(middle).claiming(lowest >= o, lowest > o)
        return build.warp("mirror", [[*normal, offset]], inner, folded._replace(low=both.low, high=both.high))


@register
class Repeat(Shape):
    """Copies of a shape on a lattice; it must fit its cell. A spacing of 0 does not repeat along that axis."""

    source: ClassVar[str] = "smallest value over the own and the nearer neighbouring cells"
    inside: ClassVar[Literal["exact", "bound"]] = "bound"

    kind: Literal["repeat"] = "repeat"
    of: Reference
    spacing: Annotated[
        tuple[Length, Length, Length],
        Field(description="distance of the copies along x, y, z, scene units; 0 does not repeat"),
    ] = (
        1.0,
        1.0,
        0.0,
    )
    count: Annotated[
        tuple[Copies, Copies, Copies] | None,
        Field(description="copies along x, y, z, centred together; endless without"),
    ] = None

    def lower(self, build: Lowering) -> Node:
        spacing = tuple(build["spacing"])
        steps = tuple(as_float(step) for step in spacing)
        # A lattice of n cells runs from 0 to n - 1 in a frame shifted so that it is centred.
        counts = tuple(
            (1 if step == 0.0 else 2 * MOST_CELLS + 1 if self.count is None else self.count[axis])
            for axis, step in enumerate(steps)
        )
        lows = [-MOST_CELLS if count > MOST_CELLS else 0 for count in counts]
        highs = [MOST_CELLS if count > MOST_CELLS else count - 1 for count in counts]
        shift = numbers.vector(
            -0.5 * (count - 1) * step if count <= MOST_CELLS else 0.0
            for count, step in zip(counts, spacing, strict=True)
        )
        placed = replace(build, frame=build.frame.translated(shift))
        inner = placed.inner(self.of)
        for axis, (step, count) in enumerate(zip(steps, counts, strict=True)):
            reach = max(-inner.extent.low[axis], inner.extent.high[axis])
            if count > 1 and reach > 0.5 * step * (1.0 + 1e-6):
                raise BuildError(
                    f"shapes.{build.name}.spacing: a copy must fit its cell: along {'xyz'[axis]} the cell reaches "
                    f"{0.5 * step:g} from its centre, {_name(self.of)!r} {reach:g}"
                )
        lattice: list[Any] = [step if as_float(step) > 0.0 else 1.0 for step in spacing]
        reciprocals = [1.0 / step if as_float(step) > 0.0 else 0.0 for step in spacing]
        choices = [(0.0, 1.0) if count > 1 else (0.0,) for count in counts]
        cells = [*map(float, lows), *map(float, highs)]
        variants = [[*lattice, *reciprocals, *cells, *neighbours] for neighbours in itertools.product(*choices)]
        return placed.warp("repeat", variants, inner, _lattice_extent(inner.extent, steps, lows, highs, counts))


@register
class PolarRepeat(Shape):
    """`count` copies of a shape around the z axis, the first where it stands; it must fit its sector around +x."""

    source: ClassVar[str] = "smallest value over the own and the nearer neighbouring sector"
    inside: ClassVar[Literal["exact", "bound"]] = "bound"

    kind: Literal["polar_repeat"] = "polar_repeat"
    of: Reference
    count: Annotated[int, Field(ge=1, le=100_000, strict=True, description="copies in a full turn")] = 6

    def lower(self, build: Lowering) -> Node:
        inner = build.inner(self.of)
        sector = 2.0 * math.pi / self.count
        extent = inner.extent
        if self.count > 1 and _half_angle(extent) > 0.5 * sector * (1.0 + 1e-6):
            raise BuildError(
                f"shapes.{build.name}.count: a copy must fit its sector of ± {180.0 / self.count:g} degrees around +x, "
                f"{_name(self.of)!r} reaches {math.degrees(_half_angle(extent)):g}"
            )
        variants = [[sector, neighbour] for neighbour in ((0.0, 1.0) if self.count > 1 else (0.0,))]
        return build.warp("polar_repeat", variants, inner, _spun(extent))


@register
class Twist(Shape):
    """A shape turned about the z axis by `rate` degrees per unit of height.

    Gradients: the factor that makes a value a bound follows `rate`, but takes the reach of the part as a number;
    so gradients to the parameters of that part are exact where the value is 0, and elsewhere those at a fixed factor.
    """

    source: ClassVar[str] = (
        "divided by the largest singular value of the shear, s + sqrt(1 + s²), s = rate · radius / 2"
    )
    outside: ClassVar[Literal["exact", "bound"]] = "bound"
    inside: ClassVar[Literal["exact", "bound"]] = "bound"

    kind: Literal["twist"] = "twist"
    of: Reference
    rate: Annotated[Number, Field(description="turn with height, degrees per scene unit")] = 90.0

    def lower(self, build: Lowering) -> Node:
        inner = build.inner(self.of)
        radius = _widest(inner.extent)
        if radius == INFINITY:
            raise BuildError(f"shapes.{build.name}.of: {_name(self.of)!r} must end in x and y to be twisted")
        rate = build["rate"] * (math.pi / 180.0)
        half = (rate if as_float(rate) >= 0.0 else -rate) * (0.5 * radius)
        turned = build.warp("twist", [[rate]], inner, _spun(inner.extent))
        return build.divided(turned, half + numbers.sqrt(1.0 + half * half))


@register
class Bend(Shape):
    """A shape's x axis bent up (towards +z) into a circle of that radius; at most a quarter turn to either side.

    Gradients: the factor that makes a value a bound follows `radius`, but takes the reach of the part as a number;
    so gradients to the parameters of that part are exact where the value is 0, and elsewhere those at a fixed factor.
    """

    source: ClassVar[str] = "divided by the stretch over the shape's extent; see kernels/formulas/values.py, bound"
    outside: ClassVar[Literal["exact", "bound"]] = "bound"
    inside: ClassVar[Literal["exact", "bound"]] = "bound"

    kind: Literal["bend"] = "bend"
    of: Reference
    radius: Annotated[Positive, Field(description="of the circle into which the x axis is bent, scene units")] = 1.0

    def lower(self, build: Lowering) -> Node:
        inner = build.inner(self.of)
        extent = inner.extent
        radius = build["radius"]
        size = as_float(radius)
        half_length = max(-extent.low[0], extent.high[0])
        inner_radius = size - extent.high[2]
        if not (half_length <= 0.5 * math.pi * size and inner_radius > 0.0):
            raise BuildError(
                f"shapes.{build.name}.radius: must be larger than {_name(self.of)!r} reaches in z ({extent.high[2]:g}) "
                f"and than 2/π of its reach in x ({2.0 / math.pi * half_length:g}), got {size:g}"
            )
        room = radius - extent.high[2]
        share = room / radius
        near = share * (math.sqrt(0.75) / 1.003)  # within a quarter of the inner radius, see `bound`
        near = near if as_float(near) < 1.0 else 1.0
        far = 1.0 / numbers.sqrt(1.0 + ((math.pi + half_length / radius) / share) ** 2)
        plateau = 0.25 * room * build.factor
        bent = build.warp("bend", [[1.0 / radius]], inner, _bent(extent, size, as_float(near), as_float(far)))
        return OnValue("bound", [near, plateau, far], Frame(), 1.0, bent, bent.extent)


@register
class Revolve(Shape):
    """A flat shape turned about the z axis: its x becomes the distance from the axis less `radius`, its y becomes z.

    A flat shape that the axis cuts is a bound, one that touches it a bound inside.
    """

    source: ClassVar[str] = "distance in the half-plane through the axis (Quilez)"
    part: ClassVar[Literal["solid", "flat", "any"]] = "flat"
    result: ClassVar[Literal["solid", "same"]] = "solid"

    kind: Literal["revolve"] = "revolve"
    of: Reference
    radius: Annotated[Length, Field(description="by which the flat shape is moved away from the axis, scene units")] = (
        0.0
    )

    def lower(self, build: Lowering) -> Node:
        inner = build.inner(self.of)
        flat = inner.extent
        radius = build["radius"]
        widest = max(as_float(radius) + flat.high[0], 0.0)
        shift = abs(as_float(radius) + flat.centre[0])
        extent = Extent(
            (-widest, -widest, flat.low[1]),
            (widest, widest, flat.high[1]),
            (0.0, 0.0, flat.centre[1]),
            flat.radius + flat.slope * shift,
            flat.slope,
            flat.exact,
            flat.exact_inside,
        )
        # What lies beyond the axis is thrown away; what touches it grows together there.
        nearest = as_float(radius) + flat.low[0]
        extent = extent.claiming(nearest >= 0.0, nearest > 0.0)
        return build.warp("revolve", [[radius]], inner, extent)


def _name(part: object) -> str:
    return str(part)


def _sum(vector: Vector, sizes: list[float], sign: float) -> Vector:
    x, y, z = (a + sign * b for a, b in zip(vector, sizes, strict=True))
    return (x, y, z)


def _widest(extent: Extent) -> float:
    """Largest distance of the box from the z axis."""
    return math.hypot(max(-extent.low[0], extent.high[0]), max(-extent.low[1], extent.high[1]))


def _spun(extent: Extent) -> Extent:
    """Extent of all turns about the z axis."""
    radius = _widest(extent)
    about = extent.recentred((0.0, 0.0, extent.centre[2]))
    return about._replace(low=(-radius, -radius, extent.low[2]), high=(radius, radius, extent.high[2]))


def _half_angle(extent: Extent) -> float:
    """Largest angle from +x about the z axis in the part's ball or box, whichever says less."""
    x, y, _ = extent.centre
    distance = math.hypot(x, y)
    by_ball = math.pi
    if extent.finite and distance > extent.reach:
        by_ball = abs(math.atan2(y, x)) + math.asin(extent.reach / distance)
    by_box = math.pi
    if extent.low[0] >= 0.0:
        by_box = math.atan2(max(-extent.low[1], extent.high[1], 0.0), extent.low[0])
    return min(by_ball, by_box)


def _lattice_extent(extent: Extent, steps: Any, lows: list[int], highs: list[int], counts: tuple[int, ...]) -> Extent:
    """Extent of all copies in cells low … high."""
    if any(count > MOST_CELLS for count in counts):
        low = numbers.vector(
            -INFINITY if count > MOST_CELLS else edge for edge, count in zip(extent.low, counts, strict=True)
        )
        high = numbers.vector(
            INFINITY if count > MOST_CELLS else edge + top * step
            for edge, step, top, count in zip(extent.high, steps, highs, counts, strict=True)
        )
        return extent._replace(low=low, high=high, radius=INFINITY)
    size = [step * top for step, top in zip(steps, highs, strict=True)]
    high = numbers.vector(edge + length for edge, length in zip(extent.high, size, strict=True))
    centre = numbers.vector(c + 0.5 * length for c, length in zip(extent.centre, size, strict=True))
    radius = extent.radius + extent.slope * 0.5 * math.hypot(*size)
    return extent._replace(high=high, centre=centre, radius=radius)


def _bent(extent: Extent, size: float, near: float, far: float) -> Extent:
    """Extent of a shape bent to a circle of radius `size` about (0, 0, size), its values made a bound."""
    angles = [extent.low[0] / size, extent.high[0] / size]
    angles += [angle for angle in (0.0,) if angles[0] < 0.0 < angles[1]]
    rims = (size - extent.high[2], size - extent.low[2])
    xs = [rim * math.sin(angle) for rim in rims for angle in angles]
    zs = [size - rim * math.cos(angle) for rim in rims for angle in angles]
    if not extent.finite:
        return extent.claiming(False, False)
    # |q - c| ≥ |p - C| - |size - c_z| with C = (0, c_y, size): heights across the circle are kept by the warp.
    centre = (0.0, extent.centre[1], size)
    radius = near * (extent.radius + extent.slope * abs(size - extent.centre[2]))
    low, high = (min(xs), extent.low[1], min(zs)), (max(xs), extent.high[1], max(zs))
    return Extent(low, high, centre, radius, extent.slope * far, exact=False, exact_inside=False)
