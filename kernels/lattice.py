"""Device code of interpolation on a regular grid of nodes, in two or three dimensions.

Three linear maps, for weights w of the 2^D nodes about a point, and slopes ∂_i w of the weights:

    gather   y[n, c] = Σ_k w_k V[k, c]
    scatter  V[k, c] = Σ_n w_k g[n, c]
    pull     p[n, i] = Σ_k ∂_i w_k Σ_c V[k, c] g[n, c]

A directed kernel has, in place of w, its derivative along a vector t of each point, Σ_i t_i ∂_i w. Channels lie last and
are taken `width` at a time, as the elements of the arrays.
"""

import functools
from typing import Any

from .runtime import ti

# The x64 backend gives a thread 512 iterations at a time, whatever they cost; a loop over few large tasks runs over
# GRAIN times as many and works in one of GRAIN.
GRAIN = 512


@functools.cache
def cell_along_axis(real: Any) -> Any:
    """`(x, size, aligned, border) -> low, part, slope`: the cell of a coordinate, between the nodes low and low + 1.

    `part` is how far in the cell it lies, in [0, 1], `slope` its derivative to the coordinate. With border, low is the
    index of a node, and `slope` is 0 where the coordinate lies on the border or outside; else low is in [-2, size + 1].
    """

    @ti.func
    def cell(x: ti.template(), size: ti.i32, aligned: ti.i32, border: ti.i32):
        zero = ti.cast(0.0, real)
        end = ti.cast(size - 1, real)
        scale = ti.select(aligned == 1, end, end + 1)
        # Beyond -2 and 3 everything is as it is there, and infinity times 0 would be NaN.
        bounded = ti.min(ti.max(x, ti.cast(-2.0, real)), ti.cast(3.0, real))
        free = bounded * scale - ti.select(aligned == 1, zero, ti.cast(0.5, real))
        margin = ti.select(border == 1, zero, ti.cast(2.0, real))
        u = ti.min(ti.max(free, -margin), end + margin)
        least = ti.select(border == 1, 0, -2)
        most = ti.select(border == 1, ti.max(size - 2, 0), size + 1)
        # A NaN becomes any integer here, and a valid one then.
        low = ti.min(ti.max(ti.cast(ti.floor(u), ti.i32), least), most)
        part = u - ti.cast(low, real)
        slope = ti.select((border == 0) | ((free > 0) & (free < end)), scale, zero)
        return low, part, slope

    return cell


@functools.cache
def kernels(dimensions: int, real: Any, width: int, directed: bool) -> "Kernels":
    """The kernels for points of D coordinates of a type, packets of `width` channels, with a direction or without."""
    return Kernels(dimensions, real, width, directed)


class Kernels:
    """`gather`, `scatter`, `scatter_atomic` and `pull`; the first index of all arrays is a node, point or row.

    Arguments in common: `points` (N) vectors of D; `order` (N): which row of y, g, t or p the point has, read if `sorted`
    is 1, else the points have the rows' order; `along` (N) vectors of D, the t, read if directed; `blocks`: channels /
    width; the sizes of the grid, the last one 1 in two dimensions; `aligned` and `border`: 1 or 0.
    """

    def __init__(self, dimensions: int, real: Any, width: int, directed: bool) -> None:
        corners, axes = range(2**dimensions), range(dimensions)
        cell = cell_along_axis(real)
        Lanes = ti.types.vector(width, real)
        Rows = ti.types.ndarray(Lanes, 1)
        Points = ti.types.ndarray(ti.types.vector(dimensions, real), 1)
        Indices = ti.types.ndarray(ti.i32, 1)

        def side(corner: int, axis: int) -> int:
            return corner >> (dimensions - 1 - axis) & 1

        @ti.func
        def stencil(point: ti.template(), sizes: ti.template(), aligned: ti.i32, border: ti.i32):
            """Nodes, weights and slopes (D, 2) along each axis, and 0 if a coordinate is NaN, else 1.

            The nodes are always indices of the grid; what does not count has weight and slope 0.
            """
            node = ti.Matrix.zero(ti.i32, dimensions, 2)
            weight = ti.Matrix.zero(real, dimensions, 2)
            slope = ti.Matrix.zero(real, dimensions, 2)
            good = 1
            for i in ti.static(axes):
                if ti.math.isnan(point[i]):
                    good = 0
                low, part, steep = cell(point[i], sizes[i], aligned, border)
                last = sizes[i] - 1
                one, zero = ti.cast(1.0, real), ti.cast(0.0, real)
                first = ti.select((low >= 0) & (low <= last), one, zero)
                second = ti.select((low >= -1) & (low < last), one, zero)
                node[i, 0] = ti.min(ti.max(low, 0), last)
                node[i, 1] = ti.min(ti.max(low + 1, 0), last)
                weight[i, 0] = (1 - part) * first
                weight[i, 1] = part * second
                slope[i, 0] = -steep * first
                slope[i, 1] = steep * second
            return node, weight, slope, good

        @ti.func
        def node_of(node: ti.template(), sizes: ti.template(), corner: ti.template()):
            """Index of a corner's node."""
            index = node[0, ti.static(side(corner, 0))]
            for i in ti.static(axes[1:]):
                index = index * sizes[i] + node[i, ti.static(side(corner, i))]
            return index

        @ti.func
        def product(weight: ti.template(), slope: ti.template(), corner: ti.template(), sloped: ti.template()):
            """Of the corner's weights along all axes, slopes in their place along the axes in `sloped`."""
            result = ti.cast(1.0, real)
            for i in ti.static(axes):
                if ti.static(i in sloped):
                    result *= slope[i, ti.static(side(corner, i))]
                else:
                    result *= weight[i, ti.static(side(corner, i))]
            return result

        @ti.func
        def weight_of(weight: ti.template(), slope: ti.template(), t: ti.template(), corner: ti.template()):
            """w, or its derivative along t."""
            result = ti.cast(0.0, real)
            if ti.static(directed):
                for i in ti.static(axes):
                    result += t[i] * product(weight, slope, corner, (i,))
            else:
                result = product(weight, slope, corner, ())
            return result

        @ti.func
        def slope_of(
            weight: ti.template(), slope: ti.template(), t: ti.template(), corner: ti.template(), axis: ti.template()
        ):
            """∂_axis of what `weight_of` returns; the weights have no curvature along an axis."""
            result = ti.cast(0.0, real)
            if ti.static(directed):
                for i in ti.static(axes):
                    if ti.static(i != axis):
                        result += t[i] * product(weight, slope, corner, (i, axis))
            else:
                result = product(weight, slope, corner, (axis,))
            return result

        @ti.func
        def row_of(order: ti.template(), point: ti.i32, ordered: ti.i32):
            row = point
            if ordered == 1:
                row = order[point]
            return row

        @ti.func
        def direction(along: ti.template(), row: ti.i32):
            t = ti.Vector.zero(real, dimensions)
            if ti.static(directed):
                t = along[row]
            return t

        @ti.kernel
        def gather(
            values: Rows, points: Points, order: Indices, along: Points, result: Rows,
            count: ti.i32, ordered: ti.i32, split: ti.i32, blocks: ti.i32,
            nx: ti.i32, ny: ti.i32, nz: ti.i32, aligned: ti.i32, border: ti.i32,
        ):  # fmt: skip
            # `split` iterations share the channels of a point.
            for job in range(count * split):
                point, share = job // split, job % split
                row = row_of(order, point, ordered)
                sizes = ti.Vector([nx, ny, nz])
                node, weight, slope, good = stencil(points[point], sizes, aligned, border)
                t = direction(along, row)
                for block in range(share * blocks // split, (share + 1) * blocks // split):
                    total = Lanes(0.0)
                    for k in ti.static(corners):
                        total += weight_of(weight, slope, t, k) * values[node_of(node, sizes, k) * blocks + block]
                    if good == 0:
                        total = Lanes(ti.math.nan)
                    result[row * blocks + block] = total

        @ti.kernel
        def pull(
            values: Rows, gradient: Rows, points: Points, order: Indices, along: Points, result: Points,
            count: ti.i32, ordered: ti.i32, blocks: ti.i32,
            nx: ti.i32, ny: ti.i32, nz: ti.i32, aligned: ti.i32, border: ti.i32,
        ):  # fmt: skip
            for point in range(count):
                row = row_of(order, point, ordered)
                sizes = ti.Vector([nx, ny, nz])
                node, weight, slope, good = stencil(points[point], sizes, aligned, border)
                t = direction(along, row)
                total = ti.Matrix.zero(real, dimensions, width)
                for block in range(blocks):
                    upstream = gradient[row * blocks + block]
                    for k in ti.static(corners):
                        part = upstream * values[node_of(node, sizes, k) * blocks + block]
                        for i in ti.static(axes):
                            steep = slope_of(weight, slope, t, k, i)
                            for lane in ti.static(range(width)):
                                total[i, lane] += steep * part[lane]
                pulled = ti.Vector.zero(real, dimensions)
                for i in ti.static(axes):
                    for lane in ti.static(range(width)):
                        pulled[i] += total[i, lane]
                    if good == 0:
                        pulled[i] = ti.math.nan
                result[row] = pulled

        @ti.kernel
        def scatter(
            gradient: Rows, points: Points, order: Indices, along: Points, ends: Indices, result: Rows,
            count: ti.i32, ordered: ti.i32, tasks: ti.i32, slabs: ti.i32, parity: ti.i32, blocks: ti.i32,
            nx: ti.i32, ny: ti.i32, nz: ti.i32, aligned: ti.i32, border: ti.i32,
        ):  # fmt: skip
            # Tasks write to different elements: with the points in order they have every second slab each, the points
            # of slab s being those from ends[s - 1] to ends[s]; else all points and a share of the channels.
            for job in range(tasks * GRAIN):
                if job % GRAIN == 0:
                    task = job // GRAIN
                    slab = ti.select(ordered == 1, 2 * task + parity, 0)
                    first_block = ti.select(ordered == 1, 0, task * blocks // tasks)
                    last_block = ti.select(ordered == 1, blocks, (task + 1) * blocks // tasks)
                    while slab < slabs:
                        first, last = 0, count
                        if ordered == 1:
                            last = ends[slab]
                            if slab > 0:
                                first = ends[slab - 1]
                        for point in range(first, last):
                            row = row_of(order, point, ordered)
                            sizes = ti.Vector([nx, ny, nz])
                            node, weight, slope, good = stencil(points[point], sizes, aligned, border)
                            t = direction(along, row)
                            if good == 1:
                                for block in range(first_block, last_block):
                                    upstream = gradient[row * blocks + block]
                                    for k in ti.static(corners):
                                        at = node_of(node, sizes, k) * blocks + block
                                        result[at] = result[at] + weight_of(weight, slope, t, k) * upstream
                        slab += 2 * tasks

        @ti.kernel
        def scatter_atomic(
            gradient: Rows, points: Points, along: Points, result: Rows, count: ti.i32, blocks: ti.i32,
            nx: ti.i32, ny: ti.i32, nz: ti.i32, aligned: ti.i32, border: ti.i32,
        ):  # fmt: skip
            for job in range(count * blocks):
                row, block = job // blocks, job % blocks
                sizes = ti.Vector([nx, ny, nz])
                node, weight, slope, good = stencil(points[row], sizes, aligned, border)
                t = direction(along, row)
                if good == 1:
                    for k in ti.static(corners):
                        at = node_of(node, sizes, k) * blocks + block
                        result[at] += weight_of(weight, slope, t, k) * gradient[job]

        self.gather = gather
        self.pull = pull
        self.scatter = scatter
        self.scatter_atomic = scatter_atomic
