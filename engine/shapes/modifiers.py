"""Operators on the value of one shape: grown, hollowed, swept, rippled."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ..program import Lowering, Node, as_float
from .base import Reference, Shape, register
from .model import Number, Positive


@register
class Offset(Shape):
    """A shape grown by `distance` on all sides, its edges rounded; shrunk if negative, and a bound then."""

    source: ClassVar[str] = "value - distance"
    inside: ClassVar[Literal["exact", "bound"]] = "bound"

    kind: Literal["offset"] = "offset"
    of: Reference
    distance: Annotated[
        Number, Field(description="by which the surface moves outwards (inwards if negative), scene units")
    ] = 0.1

    def lower(self, build: Lowering) -> Node:
        amount = build["distance"] * build.factor
        part = build.part(self.of)
        extent = part.extent.grown(as_float(amount))
        return build.on_value("offset", [amount], part, extent.claiming(as_float(amount) >= 0.0, False))


@register
class Shell(Shape):
    """A skin of that thickness, half on either side of a shape's surface."""

    source: ClassVar[str] = "|value| - thickness / 2"
    outside: ClassVar[Literal["exact", "bound"]] = "bound"
    inside: ClassVar[Literal["exact", "bound"]] = "bound"

    kind: Literal["shell"] = "shell"
    of: Reference
    thickness: Annotated[Positive, Field(description="of the skin, scene units")] = 0.1

    def lower(self, build: Lowering) -> Node:
        half = 0.5 * build["thickness"] * build.factor
        part = build.part(self.of)
        return build.on_value("shell", [half], part, part.extent.grown(as_float(half)).claiming(False, False))


@register
class Extrude(Shape):
    """A flat shape swept along z to that height, centred."""

    source: ClassVar[str] = "distance to a prism from the distance in its plane (Quilez)"
    part: ClassVar[Literal["solid", "flat", "any"]] = "flat"
    result: ClassVar[Literal["solid", "same"]] = "solid"

    kind: Literal["extrude"] = "extrude"
    of: Reference
    height: Annotated[Positive, Field(description="extent along z, scene units")] = 1.0

    def lower(self, build: Lowering) -> Node:
        half = 0.5 * build["height"]
        inner = build.unscaled.inner(self.of)
        flat = inner.extent
        own = as_float(half)
        extent = flat._replace(
            low=(*flat.low[:2], -own),
            high=(*flat.high[:2], own),
            # |(s ρ - r, |z| - h)| ≥ s |(ρ, z)| - |(r, h)| by the triangle inequality, as s ≤ 1
            radius=math.hypot(flat.radius, own),
            slope=min(flat.slope, 1.0),
        )
        swept = build.unscaled.warp("affine", [[]], inner, extent)
        return build.on_point_and_value("extrude", [half], swept, swept.extent)


@register
class Wave(Shape):
    """A shape's surface rippled by amplitude · sin kx sin ky sin kz with k = 2π / wavelength."""

    source: ClassVar[str] = "displacement divided by 1 + amplitude · k"
    outside: ClassVar[Literal["exact", "bound"]] = "bound"
    inside: ClassVar[Literal["exact", "bound"]] = "bound"

    kind: Literal["wave"] = "wave"
    of: Reference
    amplitude: Annotated[Positive, Field(description="height of a ripple, scene units")] = 0.05
    wavelength: Annotated[Positive, Field(description="length of a ripple, scene units")] = 0.5

    def lower(self, build: Lowering) -> Node:
        wave_number = 2.0 * math.pi / build["wavelength"]
        amplitude = build["amplitude"]
        slope = 1.0 + amplitude * wave_number
        size = as_float(slope)
        part = build.unscaled.part(self.of)
        grown = part.extent.grown(as_float(amplitude))
        extent = grown._replace(radius=grown.radius / size, slope=grown.slope / size).claiming(False, False)
        return build.on_point_and_value("wave", [amplitude, wave_number, 1.0 / slope], part, extent)
