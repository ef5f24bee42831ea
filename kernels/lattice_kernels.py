"""The kernels of interpolation, see lattice.py.

Arguments in common: `points` (N) vectors of D; `order` (N): which row of y, g, t or p the point has, read if `ordered` is
1, else the points have the rows' order; `along` (N) vectors of D, the t, read if directed; `channels`; the sizes of the
grid, the last one 1 in two dimensions.
"""

import functools
from typing import Any

from .lattice import GRAIN, UNROLLED, Lattice, corner_functions, stencil
from .runtime import ti

Indices = ti.types.ndarray(ti.i32, 1)


def _points(lattice: Lattice) -> Any:
    return ti.types.ndarray(ti.types.vector(lattice.dimensions, lattice.real), 1)


@ti.func
def row_of(order: ti.template(), point: ti.i32, ordered: ti.i32):
    row = point
    if ordered == 1:
        row = order[point]
    return row


@functools.cache
def gather_kernel(lattice: Lattice, width: int, directed: bool) -> Any:
    """y from V, whose channels are taken `width` at a time as elements of the arrays."""
    real, single = lattice.real, lattice.channels == width
    Lanes = ti.types.vector(width, real)
    Rows, Points = ti.types.ndarray(Lanes, 1), _points(lattice)
    about = stencil(lattice)
    offset, weight_of, _ = corner_functions(lattice, directed)

    @ti.kernel
    def gather(
        values: Rows, points: Points, order: Indices, along: Points, result: Rows,
        count: ti.i32, ordered: ti.i32, split: ti.i32, blocks: ti.i32, nx: ti.i32, ny: ti.i32, nz: ti.i32,
    ):  # fmt: skip
        # `split` iterations share the channels of a point.
        for job in range(count * split):
            point, first, last = job, 0, blocks
            if ti.static(not single):
                point = job // split
                share = job % split
                first, last = share * blocks // split, (share + 1) * blocks // split
            row = row_of(order, point, ordered)
            sizes = ti.Vector([nx, ny, nz])
            base, weight, slope, good = about(points[point], sizes)
            t = ti.Vector.zero(real, lattice.dimensions)
            if ti.static(directed):
                t = along[row]
            if ti.static(single):
                total = Lanes(0.0)
                for k in ti.static(lattice.corners):
                    total += weight_of(weight, slope, t, k) * values[base + offset(sizes, k)]
                if good == 0:
                    total = Lanes(ti.math.nan)
                result[row] = total
            else:
                for block in range(first, last):
                    total = Lanes(0.0)
                    for k in ti.static(lattice.corners):
                        at = (base + offset(sizes, k)) * blocks + block
                        total += weight_of(weight, slope, t, k) * values[at]
                    if good == 0:
                        total = Lanes(ti.math.nan)
                    result[row * blocks + block] = total

    return gather


@functools.cache
def pull_kernel(lattice: Lattice, directed: bool) -> Any:
    """p from V and g, as plain numbers: LLVM makes vectors of a sum over channels by itself."""
    real, axes = lattice.real, range(lattice.dimensions)
    unrolled = lattice.channels <= UNROLLED
    Corners = ti.types.ndarray(ti.types.vector(2**lattice.dimensions, real), 1)
    Numbers, Points = ti.types.ndarray(real, 1), _points(lattice)
    about = stencil(lattice)
    offset, _, slope_of = corner_functions(lattice, directed)

    @ti.kernel
    def pull(
        values: Numbers, gradient: Numbers, points: Points, order: Indices, along: Points, products: Corners,
        result: Points, count: ti.i32, ordered: ti.i32, channels: ti.i32, nx: ti.i32, ny: ti.i32, nz: ti.i32,
    ):  # fmt: skip
        # Apart from the rest, because short iterations let the processor wait for the memory of several at once.
        for point in range(count):
            row = row_of(order, point, ordered)
            sizes = ti.Vector([nx, ny, nz])
            base, _, _, _ = about(points[point], sizes)
            found = ti.Vector.zero(real, 2**lattice.dimensions)  # Σ_c V[k, c] g[n, c]
            if ti.static(unrolled):
                for channel in ti.static(range(lattice.channels)):
                    upstream = gradient[row * lattice.channels + channel]
                    for k in ti.static(lattice.corners):
                        found[k] += upstream * values[(base + offset(sizes, k)) * lattice.channels + channel]
            else:
                for channel in range(channels):
                    upstream = gradient[row * channels + channel]
                    for k in ti.static(lattice.corners):
                        found[k] += upstream * values[(base + offset(sizes, k)) * channels + channel]
            products[point] = found
        for point in range(count):
            row = row_of(order, point, ordered)
            _, weight, slope, good = about(points[point], ti.Vector([nx, ny, nz]))
            t = ti.Vector.zero(real, lattice.dimensions)
            if ti.static(directed):
                t = along[row]
            pulled = ti.Vector.zero(real, lattice.dimensions)
            for i in ti.static(axes):
                for k in ti.static(lattice.corners):
                    pulled[i] += slope_of(weight, slope, t, k, i) * products[point][k]
                if good == 0:
                    pulled[i] = ti.math.nan
            result[row] = pulled

    return pull


@functools.cache
def weights_kernel(lattice: Lattice, directed: bool) -> Any:
    """The node of corner 0 (N) and weights (N) vectors of 2^D of all points; 0 for points with a NaN."""
    real = lattice.real
    Weights, Points = ti.types.ndarray(ti.types.vector(2**lattice.dimensions, real), 1), _points(lattice)
    about = stencil(lattice)
    _, weight_of, _ = corner_functions(lattice, directed)

    @ti.kernel
    def weigh(
        points: Points, order: Indices, along: Points, bases: Indices, weights: Weights,
        count: ti.i32, ordered: ti.i32, nx: ti.i32, ny: ti.i32, nz: ti.i32,
    ):  # fmt: skip
        for point in range(count):
            base, weight, slope, good = about(points[point], ti.Vector([nx, ny, nz]))
            t = ti.Vector.zero(real, lattice.dimensions)
            if ti.static(directed):
                t = along[row_of(order, point, ordered)]
            found = ti.Vector.zero(real, 2**lattice.dimensions)
            for k in ti.static(lattice.corners):
                if good == 1:
                    found[k] = weight_of(weight, slope, t, k)
            bases[point] = base
            weights[point] = found

    return weigh


@functools.cache
def scatter_kernel(lattice: Lattice, width: int) -> Any:
    """V from g by slabs of points in order: those of slab s run from ends[s - 1] to ends[s].

    Slabs of the same parity touch different nodes. Consecutive points of one cell are added up before the sum goes to
    memory.
    """
    Lanes = ti.types.vector(width, lattice.real)
    Rows = ti.types.ndarray(Lanes, 1)
    Weights = ti.types.ndarray(ti.types.vector(2**lattice.dimensions, lattice.real), 1)
    offset, _, _ = corner_functions(lattice, False)

    @ti.kernel
    def scatter(
        gradient: Rows, order: Indices, bases: Indices, weights: Weights, ends: Indices, result: Rows,
        tasks: ti.i32, slabs: ti.i32, parity: ti.i32, blocks: ti.i32, nx: ti.i32, ny: ti.i32, nz: ti.i32,
    ):  # fmt: skip
        for job in range(tasks * GRAIN):
            if job % GRAIN == 0:
                sizes = ti.Vector([nx, ny, nz])
                slab = 2 * (job // GRAIN) + parity
                while slab < slabs:
                    point = 0
                    if slab > 0:
                        point = ends[slab - 1]
                    last = ends[slab]
                    while point < last:
                        base = bases[point]
                        end = point + 1
                        while end < last and bases[ti.min(end, last - 1)] == base:
                            end += 1
                        for block in range(blocks):
                            totals = ti.Matrix.zero(lattice.real, 2**lattice.dimensions, width)
                            for p in range(point, end):
                                upstream = gradient[order[p] * blocks + block]
                                weight = weights[p]
                                for k in ti.static(lattice.corners):
                                    for lane in ti.static(range(width)):
                                        totals[k, lane] += weight[k] * upstream[lane]
                            for k in ti.static(lattice.corners):
                                at = (base + offset(sizes, k)) * blocks + block
                                total = result[at]
                                for lane in ti.static(range(width)):
                                    total[lane] += totals[k, lane]
                                result[at] = total
                        point = end
                    slab += 2 * tasks

    return scatter


@functools.cache
def scatter_few_kernel(lattice: Lattice, width: int, directed: bool) -> Any:
    """V from g of few points in any order: tasks share the channels."""
    Lanes = ti.types.vector(width, lattice.real)
    Rows, Points = ti.types.ndarray(Lanes, 1), _points(lattice)
    about = stencil(lattice)
    offset, weight_of, _ = corner_functions(lattice, directed)

    @ti.kernel
    def scatter_few(
        gradient: Rows, points: Points, along: Points, result: Rows,
        count: ti.i32, tasks: ti.i32, blocks: ti.i32, nx: ti.i32, ny: ti.i32, nz: ti.i32,
    ):  # fmt: skip
        for job in range(tasks * GRAIN):
            if job % GRAIN == 0:
                task = job // GRAIN
                for point in range(count):
                    sizes = ti.Vector([nx, ny, nz])
                    base, weight, slope, good = about(points[point], sizes)
                    t = ti.Vector.zero(lattice.real, lattice.dimensions)
                    if ti.static(directed):
                        t = along[point]
                    if good == 1:
                        for block in range(task * blocks // tasks, (task + 1) * blocks // tasks):
                            upstream = gradient[point * blocks + block]
                            for k in ti.static(lattice.corners):
                                at = (base + offset(sizes, k)) * blocks + block
                                result[at] = result[at] + weight_of(weight, slope, t, k) * upstream

    return scatter_few


@functools.cache
def scatter_atomic_kernel(lattice: Lattice, directed: bool) -> Any:
    """V from g on a GPU: a thread for each number of g."""
    Numbers, Points = ti.types.ndarray(lattice.real, 1), _points(lattice)
    about = stencil(lattice)
    offset, weight_of, _ = corner_functions(lattice, directed)

    @ti.kernel
    def scatter_atomic(
        gradient: Numbers, points: Points, along: Points, result: Numbers,
        count: ti.i32, channels: ti.i32, nx: ti.i32, ny: ti.i32, nz: ti.i32,
    ):  # fmt: skip
        for job in range(count * channels):
            point, channel = job // channels, job % channels
            sizes = ti.Vector([nx, ny, nz])
            base, weight, slope, good = about(points[point], sizes)
            t = ti.Vector.zero(lattice.real, lattice.dimensions)
            if ti.static(directed):
                t = along[point]
            if good == 1:
                for k in ti.static(lattice.corners):
                    at = (base + offset(sizes, k)) * channels + channel
                    result[at] += weight_of(weight, slope, t, k) * gradient[job]

    return scatter_atomic
