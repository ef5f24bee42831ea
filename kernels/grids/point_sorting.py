"""Points put in the order of the grid's cells, so that neighbours in the grid are neighbours in memory.

Points of the same cell along the first axis are a slab. They add to two planes of nodes, so that all slabs of even
number can be worked on at once, and then all of odd number.
"""

import functools
from dataclasses import dataclass
from typing import Any

import torch

from .. import runtime
from ..runtime import GRAIN, memory, ti
from .stencil import Lattice, along_axis, array, table

POINTS_PER_BIN = 4  # on average at least, or counting takes longer than it gains


@dataclass(frozen=True)
class Slabs:
    """Points (N, D) slab by slab, which of the given points each of them is (N), and where each slab ends (slabs)."""

    points: torch.Tensor
    order: torch.Tensor
    ends: torch.Tensor


def slabs_of(points: torch.Tensor, sizes: tuple[int, ...], lattice: Lattice) -> Slabs:
    """Sort points (N, D) by their cell along the first axis, then along the next ones as far as that pays.

    The order is stable, so that it does not depend on threads.
    """
    count = len(points)
    bins = [1, 1, 1]
    for axis, size in enumerate(sizes):
        cells = max(size - 1, 1)
        if axis > 0 and POINTS_PER_BIN * bins[0] * bins[1] * cells > count:
            break
        bins[axis] = cells
    chunks = min(runtime.available_cores(), 16)
    ordered = torch.empty_like(points)
    order = torch.empty(count, dtype=torch.int32)
    ends = torch.empty(bins[0], dtype=torch.int32)
    with runtime.lock:
        places = memory.scratch("places", chunks * bins[0] * bins[1] * bins[2], dtype=torch.int32, device=points.device)
        runtime.run(
            _sort_kernel(lattice),
            points, ordered, order, ends, places, count, chunks, -(-count // chunks), *bins, *(*sizes, 1)[:3],
        )  # fmt: skip
    return Slabs(ordered, order, ends)


@functools.cache
def _sort_kernel(lattice: Lattice) -> Any:
    pair = along_axis(lattice)

    @ti.func
    def bin_of(points: ti.template(), point: ti.i32, bins: ti.template(), sizes: ti.template()):
        index = 0
        for i in ti.static(range(lattice.dimensions)):
            x = points[point, i]
            low, _, _ = pair(x, sizes[i])
            index = index * bins[i] + ti.min(low, bins[i] - 1)
        return index

    @ti.kernel
    def sort_kernel(
        points: table(lattice.real),
        ordered: table(lattice.real),
        order: array(ti.i32),
        ends: array(ti.i32),
        places: array(ti.i32),
        count: ti.i32,
        chunks: ti.i32,
        chunk_size: ti.i32,
        bx: ti.i32,
        by: ti.i32,
        bz: ti.i32,
        nx: ti.i32,
        ny: ti.i32,
        nz: ti.i32,
    ):
        # A share of the points is counted, and later placed, by one thread, with counters of its own.
        for job in range(chunks * GRAIN):
            if job % GRAIN == 0:
                chunk = job // GRAIN
                start = chunk * bx * by * bz
                for bin in range(bx * by * bz):
                    places[start + bin] = 0
                for point in range(chunk * chunk_size, ti.min((chunk + 1) * chunk_size, count)):
                    at = start + bin_of(points, point, ti.Vector([bx, by, bz]), ti.Vector([nx, ny, nz]))
                    places[at] = places[at] + 1
        for _ in range(1):
            total = 0
            for slab in range(bx):
                for bin in range(slab * by * bz, (slab + 1) * by * bz):
                    for chunk in range(chunks):
                        at = chunk * bx * by * bz + bin
                        found = places[at]
                        places[at] = total
                        total += found
                ends[slab] = total
        for job in range(chunks * GRAIN):
            if job % GRAIN == 0:
                chunk = job // GRAIN
                start = chunk * bx * by * bz
                for point in range(chunk * chunk_size, ti.min((chunk + 1) * chunk_size, count)):
                    at = start + bin_of(points, point, ti.Vector([bx, by, bz]), ti.Vector([nx, ny, nz]))
                    place = places[at]
                    places[at] = place + 1
                    for i in ti.static(range(lattice.dimensions)):
                        ordered[place, i] = points[point, i]
                    order[place] = point

    return sort_kernel
