"""Device code of the hash encoding: values, gradients to the table and to points, and the latter's derivatives.

A corner of a point's cell weighs Π_d B_d, B_d being w(f_d) at the upper node of axis d and 1 - w(f_d) at the lower.
Derivatives along a direction v go through products and sums as the second part of dual numbers: with `along` the
kernels are those for the values, returning that part.

Levels run outermost and points innermost, so that a level's rows stay in the cache.
"""

import functools
from types import SimpleNamespace
from typing import Any

import torch

from ..runtime import first_turn, in_vectors, next_turn, ti


@functools.cache
def hash_kernels(
    dimensions: int, features: int, dtype: torch.dtype, width: int, atomic: bool, smooth: bool, along: bool
) -> Any:
    """The kernels `encode`, `to_points`, `to_table` and `by_level` for packets of `width` points.

    All tensors but `layout` are flat. A task is `packets_per_task` packets, of one level in `to_table`; it runs in one
    thread, whichever is free. Results for points have room for a whole last packet. With `atomic`, all tasks of
    `to_table` may add to one table.
    """
    real = {torch.float32: ti.f32, torch.float64: ti.f64}[dtype]
    Lanes = ti.types.vector(width, real)
    Whole = ti.types.vector(width, ti.i32)
    D, F, CORNERS = dimensions, features, 2**dimensions
    Numbers: Any = ti.types.ndarray(real, 1)
    Layout: Any = ti.types.ndarray(ti.i32, 2)

    @ti.func
    def column(numbers: ti.template(), packet, count, columns, index):
        """Column `index` of a packet's points; lanes after the last point repeat it."""
        found = Lanes(0.0)
        for lane in ti.static(range(width)):
            found[lane] = numbers[ti.min(packet * width + lane, count - 1) * columns + index]
        return found

    @ti.func
    def feature(table: ti.template(), rows, c):
        """Feature c of the rows, one a lane."""
        found = Lanes(0.0)
        for lane in ti.static(range(width)):
            found[lane] = table[rows[lane] + c]
        return found

    @ti.func
    def good_lanes(points: ti.template(), packet, count):
        """1 for each lane whose point has no NaN."""
        size = Lanes(0.0)
        for d in ti.static(range(D)):
            size += ti.abs(column(points, packet, count, D, d))
        good = Whole(1)
        for lane in ti.static(range(width)):
            if ti.math.isnan(size[lane]):
                good[lane] = 0
        return good

    @ti.func
    def weights(x, cells):
        """Of one axis: the point's cell, and w(f) with its first and second derivative to x."""
        scale = ti.cast(cells, real)
        place = ti.min(ti.max(x, 0.0), 1.0) * scale
        cell = ti.min(ti.max(ti.cast(place, ti.i32), 0), cells - 1)  # a NaN may become any number
        f = place - ti.cast(cell, real)
        inside = ti.select((x >= 0.0) & (x <= 1.0), Lanes(1.0), Lanes(0.0)) * scale
        weight = f
        slope = inside
        bend = Lanes(0.0)
        if ti.static(smooth):
            weight = f * f * (3.0 - 2.0 * f)
            slope = 6.0 * f * (1.0 - f) * inside
            bend = (6.0 - 12.0 * f) * inside * inside
        return cell, weight, slope, bend

    @ti.func
    def corners(points: ti.template(), packet, count, layout: ti.template(), level, mask):
        """Where the rows of the cells' corners begin in the table, and each axis' weight with its derivatives.

        Bit d of a corner's number tells the node on axis d, 0 the lower.
        """
        cell = [Whole(0) for _ in ti.static(range(D))]
        w = [Lanes(0.0) for _ in ti.static(range(D))]
        w1 = [Lanes(0.0) for _ in ti.static(range(D))]
        w2 = [Lanes(0.0) for _ in ti.static(range(D))]
        for d in ti.static(range(D)):
            cell[d], w[d], w1[d], w2[d] = weights(column(points, packet, count, D, d), layout[level, 0])
        first = layout[level, 1]
        rows = [Whole(0) for _ in ti.static(range(CORNERS))]
        # One branch for all corners; a choice at each took a fifth longer.
        if layout[level, 2] == 1:
            for corner in ti.static(range(CORNERS)):
                for d in ti.static(range(D)):
                    rows[corner] ^= (cell[d] + ti.static((corner >> d) & 1)) * layout[level, 3 + d]
                rows[corner] = ((rows[corner] & mask) + first) * F
        else:
            for corner in ti.static(range(CORNERS)):
                for d in ti.static(range(D)):
                    rows[corner] += (cell[d] + ti.static((corner >> d) & 1)) * layout[level, 3 + d]
                rows[corner] = (rows[corner] + first) * F
        return rows, w, w1, w2

    @ti.func
    def slopes(shares: ti.template(), w: ti.template(), w1: ti.template(), w2: ti.template(), v: ti.template()):
        """Derivative to each axis of Σ weight · share over the corners, if `along` of its derivative along v.

        Axis after axis halves the corners. Row 0 holds the sums so far and row 1 + d those derived to axis d, each a
        value and its tangent.
        """
        value = [Lanes(0.0) for _ in ti.static(range((D + 1) * CORNERS))]
        tangent = [Lanes(0.0) for _ in ti.static(range((D + 1) * CORNERS))]
        for corner in ti.static(range(CORNERS)):
            value[corner] = shares[corner]
        for d in ti.static(range(D)):
            # Row 0 last: row 1 + d is made of what it holds before this axis.
            for back in ti.static(range(d + 2)):
                source = ti.static(0 if back == 0 else (d + 1 - back) * CORNERS)
                target = ti.static((d + 1 - back) * CORNERS)
                for pair in ti.static(range(CORNERS >> (d + 1))):
                    low = value[source + 2 * pair]
                    rise = value[source + 2 * pair + 1] - low
                    low_tangent = tangent[source + 2 * pair]
                    rise_tangent = tangent[source + 2 * pair + 1] - low_tangent
                    if ti.static(back == 0):
                        value[target + pair] = rise * w1[d]
                        if ti.static(along):
                            tangent[target + pair] = rise_tangent * w1[d] + rise * w2[d] * v[d]
                    else:
                        value[target + pair] = low + rise * w[d]
                        if ti.static(along):
                            tangent[target + pair] = low_tangent + rise_tangent * w[d] + rise * w1[d] * v[d]
        return [
            tangent[(d + 1) * CORNERS] if ti.static(along) else value[(d + 1) * CORNERS] for d in ti.static(range(D))
        ]

    @ti.func
    def product(corner: ti.template(), w: ti.template(), w1: ti.template(), v: ti.template()):
        """A corner's weight, if `along` its derivative along v."""
        value = Lanes(1.0)
        tangent = Lanes(0.0)
        for d in ti.static(range(D)):
            upper = ti.static((corner >> d) & 1)
            factor = w[d] if ti.static(upper) else 1.0 - w[d]
            change = w1[d] if ti.static(upper) else -w1[d]
            if ti.static(along):
                tangent = tangent * factor + value * change * v[d]
            value *= factor
        return tangent if ti.static(along) else value

    @ti.kernel
    def encode(
        table: Numbers, points: Numbers, directions: Numbers, layout: Layout, fade: Numbers, out: Numbers,
        count: ti.i32, mask: ti.i32, tasks: ti.i32, packets_per_task: ti.i32,
        queue: ti.types.ndarray(ti.i32, 1), slots: ti.i32,
    ):  # fmt: skip
        """out (N or more, L·F): the features, or their derivatives along v."""
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
                        good = good_lanes(points, packet, count)
                        v = [column(directions, packet, count, D, d) for d in ti.static(range(D))]
                        rows, w, w1, _ = corners(points, packet, count, layout, level, mask)
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
    def to_points(
        table: Numbers, points: Numbers, directions: Numbers, gradients: Numbers, layout: Layout, fade: Numbers,
        out: Numbers, count: ti.i32, mask: ti.i32, tasks: ti.i32, packets_per_task: ti.i32,
        plane: ti.i32, queue: ti.types.ndarray(ti.i32, 1), slots: ti.i32,
    ):  # fmt: skip
        """out (D, plane): the gradients to the points of Σ gradients · encode, gradients (L, N, F)."""
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
                        v = [column(directions, packet, count, D, d) for d in ti.static(range(D))]
                        rows, w, w1, w2 = corners(points, packet, count, layout, level, mask)
                        g = [
                            column(gradients, packet, count, F, level * count * F + c) * fade[level]
                            for c in ti.static(range(F))
                        ]
                        share = [Lanes(0.0) for _ in ti.static(range(CORNERS))]
                        for corner in ti.static(range(CORNERS)):
                            for c in ti.static(range(F)):
                                share[corner] += g[c] * feature(table, rows[corner], c)
                        total = slopes(share, w, w1, w2, v)
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

    @ti.kernel
    def to_table(
        tables: Numbers, points: Numbers, directions: Numbers, gradients: Numbers, layout: Layout, fade: Numbers,
        count: ti.i32, mask: ti.i32, tasks: ti.i32, packets_per_task: ti.i32, copy: ti.i32,
        queue: ti.types.ndarray(ti.i32, 1), slots: ti.i32,
    ):  # fmt: skip
        """Adds to the tables the gradients to the table of Σ gradients · encode, gradients (L, N, F).

        A table has `copy` numbers; task t of a level adds to the t-th, or with copy = 0 all to the same one.
        """
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
                        good = good_lanes(points, packet, count)
                        v = [column(directions, packet, count, D, d) for d in ti.static(range(D))]
                        rows, w, w1, _ = corners(points, packet, count, layout, level, mask)
                        g = [
                            column(gradients, packet, count, F, level * count * F + c) * fade[level]
                            for c in ti.static(range(F))
                        ]
                        share = [product(corner, w, w1, v) for corner in ti.static(range(CORNERS))]
                        for corner in ti.static(range(CORNERS)):
                            rows[corner] += task * copy
                        for lane in ti.static(range(width)):
                            if good[lane] == 1 and packet * width + lane < count:
                                for corner in ti.static(range(CORNERS)):
                                    for c in ti.static(range(F)):
                                        at = rows[corner][lane] + c
                                        part = share[corner][lane] * g[c][lane]
                                        if ti.static(atomic):
                                            ti.atomic_add(tables[at], part)
                                        else:
                                            tables[at] = tables[at] + part

    @ti.kernel
    def by_level(rows: Numbers, out: Numbers, count: ti.i32, levels: ti.i32):
        """out (L, N, F) from rows (N, L·F), so that a level's numbers are neighbours in memory."""
        for point in range(count):
            for level in range(levels):
                for c in ti.static(range(F)):
                    out[(level * count + point) * F + c] = rows[(point * levels + level) * F + c]

    return SimpleNamespace(
        encode=in_vectors(encode), to_points=in_vectors(to_points), to_table=in_vectors(to_table), by_level=by_level
    )
