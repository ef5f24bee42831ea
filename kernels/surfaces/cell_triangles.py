"""Device code of marching cubes: from words of signs to triangles.

A word holds the signs of `bits` nodes that follow each other along z, and who owns them counts their edges: the word's
x-edges, y-edges and z-edges that are crossed are numbered from three starts of its own, upwards. So the number of any
vertex follows from a start and the signs below it, words can be worked on in any order, and the mesh is always the
same.
"""

from types import SimpleNamespace
from typing import Any

from ..runtime import ti
from .triangle_tables import CENTRE

INSIDE, OUTSIDE = -2, -1  # in place of a word's number, where all of its nodes are on one side


@ti.func
def lowest(word):
    """Place of the lowest bit that is set."""
    return ti.math.popcnt((word & -word) - ti.u32(1))


@ti.func
def number(word, bit):
    """How many bits below `bit` are set."""
    return ti.math.popcnt(word & ((ti.u32(1) << bit) - ti.u32(1)))


@ti.func
def is_set(word, bit):
    """1 if the bit of the word is set, else 0."""
    return ti.cast((word >> bit) & ti.u32(1), ti.i32)


def reader(bits: int) -> Any:
    """Device function that reads word `index` of the signs (column 0) or of the decisions across an axis (1 + axis)."""
    full = (1 << bits) - 1

    @ti.func
    def read(words: ti.template(), index, column):
        word = ti.u32(0)
        if index >= 0:
            word = ti.cast(words[index, column], ti.u32)
        elif index == INSIDE and column == 0:
            word = ti.u32(full)
        return word

    return read


def cell_kernels(bits: int, stored: Any, cells_of: Any, around: Any) -> SimpleNamespace:
    """Kernels that count and write the triangles of words of `bits` nodes, stored as `stored`.

    `cells_of(words, word, sizes)` gives which of the word's nodes are the lowest of a cell, all but some of cells that
    are not crossed. `around(word, sizes, places, bricks)` gives where the word begins (i, j, k), the four words of the
    cells' edges along z (at i and i + 1, then the same at j + 1), and the four that follow them along z.
    """
    read = reader(bits)
    last = bits - 1

    @ti.func
    def gather(words: ti.template(), here: ti.template(), above: ti.template()):
        """Signs of the four words, and the same one node further along z."""
        low = ti.Vector([ti.u32(0)] * 4)
        high = ti.Vector([ti.u32(0)] * 4)
        for c in ti.static(range(4)):
            low[c] = read(words, here[c], 0)
            high[c] = (low[c] >> 1) | ((read(words, above[c], 0) & ti.u32(1)) << last)
        return low, high

    @ti.func
    def crossed(low: ti.template(), high: ti.template()):
        """The cells that the surface crosses, as bits."""
        some = low[0] | low[1] | low[2] | low[3] | high[0] | high[1] | high[2] | high[3]
        every = low[0] & low[1] & low[2] & low[3] & high[0] & high[1] & high[2] & high[3]
        return some & ~every

    @ti.func
    def joined(words: ti.template(), here: ti.template(), above: ti.template(), bit, face):
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
                if at == bits:
                    at = 0
                    index = above[0]
        return is_set(read(words, index, 1 + axis), at)

    @ti.func
    def filling(
        low: ti.template(), high: ti.template(), bit, patterns: ti.template(), words: ti.template(),
        here: ti.template(), above: ti.template(),
    ):  # fmt: skip
        """Row of the table of fillings for a cell."""
        pattern = 0
        for c in ti.static(range(4)):
            pattern |= (is_set(low[c], bit) << c) | (is_set(high[c], bit) << (c + 4))
        row = patterns[pattern, 0]
        faces = patterns[pattern, 1]
        place = 0
        while faces != 0:
            face = lowest(ti.cast(faces, ti.u32))
            faces &= faces - 1
            row += joined(words, here, above, bit, face) << place
            place += 1
        return row

    @ti.kernel
    def count_cells(
        words: ti.types.ndarray(stored, 2),
        sizes: ti.types.ndarray(ti.i32, 1),
        places: ti.types.ndarray(ti.i32, 3),
        bricks: ti.types.ndarray(ti.i32, 2),
        patterns: ti.types.ndarray(ti.i32, 2),
        fillings: ti.types.ndarray(ti.i32, 2),
        triangles: ti.types.ndarray(ti.i32, 1),
        centres: ti.types.ndarray(ti.i32, 1),
        count: ti.i32,
    ):
        """Triangles and centres of each word, at 1 + its number."""
        for word in range(count):
            total = 0
            middles = 0
            cells = cells_of(words, word, sizes)
            if cells != ti.u32(0):
                _, here, above = around(word, sizes, places, bricks)
                low, high = gather(words, here, above)
                cells &= crossed(low, high)
                while cells != ti.u32(0):
                    bit = lowest(cells)
                    cells &= cells - ti.u32(1)
                    row = filling(low, high, bit, patterns, words, here, above)
                    total += fillings[row, 0]
                    middles += fillings[row, 1]
            triangles[word + 1] = total
            centres[word + 1] = middles

    @ti.kernel
    def write_cells(
        words: ti.types.ndarray(stored, 2),
        sizes: ti.types.ndarray(ti.i32, 1),
        places: ti.types.ndarray(ti.i32, 3),
        bricks: ti.types.ndarray(ti.i32, 2),
        patterns: ti.types.ndarray(ti.i32, 2),
        fillings: ti.types.ndarray(ti.i32, 2),
        starts: ti.types.ndarray(ti.i32, 1),
        triangles: ti.types.ndarray(ti.i32, 1),
        centres: ti.types.ndarray(ti.i32, 1),
        first_centre: ti.i32,
        faces: ti.types.ndarray(ti.i32, 2),
        cells_of_centres: ti.types.ndarray(ti.i32, 2),
        count: ti.i32,
    ):
        """Triangles (F, 3), and the cells (i, j, k) whose middle is a vertex."""
        for word in range(count):
            face = triangles[word]
            if triangles[word + 1] > face:
                begin, here, above = around(word, sizes, places, bricks)
                low, high = gather(words, here, above)
                cells = cells_of(words, word, sizes) & crossed(low, high)
                centre = centres[word]
                # Crossed edges by their number n along the other axes, see triangle_tables.EDGES: x-edges at j and j + 1,
                # y-edges at i and i + 1, z-edges at all four; their first vertices, and those of the words that follow.
                masks = ti.Vector([
                    low[0] ^ low[1], low[2] ^ low[3], low[0] ^ low[2], low[1] ^ low[3],
                    low[0] ^ high[0], low[1] ^ high[1], low[2] ^ high[2], low[3] ^ high[3],
                ])  # fmt: skip
                firsts = ti.Vector([0] * 8)
                nexts = ti.Vector([0] * 4)
                for n in ti.static(range(2)):
                    firsts[n] = starts[3 * ti.max(here[2 * n], 0)]
                    firsts[2 + n] = starts[3 * ti.max(here[n], 0) + 1]
                    nexts[n] = starts[3 * ti.max(above[2 * n], 0)]
                    nexts[2 + n] = starts[3 * ti.max(above[n], 0) + 1]
                for n in ti.static(range(4)):
                    firsts[4 + n] = starts[3 * ti.max(here[n], 0) + 2]
                vertices = ti.Vector([0] * (CENTRE + 1))
                while cells != ti.u32(0):
                    bit = lowest(cells)
                    cells &= cells - ti.u32(1)
                    for n in ti.static(range(2)):
                        for axis in ti.static(range(2)):
                            own = firsts[2 * axis + n] + number(masks[2 * axis + n], bit)
                            vertices[4 * axis + n] = own
                            own += is_set(masks[2 * axis + n], bit)
                            vertices[4 * axis + n + 2] = ti.select(bit == last, nexts[2 * axis + n], own)
                    for n in ti.static(range(4)):
                        vertices[8 + n] = firsts[4 + n] + number(masks[4 + n], bit)
                    vertices[CENTRE] = first_centre + centre
                    row = filling(low, high, bit, patterns, words, here, above)
                    if fillings[row, 1] == 1:
                        cells_of_centres[centre, 0] = begin[0]
                        cells_of_centres[centre, 1] = begin[1]
                        cells_of_centres[centre, 2] = begin[2] + bit
                        centre += 1
                    for triangle in range(fillings[row, 0]):
                        edges = fillings[row, 2 + triangle]
                        faces[face, 0] = vertices[edges & 15]
                        faces[face, 1] = vertices[(edges >> 4) & 15]
                        faces[face, 2] = vertices[edges >> 8]
                        face += 1

    return SimpleNamespace(count_cells=count_cells, write_cells=write_cells)
