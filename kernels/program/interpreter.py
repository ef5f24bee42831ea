"""Device code: the machine that evaluates a scene program for a packet of points.

`machine(width)` gives the functions for packets of `width` points. A kernel calls `evaluate` at one place only, in a
loop over what it needs: the whole instruction set is inlined there.
"""

import functools
from types import SimpleNamespace

from ..formulas import values
from ..lanes import DEVICE, FAR, all_lanes, any_lane
from ..runtime import ti
from .operations import (
    CLEAR,
    FIRST_WARP,
    FRAME_SIZES,
    HEAD_SIZE,
    OPERATION_NUMBERS,
    OPERATIONS,
    POINT_REGISTERS,
    SAMPLES,
    SKIP,
    SPHERE_SIZE,
    VALUE_REGISTERS,
    Column,
    Combine,
    FrameKind,
)
from .program import SURFACE_SIZE

FIRST_LEAF = CLEAR + 1
FIRST_ON_VALUE = OPERATION_NUMBERS["keep"]

_OP, _TARGET, _POINT, _VALUE, _COMBINE = map(
    int, (Column.OPERATION, Column.TARGET, Column.POINT, Column.VALUE, Column.COMBINE)
)
_FRAME, _PARAMETERS, _DATA, _SHAPE, _SKIP = map(
    int, (Column.FRAME, Column.PARAMETERS, Column.DATA, Column.SHAPE, Column.SKIP)
)
_SET, _UNION, _INTERSECTION, _DIFFERENCE, _CUT, _XOR = map(int, Combine)
_SHIFT, _AFFINE = int(FrameKind.SHIFT), int(FrameKind.AFFINE)

smooth_minimum = ti.func(values.smooth_minimum)
share = ti.func(values.share)


def _value_dispatch(first: int, last: int):
    """Device function that puts into `result` what one of the operations first … last - 1 gives.

    A binary tree of comparisons finds the operation. Everything is passed by reference: copies on every level would
    double what there is to compile.
    """
    if last - first == 1:
        return _value_call(first)
    middle = (first + last) // 2
    below = _value_dispatch(first, middle)
    above = _value_dispatch(middle, last)

    @ti.func
    def dispatch(
        result: ti.template(), operation: ti.template(), x: ti.template(), y: ti.template(), z: ti.template(),
        value: ti.template(), parameters: ti.template(), at: ti.template(), count: ti.template(),
    ):  # fmt: skip
        if operation < middle:
            below(result, operation, x, y, z, value, parameters, at, count)
        else:
            above(result, operation, x, y, z, value, parameters, at, count)

    return dispatch


def _value_call(number: int):
    """Device function that runs one operation, its parameters loaded from `at` on."""
    operation = OPERATIONS[number]
    size = len(operation.parameters)
    formula = ti.func(_by_reference(operation.formula))

    @ti.func
    def leaf(
        result: ti.template(), operation: ti.template(), x: ti.template(), y: ti.template(), z: ti.template(),
        value: ti.template(), parameters: ti.template(), at: ti.template(), count: ti.template(),
    ):  # fmt: skip
        result = formula(DEVICE, x, y, z, *[parameters[at + i] for i in ti.static(range(size))])

    @ti.func
    def polygon(
        result: ti.template(), operation: ti.template(), x: ti.template(), y: ti.template(), z: ti.template(),
        value: ti.template(), parameters: ti.template(), at: ti.template(), count: ti.template(),
    ):  # fmt: skip
        result = formula(DEVICE, x, y, z, parameters, at, count)

    @ti.func
    def on_value(
        result: ti.template(), operation: ti.template(), x: ti.template(), y: ti.template(), z: ti.template(),
        value: ti.template(), parameters: ti.template(), at: ti.template(), count: ti.template(),
    ):  # fmt: skip
        result = formula(DEVICE, x, y, z, value, *[parameters[at + i] for i in ti.static(range(size))])

    return {"leaf": leaf, "polygon": polygon, "value": on_value}[operation.role]


def _by_reference(formula):
    """The formula with its point, value and vertices passed by reference; it assigns to none of them."""
    names = formula.__code__.co_varnames[: formula.__code__.co_argcount]
    formula.__annotations__.update(
        {name: ti.template() for name in ("x", "y", "z", "value", "vertices", "data") if name in names}
    )
    return formula


def _warp_dispatch(first: int, last: int):
    """The same for warps, which put a point into x, y, z."""
    if last - first == 1:
        formula = ti.func(OPERATIONS[first].formula)
        size = len(OPERATIONS[first].parameters)

        @ti.func
        def call(
            operation: ti.template(), x: ti.template(), y: ti.template(), z: ti.template(),
            parameters: ti.template(), at: ti.template(),
        ):  # fmt: skip
            x, y, z = formula(DEVICE, x, y, z, *[parameters[at + i] for i in ti.static(range(size))])

        return call
    middle = (first + last) // 2
    below = _warp_dispatch(first, middle)
    above = _warp_dispatch(middle, last)

    @ti.func
    def dispatch(
        operation: ti.template(), x: ti.template(), y: ti.template(), z: ti.template(),
        parameters: ti.template(), at: ti.template(),
    ):  # fmt: skip
        if operation < middle:
            below(operation, x, y, z, parameters, at)
        else:
            above(operation, x, y, z, parameters, at)

    return dispatch


@functools.cache
def machine(width: int, with_surface: bool = False, with_samples: bool = False) -> SimpleNamespace:
    """Device functions over packets of `width` points: `Lanes` and `evaluate`, or with surfaces `evaluate_surface`.

    Without `with_samples` the machine does not know the operation SAMPLES: its code would be a part of every kernel of
    scenes that hold none.
    """
    Lanes = ti.types.vector(width, ti.f32)
    Numbers = ti.types.vector(width, ti.i32)

    surface_width = width if with_surface else 1  # unused registers of one lane cost nothing

    dispatch_value = _value_dispatch(FIRST_LEAF, SAMPLES)
    dispatch_warp = _warp_dispatch(FIRST_WARP, len(OPERATIONS))

    read_samples = ti.func(_by_reference(OPERATIONS[SAMPLES].formula))

    @ti.func
    def signs(combine):
        """Signs of target, row value and result with which a fold is a smooth minimum."""
        sign_a = ti.select((combine == _INTERSECTION) | (combine == _DIFFERENCE), -1.0, 1.0)
        sign_b = ti.select((combine == _INTERSECTION) | (combine == _CUT), -1.0, 1.0)
        return sign_a, sign_b, ti.select(combine == _UNION, 1.0, -1.0)

    @ti.func
    def fold(combine, a, b, support, quarter):
        """Target value `a` and row value `b` folded as `combine` says."""
        result = b
        if combine == _XOR:
            low = smooth_minimum(DEVICE, a, b, support, quarter)
            high = smooth_minimum(DEVICE, -a, -b, support, quarter)
            result = -smooth_minimum(DEVICE, -low, -high, support, quarter)
        elif combine != _SET:
            sign_a, sign_b, sign = signs(combine)
            result = sign * smooth_minimum(DEVICE, sign_a * a, sign_b * b, support, quarter)
        return result

    @ti.func
    def share_of_row(combine, a, b, support, quarter):
        """Weight of the row's surface in the fold, 0 … 1."""
        result = b * 0.0 + 1.0
        if combine == _XOR:
            result = share(DEVICE, ti.abs(a), ti.abs(b), support, quarter)
        elif combine != _SET:
            sign_a, sign_b, _ = signs(combine)
            result = share(DEVICE, sign_a * a, sign_b * b, support, quarter)
        return result

    @ti.func
    def spare_distance(combine, known, distance, support):
        """By how much a part at least `distance` away is too far to change the value `known`; ≥ 0 where it cannot."""
        limit = known
        if combine == _DIFFERENCE:
            limit = -known
        elif combine == _XOR:
            limit = ti.abs(known)
        return distance - limit - support

    @ti.func
    def fold_surface(
        row, rows: ti.template(), surfaces: ti.template(), combine, weight,
        number_registers: ti.template(), material_registers: ti.template(),
    ):  # fmt: skip
        """Fold the row's shape number and material into the target's by the weight of the row's value."""
        target = rows[row, _TARGET]
        source = rows[row, _VALUE]
        shape = rows[row, _SHAPE]
        for lane in ti.static(range(width)):
            roughness = material_registers[source, 3 * width + lane]
            if shape >= 0:
                roughness = surfaces[shape, 3]
            bare_row = roughness < 0.0
            bare_target = material_registers[target, 3 * width + lane] < 0.0
            wins = weight[lane] > 0.5
            blend = weight[lane]
            if bare_row or bare_target:
                blend = ti.select(wins, 1.0, 0.0)
            # A cutter without a material shows that of what it cuts.
            if combine == _DIFFERENCE and bare_row:
                blend = 0.0
            if combine == _CUT and bare_target:
                blend = 1.0
            for attribute in ti.static(range(SURFACE_SIZE)):
                own = material_registers[source, attribute * width + lane]
                if shape >= 0:
                    own = surfaces[shape, attribute]
                held = material_registers[target, attribute * width + lane]
                material_registers[target, attribute * width + lane] = held + (own - held) * blend
            if wins:
                number = number_registers[source, lane]
                if shape >= 0:
                    number = shape
                number_registers[target, lane] = number

    @ti.func
    def run(
        rows: ti.template(), first, last, parameters: ti.template(), x, y, z, lane_bias, limit,
        value_registers: ti.template(), point_registers: ti.template(),
        surfaces: ti.template(), numbers: ti.template(), attributes: ti.template(),
    ):  # fmt: skip
        # The registers 0, which nearly all rows use, are variables: what is stored in parts and loaded as a whole waits
        # for memory.
        answer = limit
        number_registers = ti.Matrix([[-1] * surface_width for _ in range(VALUE_REGISTERS)], ti.i32)
        material_registers = ti.Matrix(
            [[-1.0] * (SURFACE_SIZE * surface_width) for _ in range(VALUE_REGISTERS)], ti.f32
        )
        row = first
        while row < last:
            operation = rows[row, _OP]
            target = rows[row, _TARGET]
            source = rows[row, _POINT]
            at = rows[row, _PARAMETERS]
            qx = x
            qy = y
            qz = z
            if source > 0:
                for lane in ti.static(range(width)):
                    qx[lane] = point_registers[source, lane]
                    qy[lane] = point_registers[source, width + lane]
                    qz[lane] = point_registers[source, 2 * width + lane]
            held = answer
            if (operation >= FIRST_ON_VALUE) or (operation == SKIP):
                held_register = rows[row, _VALUE]
                if held_register > 0:
                    for lane in ti.static(range(width)):
                        held[lane] = value_registers[held_register, lane]
            if operation == SKIP:
                dx = qx - parameters[at - SPHERE_SIZE]
                dy = qy - parameters[at - SPHERE_SIZE + 1]
                dz = qz - parameters[at - SPHERE_SIZE + 2]
                away = ti.sqrt(dx * dx + dy * dy + dz * dz) * parameters[at - 2] - parameters[at - 1]
                spare = spare_distance(rows[row, _COMBINE], held, away, parameters[at + 1]) + lane_bias
                if all_lanes(spare >= 0.0):
                    row += rows[row, _SKIP]
            elif operation == CLEAR:
                if target == 0:
                    answer = Lanes(FAR)
                for lane in ti.static(range(width)):
                    value_registers[target, lane] = FAR
                    if ti.static(with_surface):
                        material_registers[target, 3 * width + lane] = -1.0
            else:
                frame = rows[row, _FRAME]
                inside = at + HEAD_SIZE
                if frame == _SHIFT:
                    factor = parameters[inside]
                    qx = qx * factor + parameters[inside + 1]
                    qy = qy * factor + parameters[inside + 2]
                    qz = qz * factor + parameters[inside + 3]
                    inside += FRAME_SIZES[FrameKind.SHIFT]
                elif frame == _AFFINE:
                    a = [parameters[inside + i] for i in ti.static(range(12))]
                    px = qx
                    py = qy
                    pz = qz
                    qx = px * a[0] + py * a[1] + pz * a[2] + a[3]
                    qy = px * a[4] + py * a[5] + pz * a[6] + a[7]
                    qz = px * a[8] + py * a[9] + pz * a[10] + a[11]
                    inside += FRAME_SIZES[FrameKind.AFFINE]
                if operation < FIRST_WARP:
                    own = Lanes(0.0)
                    count = rows[row, _DATA]
                    if ti.static(with_samples):
                        if operation == SAMPLES:
                            own = read_samples(DEVICE, qx, qy, qz, parameters, count)
                        else:
                            dispatch_value(own, operation, qx, qy, qz, held, parameters, inside, count)
                    else:
                        dispatch_value(own, operation, qx, qy, qz, held, parameters, inside, count)
                    own *= parameters[at]
                    known = answer
                    if target > 0:
                        for lane in ti.static(range(width)):
                            known[lane] = value_registers[target, lane]
                    combine = rows[row, _COMBINE]
                    result = fold(combine, known, own, parameters[at + 1], parameters[at + 2])
                    if ti.static(with_surface):
                        weight = share_of_row(combine, known, own, parameters[at + 1], parameters[at + 2])
                        if any_lane(weight > 0.0) or combine == _CUT:
                            fold_surface(row, rows, surfaces, combine, weight, number_registers, material_registers)
                    if target == 0:
                        answer = result
                    else:
                        for lane in ti.static(range(width)):
                            value_registers[target, lane] = result[lane]
                else:
                    dispatch_warp(operation, qx, qy, qz, parameters, inside)
                    for lane in ti.static(range(width)):
                        point_registers[target, lane] = qx[lane]
                        point_registers[target, width + lane] = qy[lane]
                        point_registers[target, 2 * width + lane] = qz[lane]
            row += 1
        if ti.static(with_surface):
            for lane in ti.static(range(width)):
                numbers[lane] = number_registers[0, lane]
                for attribute in ti.static(range(SURFACE_SIZE)):
                    attributes[attribute, lane] = material_registers[0, attribute * width + lane]
        return answer

    @ti.func
    def new_values():
        """Registers of values for `evaluate`."""
        return ti.Matrix([[FAR] * width for _ in range(VALUE_REGISTERS)], ti.f32)

    @ti.func
    def new_points():
        """Registers of points for `evaluate`."""
        return ti.Matrix([[0.0] * (3 * width) for _ in range(POINT_REGISTERS)], ti.f32)

    @ti.func
    def evaluate(
        rows: ti.template(), first, last, parameters: ti.template(), x, y, z, lane_bias, limit,
        value_registers: ti.template(), point_registers: ti.template(),
    ):  # fmt: skip
        """Signed distance at the packet's points by rows first … last - 1, or `limit` where that is less.

        `lane_bias` is FAR on lanes that do not matter, else 0. A limit that is known to be no less than the distance
        lets the machine skip what is farther, wherever in the program it stands; FAR says that nothing is known.
        Registers are made once for many packets: filling them at every evaluation would cost as much as some rows.
        """
        return run(
            rows,
            first,
            last,
            parameters,
            x,
            y,
            z,
            lane_bias,
            limit,
            value_registers,
            point_registers,
            rows,
            lane_bias,
            lane_bias,
        )

    @ti.func
    def evaluate_surface(
        rows: ti.template(), first, last, parameters: ti.template(), x, y, z, lane_bias,
        surfaces: ti.template(), numbers: ti.template(), attributes: ti.template(),
    ):  # fmt: skip
        """The same, with the shape's number in `numbers` and its blended material in `attributes` (8, width)."""
        own_values = new_values()
        own_points = new_points()
        return run(
            rows,
            first,
            last,
            parameters,
            x,
            y,
            z,
            lane_bias,
            Lanes(FAR),
            own_values,
            own_points,
            surfaces,
            numbers,
            attributes,
        )

    return SimpleNamespace(
        Lanes=Lanes,
        Numbers=Numbers,
        new_values=new_values,
        new_points=new_points,
        evaluate=evaluate_surface if with_surface else evaluate,
    )
