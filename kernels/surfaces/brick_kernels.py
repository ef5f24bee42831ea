"""Kernels of marching cubes over bricks: signs, which bricks are crossed, their crossed edges and vertices."""

import functools
from types import SimpleNamespace

from ..runtime import ti
from .bits import WordColumn, first_bits, lowest_bit
from .cell_triangles import INSIDE, OUTSIDE, WordLayout, cell_kernels
from .crossings import ambiguous_faces, joined_faces, write_crossing

SIDE = 8  # cells along each axis of a brick, and nodes in a word
WORDS = SIDE * SIDE
ROW = SIDE + 1  # nodes along each axis
ROWS = ROW**2
NODES = ROW**3
CUBE = 2  # cells along the side of the cubes of a brick, in which surface is looked for

EVERY_NODE = 2**ROW - 1  # signs of a row that is inside


@functools.cache
def brick_kernels() -> SimpleNamespace:
    """The kernels for values of bricks, and those that `cell_kernels` gives."""
    return SimpleNamespace(
        mark_inside=mark_inside,
        write_signs=write_signs,
        find_crossed=find_crossed,
        number_crossed=number_crossed,
        write_words=write_words,
        write_vertices=write_vertices,
        **vars(cell_kernels(WordLayout(SIDE, ti.u8, cells_of, around))),
    )


@ti.func
def cells_of(words: ti.template(), word, sizes: ti.template()):
    """See WordLayout."""
    return ti.cast(words[word, WordColumn.CROSSED], ti.u32)


@ti.func
def around(word, sizes: ti.template(), brick_numbers: ti.template(), bricks: ti.template()):
    """See WordLayout."""
    brick = word // WORDS
    x = word // SIDE % SIDE
    y = word % SIDE
    at = ti.Vector([bricks[brick, 0], bricks[brick, 1], bricks[brick, 2]])
    begin = ti.Vector([SIDE * at[0] + x, SIDE * at[1] + y, SIDE * at[2]])
    here = ti.Vector([0] * 4)
    above = ti.Vector([0] * 4)
    for c in ti.static(range(4)):
        i = x + c % 2
        j = y + c // 2
        row = i % SIDE * SIDE + j % SIDE
        number = brick
        if i == SIDE or j == SIDE:
            number = brick_numbers[at[0] + i // SIDE, at[1] + j // SIDE, at[2]]
        here[c] = ti.select(number < 0, number, number * WORDS + row)
        number = brick_numbers[at[0] + i // SIDE, at[1] + j // SIDE, at[2] + 1]
        above[c] = ti.select(number < 0, number, number * WORDS + row)
    return begin, here, above


@ti.kernel
def mark_inside(
    blocks: ti.types.ndarray(ti.i32, 2), brick_numbers: ti.types.ndarray(ti.i32, 3), span: ti.i32,
    bricks_x: ti.i32, bricks_y: ti.i32, bricks_z: ti.i32, count: ti.i32,
):  # fmt: skip
    """Say that all bricks of some blocks are inside."""
    for block in range(count):
        for x in range(span * blocks[block, 0], ti.min(span * (blocks[block, 0] + 1), bricks_x)):
            for y in range(span * blocks[block, 1], ti.min(span * (blocks[block, 1] + 1), bricks_y)):
                for z in range(span * blocks[block, 2], ti.min(span * (blocks[block, 2] + 1), bricks_z)):
                    brick_numbers[x, y, z] = INSIDE


@ti.kernel
def write_signs(values: ti.types.ndarray(ti.f32, 2), level: ti.f32, signs: ti.types.ndarray(ti.i32, 2), count: ti.i32):
    """Signs of the nine nodes of each row of the bricks."""
    for index in range(count):
        brick = index // ROWS
        row = index % ROWS
        word = 0
        for bit in ti.static(range(ROW)):
            word |= ti.select(values[brick, row * ROW + bit] < level, 1 << bit, 0)
        signs[brick, row] = word


@ti.kernel
def find_crossed(
    signs: ti.types.ndarray(ti.i32, 2),
    bricks: ti.types.ndarray(ti.i32, 2),
    brick_numbers: ti.types.ndarray(ti.i32, 3),
    ends: ti.types.ndarray(ti.i32, 1),
    count: ti.i32,
):
    """Whether a brick has nodes on both sides, 0 or 1, one place late; on which side it is if not."""
    for brick in range(count):
        some = 0
        every = EVERY_NODE
        for row in range(ROWS):
            some |= signs[brick, row]
            every &= signs[brick, row]
        ends[brick + 1] = ti.select(some != 0 and every != EVERY_NODE, 1, 0)
        side = ti.select(every == EVERY_NODE, INSIDE, OUTSIDE)
        brick_numbers[bricks[brick, 0], bricks[brick, 1], bricks[brick, 2]] = side


@ti.kernel
def number_crossed(
    bricks: ti.types.ndarray(ti.i32, 2),
    ends: ti.types.ndarray(ti.i32, 1),
    first: ti.i32,
    chosen: ti.types.ndarray(ti.i32, 1),
    crossed: ti.types.ndarray(ti.i32, 2),
    brick_numbers: ti.types.ndarray(ti.i32, 3),
    count: ti.i32,
):
    """The bricks with nodes on both sides, numbered from `first` on."""
    for brick in range(count):
        place = ends[brick]
        if ends[brick + 1] > place:
            chosen[place] = brick
            for axis in ti.static(range(3)):
                crossed[place, axis] = bricks[brick, axis]
            brick_numbers[bricks[brick, 0], bricks[brick, 1], bricks[brick, 2]] = first + place


@ti.func
def rows(signs: ti.template(), chosen: ti.template(), bricks: ti.template(), sizes: ti.template(), word):
    """Where a word begins, its brick and row, signs of its row and of those at i + 1, j + 1 and both, and its nodes and
    lower ends of edges along z as bits."""
    brick = word // WORDS
    x = word // SIDE % SIDE
    y = word % SIDE
    begin = ti.Vector([SIDE * bricks[brick, 0] + x, SIDE * bricks[brick, 1] + y, SIDE * bricks[brick, 2]])
    nodes = ti.u32(0)
    if begin[0] < sizes[0] and begin[1] < sizes[1]:
        nodes = first_bits(sizes[2] - begin[2], SIDE)
    lower = nodes & first_bits(sizes[2] - 1 - begin[2], SIDE)
    own = chosen[brick]
    row = x * ROW + y
    four = ti.Vector([ti.u32(0)] * 4)
    for c in ti.static(range(4)):
        four[c] = ti.cast(signs[own, row + c % 2 * ROW + c // 2], ti.u32)
    return begin, own, row, four, nodes, lower


@ti.kernel
def write_words(
    values: ti.types.ndarray(ti.f32, 1),
    stride: ti.i32,
    signs: ti.types.ndarray(ti.i32, 2),
    chosen: ti.types.ndarray(ti.i32, 1),
    bricks: ti.types.ndarray(ti.i32, 2),
    sizes: ti.types.ndarray(ti.i32, 1),
    level: ti.f32,
    words: ti.types.ndarray(ti.u8, 2),
    starts: ti.types.ndarray(ti.i32, 1),
    count: ti.i32,
):
    """Signs, decisions, crossed cells, and crossed edges along x, y and z, one place late."""
    for word in range(count):
        begin, brick, row, four, nodes, lower = rows(signs, chosen, bricks, sizes, word)
        own, right, behind, diagonal = four[0], four[1], four[2], four[3]
        more_x = begin[0] + 1 < sizes[0]
        more_y = begin[1] + 1 < sizes[1]
        words[word, WordColumn.SIGNS] = ti.cast(own & nodes, ti.u8)
        starts[3 * word + 1] = ti.select(more_x, ti.math.popcnt((own ^ right) & nodes), 0)
        starts[3 * word + 2] = ti.select(more_y, ti.math.popcnt((own ^ behind) & nodes), 0)
        starts[3 * word + 3] = ti.math.popcnt((own ^ (own >> 1)) & lower)
        some = own | right | behind | diagonal
        every = own & right & behind & diagonal
        cells = (some | (some >> 1)) & ~(every & (every >> 1)) & lower
        words[word, WordColumn.CROSSED] = ti.cast(ti.select(more_x and more_y, cells, ti.u32(0)), ti.u8)
        first = brick * stride + row * ROW
        across_x = ambiguous_faces(own, behind, own >> 1, behind >> 1) & lower
        across_y = ambiguous_faces(own, right, own >> 1, right >> 1) & lower
        across_z = ambiguous_faces(own, right, behind, diagonal) & nodes
        joined_x = joined_faces(across_x, values, first, ROW, 1, level)
        joined_y = joined_faces(across_y, values, first, ROWS, 1, level)
        joined_z = joined_faces(across_z, values, first, ROWS, ROW, level)
        words[word, WordColumn.JOINED] = ti.cast(joined_x, ti.u8)
        words[word, WordColumn.JOINED + 1] = ti.cast(joined_y, ti.u8)
        words[word, WordColumn.JOINED + 2] = ti.cast(joined_z, ti.u8)


@ti.kernel
def write_vertices(
    values: ti.types.ndarray(ti.f32, 1),
    stride: ti.i32,
    signs: ti.types.ndarray(ti.i32, 2),
    chosen: ti.types.ndarray(ti.i32, 1),
    bricks: ti.types.ndarray(ti.i32, 2),
    sizes: ti.types.ndarray(ti.i32, 1),
    level: ti.f32,
    words: ti.types.ndarray(ti.u8, 2),
    starts: ti.types.ndarray(ti.i32, 1),
    before: ti.i32,
    coordinates: ti.types.ndarray(ti.f32, 1),
    vertices: ti.types.ndarray(ti.f32, 2),
    count: ti.i32,
):
    """Vertices on crossed edges, without the `before` first."""
    for word in range(count):
        vertex = starts[3 * word] - before
        if starts[3 * word + 3] - before > vertex:
            begin, brick, row, four, nodes, lower = rows(signs, chosen, bricks, sizes, word)
            first = ti.Vector([begin[0], sizes[0] + begin[1], sizes[0] + sizes[1] + begin[2]])
            for axis in ti.static(range(3)):
                crossed = (four[0] ^ (four[0] >> 1)) & lower
                step = 1
                if ti.static(axis == 0):
                    crossed = (four[0] ^ four[1]) & nodes & ti.select(begin[0] + 1 < sizes[0], ~ti.u32(0), 0)
                    step = ROWS
                elif ti.static(axis == 1):
                    crossed = (four[0] ^ four[2]) & nodes & ti.select(begin[1] + 1 < sizes[1], ~ti.u32(0), 0)
                    step = ROW
                while crossed != ti.u32(0):
                    bit = lowest_bit(crossed)
                    crossed &= crossed - ti.u32(1)
                    at = brick * stride + row * ROW + bit
                    write_crossing(
                        vertices, vertex, coordinates, first, bit, axis, values[at], values[at + step], level
                    )
                    vertex += 1
