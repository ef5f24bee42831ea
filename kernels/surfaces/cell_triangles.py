"""Device code of marching cubes: from words of signs to triangles.

A word holds the signs of nodes that follow each other along z, and who owns them counts their edges: the word's
x-edges, y-edges and z-edges that are crossed are numbered from three starts of its own, upwards. So the number of any
vertex follows from a start and the signs below it, words can be worked on in any order, and the mesh is always the
same.
"""

from types import SimpleNamespace
from typing import Any, NamedTuple

from ..runtime import ti
from .bits import WordColumn, bits_below, is_set, lowest_bit
from .triangle_tables import CENTRE, PatternColumn, TriangulationColumn

INSIDE, OUTSIDE = -2, -1  # in place of a word's number, where all of its nodes are on one side


class WordLayout(NamedTuple):
    """How words lie in a volume, or in bricks.

    `cells_of(words, word, sizes)` gives which of the word's nodes are the lowest of a cell, all but some of cells that
    are not crossed. `around(word, sizes, brick_numbers, bricks)` gives where the word begins (i, j, k), the four words
    of the cells' edges along z (at i and i + 1, then the same at j + 1), and the four that follow them along z.
    """

    nodes: int  # of a word
    stored: Any  # type of a word
    cells_of: Any
    around: Any


def cell_kernels(layout: WordLayout) -> SimpleNamespace:
    """Kernels that count and write the triangles of words."""
    return SimpleNamespace(count_cells=_count_kernel(layout), write_cells=_write_kernel(layout))


def _cell_functions(layout: WordLayout) -> tuple[Any, Any, Any]:
    """`gather(words, here, above)`, `crossed(low, high)` and `triangulation(low, high, bit, patterns, words, here,
    above)`."""
    every_node = (1 << layout.nodes) - 1
    last = layout.nodes - 1

    @ti.func
    def read(words: ti.template(), index, column):
        word = ti.u32(0)
        if index >= 0:
            word = ti.cast(words[index, column], ti.u32)
        elif index == INSIDE and column == WordColumn.SIGNS:
            word = ti.u32(every_node)
        return word

    @ti.func
    def gather(words: ti.template(), here: ti.template(), above: ti.template()):
        """Signs of the four words, and the same one node further along z."""
        low = ti.Vector([ti.u32(0)] * 4)
        high = ti.Vector([ti.u32(0)] * 4)
        for c in ti.static(range(4)):
            low[c] = read(words, here[c], WordColumn.SIGNS)
            high[c] = (low[c] >> 1) | ((read(words, above[c], WordColumn.SIGNS) & ti.u32(1)) << last)
        return low, high

    @ti.func
    def crossed(low: ti.template(), high: ti.template()):
        """The cells that the surface crosses, as bits."""
        some = low[0] | low[1] | low[2] | low[3] | high[0] | high[1] | high[2] | high[3]
        every = low[0] & low[1] & low[2] & low[3] & high[0] & high[1] & high[2] & high[3]
        return some & ~every

    @ti.func
    def is_joined(words: ti.template(), here: ti.template(), above: ti.template(), bit, face):
        """Whether the inside corners of an ambiguous face of the cell are connected across it."""
        axis = face // 2
        side = face % 2
        index = here[0]
        at = bit
        if side == 1:
            if axis == 0:
                index = here[1]
            elif axis == 1:
                index = here[2]
            else:
                at = bit + 1
                if at == layout.nodes:
                    at = 0
                    index = above[0]
        return is_set(read(words, index, WordColumn.JOINED + axis), at)

    @ti.func
    def triangulation(
        low: ti.template(), high: ti.template(), bit, patterns: ti.template(), words: ti.template(),
        here: ti.template(), above: ti.template(),
    ):  # fmt: skip
        """Row of the triangulations for a cell."""
        pattern = 0
        for c in ti.static(range(4)):
            pattern |= (is_set(low[c], bit) << c) | (is_set(high[c], bit) << (c + 4))
        row = patterns[pattern, PatternColumn.FIRST]
        faces = patterns[pattern, PatternColumn.AMBIGUOUS]
        place = 0
        while faces != 0:
            face = lowest_bit(ti.cast(faces, ti.u32))
            faces &= faces - 1
            row += is_joined(words, here, above, bit, face) << place
            place += 1
        return row

    return gather, crossed, triangulation


def _count_kernel(layout: WordLayout) -> Any:
    """Triangles and centres of each word, at 1 + its number."""
    gather, crossed, triangulation = _cell_functions(layout)

    @ti.kernel
    def count_cells(
        words: ti.types.ndarray(layout.stored, 2),
        sizes: ti.types.ndarray(ti.i32, 1),
        brick_numbers: ti.types.ndarray(ti.i32, 3),
        bricks: ti.types.ndarray(ti.i32, 2),
        patterns: ti.types.ndarray(ti.i32, 2),
        triangulations: ti.types.ndarray(ti.i32, 2),
        triangles: ti.types.ndarray(ti.i32, 1),
        centres: ti.types.ndarray(ti.i32, 1),
        count: ti.i32,
    ):
        for word in range(count):
            total = 0
            middles = 0
            cells = layout.cells_of(words, word, sizes)
            if cells != ti.u32(0):
                _, here, above = layout.around(word, sizes, brick_numbers, bricks)
                low, high = gather(words, here, above)
                cells &= crossed(low, high)
                while cells != ti.u32(0):
                    bit = lowest_bit(cells)
                    cells &= cells - ti.u32(1)
                    row = triangulation(low, high, bit, patterns, words, here, above)
                    total += triangulations[row, TriangulationColumn.COUNT]
                    middles += triangulations[row, TriangulationColumn.HAS_CENTRE]
            triangles[word + 1] = total
            centres[word + 1] = middles

    return count_cells


# Crossed edges by their number n along the other axes, see triangle_tables.EDGES: x-edges at j and j + 1, y-edges at i
# and i + 1, z-edges at all four.


@ti.func
def first_vertices(starts: ti.template(), here: ti.template(), above: ti.template()):
    """The first vertices on a word's crossed edges, and those of the words that follow along z."""
    firsts = ti.Vector([0] * 8)
    nexts = ti.Vector([0] * 4)
    for n in ti.static(range(2)):
        firsts[n] = starts[3 * ti.max(here[2 * n], 0)]
        firsts[2 + n] = starts[3 * ti.max(here[n], 0) + 1]
        nexts[n] = starts[3 * ti.max(above[2 * n], 0)]
        nexts[2 + n] = starts[3 * ti.max(above[n], 0) + 1]
    for n in ti.static(range(4)):
        firsts[4 + n] = starts[3 * ti.max(here[n], 0) + 2]
    return firsts, nexts


@ti.func
def number_edges(
    vertices: ti.template(), crossed: ti.template(), firsts: ti.template(), nexts: ti.template(), bit,
    last: ti.template(),
):  # fmt: skip
    """The vertices on a cell's twelve edges."""
    for n in ti.static(range(2)):
        for axis in ti.static(range(2)):
            own = firsts[2 * axis + n] + bits_below(crossed[2 * axis + n], bit)
            vertices[4 * axis + n] = own
            own += is_set(crossed[2 * axis + n], bit)
            vertices[4 * axis + n + 2] = ti.select(bit == last, nexts[2 * axis + n], own)
    for n in ti.static(range(4)):
        vertices[8 + n] = firsts[4 + n] + bits_below(crossed[4 + n], bit)


def _write_kernel(layout: WordLayout) -> Any:
    """Triangles (F, 3), and the cells (i, j, k) whose middle is a vertex."""
    gather, crossed, triangulation = _cell_functions(layout)
    last = layout.nodes - 1

    @ti.kernel
    def write_cells(
        words: ti.types.ndarray(layout.stored, 2),
        sizes: ti.types.ndarray(ti.i32, 1),
        brick_numbers: ti.types.ndarray(ti.i32, 3),
        bricks: ti.types.ndarray(ti.i32, 2),
        patterns: ti.types.ndarray(ti.i32, 2),
        triangulations: ti.types.ndarray(ti.i32, 2),
        starts: ti.types.ndarray(ti.i32, 1),
        triangles: ti.types.ndarray(ti.i32, 1),
        centres: ti.types.ndarray(ti.i32, 1),
        first_centre: ti.i32,
        faces: ti.types.ndarray(ti.i32, 2),
        centred_cells: ti.types.ndarray(ti.i32, 2),
        count: ti.i32,
    ):
        for word in range(count):
            face = triangles[word]
            if triangles[word + 1] > face:
                begin, here, above = layout.around(word, sizes, brick_numbers, bricks)
                low, high = gather(words, here, above)
                cells = layout.cells_of(words, word, sizes) & crossed(low, high)
                centre = centres[word]
                edges = ti.Vector([
                    low[0] ^ low[1], low[2] ^ low[3], low[0] ^ low[2], low[1] ^ low[3],
                    low[0] ^ high[0], low[1] ^ high[1], low[2] ^ high[2], low[3] ^ high[3],
                ])  # fmt: skip
                firsts, nexts = first_vertices(starts, here, above)
                vertices = ti.Vector([0] * (CENTRE + 1))
                while cells != ti.u32(0):
                    bit = lowest_bit(cells)
                    cells &= cells - ti.u32(1)
                    number_edges(vertices, edges, firsts, nexts, bit, last)
                    vertices[CENTRE] = first_centre + centre
                    row = triangulation(low, high, bit, patterns, words, here, above)
                    if triangulations[row, TriangulationColumn.HAS_CENTRE] == 1:
                        for axis in ti.static(range(2)):
                            centred_cells[centre, axis] = begin[axis]
                        centred_cells[centre, 2] = begin[2] + bit
                        centre += 1
                    for triangle in range(triangulations[row, TriangulationColumn.COUNT]):
                        corners = triangulations[row, TriangulationColumn.TRIANGLES + triangle]
                        faces[face, 0] = vertices[corners & 15]
                        faces[face, 1] = vertices[(corners >> 4) & 15]
                        faces[face, 2] = vertices[corners >> 8]
                        face += 1

    return write_cells
