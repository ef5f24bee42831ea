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
from .grid_type import GridType, array_1d, array_2d
from .stencil import along_axis

POINTS_PER_BIN = 4  # on average at least, or counting takes longer than it gains


@dataclass(frozen=True)
class SortedPoints:
    """Points (N, D) slab by slab, which of the given points each of them is (N), and where each slab ends (slabs)."""

    points: torch.Tensor
    order: torch.Tensor
    ends: torch.Tensor


def sort_points(points: torch.Tensor, sizes: tuple[int, ...], grid_type: GridType) -> SortedPoints:
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
            _sort_kernel(grid_type),
            points, ordered, order, ends, places, count, chunks, -(-count // chunks), *bins, *(*sizes, 1)[:3],
        )  # fmt: skip
    return SortedPoints(ordered, order, ends)


@functools.cache
def _bin_of(grid_type: GridType) -> Any:
    """`(points, point, bins, sizes) -> bin` of a point, with as many bins along each axis."""
    pair = along_axis(grid_type)

    @ti.func
    def bin_of(points: ti.template(), point: ti.i32, bins: ti.template(), sizes: ti.template()):
        index = 0
        for i in ti.static(range(grid_type.dimensions)):
            x = points[point, i]
            low, _, _ = pair(x, sizes[i])
            index = index * bins[i] + ti.min(low, bins[i] - 1)
        return index

    return bin_of


@ti.func
def place_bins(places: ti.template(), ends: ti.template(), chunks: ti.i32, slabs: ti.i32, bins_of_slab: ti.i32):
    """Turn how many points each chunk has in each bin into where the first of them goes; bin by bin, and in each
    chunk by chunk."""
    total = 0
    for slab in range(slabs):
        for bin in range(slab * bins_of_slab, (slab + 1) * bins_of_slab):
            for chunk in range(chunks):
                at = chunk * slabs * bins_of_slab + bin
                found = places[at]
                places[at] = total
                total += found
        ends[slab] = total


@functools.cache
def _sort_kernel(grid_type: GridType) -> Any:
    """A counting sort; bx, by, bz are the bins along each axis, nx, ny, nz the nodes."""
    bin_of = _bin_of(grid_type)

    @ti.kernel
    def sort_kernel(
        points: array_2d(grid_type.real),
        ordered: array_2d(grid_type.real),
        order: array_1d(ti.i32),
        ends: array_1d(ti.i32),
        places: array_1d(ti.i32),
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
            place_bins(places, ends, chunks, bx, by * bz)
        for job in range(chunks * GRAIN):
            if job % GRAIN == 0:
                chunk = job // GRAIN
                start = chunk * bx * by * bz
                for point in range(chunk * chunk_size, ti.min((chunk + 1) * chunk_size, count)):
                    at = start + bin_of(points, point, ti.Vector([bx, by, bz]), ti.Vector([nx, ny, nz]))
                    place = places[at]
                    places[at] = place + 1
                    for i in ti.static(range(grid_type.dimensions)):
                        ordered[place, i] = points[point, i]
                    order[place] = point

    return sort_kernel
