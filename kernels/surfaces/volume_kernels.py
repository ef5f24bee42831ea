"""Kernels of marching cubes over a whole volume: its signs, crossed edges and vertices."""

import functools
from types import SimpleNamespace
from typing import Any

from ..runtime import ti
from .bits import WordColumn, first_bits, lowest_bit
from .cell_triangles import WordLayout, cell_kernels
from .crossings import ambiguous_faces, joined_faces, write_crossing

WORD = 32  # nodes in a word


@functools.cache
def volume_kernels(dtype: Any) -> SimpleNamespace:
    """The kernels `write_signs`, `count_edges`, `write_vertices`, and those that `cell_kernels` gives.

    `sizes` are the nodes along x, y and z, and the words along z.
    """
    return SimpleNamespace(
        write_signs=_signs_kernel(dtype),
        count_edges=_edges_kernel(dtype),
        write_vertices=_vertices_kernel(dtype),
        **vars(cell_kernels(WordLayout(WORD, ti.i32, cells_of, around))),
    )


@ti.func
def where(word, sizes: ti.template()):
    """First node (i, j, k) of a word, its place in the volume, whether there are nodes at i + 1 and at j + 1."""
    row = word // sizes[3]
    i = row // sizes[1]
    j = row % sizes[1]
    k = (word % sizes[3]) * WORD
    begin = ti.Vector([i, j, k])
    return begin, row * sizes[2] + k, i + 1 < sizes[0], j + 1 < sizes[1]


@ti.func
def cells_of(words: ti.template(), word, sizes: ti.template()):
    """See WordLayout."""
    begin, _, more_x, more_y = where(word, sizes)
    return ti.select(more_x and more_y, first_bits(sizes[2] - 1 - begin[2], WORD), ti.u32(0))


@ti.func
def around(word, sizes: ti.template(), brick_numbers: ti.template(), bricks: ti.template()):
    """See WordLayout."""
    begin, _, more_x, more_y = where(word, sizes)
    here = ti.Vector([word] * 4)
    next_row = sizes[3]
    next_slab = sizes[1] * sizes[3]
    if more_x:
        here[1] += next_slab
        here[3] += next_slab
    if more_y:
        here[2] += next_row
        here[3] += next_row
    above = ti.Vector([-1] * 4)
    if begin[2] + WORD < sizes[2]:
        above = here + 1
    return begin, here, above


def _signs_kernel(dtype: Any) -> Any:
    @ti.kernel
    def write_signs(
        values: ti.types.ndarray(dtype, 1),
        sizes: ti.types.ndarray(ti.i32, 1),
        level: dtype,
        words: ti.types.ndarray(ti.i32, 2),
        count: ti.i32,
    ):
        for word in range(count):
            begin, node, _, _ = where(word, sizes)
            signs = ti.u32(0)
            if begin[2] + WORD <= sizes[2]:
                for bit in ti.static(range(WORD)):
                    signs |= ti.select(values[node + bit] < level, ti.u32(1 << bit), ti.u32(0))
            else:
                for bit in range(sizes[2] - begin[2]):
                    signs |= ti.select(values[node + bit] < level, ti.u32(1) << bit, ti.u32(0))
            words[word, WordColumn.SIGNS] = ti.cast(signs, ti.i32)

    return write_signs


@ti.func
def signs_of(words: ti.template(), word):
    """The signs of a word's nodes."""
    return ti.cast(words[word, WordColumn.SIGNS], ti.u32)


@ti.func
def signs_above(signs, words: ti.template(), word, begin: ti.template(), sizes: ti.template()):
    """Signs one node further along z, of those of a word whose nodes begin as high as `begin`."""
    above = signs >> 1
    if begin[2] + WORD < sizes[2]:
        above |= signs_of(words, word + 1) << (WORD - 1)
    return above


@ti.func
def crossings(words: ti.template(), word, sizes: ti.template()):
    """Edges along z that start in the word and are crossed, and the signs at i, at i + 1, at j + 1, and at k + 1."""
    begin, node, more_x, more_y = where(word, sizes)
    own = signs_of(words, word)
    right = own
    behind = own
    if more_x:
        right = signs_of(words, word + sizes[1] * sizes[3])
    if more_y:
        behind = signs_of(words, word + sizes[3])
    above = signs_above(own, words, word, begin, sizes)
    along_z = (own ^ above) & first_bits(sizes[2] - 1 - begin[2], WORD)
    return begin, node, own, right, behind, above, along_z


def _edges_kernel(dtype: Any) -> Any:
    """Crossed edges of each word along x, y and z, one place late, and the decisions on its ambiguous faces."""

    @ti.kernel
    def count_edges(
        values: ti.types.ndarray(dtype, 1),
        sizes: ti.types.ndarray(ti.i32, 1),
        level: dtype,
        words: ti.types.ndarray(ti.i32, 2),
        starts: ti.types.ndarray(ti.i32, 1),
        count: ti.i32,
    ):
        for word in range(count):
            begin, node, own, right, behind, above, along_z = crossings(words, word, sizes)
            starts[3 * word + 1] = ti.math.popcnt(own ^ right)
            starts[3 * word + 2] = ti.math.popcnt(own ^ behind)
            starts[3 * word + 3] = ti.math.popcnt(along_z)
            more_x = begin[0] + 1 < sizes[0]
            more_y = begin[1] + 1 < sizes[1]
            diagonal = own
            if more_x and more_y:
                diagonal = signs_of(words, word + (sizes[1] + 1) * sizes[3])
            above_right = signs_above(right, words, word + ti.select(more_x, sizes[1] * sizes[3], 0), begin, sizes)
            above_behind = signs_above(behind, words, word + ti.select(more_y, sizes[3], 0), begin, sizes)
            slab = sizes[1] * sizes[2]
            row = sizes[2]
            has_above = first_bits(sizes[2] - 1 - begin[2], WORD)
            across_x = ambiguous_faces(own, behind, above, above_behind) & has_above
            across_y = ambiguous_faces(own, right, above, above_right) & has_above
            across_z = ambiguous_faces(own, right, behind, diagonal)
            joined_x = joined_faces(across_x, values, node, row, 1, level)
            joined_y = joined_faces(across_y, values, node, slab, 1, level)
            joined_z = joined_faces(across_z, values, node, slab, row, level)
            words[word, WordColumn.JOINED] = ti.cast(joined_x, ti.i32)
            words[word, WordColumn.JOINED + 1] = ti.cast(joined_y, ti.i32)
            words[word, WordColumn.JOINED + 2] = ti.cast(joined_z, ti.i32)

    return count_edges


@ti.func
def write_along(
    axis: ti.template(), crossed, step, vertex: ti.template(), node, first: ti.template(), values: ti.template(),
    coordinates: ti.template(), level, vertices: ti.template(), edges: ti.template(), only_edges,
):  # fmt: skip
    """The vertices on a word's crossed edges along an axis, from number `vertex` on, which then is the next one."""
    while crossed != ti.u32(0):
        bit = lowest_bit(crossed)
        crossed &= crossed - ti.u32(1)
        at = node + bit
        if only_edges == 1:
            edges[vertex, 0] = at
            edges[vertex, 1] = at + step
        else:
            write_crossing(vertices, vertex, coordinates, first, bit, axis, values[at], values[at + step], level)
        vertex += 1


def _vertices_kernel(dtype: Any) -> Any:
    """Vertices on crossed edges, or (only_edges 1) the nodes at the ends of these."""

    @ti.kernel
    def write_vertices(
        values: ti.types.ndarray(dtype, 1),
        coordinates: ti.types.ndarray(dtype, 1),
        sizes: ti.types.ndarray(ti.i32, 1),
        level: dtype,
        words: ti.types.ndarray(ti.i32, 2),
        starts: ti.types.ndarray(ti.i32, 1),
        vertices: ti.types.ndarray(dtype, 2),
        edges: ti.types.ndarray(ti.i64, 2),
        only_edges: ti.i32,
        count: ti.i32,
    ):
        for word in range(count):
            vertex = starts[3 * word]
            if starts[3 * word + 3] > vertex:
                begin, node, own, right, behind, _, along_z = crossings(words, word, sizes)
                first = ti.Vector([begin[0], sizes[0] + begin[1], sizes[0] + sizes[1] + begin[2]])
                slab = sizes[1] * sizes[2]
                for axis in ti.static(range(3)):
                    crossed, step = along_z, 1
                    if ti.static(axis == 0):
                        crossed, step = own ^ right, slab
                    elif ti.static(axis == 1):
                        crossed, step = own ^ behind, sizes[2]
                    write_along(
                        axis, crossed, step, vertex, node, first, values, coordinates, level, vertices, edges,
                        only_edges,
                    )  # fmt: skip

    return write_vertices
