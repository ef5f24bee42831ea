"""Values between the nodes of a grid, with derivatives to the values and to the points, up to the second order."""

from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Literal

import torch
from torch import Tensor

from .. import runtime
from ..lanes import Array, arguments
from ..runtime import Gradients, bridge, memory, under_torch_func
from .gather import gather_kernel, gather_sloped_kernel, pull_kernel
from .point_sorting import Slabs, slabs_of
from .scatter import scatter_atomic_kernel, scatter_copies_kernel, scatter_few_kernel, scatter_kernel, weights_kernel
from .stencil import Lattice

Wanted = tuple[bool, ...]

PARTS = 8  # of the slabs, for each core, so that none waits long for another
LONGEST = 8  # slabs of a part
COPIES = 8  # of a small grid, at most, for threads of their own
FEW = 4096  # points; up to this many, sorting takes as long as it gains
WIDEST = 8  # channels at a time; AVX2 has registers of 8, and the 8 corners of a cell need one each
SHARED = 2**18  # numbers; adding up fewer takes less time than to wake another thread
CACHED = 2**22  # bytes; values up to this size are read in any order


def interpolate(
    values: Array,
    points: Array,
    *,
    boundary: Literal["border", "zeros"] = "border",
    align_corners: bool = True,
) -> Any:
    """Bilinear or trilinear interpolation of `values` at `points`: y = Σ_k w_k V_k over the 2^D nodes of a cell.

    It is `torch.nn.functional.grid_sample` with channels last, coordinates in [0, 1] and axes in the order of `values`.

    Args:
        values: (X, Y, C) or (X, Y, Z, C) float32 or float64; `values[i, j, k]` lies at x_i, y_j, z_k. A torch tensor,
            numpy array, DLPack object or `ti.ndarray`.
        points: (N, 2) or (N, 3) of the same dtype; coordinate i runs along axis i of `values`.
        boundary: "border": outside, the value of the nearest point of the border; "zeros": nodes outside are 0.
        align_corners: True: node k of n along an axis lies at k / (n - 1), False: at (k + 0.5) / n.

    Returns:
        (N, C), a numpy array if `values` is one, else a tensor. The row of a point with NaN is NaN.
        Differentiable twice, to values and points, by autograd and by torch.func, but for its forward mode;
        derivatives to a coordinate are those within its cell (at a node, of the cell above it), and 0 on the border and
        outside. A point with NaN adds nothing to the gradient of the values.

    Raises:
        TypeError, ValueError: an argument is of another dtype, shape or device, or too large for 32-bit indices.
        RuntimeError: in a backward pass, where a derivative of the third order is wanted.

    Example:
        A grid of two by two nodes with the values 0, 1 (x = 0) and 2, 3 (x = 1) is 2 x + y: at (0.5, 0.25) it is 1.25.
    """
    if boundary not in ("border", "zeros"):
        raise ValueError(f"boundary: expected 'border' or 'zeros', got {boundary!r}")
    grid, restore = arguments.floats("values", values, ("X", "Y", "C"), ("X", "Y", "Z", "C"), may_be_empty=False)
    places, _ = arguments.floats("points", points, ("N", grid.ndim - 1))
    arguments.check_same_dtype("points", places, "values", grid)
    runtime.check_device(values=grid, points=places)
    lattice = _lattice(grid, aligned=align_corners, border=boundary == "border")
    return restore(_Interpolation(lattice, tuple(grid.shape), not under_torch_func()).gather(grid, places))


@dataclass
class _Interpolation:
    """One call: its settings, and the order of its points, which all passes share once one has made it.

    Under torch.func they are not `shared`: passes may have other batches of the points.
    """

    lattice: Lattice
    shape: tuple[int, ...]
    shared: bool
    slabs: Slabs | None = field(default=None, init=False)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Nodes along the three axes."""
        return (*self.shape[:-1], 1)[:3]

    @property
    def channels(self) -> int:
        """Numbers at a node."""
        return self.shape[-1]

    # Each of the three maps is linear in all but the points, and all their derivatives are such maps again. `along` is
    # empty, or holds the directions (N, D) of a directed map.

    def gather(self, values: Tensor, points: Tensor, *along: Tensor) -> Tensor:
        """(N, C): Σ_k w_k V_k; with one channel the slopes, a row for each point, are read along and kept."""
        slopes = None
        if self.shared and torch.is_grad_enabled() and points.requires_grad and self.channels == 1 and not along:
            slopes = memory.empty(*points.shape, like=points)
        kernel = partial(self._gather, slopes=slopes)
        derivative = partial(self._gather_derivative, slopes=slopes)
        rows = False, True, *(True for _ in along)
        result: Tensor = bridge(kernel, derivative, values, points, *along, rows=rows)
        return result

    def scatter(self, gradient: Tensor, points: Tensor, *along: Tensor) -> Tensor:
        """Like the values: Σ_n w_k g_n."""
        result: Tensor = bridge(self._scatter, self._scatter_derivative, gradient, points, *along)
        return result

    def pull(self, values: Tensor, gradient: Tensor, points: Tensor, *along: Tensor) -> Tensor:
        """(N, D): Σ_k ∂w_k V_k · g_n."""
        rows = False, True, True, *(True for _ in along)
        result: Tensor = bridge(self._pull, self._pull_derivative, values, gradient, points, *along, rows=rows)
        return result

    def _gather_derivative(
        self, inputs: tuple[Tensor, ...], gradients: Gradients, wanted: Wanted, slopes: Tensor | None
    ) -> Gradients:
        values, points, *along = inputs
        (g,) = gradients
        assert g is not None
        to_points = None
        if wanted[1]:
            # Kept slopes have no graph.
            if slopes is None or torch.is_grad_enabled():
                to_points = self.pull(values, g, points, *along)
            else:
                to_points = slopes * g
        return (
            self.scatter(g, points, *along) if wanted[0] else None,
            to_points,
            *(self.pull(values, g, points) if want else None for want in wanted[2:]),
        )

    def _scatter_derivative(self, inputs: tuple[Tensor, ...], gradients: Gradients, wanted: Wanted) -> Gradients:
        g, points, *along = inputs
        (values,) = gradients
        assert values is not None
        return (
            self.gather(values, points, *along) if wanted[0] else None,
            self.pull(values, g, points, *along) if wanted[1] else None,
            *(self.pull(values, g, points) if want else None for want in wanted[2:]),
        )

    def _pull_derivative(self, inputs: tuple[Tensor, ...], gradients: Gradients, wanted: Wanted) -> Gradients:
        values, g, points, *along = inputs
        (t,) = gradients
        assert t is not None
        if along and any(wanted[:3]):
            raise RuntimeError("interpolate: derivatives of the third order are not available")
        if along:
            return None, None, None, self.pull(values, g, points, t)
        return (
            self.scatter(g, points, t) if wanted[0] else None,
            self.gather(values, points, t) if wanted[1] else None,
            self.pull(values, g, points, t) if wanted[2] else None,
        )

    def _gather(self, values: Tensor, points: Tensor, *along: Tensor, slopes: Tensor | None) -> Tensor:
        count = len(points)
        at, order, ordered = self._places(points, values)
        result = memory.empty(count, self.channels, like=points)
        if slopes is not None:
            with runtime.lock:
                runtime.run(
                    gather_sloped_kernel(self.lattice),
                    _flat(values), at, order, _corners(points), _flat(result), slopes,
                    count, ordered, *self.sizes,
                )  # fmt: skip
            return result
        width = self.lattice.lanes
        blocks = self.channels // width
        split = blocks
        if runtime.backend() == "cpu":
            split = self._tasks(count) if count <= FEW else 1
        runtime.run(
            gather_kernel(self.lattice, bool(along), split == 1 and count <= FEW),
            _lanes(values, width), at, order, _directions(points, along), _lanes(result, width),
            count, ordered, split, blocks, *self.sizes,
        )  # fmt: skip
        return result

    def _pull(self, values: Tensor, gradient: Tensor, points: Tensor, *along: Tensor) -> Tensor:
        at, order, ordered = self._places(points, values)
        result = memory.empty(*points.shape, like=points)
        with runtime.lock:
            runtime.run(
                pull_kernel(self.lattice, bool(along)),
                _flat(values), _flat(gradient), at, order, _directions(points, along), _corners(points), result,
                len(points), ordered, self.channels, *self.sizes,
            )  # fmt: skip
        return result

    def _scatter(self, gradient: Tensor, points: Tensor, *along: Tensor) -> Tensor:
        count = len(points)
        directions = _directions(points, along)
        if runtime.backend() != "cpu":
            result = memory.zeros(*self.shape, like=points)
            runtime.run(
                scatter_atomic_kernel(self.lattice, bool(along)),
                _flat(gradient), points.contiguous(), directions, _flat(result), count, self.channels, *self.sizes,
            )  # fmt: skip
            return result
        width = self.lattice.lanes
        blocks = self.channels // width
        upstream = _lanes(gradient, width)
        if count <= FEW:
            result = memory.zeros(*self.shape, like=points)
            tasks = self._tasks(count)
            runtime.run(
                scatter_few_kernel(self.lattice, bool(along), tasks == 1),
                upstream, points.contiguous(), directions, _lanes(result, width), count, tasks, blocks, *self.sizes,
            )  # fmt: skip
            return result
        # What follows writes every node.
        result = memory.empty(*self.shape, like=points)
        target = _lanes(result, width)
        if self.slabs is None and result.nbytes <= CACHED and self.lattice.single:
            tasks, size = min(runtime.available_cores(), COPIES), result.numel() // width
            with runtime.lock:
                copies = memory.scratch("copies", tasks * size, width, dtype=points.dtype, device=points.device)
                runtime.run(
                    scatter_copies_kernel(self.lattice, bool(along)),
                    upstream, points.contiguous(), directions, copies, target,
                    count, tasks, -(-count // tasks), size, *self.sizes,
                )  # fmt: skip
            return result
        slabs = self._sorted(points)
        with runtime.lock:
            bases = memory.scratch("bases", count, dtype=torch.int32, device=points.device)
            weights = _corners(points)
            runtime.run(
                weights_kernel(self.lattice, bool(along)),
                slabs.points, slabs.order, directions, bases, weights, count, 1, *self.sizes,
            )  # fmt: skip
            ends = len(slabs.ends)
            length = max(min(ends // (PARTS * runtime.available_cores()), LONGEST), 1)
            for parity in (0, 1):
                runtime.run(
                    scatter_kernel(self.lattice),
                    upstream, slabs.order, bases, weights, slabs.ends, target,
                    -(-ends // (2 * length)), length, ends, parity, blocks, *self.sizes,
                )  # fmt: skip
        return result

    def _tasks(self, count: int) -> int:
        """Among how many threads the channels of few points are shared."""
        blocks = self.channels // self.lattice.lanes
        return min(blocks, runtime.available_cores()) if count * self.channels >= SHARED else 1

    def _places(self, points: Tensor, values: Tensor) -> tuple[Tensor, Tensor, int]:
        """Points to read values at, their order, and 1 where they are sorted, else 0."""
        if len(points) * self.channels > arguments.LARGEST_COUNT:
            raise ValueError(
                f"points: expected at most 2^31 - 1 numbers in the result, got {len(points)} points of {self.channels} "
                "channels; split them"
            )
        if len(points) > FEW and values.nbytes > CACHED and runtime.backend() == "cpu":
            slabs = self._sorted(points)
            return slabs.points, slabs.order, 1
        return points.contiguous(), _no_order(points.device), 0

    def _sorted(self, points: Tensor) -> Slabs:
        slabs = self.slabs or slabs_of(points.contiguous(), self.shape[:-1], self.lattice)
        if self.shared:
            self.slabs = slabs
        return slabs


def _lattice(values: Tensor, *, aligned: bool, border: bool) -> Lattice:
    """For values (X, Y[, Z], C); packets of channels are such that none is left over, and one on a GPU."""
    channels = values.shape[-1]
    widest = WIDEST if runtime.backend() == "cpu" else 1
    lanes = channels if channels <= widest else next(n for n in (8, 4, 3, 2, 1) if n <= widest and channels % n == 0)
    return Lattice(values.ndim - 1, values.dtype == torch.float64, lanes, lanes == channels, aligned, border)


def _lanes(tensor: Tensor, width: int) -> Tensor:
    return tensor.contiguous().view(-1, width)


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
