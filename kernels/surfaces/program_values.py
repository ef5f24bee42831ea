"""Values of a scene program at the nodes of bricks, evaluated only where the surface can be."""

from typing import Any

import torch

from .. import runtime
from ..lanes import NOTHING_KNOWN
from ..program import Program, Tiles, machine
from ..runtime import deal, first_turn, memory, next_turn, ti
from .bits import is_set
from .bounded_search import ROUNDING
from .brick_kernels import CUBE, NODES, ROW, SIDE
from .bricks import Bricks

CUBES = SIDE // CUBE  # along each axis of a brick
ALL_CUBES = CUBES**3
LINE = ROW + CUBES  # what is evaluated along an axis: nodes, then middles of cubes


def brick_values(bricks: Bricks, program: Program, tiles: Tiles, batch: torch.Tensor, everywhere: bool) -> torch.Tensor:
    """Values (B, at least 9³) float32 at the nodes of bricks (B, 3) int32, for use under `runtime.lock`.

    A value is never more than the distance to the surface, so a cube whose middle is farther away than its corners
    holds none. Nodes that are in such cubes alone have the value of the middle of one, which is on the same side.

    Args:
        bricks: the volume.
        program: what is evaluated.
        tiles: its rows for each of the bricks, or for all of them.
        batch: the bricks.
        everywhere: whether to evaluate all nodes, because values are no such bounds.
    """
    where: dict[str, Any] = {"device": batch.device}
    values = memory.scratch("brick values", len(batch), NODES + ALL_CUBES, dtype=torch.float32, **where)
    asked = memory.scratch("points of bricks", len(batch), NODES + 1, dtype=torch.int32, **where)
    runtime.run(
        _values_kernel(program.has_samples), tiles.rows, tiles.ranges, program.numbers, bricks.coordinates,
        bricks.sizes, batch, bricks.level, values, asked, len(tiles.ranges), int(everywhere), len(batch),
        *deal(len(batch), batch.device),
    )  # fmt: skip
    return values


@ti.func
def line_of(coordinates: ti.template(), sizes: ti.template(), begin: ti.template()):
    """Coordinates of a brick's nodes and of the middles of its cubes along x, then y, then z.

    Nodes past the end of the volume are where the last one before it is.
    """
    line = ti.Vector([0.0] * (3 * LINE))
    before = 0
    for axis in ti.static(range(3)):
        last = sizes[axis] - 1
        for node in ti.static(range(ROW)):
            line[axis * LINE + node] = coordinates[before + ti.min(begin[axis] + node, last)]
        for cube in ti.static(range(CUBES)):
            low = line[axis * LINE + CUBE * cube]
            high = line[axis * LINE + CUBE * (cube + 1)]
            line[axis * LINE + ROW + cube] = 0.5 * (low + high)
        before += sizes[axis]
    return line


@ti.func
def packed(slot, i, j, k):
    """A point as one number: where its value goes, and its places in the line."""
    return slot | (i << 10) | (j << 14) | (k << 18)


@ti.func
def slot_of(point):
    """Where the value of a point goes."""
    return point & 1023


@ti.func
def place_of(point, axis: ti.template()):
    """The place of a point in the line."""
    return axis * LINE + ((point >> (10 + 4 * axis)) & 15)


@ti.func
def ask_for_cubes(brick, asked: ti.template()):
    """Ask for the middles of all cubes; returns how many that are."""
    for cube in range(ALL_CUBES):
        i = ROW + cube // (CUBES * CUBES)
        asked[brick, cube] = packed(NODES + cube, i, ROW + cube // CUBES % CUBES, ROW + cube % CUBES)
    return ALL_CUBES


@ti.func
def is_near(line: ti.template(), value, level, x, y, z):
    """Whether a cube can hold surface, by the value of its middle."""
    square = 0.0
    largest = 0.0
    for axis, place in ti.static(((0, x), (1, y), (2, z))):
        middle = line[axis * LINE + ROW + place]
        half = line[axis * LINE + CUBE * (place + 1)] - middle
        square += half * half
        largest = ti.max(largest, ti.abs(middle))
    return ti.abs(value - level) <= ti.sqrt(square) * (1.0 + ROUNDING) + ROUNDING * largest


@ti.func
def near_nodes(near: ti.template(), i, j):
    """Nodes of row (i, j) that belong to a cube near the surface, as bits."""
    slab = near[ti.min(i // CUBE, CUBES - 1)] | near[ti.max(i - 1, 0) // CUBE]
    cubes = (slab >> (CUBES * ti.min(j // CUBE, CUBES - 1))) | (slab >> (CUBES * (ti.max(j - 1, 0) // CUBE)))
    bits = ti.u32(0)
    for cube in ti.static(range(CUBES)):
        bits |= ti.select(is_set(cubes, cube) == 1, ti.u32(((1 << (CUBE + 1)) - 1) << (CUBE * cube)), ti.u32(0))
    return bits


@ti.func
def ask_for_nodes(brick, line: ti.template(), level, everywhere, values: ti.template(), asked: ti.template()):
    """Ask for the nodes near the surface, and give the others the value of a middle; returns how many are asked for."""
    near = ti.Vector([ti.u32(0)] * CUBES)
    for cube in range(ALL_CUBES):
        x = cube // (CUBES * CUBES)
        if everywhere == 1 or is_near(line, values[brick, NODES + cube], level, x, cube // CUBES % CUBES, cube % CUBES):
            near[x] |= ti.u32(1) << (cube % (CUBES * CUBES))
    count = 0
    for row in range(ROW * ROW):
        i = row // ROW
        j = row % ROW
        bits = near_nodes(near, i, j)
        cube = NODES + (ti.min(i // CUBE, CUBES - 1) * CUBES + ti.min(j // CUBE, CUBES - 1)) * CUBES
        for k in ti.static(range(ROW)):
            values[brick, row * ROW + k] = values[brick, cube + min(k // CUBE, CUBES - 1)]
            asked[brick, count] = packed(row * ROW + k, i, j, k)
            count += is_set(bits, k)
    return count


def _make_values_kernel(width: int, with_samples: bool) -> Any:
    device = machine(width, with_samples=with_samples)
    Lanes = device.Lanes

    @ti.kernel
    def values_kernel(
        rows: ti.types.ndarray(ti.i32, 2),
        ranges: ti.types.ndarray(ti.i32, 2),
        parameters: ti.types.ndarray(ti.f32, 1),
        coordinates: ti.types.ndarray(ti.f32, 1),
        sizes: ti.types.ndarray(ti.i32, 1),
        batch: ti.types.ndarray(ti.i32, 2),
        level: ti.f32,
        values: ti.types.ndarray(ti.f32, 2),
        asked: ti.types.ndarray(ti.i32, 2),
        tile_count: ti.i32,
        everywhere: ti.i32,
        count: ti.i32,
        queue: ti.types.ndarray(ti.i32, 1),
        slots: ti.i32,
    ):
        for slot in range(slots):
            upcoming = first_turn(queue, slot, count)
            while upcoming < count:
                brick = upcoming
                upcoming = next_turn(queue, brick, count)
                tile = ti.min(brick, tile_count - 1)
                begin = SIDE * ti.Vector([batch[brick, 0], batch[brick, 1], batch[brick, 2]])
                line = line_of(coordinates, sizes, begin)
                value_registers = device.new_values()
                point_registers = device.new_points()
                # First the middles of all cubes, then the nodes of those near the surface.
                points = ask_for_cubes(brick, asked)
                done = 0
                on_nodes = 0
                while done < points:
                    x = Lanes(0.0)
                    y = Lanes(0.0)
                    z = Lanes(0.0)
                    for lane in ti.static(range(width)):
                        point = asked[brick, ti.min(done + lane, points - 1)]
                        x[lane] = line[place_of(point, 0)]
                        y[lane] = line[place_of(point, 1)]
                        z[lane] = line[place_of(point, 2)]
                    value = device.evaluate(
                        rows, ranges[tile, 0], ranges[tile, 1], parameters, x, y, z, Lanes(0.0), Lanes(NOTHING_KNOWN),
                        value_registers, point_registers,
                    )  # fmt: skip
                    for lane in ti.static(range(width)):
                        values[brick, slot_of(asked[brick, ti.min(done + lane, points - 1)])] = value[lane]
                    done += width
                    if done >= points and on_nodes == 0:
                        points = ask_for_nodes(brick, line, level, everywhere, values, asked)
                        done = 0
                        on_nodes = 1

    return values_kernel


_values_kernel = runtime.per_lane_width(_make_values_kernel, widths=runtime.POINT_LANE_WIDTHS)
