"""Kernels that add to a grid about points. See stencil.py for what they compute, gather.py for the arguments."""

import functools
from typing import Any

from ..runtime import GRAIN, ti
from .gather import row_of
from .grid_type import GridType, array_1d, array_2d, compiled, packets
from .stencil import corner_functions, stencil


@functools.cache
def weights_kernel(grid_type: GridType, directed: bool) -> Any:
    """The node of corner 0 (N) and the weights (N) vectors of 2^D of all points; weights of points with a NaN are 0."""
    stencil_at = stencil(grid_type, directed)
    _, weight_of, _ = corner_functions(grid_type, directed)

    @ti.kernel
    def weigh(
        points: array_2d(grid_type.real),
        order: array_1d(ti.i32),
        along: array_2d(grid_type.real),
        bases: array_1d(ti.i32),
        weights: array_1d(grid_type.corner_vector),
        count: ti.i32,
        ordered: ti.i32,
        nx: ti.i32,
        ny: ti.i32,
        nz: ti.i32,
    ):
        for point in range(count):
            row = row_of(order, point, ordered)
            base, weight, slope, t, good = stencil_at(points, along, point, row, ti.Vector([nx, ny, nz]))
            found = ti.Vector.zero(grid_type.real, 2**grid_type.dimensions)
            for k in ti.static(grid_type.corners):
                if good == 1:
                    found[k] = weight_of(weight, slope, t, k)
            bases[point] = base
            weights[point] = found

    return weigh


@functools.cache
def slab_functions(grid_type: GridType) -> tuple[Any, Any]:
    """`clear(result, plane, size)` sets a plane of `size` packets to 0, `add(gradient, order, bases, weights, result,
    start, stop, blocks, sizes)` adds what sorted points from `start` to `stop` give."""
    offset, _, _ = corner_functions(grid_type, False)
    read, write = packets(grid_type)

    @ti.func
    def clear(result: ti.template(), plane: ti.i32, size: ti.i32):
        for at in range(plane * size, (plane + 1) * size):
            write(result, at, grid_type.packet(0.0))

    @ti.func
    def add(
        gradient: ti.template(), order: ti.template(), bases: ti.template(), weights: ti.template(),
        result: ti.template(), start: ti.i32, stop: ti.i32, blocks: ti.i32, sizes: ti.template(),
    ):  # fmt: skip
        point = start
        while point < stop:
            base = bases[point]
            end = point + 1
            while end < stop and bases[ti.min(end, stop - 1)] == base:
                end += 1
            for block in range(blocks):
                totals = [grid_type.packet(0.0) for _ in ti.static(grid_type.corners)]
                for p in range(point, end):
                    upstream = read(gradient, order[p] * blocks + block)
                    for k in ti.static(grid_type.corners):
                        totals[k] += weights[p][k] * upstream
                for k in ti.static(grid_type.corners):
                    at = (base + offset(sizes, k)) * blocks + block
                    write(result, at, read(result, at) + totals[k])
            point = end

    return clear, add


@functools.cache
def scatter_kernel(grid_type: GridType) -> Any:
    """V from g by slabs of points in order, those of slab s from ends[s - 1] to ends[s]; `parts` parts of one parity.

    A part is `length` neighbouring slabs, so that the planes they share are in the cache. Slab s adds to planes s and
    s + 1. Parts of even number come first and set to 0 all that they add to, just before they do; those of odd number
    what lies in between. Consecutive points of one cell are added up before the sum goes to memory.
    """
    clear, add = slab_functions(grid_type)

    @ti.kernel
    def scatter(
        gradient: array_1d(grid_type.packet),
        order: array_1d(ti.i32),
        bases: array_1d(ti.i32),
        weights: array_1d(grid_type.corner_vector),
        ends: array_1d(ti.i32),
        result: array_1d(grid_type.packet),
        parts: ti.i32,
        length: ti.i32,
        slabs: ti.i32,
        parity: ti.i32,
        blocks: ti.i32,
        nx: ti.i32,
        ny: ti.i32,
        nz: ti.i32,
    ):
        for job in range(parts * GRAIN):
            if job % GRAIN == 0:
                sizes = ti.Vector([nx, ny, nz])
                plane = ny * nz * blocks
                first = (2 * (job // GRAIN) + parity) * length
                beyond = ti.min(first + length, slabs)
                if parity == 0 and first < slabs:
                    clear(result, first, plane)
                for slab in range(first, beyond):
                    # The plane after an odd part is the first of the even part that follows, if there is one.
                    if slab + 1 < nx and (parity == 0 or slab + 1 < beyond or beyond == slabs):
                        clear(result, slab + 1, plane)
                    start = 0
                    if slab > 0:
                        start = ends[slab - 1]
                    add(gradient, order, bases, weights, result, start, ends[slab], blocks, sizes)

    return compiled(scatter, grid_type)


@functools.cache
def scatter_few_kernel(grid_type: GridType, directed: bool, alone: bool) -> Any:
    """V from g of few points in any order: tasks share the channels; a single one runs `alone`, as in gather."""
    stencil_at = stencil(grid_type, directed)
    offset, weight_of, _ = corner_functions(grid_type, directed)
    read, write = packets(grid_type)

    @ti.kernel
    def scatter_few(
        gradient: array_1d(grid_type.packet),
        points: array_2d(grid_type.real),
        along: array_2d(grid_type.real),
        result: array_1d(grid_type.packet),
        count: ti.i32,
        tasks: ti.i32,
        blocks: ti.i32,
        nx: ti.i32,
        ny: ti.i32,
        nz: ti.i32,
    ):
        ti.loop_config(serialize=alone)
        for job in range(tasks * GRAIN):
            if job % GRAIN == 0:
                task = job // GRAIN
                for point in range(count):
                    sizes = ti.Vector([nx, ny, nz])
                    base, weight, slope, t, good = stencil_at(points, along, point, point, sizes)
                    if good == 1:
                        for block in range(task * blocks // tasks, (task + 1) * blocks // tasks):
                            upstream = read(gradient, point * blocks + block)
                            for k in ti.static(grid_type.corners):
                                at = (base + offset(sizes, k)) * blocks + block
                                write(result, at, read(result, at) + weight_of(weight, slope, t, k) * upstream)

    return compiled(scatter_few, grid_type)


@functools.cache
def scatter_copies_kernel(grid_type: GridType, directed: bool) -> Any:
    """V from g on a small grid: tasks share the points, each adds to its own copy of the grid; then copies are added.

    For one packet of channels; `copies` holds `tasks` grids of `size` nodes.
    """
    stencil_at = stencil(grid_type, directed)
    offset, weight_of, _ = corner_functions(grid_type, directed)
    read, write = packets(grid_type)

    @ti.kernel
    def scatter_copies(
        gradient: array_1d(grid_type.packet),
        points: array_2d(grid_type.real),
        along: array_2d(grid_type.real),
        copies: array_1d(grid_type.packet),
        result: array_1d(grid_type.packet),
        count: ti.i32,
        tasks: ti.i32,
        share: ti.i32,
        size: ti.i32,
        nx: ti.i32,
        ny: ti.i32,
        nz: ti.i32,
    ):
        for job in range(tasks * GRAIN):
            if job % GRAIN == 0:
                task = job // GRAIN
                for node in range(task * size, (task + 1) * size):
                    write(copies, node, grid_type.packet(0.0))
                for point in range(task * share, ti.min((task + 1) * share, count)):
                    sizes = ti.Vector([nx, ny, nz])
                    base, weight, slope, t, good = stencil_at(points, along, point, point, sizes)
                    if good == 1:
                        upstream = read(gradient, point)
                        for k in ti.static(grid_type.corners):
                            at = task * size + base + offset(sizes, k)
                            write(copies, at, read(copies, at) + weight_of(weight, slope, t, k) * upstream)
        for node in range(size):
            total = grid_type.packet(0.0)
            for task in range(tasks):
                total += read(copies, task * size + node)
            write(result, node, total)

    return compiled(scatter_copies, grid_type)


@functools.cache
def scatter_atomic_kernel(grid_type: GridType, directed: bool) -> Any:
    """V from g on a GPU: a thread for each number of g."""
    stencil_at = stencil(grid_type, directed)
    offset, weight_of, _ = corner_functions(grid_type, directed)

    @ti.kernel
    def scatter_atomic(
        gradient: array_1d(grid_type.real),
        points: array_2d(grid_type.real),
        along: array_2d(grid_type.real),
        result: array_1d(grid_type.real),
        count: ti.i32,
        channels: ti.i32,
        nx: ti.i32,
        ny: ti.i32,
        nz: ti.i32,
    ):
        for job in range(count * channels):
            point, channel = job // channels, job % channels
            sizes = ti.Vector([nx, ny, nz])
            base, weight, slope, t, good = stencil_at(points, along, point, point, sizes)
            if good == 1:
                for k in ti.static(grid_type.corners):
                    at = (base + offset(sizes, k)) * channels + channel
                    result[at] += weight_of(weight, slope, t, k) * gradient[job]

    return scatter_atomic
