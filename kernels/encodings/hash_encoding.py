"""Multiresolution hash encoding of points, differentiable twice (Müller et al. 2022, "Instant neural graphics
primitives").

With W the weight of a node for a point x, the features are T(x) = Σ W(x) T[node]. Their gradients, for an incoming g,
are Σ W(x) g to the table and Σ (g · T[node]) ∇W(x) to the point. The first is a sum of the same kind, linear in g; the
second's derivatives, for an incoming v, are the same sums again with v · ∇W in the place of W.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch

from .. import runtime
from ..lanes import Array, arguments, room_for_packets
from ..runtime import Gradients, bridge, deal, memory
from .hash_kernels import hash_kernels
from .hash_levels import HashLevels, expect, layout
from .hash_stencil import HashType

TASKS_PER_CORE = 4  # so that none waits long for the last; with more of them a level's rows leave the cache too soon
FEWEST_POINTS = 2**14  # a copy of the table costs more than it saves for less

PACKET = 8  # points that a kernel takes at once on a CPU; with 4 it takes a tenth to a third longer

ROWS = False, True, True, True  # inputs of sums over the table: the table, then up to three with a row for each point


def hash_encode(
    table: Array,
    points: Array,
    levels: HashLevels,
    *,
    smoothstep: bool = False,
    active: float | None = None,
) -> Any:
    """Features of the nodes round each point, interpolated on every level: Σ_corners Π_d w_d · table[row of corner].

    Args:
        table: (levels.rows, F) float32 or float64, the levels' rows one after the other. A torch tensor, numpy array,
            DLPack object or `ti.ndarray`.
        points: (N, D) in [0, 1]^D, of the table's dtype; what lies outside is moved to the border. NaN gives NaN.
        levels: resolutions and sizes.
        smoothstep: weights w = f²(3 - 2f) instead of w = f, f in [0, 1] being the place in the cell: the gradient to
            the points is then continuous, and zero at the nodes.
        active: number of levels switched on, coarse to fine; a fraction fades the next one in. None: all of them.

    Returns:
        (N, L·F), coarse to fine, a numpy array if `table` is one, else a tensor. Differentiable twice, to `table` and
        to `points`, by autograd and by torch.func, but for its forward mode; the gradient to a coordinate outside
        [0, 1] is zero, to a NaN point NaN. Linear weights have only the mixed second derivatives to the points. A
        third derivative is a RuntimeError.

    Raises:
        TypeError: not arrays, or another dtype.
        ValueError: another shape or device, or `active` is negative.
    """
    if not isinstance(levels, HashLevels):
        raise TypeError(f"levels: expected HashLevels, got {type(levels).__name__}")
    rows, restore = arguments.floats("table", table, (levels.rows, levels.features))
    places, _ = arguments.floats("points", points, ("N", levels.dimensions))
    arguments.check_same_dtype("points", places, "table", rows)
    runtime.check_device(table=rows, points=places)
    return restore(_features(_Sums(levels, levels.fade(active), bool(smoothstep)), rows, places))


def _features(sums: _Sums, table: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Σ W(x) T[node], (N, L·F)."""

    def derivative(inputs: tuple[torch.Tensor, ...], gradients: Gradients, wanted: tuple[bool, ...]) -> Gradients:
        table, points = inputs
        gradient = _only(gradients)
        if all(wanted) and not torch.is_grad_enabled():
            return sums.to_both(table, points, gradient)
        return (
            _table_gradient(sums, points, gradient) if wanted[0] else None,
            _point_gradient(sums, table, points, gradient) if wanted[1] else None,
        )

    result: torch.Tensor = bridge(sums.encode, derivative, table, points, rows=ROWS[:2])
    return result


def _table_gradient(sums: _Sums, points: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Σ W(x) g, (rows, F), for g (N, L·F)."""

    def derivative(inputs: tuple[torch.Tensor, ...], gradients: Gradients, wanted: tuple[bool, ...]) -> Gradients:
        points, gradient = inputs
        table = _only(gradients)
        return (
            _point_gradient(sums, table, points, gradient) if wanted[0] else None,
            _features(sums, table, points) if wanted[1] else None,
        )

    result: torch.Tensor = bridge(sums.to_table, derivative, points, gradient)
    return result


def _point_gradient(sums: _Sums, table: torch.Tensor, points: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Σ (g · T[node]) ∇W(x), (N, D), for g (N, L·F)."""

    def derivative(inputs: tuple[torch.Tensor, ...], gradients: Gradients, wanted: tuple[bool, ...]) -> Gradients:
        table, points, gradient = inputs
        along = _only(gradients)
        return (
            bridge(sums.to_table, _no_third, points, gradient, along) if wanted[0] else None,
            bridge(sums.to_points, _no_third, table, points, gradient, along, rows=ROWS) if wanted[1] else None,
            bridge(sums.encode, _no_third, table, points, along, rows=ROWS[:3]) if wanted[2] else None,
        )

    result: torch.Tensor = bridge(sums.to_points, derivative, table, points, gradient, rows=ROWS[:3])
    return result


def _only(gradients: Gradients) -> torch.Tensor:
    (gradient,) = gradients
    assert gradient is not None, "the bridge asks for nothing where no gradient comes in"
    return gradient


def _no_third(inputs: tuple[torch.Tensor, ...], gradients: Gradients, wanted: tuple[bool, ...]) -> Gradients:
    raise RuntimeError("hash_encode: expected at most a second derivative, a third was asked for")


@functools.lru_cache(maxsize=64)
def _factors(fade: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    return torch.tensor(fade, dtype=dtype, device=device)


def _width() -> int:
    return PACKET if runtime.backend() == "cpu" else 1


def _check_count(count: int, levels: HashLevels) -> None:
    most = arguments.LARGEST_COUNT // (levels.levels * levels.features)
    expect("points", count <= most, f"at most {most}, for 2^31 - 1 features in all", f"{count}; split them")


@dataclass(frozen=True)
class _Sums:
    """The sums over nodes, each one launch; with `along` (N, D), v · ∇W stands in the place of W."""

    levels: HashLevels
    fade: tuple[float, ...]
    smoothstep: bool

    def encode(self, table: torch.Tensor, points: torch.Tensor, along: torch.Tensor | None = None) -> torch.Tensor:
        """Σ W(x) T[node], (N, L·F)."""
        count = len(points)
        _check_count(count, self.levels)
        out = memory.empty(room_for_packets(count), self.levels.levels * self.levels.features, like=points)
        self._launch("encode", (table,), points, along, (), (out,), self._gather_tasks(count))
        return out[:count]

    def to_points(
        self, table: torch.Tensor, points: torch.Tensor, gradient: torch.Tensor, along: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Σ (g · T[node]) ∇W(x), (N, D)."""
        return self._to_points(table, points, self._by_level(gradient), along)

    def to_table(self, points: torch.Tensor, gradient: torch.Tensor, along: torch.Tensor | None = None) -> torch.Tensor:
        """Σ W(x) g, (rows, F)."""
        return self._to_table(points, self._by_level(gradient), along)

    def to_both(
        self, table: torch.Tensor, points: torch.Tensor, gradient: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """`to_table` and `to_points`."""
        levelled = self._by_level(gradient)
        return self._to_table(points, levelled, None), self._to_points(table, points, levelled, None)

    def _by_level(self, gradient: torch.Tensor) -> torch.Tensor:
        """(L, N, F) for g (N, L·F): the sums go through it level by level, and would read all of it for each."""
        levels = self.levels
        out = memory.empty(levels.levels, len(gradient), levels.features, like=gradient)
        if len(gradient):
            kernels = self._kernels(gradient.dtype, None)
            runtime.run(kernels.by_level, gradient.contiguous().view(-1), out.view(-1), len(gradient), levels.levels)
        return out

    def _to_points(
        self, table: torch.Tensor, points: torch.Tensor, levelled: torch.Tensor, along: torch.Tensor | None
    ) -> torch.Tensor:
        count = len(points)
        _check_count(count, self.levels)
        plane = room_for_packets(count)
        out = memory.empty(self.levels.dimensions, plane, like=points)
        self._launch("to_points", (table,), points, along, (levelled,), (out,), self._gather_tasks(count), plane)
        return out[:, :count].t().contiguous()

    def _to_table(self, points: torch.Tensor, levelled: torch.Tensor, along: torch.Tensor | None) -> torch.Tensor:
        _check_count(len(points), self.levels)
        shape = (self.levels.rows, self.levels.features)
        size = math.prod(shape)
        if runtime.backend() == "cpu":
            # Levels are shared out among the cores, so none adds to what another adds to; cores beyond them get a copy.
            copies = min(
                math.ceil(runtime.available_cores() / self.levels.levels),
                max(len(points) // FEWEST_POINTS, 1),
                arguments.LARGEST_COUNT // size,
            )
            tasks, copy = copies, size
        else:
            copies, tasks, copy = 1, len(points), 0
        tables = memory.zeros(copies, *shape, like=points)
        self._launch("to_table", (tables,), points, along, (levelled,), (), tasks, copy)
        return tables.sum(dim=0) if copies > 1 else tables[0]

    def _kernels(self, dtype: torch.dtype, along: torch.Tensor | None) -> SimpleNamespace:
        kernels: SimpleNamespace = hash_kernels(
            HashType(
                self.levels.dimensions,
                self.levels.features,
                double=dtype == torch.float64,
                width=_width(),
                atomic=runtime.backend() != "cpu",
                smooth=self.smoothstep,
                directed=along is not None,
            )
        )
        return kernels

    def _gather_tasks(self, count: int) -> int:
        return TASKS_PER_CORE * runtime.available_cores() if runtime.backend() == "cpu" else count

    def _launch(
        self,
        kernel: str,
        tables: tuple[torch.Tensor, ...],
        points: torch.Tensor,
        along: torch.Tensor | None,
        gradients: tuple[torch.Tensor, ...],
        results: tuple[torch.Tensor, ...],
        tasks: int,
        *more: int,
    ) -> None:
        count = len(points)
        if count == 0:
            return
        levels = self.levels
        turns = tasks * levels.levels if kernel == "to_table" else tasks
        packets_per_task = math.ceil(math.ceil(count / _width()) / tasks)
        given = [t.contiguous().view(-1) for t in (*tables, points, points if along is None else along, *gradients)]
        numbers = [
            *given,
            layout(levels, points.device),
            _factors(self.fade, points.dtype, points.device),
            *(result.view(-1) for result in results),
        ]
        runtime.run(
            getattr(self._kernels(points.dtype, along), kernel),
            *numbers,
            count,
            levels.entries - 1,
            tasks,
            packets_per_task,
            *more,
            *deal(turns, points.device, run=1),
        )
