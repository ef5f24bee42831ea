"""From the program's tree to rows: registers, order of evaluation, bounding hierarchy and skips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...kernels.program import (
    CLEAR,
    MAXIMUM_ROWS,
    OPERATION_NUMBERS,
    POINT_REGISTERS,
    SKIP,
    VALUE_REGISTERS,
    Column,
    Combine,
    FrameKind,
)
from . import extent as extents
from .errors import BuildError
from .extent import Extent
from .frame import IDENTITY, Frame
from .hierarchy import Group, hierarchy
from .numbers import as_float
from .tree import Fold, Leaf, Node, OnValue, Warp, is_plane, united

if TYPE_CHECKING:
    from ...kernels.program import SampleBlock

FRAME_KINDS = {0: int(FrameKind.NONE), 4: int(FrameKind.SHIFT), 12: int(FrameKind.AFFINE)}

# A ball is enlarged by this share before it is tested, so that rounding cannot make a skip change the result.
SAFETY = 1e-5

_SKIPPABLE = (Combine.UNION, Combine.DIFFERENCE, Combine.XOR)


class Emitter:
    """Rows and numbers under construction."""

    def __init__(self) -> None:
        self.rows: list[list[int]] = []
        self.numbers: list[Any] = []
        self.bricks: dict[SampleBlock, int] = {}  # in order, with the place of each in the data
        self.planes = 0  # rows at the start that are planes of the outermost union

    def root(self, node: Node) -> None:
        """Rows that put the node's value into value register 0; the planes of a sharp outermost union come first."""
        parts = united(node)
        rest = [part for part in parts if not is_plane(part)]
        self.planes = len(parts) - len(rest)
        if self.planes > 0:
            for plane in filter(is_plane, parts):
                self.emit(plane, 0, Combine.UNION, 0.0, 0, free=1)
            if not rest:
                return
            node = Fold(Combine.UNION, 0.0, rest, node.extent)
        if isinstance(node, Fold) and node.combine == Combine.UNION:
            # The machine may start register 0 with a limit instead of FAR; a smooth union would blend with it.
            if not node.sharp:
                self._clear(0)
            self._group(hierarchy(node.parts, node.sharp), 0, Combine.UNION, node.support, 0, free=1, top=True)
        else:
            self.emit(node, 0, Combine.SET, 0.0, 0, free=1)

    def emit(
        self, node: Node, target: int, combine: Combine, support: Any, point: int, *, free: int, top: bool = False
    ) -> None:
        """Rows that fold the node's value into value register `target`.

        `point` is the point register it is evaluated at, `free` the first value register that nothing above uses. `top`
        marks a part of the scene's outermost union: rays that miss its ball may run without it.
        """
        if isinstance(node, Leaf):
            self._row(
                OPERATION_NUMBERS[node.operation], target, point, 0, combine, node.frame, node.factor, support,
                node.numbers, data=node.corners if node.bricks is None else self._place(node.bricks), shape=node.shape,
                ball=node.extent if top and node.extent.bounded else None,
            )  # fmt: skip
        elif isinstance(node, OnValue):
            held = target if combine == Combine.SET else free
            self.emit(node.part, held, Combine.SET, 0.0, point, free=max(free, held + 1))
            self._row(
                OPERATION_NUMBERS[node.operation], target, point, held, combine, node.frame, node.factor, support,
                node.numbers,
            )  # fmt: skip
        elif isinstance(node, Warp):
            self._warp(node, target, combine, support, point, free)
        else:
            self._fold(node, target, combine, support, point, free)

    def _place(self, bricks: SampleBlock) -> int:
        """Where the bricks stand in the data; those that several leaves read stand there once."""
        if bricks not in self.bricks:
            self.bricks[bricks] = sum(len(other.data) for other in self.bricks)
        return self.bricks[bricks]

    def _warp(self, node: Warp, target: int, combine: Combine, support: Any, point: int, free: int) -> None:
        inner = point + 1
        if inner >= POINT_REGISTERS:
            raise BuildError(f"scene: warps (repeat, twist, extrude …) nest deeper than {POINT_REGISTERS - 1}")
        several = len(node.variants) > 1
        # A union can take the copies one by one; every other fold needs the smallest of them first.
        held = target if not several or (combine == Combine.UNION and as_float(support) == 0.0) else free
        if held == free and held != target:
            self._clear(held)
        for variant in node.variants:
            self._row(OPERATION_NUMBERS[node.operation], inner, point, 0, Combine.SET, node.frame, 1.0, 0.0, variant)
            if not several:
                self.emit(node.part, target, combine, support, inner, free=free)
            else:
                self._skippable(node.part, held, Combine.UNION, 0.0, inner, free=max(free, held + 1))
        if held != target:
            self._keep(held, target, combine, support, point)

    def _fold(self, node: Fold, target: int, combine: Combine, support: Any, point: int, free: int) -> None:
        held = target if combine == Combine.SET else free
        free = max(free, held + 1)
        first, mode, rest = _in_order(node)
        # Into a cleared register the first part of a union is folded like the others, behind a skip or in a group; a
        # part that needs registers itself takes this one instead, or every level of a deep tree would take one more.
        if mode == Combine.UNION and registers(first) == 1:
            self._clear(held)
            self._group(hierarchy([first, *rest], node.sharp), held, mode, node.support, point, free)
        else:
            self.emit(first, held, Combine.SET, 0.0, point, free=free)
            self._group(hierarchy(rest, node.sharp), held, mode, node.support, point, free)
        if held != target:
            self._keep(held, target, combine, support, point)

    def _group(
        self, group: Group, target: int, combine: Combine, support: Any, point: int, free: int, top: bool = False
    ) -> None:
        """The parts of a group, each behind skips as far as they pay."""
        for member in group.members:
            if isinstance(member, Group):
                start = self._skip(member.extent, target, combine, support, point, top)
                self._group(member, target, combine, support, point, free, top)
                self._land(start)
            else:
                self._skippable(member, target, combine, support, point, free, top)

    def _skippable(
        self, node: Node, target: int, combine: Combine, support: Any, point: int, free: int, top: bool = False
    ) -> None:
        """A part of a fold; one of several rows stands behind a skip of its own."""
        if isinstance(node, Leaf):
            self.emit(node, target, combine, support, point, free=free, top=top)
            return
        start = self._skip(node.extent, target, combine, support, point, top)
        self.emit(node, target, combine, support, point, free=free)
        self._land(start)

    def _skip(self, ball: Extent, target: int, combine: Combine, support: Any, point: int, top: bool) -> int:
        """A row that jumps if the ball is too far to change the target; `_land` says where to."""
        if combine not in _SKIPPABLE or not ball.bounded:
            return -1
        self._row(SKIP, 0, point, target, combine, IDENTITY, 1.0, support, [], data=int(top), ball=ball)
        return len(self.rows) - 1

    def _land(self, start: int) -> None:
        if start >= 0:
            self.rows[start][Column.SKIP] = len(self.rows) - 1 - start

    def _clear(self, target: int) -> None:
        self._row(CLEAR, target, 0, 0, Combine.SET, IDENTITY, 1.0, 0.0, [])

    def _keep(self, held: int, target: int, combine: Combine, support: Any, point: int) -> None:
        self._row(OPERATION_NUMBERS["keep"], target, point, held, combine, IDENTITY, 1.0, support, [])

    def _row(
        self, operation: int, target: int, point: int, value: int, combine: Combine, frame: Frame, factor: Any,
        support: Any, numbers: list[Any], *, data: int = 0, shape: int = -1, ball: Extent | None = None,
    ) -> None:  # fmt: skip
        if max(target, value) >= VALUE_REGISTERS:
            raise BuildError(f"scene: operators nest too deep, they need more than {VALUE_REGISTERS} value registers")
        if len(self.rows) >= MAXIMUM_ROWS:
            raise BuildError(f"scene: needs more than {MAXIMUM_ROWS} rows; a shape used often counts every time")
        if ball is not None:
            x, y, z = ball.centre
            rounding = SAFETY * (ball.radius + max(abs(x), abs(y), abs(z)))
            self.numbers += [x, y, z, ball.slope, ball.radius + rounding]
        at = len(self.numbers)
        stored = frame.numbers()
        self.numbers += [factor, support, 0.25 / support if as_float(support) > 0.0 else 0.0, *stored, *numbers]
        kind = FRAME_KINDS[len(stored)]
        self.rows.append([operation, target, point, value, combine, kind, at, data, shape, int(ball is not None)])


def _in_order(node: Fold) -> tuple[Node, Combine, list[Node]]:
    """First part, combination and the other parts, ordered so that the part that needs most registers comes first."""
    parts = node.parts
    needs = [registers(part) for part in parts]
    heaviest = needs.index(max(needs))
    if node.combine == Combine.DIFFERENCE:
        if needs[0] >= max(needs[1:]) or (len(parts) > 2 and not node.sharp):
            return parts[0], node.combine, parts[1:]
        cutters = parts[1:]
        cutter = (
            cutters[0]
            if len(cutters) == 1
            else Fold(Combine.UNION, 0.0, cutters, extents.union(p.extent for p in cutters))
        )
        return cutter, Combine.CUT, [parts[0]]
    if heaviest > 0 and (node.sharp or heaviest == 1):
        parts = [parts[heaviest], *parts[:heaviest], *parts[heaviest + 1 :]]
    return parts[0], node.combine, parts[1:]


def registers(node: Node) -> int:
    """Value registers that a node needs (R. Sethi and J. D. Ullman, "The generation of optimal code", 1970)."""
    if isinstance(node, Leaf):
        return 1
    if isinstance(node, (OnValue, Warp)):
        return registers(node.part) + (isinstance(node, Warp) and len(node.variants) > 1)
    needs = sorted((registers(part) for part in node.parts), reverse=True)
    return max(needs[0], needs[1] + 1)
