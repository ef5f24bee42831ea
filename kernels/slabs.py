"""Points put in the order of the grid's cells, so that neighbours in the grid are neighbours in memory.

Points of the same cell along the first axis are a slab. They add to two planes of nodes, so that all slabs of even
number can be worked on at once, and then all of odd number.
"""

import functools
from dataclasses import dataclass
from typing import Any

import torch

from . import runtime
from .lattice import GRAIN, cell_along_axis
from .runtime import ti


@dataclass(frozen=True)
class Slabs:
    """Points (N, D) slab by slab, which of the given points each of them is (N), and where each slab ends (slabs)."""

    points: torch.Tensor
    order: torch.Tensor
    ends: torch.Tensor


def slabs_of(points: torch.Tensor, sizes: tuple[int, ...], aligned: int, border: int) -> Slabs:
    """Sort points (N, D) by their cell along the first axis, in three dimensions then along the second; stable."""
    count, dimensions = points.shape
    slabs = sizes[0] + 1  # with the half-cells outside
    columns = sizes[1] + 1 if dimensions == 3 else 1
    if slabs * columns > count:
        columns = 1
    chunks = min(runtime.available_cores(), 16)
    ordered = torch.empty_like(points)
    order = torch.empty(count, dtype=torch.int32)
    ends = torch.empty(slabs, dtype=torch.int32)
    chunk_size = -(-count // chunks)
    places = torch.empty(chunks * slabs * columns, dtype=torch.int32)
    with runtime.launch():
        _sort_kernel(dimensions, ti.f32 if points.dtype == torch.float32 else ti.f64)(
            points, ordered, order, ends, places, count, chunks, chunk_size, slabs, columns,
            sizes[0], sizes[1], aligned, border,
        )  # fmt: skip
    return Slabs(ordered, order, ends)


@functools.cache
def _sort_kernel(dimensions: int, real: Any) -> Any:
    cell = cell_along_axis(real)
    Points = ti.types.ndarray(ti.types.vector(dimensions, real), 1)
    Indices = ti.types.ndarray(ti.i32, 1)

    @ti.func
    def bin_of(
        point: ti.template(), slabs: ti.i32, columns: ti.i32, nx: ti.i32, ny: ti.i32, aligned: ti.i32, border: ti.i32
    ):
        along_x, _, _ = cell(point[0], nx, aligned, border)
        along_y, _, _ = cell(point[1], ny, aligned, border)
        slab = ti.min(ti.max(along_x + 1, 0), slabs - 1)
        column = ti.min(ti.max(along_y + 1, 0), columns - 1)
        return slab * columns + column

    @ti.kernel
    def sort_kernel(
        points: Points, ordered: Points, order: Indices, ends: Indices, places: Indices,
        count: ti.i32, chunks: ti.i32, chunk_size: ti.i32, slabs: ti.i32, columns: ti.i32,
        nx: ti.i32, ny: ti.i32, aligned: ti.i32, border: ti.i32,
    ):  # fmt: skip
        bins = slabs * columns
        for job in range(chunks * GRAIN):
            if job % GRAIN == 0:
                chunk = job // GRAIN
                for at in range(chunk * bins, (chunk + 1) * bins):
                    places[at] = 0
                for point in range(chunk * chunk_size, ti.min((chunk + 1) * chunk_size, count)):
                    at = chunk * bins + bin_of(points[point], slabs, columns, nx, ny, aligned, border)
                    places[at] = places[at] + 1
        for _ in range(1):
            total = 0
            for slab in range(slabs):
                for column in range(columns):
                    for chunk in range(chunks):
                        at = chunk * bins + slab * columns + column
                        found = places[at]
                        places[at] = total
                        total += found
                ends[slab] = total
        for job in range(chunks * GRAIN):
            if job % GRAIN == 0:
                chunk = job // GRAIN
                for point in range(chunk * chunk_size, ti.min((chunk + 1) * chunk_size, count)):
                    at = chunk * bins + bin_of(points[point], slabs, columns, nx, ny, aligned, border)
                    place = places[at]
                    places[at] = place + 1
                    ordered[place] = points[point]
                    order[place] = point

    return sort_kernel
