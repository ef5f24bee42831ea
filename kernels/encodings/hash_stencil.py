"""Device code of the hash encoding about one point: the corners of its cell, their rows of the table, their weights.

A corner of a point's cell weighs Π_d B_d, B_d being w(f_d) at the upper node of axis d and 1 - w(f_d) at the lower.
Derivatives along a direction v go through products and sums as the second part of dual numbers: what is `directed`
returns that part in place of the value.
"""

import functools
from typing import Any, NamedTuple

from ..runtime import ti
from .hash_levels import LevelColumn


class HashType(NamedTuple):
    """What kernels are compiled for: dimensions D, features F of a row, type of the numbers, points of a packet.

    With `atomic` all tasks may add to one table; with `smooth` weights are f²(3 - 2f); if `directed`, derivatives along
    a vector of each point stand in the place of weights.
    """

    dimensions: int
    features: int
    double: bool
    width: int
    atomic: bool
    smooth: bool
    directed: bool

    @property
    def real(self) -> Any:
        """Type of the numbers."""
        return ti.f64 if self.double else ti.f32

    @property
    def lanes(self) -> Any:
        """Type of a number for each point of a packet."""
        return ti.types.vector(self.width, self.real)

    @property
    def integers(self) -> Any:
        """Type of an integer for each point of a packet."""
        return ti.types.vector(self.width, ti.i32)


@functools.cache
def loads(hash_type: HashType) -> tuple[Any, Any, Any]:
    """`column(numbers, packet, count, columns, index)`, `feature(table, rows, c)`, `good_lanes(points, packet,
    count)`."""
    width, D, Lanes, Integers = hash_type.width, hash_type.dimensions, hash_type.lanes, hash_type.integers

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
        good = Integers(1)
        for lane in ti.static(range(width)):
            if ti.math.isnan(size[lane]):
                good[lane] = 0
        return good

    return column, feature, good_lanes


@functools.cache
def axis_weights(hash_type: HashType) -> Any:
    """`(x, cells) -> cell, weight, slope, bend` of the points' coordinates on one axis."""
    real, Lanes = hash_type.real, hash_type.lanes

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
        if ti.static(hash_type.smooth):
            weight = f * f * (3.0 - 2.0 * f)
            slope = 6.0 * f * (1.0 - f) * inside
            bend = (6.0 - 12.0 * f) * inside * inside
        return cell, weight, slope, bend

    return weights


@functools.cache
def corner_rows_of(hash_type: HashType) -> Any:
    """`(points, packet, count, layout, level, mask) -> rows, w, w1, w2`."""
    D, F, CORNERS = hash_type.dimensions, hash_type.features, 2**hash_type.dimensions
    Lanes, Integers = hash_type.lanes, hash_type.integers
    column, _, _ = loads(hash_type)
    weights = axis_weights(hash_type)

    @ti.func
    def corner_rows(points: ti.template(), packet, count, layout: ti.template(), level, mask):
        """Where the rows of the cells' corners begin in the table, and each axis' weight with its derivatives.

        Bit d of a corner's number tells the node on axis d, 0 the lower.
        """
        cell = [Integers(0) for _ in ti.static(range(D))]
        w = [Lanes(0.0) for _ in ti.static(range(D))]
        w1 = [Lanes(0.0) for _ in ti.static(range(D))]
        w2 = [Lanes(0.0) for _ in ti.static(range(D))]
        for d in ti.static(range(D)):
            cell[d], w[d], w1[d], w2[d] = weights(column(points, packet, count, D, d), layout[level, LevelColumn.CELLS])
        first = layout[level, LevelColumn.FIRST_ROW]
        rows = [Integers(0) for _ in ti.static(range(CORNERS))]
        # One branch for all corners; a choice at each took a fifth longer.
        if layout[level, LevelColumn.IS_HASHED] == 1:
            for corner in ti.static(range(CORNERS)):
                for d in ti.static(range(D)):
                    rows[corner] ^= (cell[d] + ti.static((corner >> d) & 1)) * layout[
                        level, LevelColumn.MULTIPLIERS + d
                    ]
                rows[corner] = ((rows[corner] & mask) + first) * F
        else:
            for corner in ti.static(range(CORNERS)):
                for d in ti.static(range(D)):
                    rows[corner] += (cell[d] + ti.static((corner >> d) & 1)) * layout[
                        level, LevelColumn.MULTIPLIERS + d
                    ]
                rows[corner] = (rows[corner] + first) * F
        return rows, w, w1, w2

    return corner_rows


@functools.cache
def weight_product(hash_type: HashType) -> Any:
    """`(corner, w, w1, v) -> weight`."""
    D, Lanes = hash_type.dimensions, hash_type.lanes

    @ti.func
    def product(corner: ti.template(), w: ti.template(), w1: ti.template(), v: ti.template()):
        """A corner's weight, if directed its derivative along v."""
        value = Lanes(1.0)
        tangent = Lanes(0.0)
        for d in ti.static(range(D)):
            upper = ti.static((corner >> d) & 1)
            factor = w[d] if ti.static(upper) else 1.0 - w[d]
            change = w1[d] if ti.static(upper) else -w1[d]
            if ti.static(hash_type.directed):
                tangent = tangent * factor + value * change * v[d]
            value *= factor
        return tangent if ti.static(hash_type.directed) else value

    return product


@functools.cache
def weight_slopes(hash_type: HashType) -> Any:
    """`(shares, w, w1, w2, v) -> slopes`."""
    D, CORNERS, Lanes = hash_type.dimensions, 2**hash_type.dimensions, hash_type.lanes

    @ti.func
    def slopes(shares: ti.template(), w: ti.template(), w1: ti.template(), w2: ti.template(), v: ti.template()):
        """Derivative to each axis of Σ weight · share over the corners, if directed of its derivative along v.

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
                        if ti.static(hash_type.directed):
                            tangent[target + pair] = rise_tangent * w1[d] + rise * w2[d] * v[d]
                    else:
                        value[target + pair] = low + rise * w[d]
                        if ti.static(hash_type.directed):
                            tangent[target + pair] = low_tangent + rise_tangent * w[d] + rise * w1[d] * v[d]
        return [
            tangent[(d + 1) * CORNERS] if ti.static(hash_type.directed) else value[(d + 1) * CORNERS]
            for d in ti.static(range(D))
        ]

    return slopes
