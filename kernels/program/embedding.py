"""Device functions to be called inside a host program's own `@ti.kernel`.

Pass `program.rows` and `program.numbers` to the kernel as arrays and hand them on:

    @ti.kernel
    def my_kernel(rows: ti.types.ndarray(ti.i32, 2), parameters: ti.types.ndarray(ti.f32, 1), count: ti.i32, …):
        for i in range(count):
            value = program_distance(rows, count_of_rows, parameters, ti.Vector([x, y, z]))

Each call site compiles the whole instruction set (about a second), so call in a loop rather than twice.
"""

from ..lanes import FAR, LEAST_SCALE, NOTHING_KNOWN
from ..runtime import ti
from .huge_points import is_finite, largest_coordinate, shrinkage
from .interpreter import machine

_device = machine(1, with_samples=True)
Lane = _device.Lanes
LARGEST = largest_coordinate(LEAST_SCALE)  # rows do not say how far they scale down


@ti.func
def program_distance(rows: ti.template(), row_count, parameters: ti.template(), point):
    """Signed distance of a program with `row_count` rows at `point` (3-vector, scene units), NaN where not finite."""
    divisor = shrinkage(point[0], point[1], point[2], LARGEST)
    x = Lane(point[0] / divisor)
    y = Lane(point[1] / divisor)
    z = Lane(point[2] / divisor)
    values = _device.new_values()
    points = _device.new_points()
    value = _device.evaluate(rows, 0, row_count, parameters, x, y, z, Lane(0.0), Lane(NOTHING_KNOWN), values, points)
    return ti.select(is_finite(point[0], point[1], point[2]), value[0] * divisor, ti.math.nan)


@ti.func
def program_trace(rows: ti.template(), row_count, parameters: ti.template(), origin, direction, far, tolerance):
    """Distance along a ray (unit `direction`) at which the program's value falls below `tolerance`; 1e9 for a miss.

    Plain sphere tracing, at most 256 steps, from the origin to `far`. A longer direction steps through surfaces.
    """
    found = FAR
    t = 0.0
    step = 0
    while step < 256 and t < far:
        value = program_distance(rows, row_count, parameters, origin + t * direction)
        t += value
        step += 1
        if value < tolerance:
            found = t
            step = 256
    return found
