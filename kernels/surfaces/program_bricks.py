"""Bricks of a scene program: the values at their nodes, and the programs that tell more about their vertices."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace

import torch

from .. import runtime
from ..film import BeamColumn, Beams
from ..lanes import MOST_LANES
from ..program import OPERATION_NUMBERS, Column, Program, Tiles, distance, one_tile_with_planes, tiles_of
from .bounded_search import all_bricks, bounding_spheres, near_bricks
from .brick_kernels import SIDE
from .bricks import Bricks
from .program_values import brick_values

BRICKS_AT_ONCE = 2**10  # 6 MB of values

GROUP = MOST_LANES  # points that share a program: those of a packet must

VERTICES_AT_ONCE = 2**20  # where they share one program


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
    complete = replace(program, planes=0) if program.planes else program  # tiles leave planes out
    found = all_bricks(bricks) if everywhere else near_bricks(bricks, functools.partial(distance, complete))
    for at in range(0, len(found), BRICKS_AT_ONCE):
        batch = found[at : at + BRICKS_AT_ONCE].contiguous()
        tiles = one_tile_with_planes(program) if everywhere else _tiles(bricks, complete, batch)
        with runtime.lock:
            bricks.add(batch, brick_values(bricks, complete, tiles, batch, everywhere))
        progress((at + len(batch)) / len(found))


def is_lipschitz(program: Program) -> bool:
    """Whether values change no faster than the way between two points: so of all operations but bend."""
    return not bool((program.rows[:, Column.OPERATION] == OPERATION_NUMBERS["bend"]).any())


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
    if not program.divisible:
        last = int(bricks.first_vertices[-1])
        tile = one_tile_with_planes(program)
        yield from ((slice(at, min(at + VERTICES_AT_ONCE, last)), tile) for at in range(0, last, VERTICES_AT_ONCE))
        return
    for at in range(0, len(bricks.crossed), BRICKS_AT_ONCE):
        batch = bricks.crossed[at : at + BRICKS_AT_ONCE].contiguous()
        starts = bricks.first_vertices[at : at + len(batch) + 1].long()
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
    if not program.divisible:
        return one_tile_with_planes(program)
    middle, half = bounding_spheres(bricks, batch, SIDE)
    longest = max(float(line.diff().max()) for line in torch.split(bricks.coordinates, list(bricks.shape)))
    cones = torch.zeros(len(batch), len(BeamColumn), device=batch.device)
    cones[:, BeamColumn.RADIUS] = half + margin
    # At a crossed edge values are no farther from the level than the edge is long.
    cones[:, BeamColumn.LARGEST_VALUE] = abs(bricks.level) + 2.0 * longest + margin
    along = torch.zeros_like(middle)
    along[:, 0] = 1.0
    return tiles_of(program, Beams(middle, along, cones, 1))
