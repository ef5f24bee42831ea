"""Triply periodic surfaces as endless sheets; intersect one with a shape to get a piece."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ...kernels.formulas import periodic
from ..program import ENDLESS, Lowering, Node
from .base import Shape, register
from .model import Positive


class PeriodicSheet(Shape):
    """What the sheets share: the side of the cubic cell and the thickness."""

    source: ClassVar[str] = "nodal approximation (von Schnering and Nesper 1991), divided by its largest slope"
    outside: ClassVar[Literal["exact", "bound"]] = "bound"
    inside: ClassVar[Literal["exact", "bound"]] = "bound"
    slope: ClassVar[float]

    cell: Annotated[Positive, Field(description="side of the cube after which it repeats, scene units")] = 1.0
    thickness: Annotated[
        Positive, Field(description="of the sheet where the field is steepest, scene units; more elsewhere")
    ] = 0.1

    def lower(self, build: Lowering) -> Node:
        wave_number = 2.0 * math.pi / build["cell"]
        operation = type(self).model_fields["kind"].default
        return build.leaf(operation, [wave_number, 1.0 / (wave_number * self.slope), 0.5 * build["thickness"]], ENDLESS)


@register
class Gyroid(PeriodicSheet):
    """Schoen's gyroid: sin x cos y + sin y cos z + sin z cos x = 0."""

    slope = periodic.GYROID_SLOPE
    kind: Literal["gyroid"] = "gyroid"


@register
class SchwarzP(PeriodicSheet):
    """Schwarz's primitive surface: cos x + cos y + cos z = 0."""

    slope = periodic.SCHWARZ_P_SLOPE
    kind: Literal["schwarz_p"] = "schwarz_p"


@register
class Diamond(PeriodicSheet):
    """Schwarz's diamond surface: cos x cos y cos z = sin x sin y sin z."""

    slope = periodic.DIAMOND_SLOPE
    kind: Literal["diamond"] = "diamond"


@register
class Neovius(PeriodicSheet):
    """Neovius' surface: 3 (cos x + cos y + cos z) + 4 cos x cos y cos z = 0."""

    slope = periodic.NEOVIUS_SLOPE
    kind: Literal["neovius"] = "neovius"
