"""Marching cubes over the few bricks of a volume that the surface meets; only these are evaluated or held in memory.

A brick is 8³ cells. It holds the values of the 9³ nodes around them, and owns the lowest 8³ of these and the edges that
start there. What is kept of it are the signs of its nodes, the decisions on its ambiguous faces, and where the numbers
of its vertices start. A brick that is left out is on one side of the surface as a whole, and so are the edges it owns.
"""

import functools
from types import SimpleNamespace
from typing import Any

import torch

from .. import runtime
from ..runtime import memory, ti
from .cell_triangles import INSIDE, OUTSIDE, cell_kernels, lowest
from .marching import add_up, corners, joined_faces, middles, node_places, triangles, write_crossing

SIDE = 8  # cells along each axis of a brick, and nodes in a word
WORDS = SIDE * SIDE
ROWS = (SIDE + 1) ** 2
NODES = (SIDE + 1) ** 3

ALL = 2 ** (SIDE + 1) - 1  # signs of a row that is inside

CROSSED = 4  # column of a word's cells that are crossed, after its signs and decisions


class Bricks:
    """The mesh of a volume that is handed over brick by brick.

    Args:
        shape: nodes of the whole volume along x, y and z; with one along an axis there are no cells, and no mesh.
        bounds: lower and upper corner, in which the nodes lie from border to border; None for [-1, 1]³.
        level: value on the surface.
        device: where the bricks are.

    Attributes:
        brick_counts: bricks of the volume along each axis.
        sizes: the shape as int32.
        met: (B, 3) int32, the bricks that hold surface, after `mesh`.
        first_vertices: (B + 1,) int32, where the vertices of each start, and where those in the middle of cells do.
        coordinates: those of the nodes along x, then y, then z, (X + Y + Z,) float32.

    Raises:
        ValueError: `bounds` are no corners.
    """

    def __init__(
        self, shape: tuple[int, int, int], bounds: Any, level: float = 0.0, device: torch.device | str = "cpu"
    ) -> None:
        self.shape, self.level = shape, level
        self.brick_counts = tuple(-(-nodes // SIDE) for nodes in shape)
        self.coordinates = node_places(shape, *corners(bounds), torch.empty(0, device=device))
        like: dict[str, Any] = {"dtype": torch.int32, "device": device}
        # One more on every side, so that the last brick has neighbours too.
        self.numbers = torch.full([side + 1 for side in self.brick_counts], OUTSIDE, **like)
        self.sizes = torch.tensor(shape, **like)
        self.met = torch.empty(0, 3, **like)
        self.first_vertices = torch.zeros(1, **like)
        self._bricks: list[torch.Tensor] = []
        self._words: list[torch.Tensor] = []
        self._starts: list[torch.Tensor] = [torch.zeros(1, **like)]
        self._vertices: list[torch.Tensor] = []
        self._count = self._on_edges = 0

    def fill(self, blocks: torch.Tensor, span: int) -> None:
        """Say that all bricks in blocks (N, 3) int32 of `span`³ bricks, which will not be added, are inside."""
        runtime.run(_brick_kernels().fill, blocks, self.numbers, span, *self.brick_counts, len(blocks))

    def add(self, bricks: torch.Tensor, values: torch.Tensor) -> None:
        """Add bricks (B, 3) int32, each once, with the values (B, at least 9³) float32 of their nodes, contiguous.

        Nodes follow each other along z, then y, then x. Those past the end of the volume have the value of the last one
        before it.
        """
        kernels = _brick_kernels()
        signs = torch.empty(len(bricks), ROWS, dtype=torch.int32, device=values.device)
        runtime.run(kernels.write_signs, values, self.level, signs, signs.numel())
        ends = torch.empty(len(bricks) + 1, dtype=torch.int32, device=values.device)
        runtime.run(kernels.find_crossed, signs, bricks, self.numbers, ends, len(bricks))
        count = add_up(ends)
        if count == 0 or min(self.shape) == 1:
            return
        chosen, met = ends.new_empty(count), ends.new_empty(count, 3)
        runtime.run(kernels.number_crossed, bricks, ends, self._count, chosen, met, self.numbers, len(bricks))
        words = torch.empty(count * WORDS, CROSSED + 1, dtype=torch.uint8, device=values.device)
        starts = memory.empty(3 * count * WORDS + 1, like=self.sizes)
        own = (values.view(-1), values.shape[1], signs, chosen, met, self.sizes, self.level, words, starts)
        runtime.run(kernels.write_words, *own, count * WORDS)
        before, self._on_edges = self._on_edges, add_up(starts, self._on_edges)
        vertices = memory.empty(self._on_edges - before, 3, like=values)
        runtime.run(kernels.write_vertices, *own, before, self.coordinates, vertices, count * WORDS)
        self._bricks.append(met)
        self._words.append(words)
        self._starts.append(starts[1:])
        self._vertices.append(vertices)
        self._count += count

    def add_layer(self, layer: int, values: torch.Tensor) -> None:
        """Add all bricks of a layer across x, given the values (9, Y, Z) float32 of its nodes.

        The last layers of a volume may lack nodes past its end.
        """
        indices = []
        for nodes, side in zip(values.shape[1:], self.brick_counts[1:], strict=True):
            first = SIDE * torch.arange(side, device=values.device)[:, None]
            indices.append((first + torch.arange(SIDE + 1, device=values.device)).clamp(max=nodes - 1))
        whole = values[torch.arange(SIDE + 1, device=values.device).clamp(max=len(values) - 1)]
        # Few rows of bricks at a time: what is gathered is larger than the layer itself.
        for y in range(self.brick_counts[1]):
            parts = whole[:, indices[0][y]][:, :, indices[1]]  # (9, 9, side, 9)
            bricks = torch.empty(self.brick_counts[2], 3, dtype=torch.int32, device=values.device)
            bricks[:, 0], bricks[:, 1] = layer, y
            bricks[:, 2] = torch.arange(self.brick_counts[2], device=values.device)
            self.add(bricks, parts.permute(2, 0, 1, 3).reshape(-1, NODES).contiguous())

    def mesh(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Vertices (V, 3) float32 and faces (F, 3) int32 of all bricks added, as `marching_cubes` gives them.

        Can be called once: what the bricks hold is given back on the way.
        """
        if self._count == 0:
            return self.coordinates.new_empty(0, 3), self.sizes.new_empty(0, 3)
        bricks, words, starts = (torch.cat(parts) for parts in (self._bricks, self._words, self._starts))
        self._bricks, self._words, self._starts = [], [], []
        self.met, self.first_vertices = bricks, starts[:: 3 * WORDS].clone()
        faces, centres = triangles(_brick_kernels(), words, self.sizes, self.numbers, bricks, starts, self._on_edges)
        vertices = memory.empty(self._on_edges + len(centres), 3, like=self.coordinates)
        at = 0
        while self._vertices:
            part = self._vertices.pop(0)
            vertices[at : at + len(part)] = part
            at += len(part)
        vertices[at:] = middles(centres, self.coordinates, list(self.shape))
        return vertices, faces


@functools.cache
def _brick_kernels() -> SimpleNamespace:
    """Kernels for values of bricks: signs, edges, vertices, and those that `cell_kernels` gives."""

    @ti.func
    def first_bits(count):
        """A word with `count` bits set, at most SIDE."""
        return (ti.u32(1) << ti.min(ti.max(count, 0), SIDE)) - ti.u32(1)

    @ti.func
    def cells_of(words: ti.template(), word, sizes: ti.template()):
        return ti.cast(words[word, CROSSED], ti.u32)

    @ti.func
    def around(word, sizes: ti.template(), places: ti.template(), bricks: ti.template()):
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
                number = places[at[0] + i // SIDE, at[1] + j // SIDE, at[2]]
            here[c] = ti.select(number < 0, number, number * WORDS + row)
            number = places[at[0] + i // SIDE, at[1] + j // SIDE, at[2] + 1]
            above[c] = ti.select(number < 0, number, number * WORDS + row)
        return begin, here, above

    @ti.kernel
    def write_signs(
        values: ti.types.ndarray(ti.f32, 2), level: ti.f32, signs: ti.types.ndarray(ti.i32, 2), count: ti.i32
    ):
        """Signs of the nine nodes of each row of the bricks."""
        for index in range(count):
            brick = index // ROWS
            row = index % ROWS
            word = 0
            for bit in ti.static(range(SIDE + 1)):
                word |= ti.select(values[brick, row * (SIDE + 1) + bit] < level, 1 << bit, 0)
            signs[brick, row] = word

    @ti.kernel
    def fill(
        blocks: ti.types.ndarray(ti.i32, 2), numbers: ti.types.ndarray(ti.i32, 3), span: ti.i32,
        side_x: ti.i32, side_y: ti.i32, side_z: ti.i32, count: ti.i32,
    ):  # fmt: skip
        """Say that all bricks of some blocks are inside."""
        for block in range(count):
            for x in range(span * blocks[block, 0], ti.min(span * (blocks[block, 0] + 1), side_x)):
                for y in range(span * blocks[block, 1], ti.min(span * (blocks[block, 1] + 1), side_y)):
                    for z in range(span * blocks[block, 2], ti.min(span * (blocks[block, 2] + 1), side_z)):
                        numbers[x, y, z] = INSIDE

    @ti.kernel
    def find_crossed(
        signs: ti.types.ndarray(ti.i32, 2),
        bricks: ti.types.ndarray(ti.i32, 2),
        numbers: ti.types.ndarray(ti.i32, 3),
        ends: ti.types.ndarray(ti.i32, 1),
        count: ti.i32,
    ):
        """Whether a brick has nodes on both sides, 0 or 1, one place late; on which side it is if not."""
        for brick in range(count):
            some = 0
            every = ALL
            for row in range(ROWS):
                some |= signs[brick, row]
                every &= signs[brick, row]
            ends[brick + 1] = ti.select(some != 0 and every != ALL, 1, 0)
            numbers[bricks[brick, 0], bricks[brick, 1], bricks[brick, 2]] = ti.select(every == ALL, INSIDE, OUTSIDE)

    @ti.kernel
    def number_crossed(
        bricks: ti.types.ndarray(ti.i32, 2),
        ends: ti.types.ndarray(ti.i32, 1),
        first: ti.i32,
        chosen: ti.types.ndarray(ti.i32, 1),
        met: ti.types.ndarray(ti.i32, 2),
        numbers: ti.types.ndarray(ti.i32, 3),
        count: ti.i32,
    ):
        """The bricks with nodes on both sides, numbered from `first` on."""
        for brick in range(count):
            place = ends[brick]
            if ends[brick + 1] > place:
                chosen[place] = brick
                for axis in ti.static(range(3)):
                    met[place, axis] = bricks[brick, axis]
                numbers[bricks[brick, 0], bricks[brick, 1], bricks[brick, 2]] = first + place

    @ti.func
    def rows(signs: ti.template(), chosen: ti.template(), bricks: ti.template(), sizes: ti.template(), word):
        """Where a word begins, its brick and row, signs of its row and of those at i + 1, j + 1 and both, and its
        nodes and lower ends of edges along z as bits."""
        brick = word // WORDS
        x = word // SIDE % SIDE
        y = word % SIDE
        begin = ti.Vector([SIDE * bricks[brick, 0] + x, SIDE * bricks[brick, 1] + y, SIDE * bricks[brick, 2]])
        nodes = ti.u32(0)
        if begin[0] < sizes[0] and begin[1] < sizes[1]:
            nodes = first_bits(sizes[2] - begin[2])
        lower = nodes & first_bits(sizes[2] - 1 - begin[2])
        own = chosen[brick]
        row = x * (SIDE + 1) + y
        four = ti.Vector([ti.u32(0)] * 4)
        for c in ti.static(range(4)):
            four[c] = ti.cast(signs[own, row + c % 2 * (SIDE + 1) + c // 2], ti.u32)
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
            begin, own, row, four, nodes, lower = rows(signs, chosen, bricks, sizes, word)
            more_x = begin[0] + 1 < sizes[0]
            more_y = begin[1] + 1 < sizes[1]
            words[word, 0] = ti.cast(four[0] & nodes, ti.u8)
            starts[3 * word + 1] = ti.select(more_x, ti.math.popcnt((four[0] ^ four[1]) & nodes), 0)
            starts[3 * word + 2] = ti.select(more_y, ti.math.popcnt((four[0] ^ four[2]) & nodes), 0)
            starts[3 * word + 3] = ti.math.popcnt((four[0] ^ (four[0] >> 1)) & lower)
            some = four[0] | four[1] | four[2] | four[3]
            every = four[0] & four[1] & four[2] & four[3]
            cells = (some | (some >> 1)) & ~(every & (every >> 1)) & lower
            words[word, CROSSED] = ti.cast(ti.select(more_x and more_y, cells, ti.u32(0)), ti.u8)
            first = own * stride + row * (SIDE + 1)
            for axis in ti.static(range(3)):
                # The face of nodes a, b, c, d across the axis.
                b = four[2]
                c = four[0] >> 1
                d = four[2] >> 1
                step_b = SIDE + 1
                step_c = 1
                among = lower
                if ti.static(axis == 1):
                    b = four[1]
                    d = four[1] >> 1
                    step_b = (SIDE + 1) * (SIDE + 1)
                elif ti.static(axis == 2):
                    b = four[1]
                    c = four[2]
                    d = four[3]
                    step_b = (SIDE + 1) * (SIDE + 1)
                    step_c = SIDE + 1
                    among = nodes
                faces = (four[0] ^ b) & ~(four[0] ^ d) & ~(b ^ c) & among
                decided = joined_faces(faces, values, first, step_b, step_c, level)
                words[word, 1 + axis] = ti.cast(decided, ti.u8)

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
        places: ti.types.ndarray(ti.f32, 1),
        vertices: ti.types.ndarray(ti.f32, 2),
        count: ti.i32,
    ):
        """Vertices on crossed edges, without the `before` first."""
        for word in range(count):
            vertex = starts[3 * word] - before
            if starts[3 * word + 3] - before > vertex:
                begin, own, row, four, nodes, lower = rows(signs, chosen, bricks, sizes, word)
                place = ti.Vector([begin[0], sizes[0] + begin[1], sizes[0] + sizes[1] + begin[2]])
                for axis in ti.static(range(3)):
                    crossed = (four[0] ^ (four[0] >> 1)) & lower
                    step = 1
                    if ti.static(axis == 0):
                        crossed = (four[0] ^ four[1]) & nodes & ti.select(begin[0] + 1 < sizes[0], ~ti.u32(0), 0)
                        step = (SIDE + 1) * (SIDE + 1)
                    elif ti.static(axis == 1):
                        crossed = (four[0] ^ four[2]) & nodes & ti.select(begin[1] + 1 < sizes[1], ~ti.u32(0), 0)
                        step = SIDE + 1
                    while crossed != ti.u32(0):
                        bit = lowest(crossed)
                        crossed &= crossed - ti.u32(1)
                        at = own * stride + row * (SIDE + 1) + bit
                        write_crossing(vertices, vertex, places, place, bit, axis, values[at], values[at + step], level)
                        vertex += 1

    own = cell_kernels(SIDE, ti.u8, cells_of, around)
    return SimpleNamespace(
        fill=fill, find_crossed=find_crossed, number_crossed=number_crossed, write_signs=write_signs,
        write_words=write_words, write_vertices=write_vertices, **vars(own),
    )  # fmt: skip
