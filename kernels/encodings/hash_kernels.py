"""Kernels of the hash encoding: values, gradients to the table and to points; see hash_stencil.py for the formulas.

Levels run outermost and points innermost, so that a level's rows stay in the cache.

Arguments in common: all tensors but `layout` are flat. A task is `packets_per_task` packets, of one level in
`to_table`; it runs in one thread, whichever is free. Results for points have room for a whole last packet. Gradients
are (L, N, F).
"""

import functools
from types import SimpleNamespace
from typing import Any

from ..runtime import first_turn, in_vectors, next_turn, ti
from .hash_stencil import HashType, corner_rows_of, loads, weight_product, weight_slopes

Layout: Any = ti.types.ndarray(ti.i32, 2)
Queue: Any = ti.types.ndarray(ti.i32, 1)


@functools.cache
def hash_kernels(hash_type: HashType) -> SimpleNamespace:
    """The kernels `encode`, `to_points`, `to_table` and `by_level`."""
    return SimpleNamespace(
        encode=in_vectors(_encode_kernel(hash_type)),
        to_points=in_vectors(_to_points_kernel(hash_type)),
        to_table=in_vectors(_to_table_kernel(hash_type)),
        by_level=_by_level_kernel(hash_type),
    )


def _encode_kernel(hash_type: HashType) -> Any:
    """out (N or more, L·F): the features, or their derivatives along v."""
    D, F, width, CORNERS = hash_type.dimensions, hash_type.features, hash_type.width, 2**hash_type.dimensions
    real, Lanes = hash_type.real, hash_type.lanes
    Numbers: Any = ti.types.ndarray(real, 1)
    column, feature, good_lanes = loads(hash_type)
    corner_rows, product = corner_rows_of(hash_type), weight_product(hash_type)

    @ti.func
    def encode_packet(
        table: ti.template(), points: ti.template(), directions: ti.template(), layout: ti.template(),
        fade: ti.template(), out: ti.template(), count, mask, level, levels, packet,
    ):  # fmt: skip
        good = good_lanes(points, packet, count)
        v = [column(directions, packet, count, D, d) for d in ti.static(range(D))]
        rows, w, w1, _ = corner_rows(points, packet, count, layout, level, mask)
        total = [Lanes(0.0) for _ in ti.static(range(F))]
        for corner in ti.static(range(CORNERS)):
            weight = product(corner, w, w1, v)
            for c in ti.static(range(F)):
                total[c] += weight * feature(table, rows[corner], c)
        for lane in ti.static(range(width)):
            at = ((packet * width + lane) * levels + level) * F
            for c in ti.static(range(F)):
                # The fast maths of the backend may lose a NaN on the way.
                value = total[c][lane] * fade[level]
                out[at + c] = ti.select(good[lane] == 1, value, ti.cast(ti.math.nan, real))

    @ti.kernel
    def encode(
        table: Numbers, points: Numbers, directions: Numbers, layout: Layout, fade: Numbers, out: Numbers,
        count: ti.i32, mask: ti.i32, tasks: ti.i32, packets_per_task: ti.i32, queue: Queue, slots: ti.i32,
    ):  # fmt: skip
        for slot in range(slots):
            upcoming = first_turn(queue, slot, tasks)
            while upcoming < tasks:
                task = upcoming
                upcoming = next_turn(queue, task, tasks)
                start = task * packets_per_task
                end = ti.min(start + packets_per_task, (count + width - 1) // width)
                levels = layout.shape[0]
                for level in range(levels):
                    for packet in range(start, end):
                        encode_packet(table, points, directions, layout, fade, out, count, mask, level, levels, packet)

    return encode


def _to_points_kernel(hash_type: HashType) -> Any:
    """out (D, plane): the gradients to the points of Σ gradients · encode."""
    D, F, width, CORNERS = hash_type.dimensions, hash_type.features, hash_type.width, 2**hash_type.dimensions
    real, Lanes = hash_type.real, hash_type.lanes
    Numbers: Any = ti.types.ndarray(real, 1)
    column, feature, good_lanes = loads(hash_type)
    corner_rows, slopes = corner_rows_of(hash_type), weight_slopes(hash_type)

    @ti.func
    def packet_gradient(
        table: ti.template(), points: ti.template(), directions: ti.template(), gradients: ti.template(),
        layout: ti.template(), fade: ti.template(), count, mask, level, packet,
    ):  # fmt: skip
        v = [column(directions, packet, count, D, d) for d in ti.static(range(D))]
        rows, w, w1, w2 = corner_rows(points, packet, count, layout, level, mask)
        g = [column(gradients, packet, count, F, level * count * F + c) * fade[level] for c in ti.static(range(F))]
        share = [Lanes(0.0) for _ in ti.static(range(CORNERS))]
        for corner in ti.static(range(CORNERS)):
            for c in ti.static(range(F)):
                share[corner] += g[c] * feature(table, rows[corner], c)
        return slopes(share, w, w1, w2, v)

    @ti.kernel
    def to_points(
        table: Numbers, points: Numbers, directions: Numbers, gradients: Numbers, layout: Layout, fade: Numbers,
        out: Numbers, count: ti.i32, mask: ti.i32, tasks: ti.i32, packets_per_task: ti.i32,
        plane: ti.i32, queue: Queue, slots: ti.i32,
    ):  # fmt: skip
        for slot in range(slots):
            upcoming = first_turn(queue, slot, tasks)
            while upcoming < tasks:
                task = upcoming
                upcoming = next_turn(queue, task, tasks)
                start = task * packets_per_task
                end = ti.min(start + packets_per_task, (count + width - 1) // width)
                levels = layout.shape[0]
                for level in range(levels):
                    for packet in range(start, end):
                        total = packet_gradient(
                            table, points, directions, gradients, layout, fade, count, mask, level, packet
                        )
                        first = packet * width
                        if level == 0:
                            good = good_lanes(points, packet, count)
                            for d in ti.static(range(D)):
                                for lane in ti.static(range(width)):
                                    value = ti.select(good[lane] == 1, total[d][lane], ti.cast(ti.math.nan, real))
                                    out[d * plane + first + lane] = value
                        else:
                            for d in ti.static(range(D)):
                                for lane in ti.static(range(width)):
                                    at = d * plane + first + lane
                                    out[at] = out[at] + total[d][lane]

    return to_points


def _to_table_kernel(hash_type: HashType) -> Any:
    """Adds to the tables the gradients to the table of Σ gradients · encode.

    A table has `copy` numbers; task t of a level adds to the t-th, or with copy = 0 all to the same one.
    """
    D, F, width, CORNERS = hash_type.dimensions, hash_type.features, hash_type.width, 2**hash_type.dimensions
    Numbers: Any = ti.types.ndarray(hash_type.real, 1)
    column, _, good_lanes = loads(hash_type)
    corner_rows, product = corner_rows_of(hash_type), weight_product(hash_type)

    @ti.func
    def add_packet(
        tables: ti.template(), points: ti.template(), directions: ti.template(), gradients: ti.template(),
        layout: ti.template(), fade: ti.template(), count, mask, level, packet, first,
    ):  # fmt: skip
        """Add to the table that begins at number `first`."""
        good = good_lanes(points, packet, count)
        v = [column(directions, packet, count, D, d) for d in ti.static(range(D))]
        rows, w, w1, _ = corner_rows(points, packet, count, layout, level, mask)
        g = [column(gradients, packet, count, F, level * count * F + c) * fade[level] for c in ti.static(range(F))]
        share = [product(corner, w, w1, v) for corner in ti.static(range(CORNERS))]
        for corner in ti.static(range(CORNERS)):
            rows[corner] += first
        for lane in ti.static(range(width)):
            if good[lane] == 1 and packet * width + lane < count:
                for corner in ti.static(range(CORNERS)):
                    for c in ti.static(range(F)):
                        at = rows[corner][lane] + c
                        part = share[corner][lane] * g[c][lane]
                        if ti.static(hash_type.atomic):
                            ti.atomic_add(tables[at], part)
                        else:
                            tables[at] = tables[at] + part

    @ti.kernel
    def to_table(
        tables: Numbers, points: Numbers, directions: Numbers, gradients: Numbers, layout: Layout, fade: Numbers,
        count: ti.i32, mask: ti.i32, tasks: ti.i32, packets_per_task: ti.i32, copy: ti.i32,
        queue: Queue, slots: ti.i32,
    ):  # fmt: skip
        for slot in range(slots):
            levels = layout.shape[0]
            upcoming = first_turn(queue, slot, levels * tasks)
            while upcoming < levels * tasks:
                turn = upcoming
                upcoming = next_turn(queue, turn, levels * tasks)
                level = levels - 1 - turn % levels  # the finest take longest, so they come first
                task = turn // levels
                start = task * packets_per_task
                end = ti.min(start + packets_per_task, (count + width - 1) // width)
                if fade[level] > 0.0:
                    for packet in range(start, end):
                        add_packet(
                            tables, points, directions, gradients, layout, fade, count, mask, level, packet,
                            task * copy,
                        )  # fmt: skip

    return to_table


def _by_level_kernel(hash_type: HashType) -> Any:
    """out (L, N, F) from rows (N, L·F), so that a level's numbers are neighbours in memory."""
    F = hash_type.features
    Numbers: Any = ti.types.ndarray(hash_type.real, 1)

    @ti.kernel
    def by_level(rows: Numbers, out: Numbers, count: ti.i32, levels: ti.i32):
        for point in range(count):
            for level in range(levels):
                for c in ti.static(range(F)):
                    out[(level * count + point) * F + c] = rows[(point * levels + level) * F + c]

    return by_level
