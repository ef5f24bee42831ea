"""Operators on any number of shapes, folded in the order written, sharp or smooth."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ...kernels.program import Combine
from ..program import Lowering, Node
from .base import Reference, Shape, register
from .model import Length

Parts = Annotated[tuple[Reference, ...], Field(min_length=1, description="names of the parts, in order")]

SMOOTH = "smooth minimum: quadratic polynomial kernel (Quilez, Smooth minimum)"


class Operator(Shape):
    """What the four have in common: the parts, and the radius over which they (and their materials) blend."""

    source: ClassVar[str] = SMOOTH
    combine: ClassVar[Combine]

    of: Parts
    smooth: Annotated[Length, Field(description="radius of the blend in scene units, 0 for a sharp edge")] = 0.0

    @property
    def extendable(self) -> bool:
        """Whether one more part may join without changing what the others are: nothing but parts has been set."""
        return self.model_fields_set <= {"of", "kind"} and self._name is None

    def lower(self, build: Lowering) -> Node:
        return build.fold(self.combine, self.of, build["smooth"])


@register
class Union(Operator):
    """What is in any of the parts."""

    combine = Combine.UNION
    inside: ClassVar[Literal["exact", "bound"]] = "bound"
    kind: Literal["union"] = "union"


@register
class Intersection(Operator):
    """What is in all of the parts."""

    combine = Combine.INTERSECTION
    outside: ClassVar[Literal["exact", "bound"]] = "bound"
    kind: Literal["intersection"] = "intersection"


@register
class Difference(Operator):
    """What is in the first part and in none of the others; a cut shows the cutter's material only if it has one."""

    combine = Combine.DIFFERENCE
    outside: ClassVar[Literal["exact", "bound"]] = "bound"
    kind: Literal["difference"] = "difference"


@register
class Xor(Operator):
    """What is in an odd number of the parts."""

    combine = Combine.XOR
    outside: ClassVar[Literal["exact", "bound"]] = "bound"
    inside: ClassVar[Literal["exact", "bound"]] = "bound"
    kind: Literal["xor"] = "xor"
