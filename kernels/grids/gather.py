"""Kernels that read a grid about points: values, and derivatives to the points. See stencil.py for what they compute.

Arguments in common: `points` (N) vectors of D; `order` (N): which row of y, g, t or p a point has, read if `ordered` is
1, else points have the rows' order; `along` (N) vectors of D, the t, read if directed; nx, ny, nz: the sizes of the
grid, nz is 1 in two dimensions.
"""

import functools
from typing import Any

from ..runtime import GRAIN, ti
from .grid_type import GridType, array_1d, array_2d, compiled, packets
from .stencil import corner_functions, stencil

LINE = 64  # bytes that the processor reads from memory at a time


@ti.func
def row_of(order: ti.template(), point: ti.i32, ordered: ti.i32):
    """The row that a point has."""
    row = point
    if ordered == 1:
        row = order[point]
    return row


@functools.cache
def prefetching(grid_type: GridType, in_packets: bool) -> Any:
    """`(values, first, last, sizes, width) -> sum`: reads the nodes about cells from `first` to `last`, between which
    GRAIN sorted points lie, one after the other, if the points need most of them.

    What is read in order the processor fetches before it is asked for; for a node here and there it waits. `values` has
    `width` packets a node, or numbers. The sum means nothing, but LLVM leaves out what nobody keeps.
    """
    numbers = LINE // (8 if grid_type.double else 4)
    step = max(numbers // grid_type.lanes, 1) if in_packets else numbers
    # A point needs at least a line in each of 2^(D - 1) places; more of them read in order take as long.
    most = GRAIN * 2 ** (grid_type.dimensions - 1) * 3 // 2

    @ti.func
    def prefetch(values: ti.template(), first: ti.i32, last: ti.i32, sizes: ti.template(), width: ti.i32):
        row, plane = 1, 1
        for i in ti.static(range(1, grid_type.dimensions)):
            plane *= sizes[i]
            if ti.static(i > 1):
                row *= sizes[i]
        stop = last + 2 * row
        total = ti.cast(0.0, grid_type.real)
        if (stop - first) * width // step <= most:
            for side in range(ti.min(sizes[0], 2)):
                start = (first + side * plane) * width
                end = ti.min(stop + side * plane, sizes[0] * plane) * width
                for line in range((end - start + step - 1) // step):
                    if ti.static(in_packets):
                        total += values[start + line * step][0]
                    else:
                        total += values[start + line * step]
        return total

    return prefetch


@functools.cache
def gather_kernel(grid_type: GridType, directed: bool, alone: bool) -> Any:
    """y from V, with `blocks` packets of channels a node; `split` iterations share those of a point.

    It runs `alone` in the thread that launches it, which for few points takes less time than to wake another.
    """
    stencil_at = stencil(grid_type, directed)
    offset, weight_of, _ = corner_functions(grid_type, directed)
    prefetch = prefetching(grid_type, True)
    read, write = packets(grid_type)

    @ti.kernel
    def gather(
        values: array_1d(grid_type.packet),
        points: array_2d(grid_type.real),
        order: array_1d(ti.i32),
        along: array_2d(grid_type.real),
        result: array_1d(grid_type.packet),
        count: ti.i32,
        ordered: ti.i32,
        split: ti.i32,
        blocks: ti.i32,
        nx: ti.i32,
        ny: ti.i32,
        nz: ti.i32,
    ):
        ti.loop_config(serialize=alone)
        for job in range(count * split):
            point, share = job, 0
            if ti.static(not grid_type.one_packet):
                point, share = job // split, job % split
            row = row_of(order, point, ordered)
            sizes = ti.Vector([nx, ny, nz])
            base, weight, slope, t, good = stencil_at(points, along, point, row, sizes)
            if ordered == 1 and point % GRAIN == 0:
                last, _w, _s, _t, _g = stencil_at(points, along, ti.min(point + GRAIN, count) - 1, row, sizes)
                result[row * blocks][0] = prefetch(values, base, last, sizes, blocks)
            if ti.static(grid_type.one_packet):
                total = grid_type.packet(0.0)
                for k in ti.static(grid_type.corners):
                    total += weight_of(weight, slope, t, k) * read(values, base + offset(sizes, k))
                if good == 0:
                    total = grid_type.packet(ti.math.nan)
                write(result, row, total)
            else:
                for block in range(share * blocks // split, (share + 1) * blocks // split):
                    total = grid_type.packet(0.0)
                    for k in ti.static(grid_type.corners):
                        at = (base + offset(sizes, k)) * blocks + block
                        total += weight_of(weight, slope, t, k) * read(values, at)
                    if good == 0:
                        total = grid_type.packet(ti.math.nan)
                    write(result, row * blocks + block, total)

    return compiled(gather, grid_type)


@functools.cache
def gather_sloped_kernel(grid_type: GridType) -> Any:
    """y from V of a single channel, and its derivatives to the points."""
    stencil_at = stencil(grid_type, False)
    offset, weight_of, slope_of = corner_functions(grid_type, False)
    prefetch = prefetching(grid_type, False)

    @ti.kernel
    def gather_sloped(
        values: array_1d(grid_type.real),
        points: array_2d(grid_type.real),
        order: array_1d(ti.i32),
        found: array_1d(grid_type.corner_vector),
        result: array_1d(grid_type.real),
        slopes: array_2d(grid_type.real),
        count: ti.i32,
        ordered: ti.i32,
        nx: ti.i32,
        ny: ti.i32,
        nz: ti.i32,
    ):
        # Apart from the rest, because in short iterations the processor waits for the memory of several at once.
        for point in range(count):
            sizes = ti.Vector([nx, ny, nz])
            base, _weight, _slope, _t, _good = stencil_at(points, points, point, point, sizes)
            if ordered == 1 and point % GRAIN == 0:
                last, _w, _s, _t, _g = stencil_at(points, points, ti.min(point + GRAIN, count) - 1, point, sizes)
                found[point][0] = prefetch(values, base, last, sizes, 1)
            corners = ti.Vector.zero(grid_type.real, 2**grid_type.dimensions)
            for k in ti.static(grid_type.corners):
                corners[k] = values[base + offset(sizes, k)]
            found[point] = corners
        for point in range(count):
            row = row_of(order, point, ordered)
            _base, weight, slope, t, good = stencil_at(points, points, point, row, ti.Vector([nx, ny, nz]))
            total = ti.cast(0.0, grid_type.real)
            changes = ti.Vector.zero(grid_type.real, grid_type.dimensions)
            for k in ti.static(grid_type.corners):
                value = found[point][k]
                total += weight_of(weight, slope, t, k) * value
                for i in ti.static(range(grid_type.dimensions)):
                    changes[i] += slope_of(weight, slope, t, k, i) * value
            if good == 0:
                total = ti.math.nan
                for i in ti.static(range(grid_type.dimensions)):
                    changes[i] = ti.math.nan
            result[row] = total
            for i in ti.static(range(grid_type.dimensions)):
                slopes[row, i] = changes[i]

    return gather_sloped


@functools.cache
def pull_kernel(grid_type: GridType, directed: bool) -> Any:
    """p from V and g, numbers without packets: LLVM makes vectors of a sum over channels by itself."""
    stencil_at = stencil(grid_type, directed)
    offset, _, slope_of = corner_functions(grid_type, directed)
    prefetch = prefetching(grid_type, False)

    @ti.kernel
    def pull(
        values: array_1d(grid_type.real),
        gradient: array_1d(grid_type.real),
        points: array_2d(grid_type.real),
        order: array_1d(ti.i32),
        along: array_2d(grid_type.real),
        products: array_1d(grid_type.corner_vector),
        result: array_2d(grid_type.real),
        count: ti.i32,
        ordered: ti.i32,
        channels: ti.i32,
        nx: ti.i32,
        ny: ti.i32,
        nz: ti.i32,
    ):
        # Apart from the rest, because in short iterations the processor waits for the memory of several at once.
        for point in range(count):
            row = row_of(order, point, ordered)
            sizes = ti.Vector([nx, ny, nz])
            base, _weight, _slope, _t, _good = stencil_at(points, along, point, row, sizes)
            if ordered == 1 and point % GRAIN == 0:
                last, _w, _s, _t, _g = stencil_at(points, along, ti.min(point + GRAIN, count) - 1, row, sizes)
                products[point][0] = prefetch(values, base, last, sizes, channels)
            found = ti.Vector.zero(grid_type.real, 2**grid_type.dimensions)  # Σ_c V[k, c] g[n, c]
            if ti.static(grid_type.one_packet):
                for channel in ti.static(range(grid_type.lanes)):
                    upstream = gradient[row * grid_type.lanes + channel]
                    for k in ti.static(grid_type.corners):
                        found[k] += upstream * values[(base + offset(sizes, k)) * grid_type.lanes + channel]
            else:
                for channel in range(channels):
                    upstream = gradient[row * channels + channel]
                    for k in ti.static(grid_type.corners):
                        found[k] += upstream * values[(base + offset(sizes, k)) * channels + channel]
            products[point] = found
        for point in range(count):
            row = row_of(order, point, ordered)
            _base, weight, slope, t, good = stencil_at(points, along, point, row, ti.Vector([nx, ny, nz]))
            pulled = ti.Vector.zero(grid_type.real, grid_type.dimensions)
            for i in ti.static(range(grid_type.dimensions)):
                for k in ti.static(grid_type.corners):
                    pulled[i] += slope_of(weight, slope, t, k, i) * products[point][k]
                if good == 0:
                    pulled[i] = ti.math.nan
            for i in ti.static(range(grid_type.dimensions)):
                result[row, i] = pulled[i]

    return pull
