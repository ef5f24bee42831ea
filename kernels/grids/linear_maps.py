"""The three linear maps of interpolation as launches of kernels, each by the way that suits its points and its grid."""

from dataclasses import dataclass, field
from functools import lru_cache
from math import prod

import torch
from torch import Tensor

from .. import runtime
from ..lanes import arguments
from ..runtime import memory
from .gather import gather_kernel, gather_sloped_kernel, pull_kernel
from .grid_type import GridType
from .point_sorting import SortedPoints, sort_points
from .scatter import scatter_atomic_kernel, scatter_copies_kernel, scatter_few_kernel, scatter_kernel, weights_kernel

PARTS_PER_CORE = 8  # of the slabs, so that none waits long for another
LONGEST_PART = 8  # slabs
MOST_COPIES = 8  # of a small grid, at most, for threads of their own
FEW_POINTS = 4096  # up to this many, sorting takes as long as it gains
WIDEST_PACKET = 8  # channels at a time; AVX2 has registers of 8, and the 8 corners of a cell need one each
SHARED_NUMBERS = 2**18  # adding up fewer takes less time than to wake another thread
CACHED_BYTES = 2**22  # values up to this size are read in any order


@dataclass
class LinearMaps:
    """The maps for one grid and one set of points, whose order all launches share once one has made it.

    `shape` is that of the values. If not `shared`, launches may have other points. `along` is empty, or holds the
    directions (N, D) of a directed map.
    """

    grid_type: GridType
    shape: tuple[int, ...]
    shared: bool
    sorted_points: SortedPoints | None = field(default=None, init=False)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Nodes along the three axes."""
        return (*self.shape[:-1], 1)[:3]

    @property
    def channels(self) -> int:
        """Numbers at a node."""
        return self.shape[-1]

    @property
    def blocks(self) -> int:
        """Packets of numbers at a node."""
        return self.channels // self.grid_type.lanes

    def gather(self, values: Tensor, points: Tensor, *along: Tensor, slopes: Tensor | None = None) -> Tensor:
        """(N, C): Σ_k w_k V_k. Into `slopes` (N, D), if given, go its derivatives to the points."""
        count = len(points)
        at, order, ordered = self._places(points, values)
        result = memory.empty(count, self.channels, like=points)
        if slopes is not None:
            with runtime.lock:
                runtime.run(
                    gather_sloped_kernel(self.grid_type),
                    _flat(values), at, order, _corners(points), _flat(result), slopes,
                    count, ordered, *self.sizes,
                )  # fmt: skip
            return result
        split = self.blocks
        if runtime.backend() == "cpu":
            split = self._tasks(count) if count <= FEW_POINTS else 1
        runtime.run(
            gather_kernel(self.grid_type, bool(along), split == 1 and count <= FEW_POINTS),
            self._packets(values), at, order, _directions(points, along), self._packets(result),
            count, ordered, split, self.blocks, *self.sizes,
        )  # fmt: skip
        return result

    def pull(self, values: Tensor, gradient: Tensor, points: Tensor, *along: Tensor) -> Tensor:
        """(N, D): Σ_k ∂w_k V_k · g_n."""
        at, order, ordered = self._places(points, values)
        result = memory.empty(*points.shape, like=points)
        with runtime.lock:
            runtime.run(
                pull_kernel(self.grid_type, bool(along)),
                _flat(values), _flat(gradient), at, order, _directions(points, along), _corners(points), result,
                len(points), ordered, self.channels, *self.sizes,
            )  # fmt: skip
        return result

    def scatter(self, gradient: Tensor, points: Tensor, *along: Tensor) -> Tensor:
        """Like the values: Σ_n w_k g_n."""
        directions = _directions(points, along)
        if runtime.backend() != "cpu":
            return self._scatter_atomic(gradient, points, directions, bool(along))
        if len(points) <= FEW_POINTS:
            return self._scatter_few(gradient, points, directions, bool(along))
        size = points.element_size() * prod(self.shape)
        if self.sorted_points is None and size <= CACHED_BYTES and self.grid_type.one_packet:
            return self._scatter_copies(gradient, points, directions, bool(along))
        return self._scatter_slabs(gradient, points, directions, bool(along))

    def _scatter_atomic(self, gradient: Tensor, points: Tensor, directions: Tensor, directed: bool) -> Tensor:
        result = memory.zeros(*self.shape, like=points)
        runtime.run(
            scatter_atomic_kernel(self.grid_type, directed),
            _flat(gradient), points.contiguous(), directions, _flat(result), len(points), self.channels, *self.sizes,
        )  # fmt: skip
        return result

    def _scatter_few(self, gradient: Tensor, points: Tensor, directions: Tensor, directed: bool) -> Tensor:
        result = memory.zeros(*self.shape, like=points)
        tasks = self._tasks(len(points))
        runtime.run(
            scatter_few_kernel(self.grid_type, directed, tasks == 1),
            self._packets(gradient), points.contiguous(), directions, self._packets(result),
            len(points), tasks, self.blocks, *self.sizes,
        )  # fmt: skip
        return result

    # The next two write every node.

    def _scatter_copies(self, gradient: Tensor, points: Tensor, directions: Tensor, directed: bool) -> Tensor:
        """With a copy of the grid for each of some threads."""
        result = memory.empty(*self.shape, like=points)
        width, count = self.grid_type.lanes, len(points)
        tasks, size = min(runtime.available_cores(), MOST_COPIES), result.numel() // width
        with runtime.lock:
            copies = memory.scratch("copies", tasks * size, width, dtype=points.dtype, device=points.device)
            runtime.run(
                scatter_copies_kernel(self.grid_type, directed),
                self._packets(gradient), points.contiguous(), directions, copies, self._packets(result),
                count, tasks, -(-count // tasks), size, *self.sizes,
            )  # fmt: skip
        return result

    def _scatter_slabs(self, gradient: Tensor, points: Tensor, directions: Tensor, directed: bool) -> Tensor:
        """With the points in the order of the grid's cells, slab by slab."""
        result = memory.empty(*self.shape, like=points)
        upstream, target = self._packets(gradient), self._packets(result)
        by_slab = self._sorted(points)
        slabs = len(by_slab.ends)
        length = max(min(slabs // (PARTS_PER_CORE * runtime.available_cores()), LONGEST_PART), 1)
        with runtime.lock:
            bases = memory.scratch("bases", len(points), dtype=torch.int32, device=points.device)
            weights = _corners(points)
            runtime.run(
                weights_kernel(self.grid_type, directed),
                by_slab.points, by_slab.order, directions, bases, weights, len(points), 1, *self.sizes,
            )  # fmt: skip
            for parity in (0, 1):
                runtime.run(
                    scatter_kernel(self.grid_type),
                    upstream, by_slab.order, bases, weights, by_slab.ends, target,
                    -(-slabs // (2 * length)), length, slabs, parity, self.blocks, *self.sizes,
                )  # fmt: skip
        return result

    def _packets(self, tensor: Tensor) -> Tensor:
        return tensor.contiguous().view(-1, self.grid_type.lanes)

    def _tasks(self, count: int) -> int:
        """Among how many threads the channels of few points are shared."""
        return min(self.blocks, runtime.available_cores()) if count * self.channels >= SHARED_NUMBERS else 1

    def _places(self, points: Tensor, values: Tensor) -> tuple[Tensor, Tensor, int]:
        """Points to read values at, their order, and 1 where they are sorted, else 0."""
        if len(points) * self.channels > arguments.LARGEST_COUNT:
            raise ValueError(
                f"points: expected at most 2^31 - 1 numbers in the result, got {len(points)} points of {self.channels} "
                "channels; split them"
            )
        if len(points) > FEW_POINTS and values.nbytes > CACHED_BYTES and runtime.backend() == "cpu":
            in_order = self._sorted(points)
            return in_order.points, in_order.order, 1
        return points.contiguous(), _no_order(points.device), 0

    def _sorted(self, points: Tensor) -> SortedPoints:
        in_order = self.sorted_points or sort_points(points.contiguous(), self.shape[:-1], self.grid_type)
        if self.shared:
            self.sorted_points = in_order
        return in_order


def grid_type_of(values: Tensor, *, aligned: bool, border: bool) -> GridType:
    """For values (X, Y[, Z], C); packets of channels are such that none is left over, and one on a GPU."""
    channels = values.shape[-1]
    widest = WIDEST_PACKET if runtime.backend() == "cpu" else 1
    lanes = channels if channels <= widest else next(n for n in (8, 4, 3, 2, 1) if n <= widest and channels % n == 0)
    return GridType(values.ndim - 1, values.dtype == torch.float64, lanes, lanes == channels, aligned, border)


def _flat(tensor: Tensor) -> Tensor:
    return tensor.contiguous().view(-1)


def _directions(points: Tensor, along: tuple[Tensor, ...]) -> Tensor:
    """What is not directed gets the points, and does not read them."""
    return (along[0] if along else points).contiguous()


@lru_cache
def _no_order(device: torch.device) -> Tensor:
    return torch.empty(0, dtype=torch.int32, device=device)


def _corners(points: Tensor) -> Tensor:
    """A number for each corner of each point's cell, to be used under the lock."""
    return memory.scratch("corners", len(points), 2 ** points.shape[1], dtype=points.dtype, device=points.device)
