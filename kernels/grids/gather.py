"""Kernels that read a grid about points: values, and derivatives to the points. See stencil.py for what they compute.

Arguments in common: `points` (N) vectors of D; `order` (N): which row of y, g, t or p a point has, read if `ordered` is
1, else points have the rows' order; `along` (N) vectors of D, the t, read if directed; nx, ny, nz: the sizes of the
grid, nz is 1 in two dimensions.
"""

import functools
from typing import Any

from ..runtime import GRAIN, ti
from .stencil import Lattice, array, compiled, corner_functions, packets, reading_ahead, stencil, table


@ti.func
def row_of(order: ti.template(), point: ti.i32, ordered: ti.i32):
    """The row that a point has."""
    row = point
    if ordered == 1:
        row = order[point]
    return row


@functools.cache
def gather_kernel(lattice: Lattice, directed: bool, alone: bool) -> Any:
    """y from V, with `blocks` packets of channels a node; `split` iterations share those of a point.

    It runs `alone` in the thread that launches it, which for few points takes less time than to wake another.
    """
    about = stencil(lattice, directed)
    offset, weight_of, _ = corner_functions(lattice, directed)
    read_ahead = reading_ahead(lattice, True)
    read, write = packets(lattice)

    @ti.kernel
    def gather(
        values: array(lattice.packet),
        points: table(lattice.real),
        order: array(ti.i32),
        along: table(lattice.real),
        result: array(lattice.packet),
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
            if ti.static(not lattice.single):
                point, share = job // split, job % split
            row = row_of(order, point, ordered)
            sizes = ti.Vector([nx, ny, nz])
            base, weight, slope, t, good = about(points, along, point, row, sizes)
            if ordered == 1 and point % GRAIN == 0:
                last, _w, _s, _t, _g = about(points, along, ti.min(point + GRAIN, count) - 1, row, sizes)
                result[row * blocks][0] = read_ahead(values, base, last, sizes, blocks)
            if ti.static(lattice.single):
                total = lattice.packet(0.0)
                for k in ti.static(lattice.corners):
                    total += weight_of(weight, slope, t, k) * read(values, base + offset(sizes, k))
                if good == 0:
                    total = lattice.packet(ti.math.nan)
                write(result, row, total)
            else:
                for block in range(share * blocks // split, (share + 1) * blocks // split):
                    total = lattice.packet(0.0)
                    for k in ti.static(lattice.corners):
                        at = (base + offset(sizes, k)) * blocks + block
                        total += weight_of(weight, slope, t, k) * read(values, at)
                    if good == 0:
                        total = lattice.packet(ti.math.nan)
                    write(result, row * blocks + block, total)

    return compiled(gather, lattice)


@functools.cache
def gather_sloped_kernel(lattice: Lattice) -> Any:
    """y from V of a single channel, and its derivatives to the points."""
    about = stencil(lattice, False)
    offset, weight_of, slope_of = corner_functions(lattice, False)
    read_ahead = reading_ahead(lattice, False)

    @ti.kernel
    def gather_sloped(
        values: array(lattice.real),
        points: table(lattice.real),
        order: array(ti.i32),
        found: array(lattice.corner_vector),
        result: array(lattice.real),
        slopes: table(lattice.real),
        count: ti.i32,
        ordered: ti.i32,
        nx: ti.i32,
        ny: ti.i32,
        nz: ti.i32,
    ):
        # Apart from the rest, because in short iterations the processor waits for the memory of several at once.
        for point in range(count):
            sizes = ti.Vector([nx, ny, nz])
            base, _weight, _slope, _t, _good = about(points, points, point, point, sizes)
            if ordered == 1 and point % GRAIN == 0:
                last, _w, _s, _t, _g = about(points, points, ti.min(point + GRAIN, count) - 1, point, sizes)
                found[point][0] = read_ahead(values, base, last, sizes, 1)
            corners = ti.Vector.zero(lattice.real, 2**lattice.dimensions)
            for k in ti.static(lattice.corners):
                corners[k] = values[base + offset(sizes, k)]
            found[point] = corners
        for point in range(count):
            row = row_of(order, point, ordered)
            _base, weight, slope, t, good = about(points, points, point, row, ti.Vector([nx, ny, nz]))
            total = ti.cast(0.0, lattice.real)
            changes = ti.Vector.zero(lattice.real, lattice.dimensions)
            for k in ti.static(lattice.corners):
                value = found[point][k]
                total += weight_of(weight, slope, t, k) * value
                for i in ti.static(range(lattice.dimensions)):
                    changes[i] += slope_of(weight, slope, t, k, i) * value
            if good == 0:
                total = ti.math.nan
                for i in ti.static(range(lattice.dimensions)):
                    changes[i] = ti.math.nan
            result[row] = total
            for i in ti.static(range(lattice.dimensions)):
                slopes[row, i] = changes[i]

    return gather_sloped


@functools.cache
def pull_kernel(lattice: Lattice, directed: bool) -> Any:
    """p from V and g, numbers without packets: LLVM makes vectors of a sum over channels by itself."""
    about = stencil(lattice, directed)
    offset, _, slope_of = corner_functions(lattice, directed)
    read_ahead = reading_ahead(lattice, False)

    @ti.kernel
    def pull(
        values: array(lattice.real),
        gradient: array(lattice.real),
        points: table(lattice.real),
        order: array(ti.i32),
        along: table(lattice.real),
        products: array(lattice.corner_vector),
        result: table(lattice.real),
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
            base, _weight, _slope, _t, _good = about(points, along, point, row, sizes)
            if ordered == 1 and point % GRAIN == 0:
                last, _w, _s, _t, _g = about(points, along, ti.min(point + GRAIN, count) - 1, row, sizes)
                products[point][0] = read_ahead(values, base, last, sizes, channels)
            found = ti.Vector.zero(lattice.real, 2**lattice.dimensions)  # Σ_c V[k, c] g[n, c]
            if ti.static(lattice.single):
                for channel in ti.static(range(lattice.lanes)):
                    upstream = gradient[row * lattice.lanes + channel]
                    for k in ti.static(lattice.corners):
                        found[k] += upstream * values[(base + offset(sizes, k)) * lattice.lanes + channel]
            else:
                for channel in range(channels):
                    upstream = gradient[row * channels + channel]
                    for k in ti.static(lattice.corners):
                        found[k] += upstream * values[(base + offset(sizes, k)) * channels + channel]
            products[point] = found
        for point in range(count):
            row = row_of(order, point, ordered)
            _base, weight, slope, t, good = about(points, along, point, row, ti.Vector([nx, ny, nz]))
            pulled = ti.Vector.zero(lattice.real, lattice.dimensions)
            for i in ti.static(range(lattice.dimensions)):
                for k in ti.static(lattice.corners):
                    pulled[i] += slope_of(weight, slope, t, k, i) * products[point][k]
                if good == 0:
                    pulled[i] = ti.math.nan
            for i in ti.static(range(lattice.dimensions)):
                result[row, i] = pulled[i]

    return pull
