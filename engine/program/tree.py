"""The program's tree: what shapes lower to, and what the rows are emitted from.

All values are in scene units: `factor` on a leaf (or an operation on a value) holds every scale and Lipschitz factor
above it. An extent is in the coordinates of the point register in which its node is evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...kernels.program import Combine
from .extent import Extent
from .frame import Frame
from .numbers import as_float

if TYPE_CHECKING:
    from ...kernels.program import SampleBlock


@dataclass(slots=True)
class Leaf:
    """One operation that gives a distance: `operation` by name, its numbers or bricks, the frame in front of it."""

    operation: str
    numbers: list[Any]
    frame: Frame
    factor: Any
    shape: int
    extent: Extent
    corners: int = 0
    bricks: SampleBlock | None = None


@dataclass(slots=True)
class Fold:
    """Parts folded in order by one combination; `support` is the smooth radius in scene units, 0 for a sharp fold."""

    combine: Combine
    support: Any
    parts: list[Node]
    extent: Extent

    @property
    def sharp(self) -> bool:
        """Whether nothing blends, so that the order of a union's parts is free."""
        return as_float(self.support) == 0.0


@dataclass(slots=True)
class OnValue:
    """An operation on the value of a part."""

    operation: str
    numbers: list[Any]
    frame: Frame
    factor: Any
    part: Node
    extent: Extent


@dataclass(slots=True)
class Warp:
    """A part evaluated at a warped point, or the nearest of several: `variants` has the numbers of each copy."""

    operation: str
    variants: list[list[Any]]
    frame: Frame
    part: Node
    extent: Extent


Node = Leaf | Fold | OnValue | Warp


def united(node: Node) -> list[Node]:
    """The parts of a sharp union, to be merged into the union above; anything else is one part."""
    return node.parts if isinstance(node, Fold) and node.combine == Combine.UNION and node.sharp else [node]


def is_plane(node: Node) -> bool:
    """Whether the node is a half-space, which rays meet in closed form."""
    return isinstance(node, Leaf) and node.operation == "plane"
