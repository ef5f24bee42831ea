"""From shapes to the program's tree: transforms are folded into frames on the way down, extents come back up.

A shape's own `lower(build)` says what it is made of; `build` is a `Lowering`: the shape's numbers, where it stands, and
the few nodes there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from ...kernels.lanes import LEAST_SCALE
from ...kernels.program import Combine
from . import extent as extents, numbers
from .errors import BuildError
from .extent import Extent
from .frame import IDENTITY, Frame, quaternion_of
from .numbers import as_float
from .tree import Fold, Leaf, Node, OnValue, Warp, united

if TYPE_CHECKING:
    from ...kernels.program import SampleBlock


DEFAULT_MATERIAL = ""

MOST_SCALE = 1.0 / LEAST_SCALE  # all scales of a shape and of those it stands in multiplied


class Lowerable(Protocol):
    """What is asked of a shape: its place, its material, how true its values are, and what it is made of."""

    outside: ClassVar[Literal["exact", "bound"]]
    inside: ClassVar[Literal["exact", "bound"]]

    @property
    def surface(self) -> object: ...

    @property
    def scaling(self) -> Any: ...

    @property
    def rotation(self) -> Any: ...

    @property
    def translation(self) -> Any: ...

    def lower(self, build: Lowering) -> Node: ...


@dataclass(frozen=True, slots=True)
class LoweringContext:
    """What all shapes of one scene are lowered with: what is known of them, and what has been found on the way."""

    shapes: Mapping[str, Lowerable]
    values: Mapping[str, Any]  # "body.radius" → number, replacing the shape's own
    surfaces: dict[tuple[str, str | None], int]  # number of each shape in each material that it is met in
    sampling: dict[int, tuple[float, float]] = field(default_factory=dict)  # of sampled shapes, see `Program.sampling`
    scales: list[float] = field(default_factory=list)  # of scaled shapes, those around them multiplied in
    inspect: Callable[[str, Node], None] | None = None  # shown each shape's name and node, parts before wholes

    def surface(self, name: str, material: str | None) -> int:
        """Number of a shape in a material; one shape may be used under parents of several materials."""
        return self.surfaces.setdefault((name, material), len(self.surfaces))


@dataclass(slots=True)
class Lowering:
    """One shape being lowered: `build["radius"]` is its number of that name, as a float or a scalar tensor."""

    context: LoweringContext
    name: str
    shape: Lowerable
    frame: Frame
    factor: Any
    material: str | None

    def __getitem__(self, field: str) -> Any:
        if self.context.values:
            given = self.context.values.get(f"{self.name}.{field}")
            if given is not None:
                return given
        return getattr(self.shape, field)

    def leaf(self, operation: str, stored: list[Any], extent: Extent, corners: int = 0) -> Leaf:
        """A leaf in the shape's own coordinates."""
        placed = self.frame.placed(extent, as_float(self.factor))
        number = self.context.surface(self.name, self.material)
        return Leaf(operation, stored, self.frame, self.factor, number, placed, corners)

    def samples(self, bricks: SampleBlock) -> Leaf:
        """A leaf that reads bricks, which are in the shape's own coordinates."""
        *centre, radius = bricks.ball
        extent = Extent(bricks.low, bricks.high, numbers.vector(centre), radius, 1.0, False, False)
        leaf = self.leaf("samples", [], extent)
        leaf.bricks = bricks
        self.context.sampling[leaf.shape] = (bricks.voxel * self.frame.stretch, bricks.slopes[0])
        return leaf

    def part(self, name: Any) -> Node:
        """Another shape, standing in this one's coordinates."""
        return lower(self.context, name, self.frame, self.factor, self.material)

    def fold(self, combine: Combine, names: tuple[Any, ...], smooth: Any) -> Node:
        """Several shapes folded into one, in order; one alone is itself."""
        # What cuts shows the material of what it cuts, so it inherits none.
        rest = replace(self, material=None) if combine == Combine.DIFFERENCE else self
        parts = [self.part(names[0]), *(rest.part(name) for name in names[1:])]
        support = smooth * self.factor
        if len(parts) == 1:
            return parts[0]
        if combine == Combine.UNION and as_float(support) == 0.0:
            parts = [inner for part in parts for inner in united(part)]
        reach = as_float(support) * min(0.25 * (len(parts) - 1), 1.0)  # how far smooth folds can lower a value together
        if combine in (Combine.UNION, Combine.XOR):
            extent = extents.union(part.extent for part in parts).grown(reach)
        elif combine == Combine.INTERSECTION:
            extent = extents.intersection(part.extent for part in parts)
        else:
            extent = parts[0].extent.claiming(False, all(part.extent.exact for part in parts[1:]))
        if as_float(support) > 0.0:
            extent = extent.claiming(False, False)
        return Fold(combine, support, parts, extent)

    def on_value(self, operation: str, stored: list[Any], part: Node, extent: Extent) -> OnValue:
        """An operation on a part's value alone, its lengths in scene units; `extent` is the result's."""
        return OnValue(operation, stored, IDENTITY, 1.0, part, extent)

    def on_point_and_value(self, operation: str, stored: list[Any], part: Node, extent: Extent) -> OnValue:
        """An operation on a point and a value, all lengths in the shape's own units.

        `part` comes from `unscaled`; `extent` is the result's, with values in own units too.
        """
        factor = as_float(self.factor)
        scaled = extent._replace(radius=extent.radius * factor, slope=extent.slope * factor)
        return OnValue(operation, stored, self.frame, self.factor, part, scaled)

    @property
    def unscaled(self) -> Lowering:
        """The same place with values in the shape's own units."""
        return replace(self, factor=1.0)

    def inner(self, name: Any) -> Node:
        """Another shape in a point register of its own, to be warped; its extent is in this shape's coordinates."""
        return lower(self.context, name, IDENTITY, self.factor, self.material)

    def warp(self, operation: str, variants: list[list[Any]], part: Node, extent: Extent) -> Warp:
        """An inner part at a warped point (at several: the smallest value); `extent` in this shape's coordinates."""
        return Warp(operation, variants, self.frame, part, self.frame.placed(extent, 1.0))

    def divided(self, node: Node, slope: Any) -> OnValue:
        """A node whose values grow `slope` times as fast as a distance may, made a bound."""
        size = as_float(slope)
        extent = node.extent._replace(radius=node.extent.radius / size, slope=node.extent.slope / size)
        return OnValue("keep", [], IDENTITY, 1.0 / slope, node, extent.claiming(False, False))


def lower(context: LoweringContext, name: str, frame: Frame, factor: Any, material: str | None) -> Node:
    """The shape called `name` as a node, standing in `frame`, its values multiplied by `factor`.

    `material` is what it takes if it has none itself: a name, DEFAULT_MATERIAL, or None for that of what it cuts.
    """
    shape = context.shapes[name]
    values = context.values
    translation = values.get(f"{name}.translate", shape.translation) if values else shape.translation
    turn = values.get(f"{name}.rotate", shape.rotation) if values else shape.rotation
    scaling: Any = values.get(f"{name}.scale", shape.scaling) if values else shape.scaling
    # The shape is scaled, then turned, then moved; on the way to its own coordinates the last comes first.
    if translation is not None:
        frame = frame.translated(tuple(translation))
    if turn is not None:
        quaternion = quaternion_of(turn.axis, _angle(context, name, turn)) if hasattr(turn, "axis") else tuple(turn)
        frame = frame.rotated(quaternion)
    if scaling is not None:
        if _is_vector(scaling):
            frame = frame.scaled_by_axis(tuple(scaling))
            factor = factor * numbers.smallest(tuple(scaling))
        else:
            frame = frame.scaled(scaling)
            factor = factor * scaling
        context.scales.append(_checked_scale(name, as_float(factor), frame))
    own = shape.surface if isinstance(shape.surface, str) else material
    node = shape.lower(Lowering(context, name, shape, frame, factor, own))
    node.extent = node.extent.claiming(shape.outside == "exact", shape.inside == "exact")
    if context.inspect is not None:
        context.inspect(name, node)
    return node


def _checked_scale(name: str, factor: float, frame: Frame) -> float:
    """The smaller of two: the scales within the outermost `Lowering.unscaled`, multiplied, and those of the frame.

    Raises:
        BuildError: one leaves the range.
    """
    of_frame = 1.0 / frame.largest_entry
    for product in (factor, of_frame):
        if not LEAST_SCALE * (1.0 - 1e-6) <= product <= MOST_SCALE * (1.0 + 1e-6):
            raise BuildError(
                f"shapes.{name}.scale: expected {LEAST_SCALE:g} to {MOST_SCALE:g} together with the scales of the "
                f"shapes it stands in, got {product:g}"
            )
    return min(factor, of_frame)


def _angle(context: LoweringContext, name: str, turn: Any) -> Any:
    return context.values.get(f"{name}.rotate.angle", turn.angle)


def _is_vector(value: Any) -> bool:
    return isinstance(value, tuple) or getattr(value, "ndim", 0) == 1
