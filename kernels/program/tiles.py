"""Tiles: a program of its own for each bundle of rays, without the parts of the scene that its rays cannot meet.

A tile's rays lie in a beam (a cone, blunt for parallel rays). A part of the outermost union whose ball the beam misses
cannot be hit by these rays, so dropping its rows changes no hit; steps only get longer.
"""

from dataclasses import dataclass
from typing import Any

import torch

from .. import runtime
from ..film import BeamColumn, Beams
from ..runtime import ti
from .operations import NESTING, SKIP, Block, Column
from .program import Program

# A smooth union pulls its surface out of a part's ball by less than a quarter of the blend's radius, and a part changes
# values up to the radius itself: 1.25 of it in all.
BLEND_REACH = 1.25

# Tiles are cut a little wider than the centres of their pixels: half a pixel belongs to the outermost, and normals are
# measured beside the rays. Eight pixels from the middle, an eighth more is one pixel.
WIDER = 1.125

# What a ray met, where it is not the number of a plane: a part of a tile's program, or nothing.
PART, NOTHING = -1, -2


@dataclass(frozen=True)
class Tiles:
    """Programs for consecutive groups of rays.

    Attributes:
        rows: (R, 10) int32, the rows of all tiles one after the other, then those of the whole program.
        ranges: (T, 2) int32, each tile's range in them.
        rays: rays in a tile.
        whole_range: range of the whole program in `rows`. Its planes are in none of the ranges.
    """

    rows: torch.Tensor
    ranges: torch.Tensor
    rays: int
    whole_range: tuple[int, int]


def one_tile(program: Program) -> Tiles:
    """One tile for any number of rays: the program itself."""
    around = (program.planes, len(program.rows))
    ranges = torch.tensor([around], dtype=torch.int32, device=program.rows.device)
    return Tiles(program.rows, ranges, 2**30, around)


def one_tile_with_planes(program: Program) -> Tiles:
    """One tile for any number of points: the program with its planes."""
    around = (0, len(program.rows))
    ranges = torch.tensor([around], dtype=torch.int32, device=program.rows.device)
    return Tiles(program.rows, ranges, 2**30, around)


def tiles_of(program: Program, beams: Beams, most: int = 2**31 - 1) -> Tiles:
    """A program for each beam, for its rays; the program itself for all if those would have more than `most` rows."""
    if not program.divisible:
        return one_tile(program)
    count = len(beams.origins)
    lengths = torch.zeros(count, dtype=torch.int32, device=program.rows.device)
    # The first pass counts and writes no row; the array for them is one of its own, because Vulkan binds an array that
    # is passed for two arguments for one of them only.
    no_ranges = torch.zeros(count, 2, **_like(lengths))
    _run(program, beams, no_ranges, _empty_rows(1, lengths), lengths, 0)
    kept = int(lengths.sum())
    if kept > most:
        return one_tile(program)
    ends = lengths.cumsum(0, dtype=torch.int32)
    ranges = torch.stack([ends - lengths, ends], dim=1).contiguous()
    rows = _empty_rows(kept + len(program.rows), lengths)
    rows[kept:] = program.rows
    _run(program, beams, ranges, rows, lengths, 1)
    return Tiles(rows, ranges, beams.rays, (kept + program.planes, len(rows)))


def _like(tensor: torch.Tensor) -> dict[str, Any]:
    return {"dtype": tensor.dtype, "device": tensor.device}


def _empty_rows(count: int, like: torch.Tensor) -> torch.Tensor:
    return torch.empty(count, len(Column), **_like(like))


def _run(
    program: Program, beams: Beams, ranges: torch.Tensor, rows: torch.Tensor, lengths: torch.Tensor, write: int
) -> None:
    numbers = program.numbers
    runtime.run(
        _tile_kernel(), program.rows, program.planes, len(program.rows), numbers, beams.origins, beams.directions,
        beams.cones, len(lengths), ranges, rows, lengths, write,
    )  # fmt: skip


@runtime.per_lane_width
def _tile_kernel(width: int) -> Any:
    @ti.kernel
    def tile_kernel(
        rows: ti.types.ndarray(ti.i32, 2),
        first_row: ti.i32,
        row_count: ti.i32,
        parameters: ti.types.ndarray(ti.f32, 1),
        origins: ti.types.ndarray(ti.f32, 2),
        directions: ti.types.ndarray(ti.f32, 2),
        cones: ti.types.ndarray(ti.f32, 2),
        count: ti.i32,
        ranges: ti.types.ndarray(ti.i32, 2),
        kept_rows: ti.types.ndarray(ti.i32, 2),
        lengths: ti.types.ndarray(ti.i32, 1),
        write: ti.i32,
    ):
        """Count the rows that each tile keeps (write 0), or copy them (write 1)."""
        for tile in range(count):
            axis = _vector(directions, tile)
            start = _vector(origins, tile)
            blunt = WIDER * cones[tile, BeamColumn.RADIUS]
            tangent = WIDER * cones[tile, BeamColumn.WIDENING] + 1e-4  # for rounding
            length = cones[tile, BeamColumn.LENGTH]
            slack = cones[tile, BeamColumn.LARGEST_VALUE]
            narrow = cones[tile, BeamColumn.WIDENING] < 1.0  # a beam of half a right angle or more keeps everything
            # Groups that are open, outermost first: the row of their skip, and its place in the tile, given only once
            # something in the group is kept.
            skips = ti.Vector([0] * NESTING, ti.i32)
            places = ti.Vector([0] * NESTING, ti.i32)
            depth = 0
            placed = 0
            kept = 0
            row = first_row
            while row <= row_count:
                while depth > 0 and _closes(rows, skips[ti.max(depth - 1, 0)], row, row_count):
                    depth -= 1
                    if placed > depth:
                        placed = depth
                        if write == 1:
                            place = ranges[tile, 0] + places[depth]
                            kept_rows[place, Column.SKIP] = kept - 1 - places[depth]
                jump = 1
                if row < row_count:
                    is_skip = rows[row, Column.OPERATION] == SKIP
                    grouped = is_skip and rows[row, Column.DATA] == 1
                    outside = False
                    if grouped or (not is_skip and rows[row, Column.SKIP] == 1):
                        at = rows[row, Column.PARAMETERS]
                        outside = narrow and _misses(parameters, at, start, axis, blunt, tangent, length, slack)
                    if outside:
                        if is_skip:
                            jump += rows[row, Column.SKIP]
                    elif grouped:
                        skips[depth] = row
                        depth += 1
                    else:
                        while placed < depth:
                            places[placed] = kept
                            if write == 1:
                                _copy(rows, skips[placed], kept_rows, ranges[tile, 0] + kept)
                            placed += 1
                            kept += 1
                        if write == 1:
                            _copy(rows, row, kept_rows, ranges[tile, 0] + kept)
                        kept += 1
                row += jump
            if write == 0:
                lengths[tile] = kept

    return tile_kernel


@ti.func
def _misses(parameters: ti.template(), at, start, axis, blunt, tangent, length, slack):
    """Whether a beam misses all that the part with the block `at` can draw, by the part's sphere.

    The beam runs `length` along `axis` from `start`, where it is `blunt` wide, and widens by `tangent`.
    """
    centre = ti.Vector([parameters[at + Block.CENTRE_X + i] for i in ti.static(range(3))]) - start
    reach = parameters[at + Block.RADIUS] + BLEND_REACH * parameters[at + Block.SUPPORT] + slack
    reach /= parameters[at + Block.SLOPE]
    along = centre.dot(axis)
    aside = (centre - along * axis).norm()
    beside = aside > blunt + tangent * ti.max(along, 0.0) + reach * ti.sqrt(1.0 + tangent * tangent)
    return beside or along < -reach - blunt or along > reach + blunt + length


@ti.func
def _closes(rows: ti.template(), skip, row, row_count):
    """Whether the group behind the skip in row `skip` ends before `row`."""
    return (skip + rows[skip, Column.SKIP] < row) or (row >= row_count)


@ti.func
def _copy(rows: ti.template(), row, kept_rows: ti.template(), place):
    for column in ti.static(range(len(Column))):
        kept_rows[place, column] = rows[row, column]


@ti.func
def _vector(array: ti.template(), index):
    return ti.Vector([array[index, 0], array[index, 1], array[index, 2]])
