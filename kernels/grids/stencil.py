"""Device code of interpolation on a regular grid of nodes, in two or three dimensions.

Three linear maps, for weights w of the 2^D nodes about a point, and slopes ∂_i w of the weights:

    gather   y[n, c] = Σ_k w_k V[k, c]
    scatter  V[k, c] = Σ_n w_k g[n, c]
    pull     p[n, i] = Σ_k ∂_i w_k Σ_c V[k, c] g[n, c]

A directed kernel has, in place of w, its derivative along a vector t of each point, Σ_i t_i ∂_i w.
"""

import functools
from typing import Any

from ..runtime import ti
from .grid_type import GridType


@functools.cache
def along_axis(grid_type: GridType) -> Any:
    """`(x, size) -> low, weight, slope`: the nodes low and low + 1 about a coordinate, their weights and slopes.

    With a single node low is 0 and the second node's weight and slope are 0. Outside a grid without border the pair is
    the nearest one, with weight 0 for what is outside. For a NaN low is any valid index.
    """
    real = grid_type.real

    @ti.func
    def pair(x: ti.template(), size: ti.i32):
        zero = ti.cast(0.0, real)
        end = ti.cast(size - 1, real)
        # Beyond -2 and 3 everything is as it is there, and infinity times 0 would be NaN.
        bounded = ti.min(ti.max(x, ti.cast(-2.0, real)), ti.cast(3.0, real))
        steep = end
        free = bounded * end
        if ti.static(not grid_type.aligned):
            steep = end + 1
            free = bounded * steep - ti.cast(0.5, real)
        most = ti.max(size - 2, 0)
        low = 0
        weight = ti.Vector([zero, zero])
        slope = ti.Vector([zero, zero])
        if ti.static(grid_type.border):
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
def stencil(grid_type: GridType, directed: bool) -> Any:
    """`(points, along, point, row, sizes) -> base, weight, slope, t, good` of a point: corner 0's node, weights and
    slopes (D, 2), the direction `along[row]` if directed, else 0, and whether it has no NaN."""
    pair = along_axis(grid_type)

    @ti.func
    def stencil_at(points: ti.template(), along: ti.template(), point: ti.i32, row: ti.i32, sizes: ti.template()):
        weight = ti.Matrix.zero(grid_type.real, grid_type.dimensions, 2)
        slope = ti.Matrix.zero(grid_type.real, grid_type.dimensions, 2)
        base = 0
        good = 1
        for i in ti.static(range(grid_type.dimensions)):
            x = points[point, i]
            if ti.math.isnan(x):
                good = 0
            low, weights, slopes = pair(x, sizes[i])
            base = base * sizes[i] + low
            for j in ti.static(range(2)):
                weight[i, j] = weights[j]
                slope[i, j] = slopes[j]
        t = ti.Vector.zero(grid_type.real, grid_type.dimensions)
        if ti.static(directed):
            for i in ti.static(range(grid_type.dimensions)):
                t[i] = along[row, i]
        return base, weight, slope, t, good

    return stencil_at


@functools.cache
def corner_functions(grid_type: GridType, directed: bool) -> tuple[Any, Any, Any]:
    """`offset(sizes, corner)`, `weight_of(weight, slope, t, corner)` and `slope_of(weight, slope, t, corner, axis)`.

    They are: how many nodes after that of corner 0 a corner's node comes; its w, or the derivative of w along t if
    directed; and the derivative of `weight_of` along an axis.
    """
    real, axes = grid_type.real, range(grid_type.dimensions)

    @ti.func
    def offset(sizes: ti.template(), corner: ti.template()):
        index = 0
        for i in ti.static(axes):
            index = index * sizes[i]
            if ti.static(grid_type.side(corner, i) == 1):
                index += ti.min(sizes[i] - 1, 1)
        return index

    @ti.func
    def product(weight: ti.template(), slope: ti.template(), corner: ti.template(), sloped: ti.template()):
        """Of a corner's weights along all axes, slopes in their place along the axes in `sloped`."""
        result = ti.cast(1.0, real)
        for i in ti.static(axes):
            if ti.static(i in sloped):
                result *= slope[i, ti.static(grid_type.side(corner, i))]
            else:
                result *= weight[i, ti.static(grid_type.side(corner, i))]
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
