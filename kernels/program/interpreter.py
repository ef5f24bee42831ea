"""Device code: the machine that evaluates a scene program for a packet of points.

`machine(width)` gives the functions for packets of `width` points. A kernel calls `evaluate` at one place only, in a
loop over what it needs: the whole instruction set is inlined there.
"""

import functools
from types import SimpleNamespace

from ..lanes import NOTHING_KNOWN, all_lanes, any_lane
from ..runtime import ti
from .dispatch import value_dispatch, warp_dispatch
from .folding import fold, fold_surface, share_of_row, spare_distance
from .operations import (
    CLEAR,
    FIRST_WARP,
    FRAME_SIZES,
    HEAD_SIZE,
    OPERATION_NUMBERS,
    POINT_REGISTERS,
    SKIP,
    VALUE_REGISTERS,
    Block,
    Column,
    Combine,
    FrameKind,
)
from .program import SURFACE_SIZE, MaterialColumn

FIRST_ON_VALUE = OPERATION_NUMBERS["keep"]


@functools.cache
def machine(width: int, with_surface: bool = False, with_samples: bool = False) -> SimpleNamespace:
    """Types and device functions over packets of `width` points.

    `Lanes` and `Integers` are vectors of float32 and int32; `new_values` and `new_points` make registers; `evaluate`
    runs a program, and with surfaces is `evaluate_surface`.

    Without `with_samples` the machine does not know the operation SAMPLES: its code would be a part of every kernel of
    scenes that hold none.
    """
    Lanes = ti.types.vector(width, ti.f32)
    surface_width = width if with_surface else 1  # unused registers of one lane cost nothing
    evaluate_formula = value_dispatch(with_samples)
    warp_point = warp_dispatch()

    @ti.func
    def run(
        rows: ti.template(), first, last, parameters: ti.template(), x, y, z, lane_bias, limit,
        value_registers: ti.template(), point_registers: ti.template(),
        surfaces: ti.template(), shapes: ti.template(), materials: ti.template(),
    ):  # fmt: skip
        # The registers 0, which nearly all rows use, are variables: what is stored in parts and loaded as a whole waits
        # for memory.
        answer = limit
        shape_registers = ti.Matrix([[-1] * surface_width for _ in range(VALUE_REGISTERS)], ti.i32)
        material_registers = ti.Matrix(
            [[-1.0] * (SURFACE_SIZE * surface_width) for _ in range(VALUE_REGISTERS)], ti.f32
        )
        row = first
        while row < last:
            operation = rows[row, Column.OPERATION]
            target = rows[row, Column.TARGET]
            at = rows[row, Column.PARAMETERS]
            qx = x
            qy = y
            qz = z
            _load_point(point_registers, rows[row, Column.POINT], qx, qy, qz)
            held = answer
            if (operation >= FIRST_ON_VALUE) or (operation == SKIP):
                _load_value(value_registers, rows[row, Column.VALUE], held)
            if operation == SKIP:
                away = _distance_to_part(parameters, at, qx, qy, qz)
                spare = spare_distance(rows[row, Column.COMBINE], held, away, parameters[at + Block.SUPPORT])
                if all_lanes(spare + lane_bias >= 0.0):
                    row += rows[row, Column.SKIP]
            elif operation == CLEAR:
                if target == 0:
                    answer = Lanes(NOTHING_KNOWN)
                for lane in ti.static(range(width)):
                    value_registers[target, lane] = NOTHING_KNOWN
                    if ti.static(with_surface):
                        material_registers[target, MaterialColumn.ROUGHNESS * width + lane] = -1.0
            else:
                inside = at + HEAD_SIZE
                _to_frame(rows[row, Column.FRAME], parameters, inside, qx, qy, qz)
                if operation < FIRST_WARP:
                    own = Lanes(0.0)
                    data = rows[row, Column.DATA]
                    evaluate_formula(own, operation, qx, qy, qz, held, parameters, inside, data)
                    own *= parameters[at + Block.FACTOR]
                    known = answer
                    _load_value(value_registers, target, known)
                    combine = rows[row, Column.COMBINE]
                    support = parameters[at + Block.SUPPORT]
                    quarter = parameters[at + Block.QUARTER]
                    result = fold(combine, known, own, support, quarter)
                    if ti.static(with_surface):
                        weight = share_of_row(combine, known, own, support, quarter)
                        if any_lane(weight > 0.0) or combine == Combine.CUT:
                            fold_surface(row, rows, surfaces, combine, weight, shape_registers, material_registers)
                    if target == 0:
                        answer = result
                    else:
                        for lane in ti.static(range(width)):
                            value_registers[target, lane] = result[lane]
                else:
                    warp_point(operation, qx, qy, qz, parameters, inside)
                    _store_point(point_registers, target, qx, qy, qz)
            row += 1
        if ti.static(with_surface):
            for lane in ti.static(range(width)):
                shapes[lane] = shape_registers[0, lane]
                for attribute in ti.static(range(SURFACE_SIZE)):
                    materials[attribute, lane] = material_registers[0, attribute * width + lane]
        return answer

    @ti.func
    def new_values():
        """Registers of values for `evaluate`."""
        return ti.Matrix([[NOTHING_KNOWN] * width for _ in range(VALUE_REGISTERS)], ti.f32)

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
        lets the machine skip what is farther, wherever in the program it stands; else it is NOTHING_KNOWN.
        Registers are made once for many packets: filling them at every evaluation would cost as much as some rows.
        """
        return run(
            rows, first, last, parameters, x, y, z, lane_bias, limit, value_registers, point_registers,
            rows, lane_bias, lane_bias,
        )  # fmt: skip

    @ti.func
    def evaluate_surface(
        rows: ti.template(), first, last, parameters: ti.template(), x, y, z, lane_bias,
        surfaces: ti.template(), shapes: ti.template(), materials: ti.template(),
    ):  # fmt: skip
        """The same, with the shape's number in `shapes` and its blended material in `materials` (8, width)."""
        own_values = new_values()
        own_points = new_points()
        return run(
            rows, first, last, parameters, x, y, z, lane_bias, Lanes(NOTHING_KNOWN), own_values, own_points,
            surfaces, shapes, materials,
        )  # fmt: skip

    return SimpleNamespace(
        Lanes=Lanes,
        Integers=ti.types.vector(width, ti.i32),
        new_values=new_values,
        new_points=new_points,
        evaluate=evaluate_surface if with_surface else evaluate,
    )


# What follows changes its arguments in place, as all device code here whose arguments are templates.


@ti.func
def _load_value(registers: ti.template(), register, value: ti.template()):
    """Put a value register's lanes into `value`, which stands for register 0 and is left as it is for that."""
    if register > 0:
        for lane in ti.static(range(value.n)):
            value[lane] = registers[register, lane]


@ti.func
def _load_point(registers: ti.template(), register, x: ti.template(), y: ti.template(), z: ti.template()):
    """Put a point register's lanes into x, y, z, which stand for register 0 and are left as they are for that."""
    if register > 0:
        for lane in ti.static(range(x.n)):
            x[lane] = registers[register, lane]
            y[lane] = registers[register, x.n + lane]
            z[lane] = registers[register, 2 * x.n + lane]


@ti.func
def _store_point(registers: ti.template(), register, x: ti.template(), y: ti.template(), z: ti.template()):
    """Put x, y, z into a point register, never register 0."""
    for lane in ti.static(range(x.n)):
        registers[register, lane] = x[lane]
        registers[register, x.n + lane] = y[lane]
        registers[register, 2 * x.n + lane] = z[lane]


@ti.func
def _distance_to_part(
    parameters: ti.template(), at: ti.template(), x: ti.template(), y: ti.template(), z: ti.template()
):
    """A bound of the value of what a SKIP row jumps over, by its sphere: slope · |p - centre| - radius."""
    dx = x - parameters[at + Block.CENTRE_X]
    dy = y - parameters[at + Block.CENTRE_Y]
    dz = z - parameters[at + Block.CENTRE_Z]
    return ti.sqrt(dx * dx + dy * dy + dz * dz) * parameters[at + Block.SLOPE] - parameters[at + Block.RADIUS]


@ti.func
def _to_frame(
    frame, parameters: ti.template(), at: ti.template(), x: ti.template(), y: ti.template(), z: ti.template()
):
    """Put x, y, z into the coordinates of a row's formula, and `at` behind the frame's numbers, where it starts."""
    if frame == FrameKind.SHIFT:
        factor = parameters[at]
        x = x * factor + parameters[at + 1]
        y = y * factor + parameters[at + 2]
        z = z * factor + parameters[at + 3]
        at += FRAME_SIZES[FrameKind.SHIFT]
    elif frame == FrameKind.AFFINE:
        a = [parameters[at + i] for i in ti.static(range(12))]
        px = x
        py = y
        pz = z
        x = px * a[0] + py * a[1] + pz * a[2] + a[3]
        y = px * a[4] + py * a[5] + pz * a[6] + a[7]
        z = px * a[8] + py * a[9] + pz * a[10] + a[11]
        at += FRAME_SIZES[FrameKind.AFFINE]
