"""Device code of interpolation on a regular grid of nodes, in two or three dimensions.

Three linear maps, for weights w of the 2^D nodes about a point, and slopes ∂_i w of the weights:

    gather   y[n, c] = Σ_k w_k V[k, c]
    scatter  V[k, c] = Σ_n w_k g[n, c]
    pull     p[n, i] = Σ_k ∂_i w_k Σ_c V[k, c] g[n, c]

A directed kernel has, in place of w, its derivative along a vector t of each point, Σ_i t_i ∂_i w.
"""

import functools
from typing import Any, NamedTuple

from ..runtime import GRAIN, in_vectors, ti

LINE = 64  # bytes that the processor reads from memory at a time


def array(element: Any) -> Any:
    """Type of a kernel's argument: a row of numbers or packets."""
    return ti.types.ndarray(element, 1)


def table(element: Any) -> Any:
    """Type of a kernel's argument: rows of numbers, such as points."""
    return ti.types.ndarray(element, 2)


class Lattice(NamedTuple):
    """What kernels are compiled for: dimensions D, type of the numbers, channels, nodes' positions, boundary.

    Channels are taken `lanes` at a time; if `single` there are no more than these. Node k of n along an axis lies at
    k / (n - 1) if `aligned`, else at (k + 0.5) / n. With `border`, points outside have the values of the border; else
    nodes outside are 0.
    """

    dimensions: int
    double: bool
    lanes: int
    single: bool
    aligned: bool
    border: bool

    @property
    def real(self) -> Any:
        """Type of the numbers."""
        return ti.f64 if self.double else ti.f32

    @property
    def packet(self) -> Any:
        """Type of the channels that are taken at a time."""
        return ti.types.vector(self.lanes, self.real)

    @property
    def corner_vector(self) -> Any:
        """Type of a number for each corner of a cell."""
        return ti.types.vector(2**self.dimensions, self.real)

    @property
    def corners(self) -> range:
        """Of a cell; bit D - 1 - i of a corner is its side along axis i."""
        return range(2**self.dimensions)

    def side(self, corner: int, axis: int) -> int:
        """0 or 1: on which side of the cell a corner lies."""
        return corner >> (self.dimensions - 1 - axis) & 1


@functools.cache
def packets(lattice: Lattice) -> tuple[Any, Any]:
    """`read(array, at)` and `write(array, at, packet)` for arrays of packets, by numbers, as `compiled` needs it."""

    @ti.func
    def read(array: ti.template(), at: ti.i32):
        packet = lattice.packet(0.0)
        for lane in ti.static(range(lattice.lanes)):
            packet[lane] = array[at][lane]
        return packet

    @ti.func
    def write(array: ti.template(), at: ti.i32, packet: ti.template()):
        for lane in ti.static(range(lattice.lanes)):
            array[at][lane] = packet[lane]

    return read, write


def compiled(kernel: Any, lattice: Lattice) -> Any:
    """The kernel, in vectors if packets fill registers: LLVM's vectors of 3 numbers take the room of 4."""
    return in_vectors(kernel) if lattice.lanes in (2, 4, 8) else kernel


@functools.cache
def along_axis(lattice: Lattice) -> Any:
    """`(x, size) -> low, weight, slope`: the nodes low and low + 1 about a coordinate, their weights and slopes.

    With a single node low is 0 and the second node's weight and slope are 0. Outside a grid without border the pair is
    the nearest one, with weight 0 for what is outside. For a NaN low is any valid index.
    """
    real = lattice.real

    @ti.func
    def pair(x: ti.template(), size: ti.i32):
        zero = ti.cast(0.0, real)
        end = ti.cast(size - 1, real)
        # Beyond -2 and 3 everything is as it is there, and infinity times 0 would be NaN.
        bounded = ti.min(ti.max(x, ti.cast(-2.0, real)), ti.cast(3.0, real))
        steep = end
        free = bounded * end
        if ti.static(not lattice.aligned):
            steep = end + 1
            free = bounded * steep - ti.cast(0.5, real)
        most = ti.max(size - 2, 0)
        low = 0
        weight = ti.Vector([zero, zero])
        slope = ti.Vector([zero, zero])
        if ti.static(lattice.border):
            u = ti.min(ti.max(free, zero), end)
            low = ti.min(ti.max(ti.cast(u, ti.i32), 0), most)
            part = u - ti.cast(low, real)
            inside = ti.select((free > 0) & (free < end), steep, zero)
            weight = ti.Vector([1 - part, part])
            slope = ti.Vector([-inside, inside])
        else:
            u = ti.min(ti.max(free, ti.cast(-2.0, real)), end + 2)
            floor = ti.min(ti.max(ti.cast(ti.floor(u), ti.i32), -2), size)
            part = u - ti.cast(floor, real)
            low = ti.min(ti.max(floor, 0), most)
            # How far the pair is from the cell of the point: 0 inside, 1 one cell outside.
            first = (floor == low) & (size > floor)
            second = (floor == low) & (size > floor + 1)
            weight[0] = ti.select(first, 1 - part, ti.select(floor == low - 1, part, zero))
            weight[1] = ti.select(second, part, ti.select((floor == low + 1) & (size > floor), 1 - part, zero))
            slope[0] = ti.select(first, -steep, ti.select(floor == low - 1, steep, zero))
            slope[1] = ti.select(second, steep, ti.select((floor == low + 1) & (size > floor), -steep, zero))
        return low, weight, slope

    return pair


@functools.cache
def stencil(lattice: Lattice, directed: bool) -> Any:
    """`(points, along, point, row, sizes) -> base, weight, slope, t, good` of a point: corner 0's node, weights and
    slopes (D, 2), the direction `along[row]` if directed, else 0, and whether it has no NaN."""
    pair = along_axis(lattice)

    @ti.func
    def about(points: ti.template(), along: ti.template(), point: ti.i32, row: ti.i32, sizes: ti.template()):
        weight = ti.Matrix.zero(lattice.real, lattice.dimensions, 2)
        slope = ti.Matrix.zero(lattice.real, lattice.dimensions, 2)
        base = 0
        good = 1
        for i in ti.static(range(lattice.dimensions)):
            x = points[point, i]
            if ti.math.isnan(x):
                good = 0
            low, weights, slopes = pair(x, sizes[i])
            base = base * sizes[i] + low
            for j in ti.static(range(2)):
                weight[i, j] = weights[j]
                slope[i, j] = slopes[j]
        t = ti.Vector.zero(lattice.real, lattice.dimensions)
        if ti.static(directed):
            for i in ti.static(range(lattice.dimensions)):
                t[i] = along[row, i]
        return base, weight, slope, t, good

    return about


@functools.cache
def corner_functions(lattice: Lattice, directed: bool) -> tuple[Any, Any, Any]:
    """`offset(sizes, corner)`, `weight_of(weight, slope, t, corner)` and `slope_of(weight, slope, t, corner, axis)`.

    They are: how many nodes after that of corner 0 a corner's node comes; its w, or the derivative of w along t if
    directed; and the derivative of `weight_of` along an axis.
    """
    real, axes = lattice.real, range(lattice.dimensions)

    @ti.func
    def offset(sizes: ti.template(), corner: ti.template()):
        index = 0
        for i in ti.static(axes):
            index = index * sizes[i]
            if ti.static(lattice.side(corner, i) == 1):
                index += ti.min(sizes[i] - 1, 1)
        return index

    @ti.func
    def product(weight: ti.template(), slope: ti.template(), corner: ti.template(), sloped: ti.template()):
        """Of a corner's weights along all axes, slopes in their place along the axes in `sloped`."""
        result = ti.cast(1.0, real)
        for i in ti.static(axes):
            if ti.static(i in sloped):
                result *= slope[i, ti.static(lattice.side(corner, i))]
            else:
                result *= weight[i, ti.static(lattice.side(corner, i))]
        return result

    @ti.func
    def weight_of(weight: ti.template(), slope: ti.template(), t: ti.template(), corner: ti.template()):
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
        result = ti.cast(0.0, real)
        if ti.static(directed):
            # The weights have no curvature along an axis.
            for i in ti.static(axes):
                if ti.static(i != axis):
                    result += t[i] * product(weight, slope, corner, (i, axis))
        else:
            result = product(weight, slope, corner, (axis,))
        return result

    return offset, weight_of, slope_of


@functools.cache
def reading_ahead(lattice: Lattice, packets: bool) -> Any:
    """`(values, first, last, sizes, width) -> sum`: reads the nodes about cells from `first` to `last`, between which
    GRAIN sorted points lie, one after the other, if the points need most of them.

    What is read in order the processor fetches before it is asked for; for a node here and there it waits. `values` has
    `width` packets a node, or numbers. The sum means nothing, but LLVM leaves out what nobody keeps.
    """
    numbers = LINE // (8 if lattice.double else 4)
    step = max(numbers // lattice.lanes, 1) if packets else numbers
    # A point needs at least a line in each of 2^(D - 1) places; more of them read in order take as long.
    most = GRAIN * 2 ** (lattice.dimensions - 1) * 3 // 2

    @ti.func
    def read_ahead(values: ti.template(), first: ti.i32, last: ti.i32, sizes: ti.template(), width: ti.i32):
        row, plane = 1, 1
        for i in ti.static(range(1, lattice.dimensions)):
            plane *= sizes[i]
            if ti.static(i > 1):
                row *= sizes[i]
        stop = last + 2 * row
        total = ti.cast(0.0, lattice.real)
        if (stop - first) * width // step <= most:
            for side in range(ti.min(sizes[0], 2)):
                start = (first + side * plane) * width
                end = ti.min(stop + side * plane, sizes[0] * plane) * width
                for line in range((end - start + step - 1) // step):
                    if ti.static(packets):
                        total += values[start + line * step][0]
                    else:
                        total += values[start + line * step]
        return total

    return read_ahead
