"""Device code of the hash encoding: values, gradients to the table and to points, and the derivatives of the latter.

A corner of a point's cell weighs Π_d B_d, B_d being w(f_d) at the upper node of axis d and 1 - w(f_d) at the lower.
Each axis carries two numbers, B_d and its derivative v_d ∂B_d/∂x_d along a direction v, and they multiply as dual
numbers do: the product's second part is the derivative of the weight along v. For ∂/∂x_d, axis d enters with its
derivatives instead. So the kernels for v ("along") are those for the values, taking the product's other part.

Levels run outermost and points innermost, so that a level's rows stay in the cache.
"""

import functools
from types import SimpleNamespace
from typing import Any

import torch

from .runtime import ti

SMALLEST_TASK = 512  # iterations of a kernel's outermost loop that Taichi's CPU backend gives to a thread at once


@functools.cache
def hash_kernels(dimensions: int, features: int, dtype: torch.dtype, width: int, atomic: bool, along: bool) -> Any:
    """The kernels `encode`, `to_points` and `to_table` for packets of `width` points.

    All tensors but `layout` are flat. A task is `packets_per_task` packets, of one level in `to_table`; it runs in one
    thread, and the tasks begin `spacing` iterations apart. Results for single points have room for a whole last packet.
    With `atomic` all tasks of `to_table` add to one table,
    else task t of a level to the t-th copy of the table.
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
    def weights(x, cells, smooth):
        """Of one axis: the point's cell, and w(f) with its first and second derivative to x."""
        scale = ti.cast(cells, real)
        place = ti.min(ti.max(x, 0.0), 1.0) * scale
        cell = ti.min(ti.max(ti.cast(place, ti.i32), 0), cells - 1)  # a NaN may become any number
        f = place - ti.cast(cell, real)
        inside = ti.select((x >= 0.0) & (x <= 1.0), Lanes(1.0), Lanes(0.0)) * scale
        weight = f
        slope = inside
        bend = Lanes(0.0)
        if smooth == 1:
            weight = f * f * (3.0 - 2.0 * f)
            slope = 6.0 * f * (1.0 - f) * inside
            bend = (6.0 - 12.0 * f) * inside * inside
        return cell, weight, slope, bend

    @ti.func
    def corners(points: ti.template(), packet, count, layout: ti.template(), level, mask, smooth):
        """Where the rows of the cells' corners begin in the table, and each axis' weight with its derivatives.

        Bit d of a corner's number tells the node on axis d, 0 the lower.
        """
        cell = [Whole(0) for _ in ti.static(range(D))]
        w = [Lanes(0.0) for _ in ti.static(range(D))]
        w1 = [Lanes(0.0) for _ in ti.static(range(D))]
        w2 = [Lanes(0.0) for _ in ti.static(range(D))]
        for d in ti.static(range(D)):
            cell[d], w[d], w1[d], w2[d] = weights(column(points, packet, count, D, d), layout[level, 0], smooth)
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
    def product(corner: ti.template(), derived: ti.template(), w: ti.template(), w1: ti.template(), w2: ti.template(),
                v: ti.template()):  # fmt: skip
        """A corner's weight, derived to axis `derived` (-1: to none), and if `along` also along v."""
        value = Lanes(1.0)
        tangent = Lanes(0.0)
        for d in ti.static(range(D)):
            upper = ti.static((corner >> d) & 1)
            factor = w[d] if ti.static(upper) else 1.0 - w[d]
            change = w1[d] if ti.static(upper) else -w1[d]
            if ti.static(d == derived):
                factor = w1[d] if ti.static(upper) else -w1[d]
                change = w2[d] if ti.static(upper) else -w2[d]
            if ti.static(along):
                tangent = tangent * factor + value * change * v[d]
            value *= factor
        return tangent if ti.static(along) else value

    @ti.kernel
    def encode(
        table: Numbers, points: Numbers, directions: Numbers, layout: Layout, fade: Numbers, out: Numbers,
        count: ti.i32, mask: ti.i32, smooth: ti.i32, tasks: ti.i32, packets_per_task: ti.i32, spacing: ti.i32,
    ):  # fmt: skip
        """out (N or more, L·F): the features, or their derivatives along v."""
        for index in range(tasks * spacing):
            if index % spacing == 0:
                start = index // spacing * packets_per_task
                end = ti.min(start + packets_per_task, (count + width - 1) // width)
                levels = layout.shape[0]
                for level in range(levels):
                    for packet in range(start, end):
                        good = good_lanes(points, packet, count)
                        v = [column(directions, packet, count, D, d) for d in ti.static(range(D))]
                        rows, w, w1, w2 = corners(points, packet, count, layout, level, mask, smooth)
                        total = [Lanes(0.0) for _ in ti.static(range(F))]
                        for corner in ti.static(range(CORNERS)):
                            weight = product(corner, -1, w, w1, w2, v)
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
        out: Numbers, count: ti.i32, mask: ti.i32, smooth: ti.i32, tasks: ti.i32, packets_per_task: ti.i32,
        plane: ti.i32, spacing: ti.i32,
    ):  # fmt: skip
        """out (D, plane): the gradients to the points of Σ gradients · encode, gradients (N, L·F)."""
        for index in range(tasks * spacing):
            if index % spacing == 0:
                start = index // spacing * packets_per_task
                end = ti.min(start + packets_per_task, (count + width - 1) // width)
                levels = layout.shape[0]
                for level in range(levels):
                    for packet in range(start, end):
                        good = good_lanes(points, packet, count)
                        v = [column(directions, packet, count, D, d) for d in ti.static(range(D))]
                        rows, w, w1, w2 = corners(points, packet, count, layout, level, mask, smooth)
                        g = [
                            column(gradients, packet, count, levels * F, level * F + c) * fade[level]
                            for c in ti.static(range(F))
                        ]
                        total = [Lanes(0.0) for _ in ti.static(range(D))]
                        for corner in ti.static(range(CORNERS)):
                            share = Lanes(0.0)
                            for c in ti.static(range(F)):
                                share += g[c] * feature(table, rows[corner], c)
                            for d in ti.static(range(D)):
                                total[d] += share * product(corner, d, w, w1, w2, v)
                        for d in ti.static(range(D)):
                            for lane in ti.static(range(width)):
                                at = d * plane + packet * width + lane
                                if level > 0:
                                    out[at] = out[at] + total[d][lane]
                                else:
                                    out[at] = ti.select(good[lane] == 1, total[d][lane], ti.cast(ti.math.nan, real))

    @ti.kernel
    def to_table(
        tables: Numbers, points: Numbers, directions: Numbers, gradients: Numbers, layout: Layout, fade: Numbers,
        count: ti.i32, mask: ti.i32, smooth: ti.i32, tasks: ti.i32, packets_per_task: ti.i32, copy: ti.i32,
        spacing: ti.i32,
    ):  # fmt: skip
        """Adds to the tables the gradients to the table of Σ gradients · encode, gradients (N, L·F).

        A table has `copy` numbers; task t of a level adds to the t-th, or with copy = 0 all to the same one.
        """
        for index in range(layout.shape[0] * tasks * spacing):
            if index % spacing == 0:
                levels = layout.shape[0]
                level = index // spacing % levels
                task = index // spacing // levels
                start = task * packets_per_task
                end = ti.min(start + packets_per_task, (count + width - 1) // width)
                if fade[level] > 0.0:
                    for packet in range(start, end):
                        good = good_lanes(points, packet, count)
                        v = [column(directions, packet, count, D, d) for d in ti.static(range(D))]
                        rows, w, w1, w2 = corners(points, packet, count, layout, level, mask, smooth)
                        g = [
                            column(gradients, packet, count, levels * F, level * F + c) * fade[level]
                            for c in ti.static(range(F))
                        ]
                        share = [product(corner, -1, w, w1, w2, v) for corner in ti.static(range(CORNERS))]
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

    return SimpleNamespace(encode=encode, to_points=to_points, to_table=to_table)
