"""Device code: how a row's value, and its material, are folded into those of its target register."""

from ..formulas import values
from ..lanes import DEVICE
from ..runtime import ti
from .operations import Column, Combine
from .program import SURFACE_SIZE, MaterialColumn

smooth_minimum = ti.func(values.smooth_minimum)
share = ti.func(values.share)


@ti.func
def fold(combine, a, b, support, quarter):
    """Target value `a` and row value `b` folded as `combine` says."""
    result = b
    if combine == Combine.XOR:
        low = smooth_minimum(DEVICE, a, b, support, quarter)
        high = smooth_minimum(DEVICE, -a, -b, support, quarter)
        result = -smooth_minimum(DEVICE, -low, -high, support, quarter)
    elif combine != Combine.SET:
        sign_a, sign_b, sign = _signs(combine)
        result = sign * smooth_minimum(DEVICE, sign_a * a, sign_b * b, support, quarter)
    return result


@ti.func
def share_of_row(combine, a, b, support, quarter):
    """Weight of the row's surface in the fold of the same values, 0 … 1."""
    result = b * 0.0 + 1.0
    if combine == Combine.XOR:
        result = share(DEVICE, ti.abs(a), ti.abs(b), support, quarter)
    elif combine != Combine.SET:
        sign_a, sign_b, _ = _signs(combine)
        result = share(DEVICE, sign_a * a, sign_b * b, support, quarter)
    return result


@ti.func
def spare_distance(combine, known, distance, support):
    """By how much a part at least `distance` away is too far to change the value `known`; ≥ 0 where it cannot."""
    limit = known
    if combine == Combine.DIFFERENCE:
        limit = -known
    elif combine == Combine.XOR:
        limit = ti.abs(known)
    return distance - limit - support


@ti.func
def fold_surface(
    row, rows: ti.template(), surfaces: ti.template(), combine, weight,
    shape_registers: ti.template(), material_registers: ti.template(),
):  # fmt: skip
    """Fold the row's shape number and material into the target's by the weight of the row's value.

    Registers hold, for each lane, the number of the shape, and one attribute of the material after the other.
    """
    width = ti.static(weight.n)
    target = rows[row, Column.TARGET]
    source = rows[row, Column.VALUE]
    shape = rows[row, Column.SHAPE]
    for lane in ti.static(range(width)):
        roughness = material_registers[source, MaterialColumn.ROUGHNESS * width + lane]
        if shape >= 0:
            roughness = surfaces[shape, MaterialColumn.ROUGHNESS]
        bare_row = roughness < 0.0
        bare_target = material_registers[target, MaterialColumn.ROUGHNESS * width + lane] < 0.0
        wins = weight[lane] > 0.5
        blend = weight[lane]
        if bare_row or bare_target:
            blend = ti.select(wins, 1.0, 0.0)
        # A cutter without a material shows that of what it cuts.
        if combine == Combine.DIFFERENCE and bare_row:
            blend = 0.0
        if combine == Combine.CUT and bare_target:
            blend = 1.0
        for attribute in ti.static(range(SURFACE_SIZE)):
            own = material_registers[source, attribute * width + lane]
            if shape >= 0:
                own = surfaces[shape, attribute]
            held = material_registers[target, attribute * width + lane]
            material_registers[target, attribute * width + lane] = held + (own - held) * blend
        if wins:
            number = shape_registers[source, lane]
            if shape >= 0:
                number = shape
            shape_registers[target, lane] = number


@ti.func
def _signs(combine):
    """Signs of target, row value and result with which a fold is a smooth minimum."""
    sign_a = ti.select((combine == Combine.INTERSECTION) | (combine == Combine.DIFFERENCE), -1.0, 1.0)
    sign_b = ti.select((combine == Combine.INTERSECTION) | (combine == Combine.CUT), -1.0, 1.0)
    return sign_a, sign_b, ti.select(combine == Combine.UNION, 1.0, -1.0)
