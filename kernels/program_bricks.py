"""Bricks of a scene program: the values at their nodes, and the programs that tell more about their vertices."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch

from . import runtime
from .brick_search import all_bricks, balls, near_bricks
from .bricks import NODES, SIDE, Bricks
from .evaluate import distance
from .interpreter import machine
from .operations import FAR, NUMBERS, Column
from .program import Program
from .rays import Beams
from .runtime import ti
from .tiles import Tiles, every_row, tiles_of

BATCH = 2**13  # bricks evaluated at a time: 24 MB of values

GROUP = 16  # vertices that share a program; as many as the widest packet has lanes


def add_program(
    bricks: Bricks,
    program: Program,
    progress: Callable[[float], None] = lambda share: None,
    *,
    everywhere: bool = False,
) -> None:
    """Add the bricks that the surface of a program can meet.

    A value is never more than the distance to the surface, so a block of bricks whose middle is farther away than its
    corners holds none; the others are halved along each axis until they are bricks. Each of these is evaluated with a
    program of its own, without parts of the outermost union too far away to change a value there that is near the
    level: nodes of neighbouring bricks have the same values wherever the surface is.

    Args:
        bricks: the volume; on the device of `program`.
        program: for a level other than 0 one that `is_lipschitz`, or `everywhere` must be True.
        progress: called with the share of bricks done.
        everywhere: whether to evaluate all bricks, with the whole program.
    """
    whole = replace(program, planes=0) if program.planes else program  # tiles leave planes out
    found = all_bricks(bricks) if everywhere else near_bricks(bricks, functools.partial(distance, whole))
    values = torch.empty(min(BATCH, len(found)), NODES, device=found.device)
    for at in range(0, len(found), BATCH):
        batch = found[at : at + BATCH].contiguous()
        tiles = every_row(program) if everywhere else _tiles(bricks, whole, batch)
        runtime.run(
            _value_kernel(), tiles.rows, tiles.ranges, whole.numbers, bricks.places, bricks.sizes, batch, values,
            tiles.rays, len(batch),
        )  # fmt: skip
        bricks.add(batch, values[: len(batch)])
        progress((at + len(batch)) / len(found))


def is_lipschitz(program: Program) -> bool:
    """Whether values change no faster than the way between two points: so of all operations but bend."""
    return not bool((program.rows[:, Column.OPERATION] == NUMBERS["bend"]).any())


def vertex_tiles(bricks: Bricks, program: Program, margin: float) -> Iterator[tuple[torch.Tensor | slice, Tiles]]:
    """Vertices of a mesh that the bricks gave, a few bricks at a time, in groups with a program of their own.

    Args:
        bricks: to which `program` was added, after `mesh`.
        program: without planes that are apart.
        margin: how far from the vertices, in scene units, the programs still give the value where it is near the level.

    Yields:
        numbers (GROUP · G,) int64 of vertices, some of them more than once, and the tiles of GROUP points for them;
        slices, and the whole program, if it cannot be divided.
    """
    for at in range(0, len(bricks.met), BATCH):
        batch = bricks.met[at : at + BATCH].contiguous()
        starts = bricks.first_vertices[at : at + len(batch) + 1].long()
        if not program.divisible:
            yield slice(int(starts[0]), int(starts[-1])), every_row(program)
            continue
        groups = (starts.diff() + GROUP - 1) // GROUP
        brick = torch.arange(len(batch), device=groups.device).repeat_interleave(groups)
        before = groups.cumsum(0) - groups
        first = starts[brick] + GROUP * (torch.arange(len(brick), device=groups.device) - before[brick])
        numbers = first[:, None] + torch.arange(GROUP, device=groups.device)
        numbers = torch.minimum(numbers, starts[brick + 1][:, None] - 1)
        tiles = _tiles(bricks, program, batch, margin)
        yield numbers.flatten(), replace(tiles, ranges=tiles.ranges[brick].contiguous(), rays=GROUP)


def _tiles(bricks: Bricks, program: Program, batch: torch.Tensor, margin: float = 0.0) -> Tiles:
    """A program for each brick, with what can change a value near the level there or up to `margin` farther away."""
    middle, half = balls(bricks, batch, SIDE)
    longest = max(float(line.diff().max()) for line in bricks.places.split(list(bricks.shape)))
    cones = torch.zeros(len(batch), 4, device=batch.device)
    cones[:, 0] = half + margin
    # At a crossed edge values are no farther from the level than the edge is long.
    cones[:, 3] = abs(bricks.level) + 2.0 * longest + margin
    along = torch.zeros_like(middle)
    along[:, 0] = 1.0
    return tiles_of(program, Beams(middle, along, cones, 1))


# Packets that one turn of the kernel's loop evaluates: registers are made once for all of them.
PACKETS = 6


@functools.partial(runtime.per_lane_width, widths=runtime.POINT_LANE_WIDTHS)
def _value_kernel(width: int) -> Any:
    device = machine(width)
    Lanes = device.Lanes
    turns = -(-NODES // (width * PACKETS))
    row = SIDE + 1

    @ti.kernel
    def value_kernel(
        rows: ti.types.ndarray(ti.i32, 2),
        ranges: ti.types.ndarray(ti.i32, 2),
        parameters: ti.types.ndarray(ti.f32, 1),
        places: ti.types.ndarray(ti.f32, 1),
        sizes: ti.types.ndarray(ti.i32, 1),
        bricks: ti.types.ndarray(ti.i32, 2),
        values: ti.types.ndarray(ti.f32, 2),
        bricks_per_tile: ti.i32,
        count: ti.i32,
    ):
        """Values (B, 9³) at the nodes of bricks (B, 3)."""
        for turn in range(count * turns):
            brick = turn // turns
            tile = brick // bricks_per_tile
            value_registers = device.new_values()
            point_registers = device.new_points()
            for packet in range(turn % turns * PACKETS, turn % turns * PACKETS + PACKETS):
                x = Lanes(0.0)
                y = Lanes(0.0)
                z = Lanes(0.0)
                for lane in ti.static(range(width)):
                    node = ti.min(packet * width + lane, NODES - 1)
                    i = SIDE * bricks[brick, 0] + node // (row * row)
                    j = SIDE * bricks[brick, 1] + node // row % row
                    k = SIDE * bricks[brick, 2] + node % row
                    x[lane] = places[ti.min(i, sizes[0] - 1)]
                    y[lane] = places[sizes[0] + ti.min(j, sizes[1] - 1)]
                    z[lane] = places[sizes[0] + sizes[1] + ti.min(k, sizes[2] - 1)]
                if packet * width < NODES:
                    value = device.evaluate(
                        rows, ranges[tile, 0], ranges[tile, 1], parameters, x, y, z, Lanes(0.0), Lanes(FAR),
                        value_registers, point_registers,
                    )  # fmt: skip
                    for lane in ti.static(range(width)):
                        if packet * width + lane < NODES:
                            values[brick, packet * width + lane] = value[lane]

    return value_kernel
