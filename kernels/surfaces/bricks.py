"""Marching cubes over the few bricks of a volume that the surface meets; only these are evaluated or held in memory.

A brick is 8³ cells. It holds the values of the 9³ nodes around them, and owns the lowest 8³ of these and the edges that
start there. What is kept of it are the signs of its nodes, the decisions on its ambiguous faces, and where the numbers
of its vertices start. A brick that is left out is on one side of the surface as a whole, and so are the edges it owns.
"""

from typing import Any

import torch

from .. import runtime
from ..runtime import memory
from .bits import WordColumn
from .brick_kernels import NODES, ROW, ROWS, SIDE, WORDS, brick_kernels
from .cell_triangles import OUTSIDE
from .nodes import corners, node_coordinates
from .word_meshes import cell_centres, exclusive_sums, faces_of_words


class Bricks:
    """The mesh of a volume that is handed over brick by brick.

    Args:
        shape: nodes of the whole volume along x, y and z; with one along an axis there are no cells, and no mesh.
        bounds: lower and upper corner, in which the nodes lie from border to border; None for [-1, 1]³.
        level: value on the surface.
        device: where the bricks are.

    Attributes:
        brick_counts: bricks of the volume along each axis.
        brick_numbers: (X + 1, Y + 1, Z + 1) int32, of each brick its number among those that hold surface, or INSIDE or
            OUTSIDE; one more on every side, so that the last brick has neighbours too.
        sizes: the shape as int32.
        crossed: (B, 3) int32, the bricks that hold surface, after `mesh`.
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
        self.coordinates = node_coordinates(shape, *corners(bounds), torch.empty(0, device=device))
        like: dict[str, Any] = {"dtype": torch.int32, "device": device}
        self.brick_numbers = torch.full([side + 1 for side in self.brick_counts], OUTSIDE, **like)
        self.sizes = torch.tensor(shape, **like)
        self.crossed = torch.empty(0, 3, **like)
        self.first_vertices = torch.zeros(1, **like)
        self._bricks: list[torch.Tensor] = []
        self._words: list[torch.Tensor] = []
        self._starts: list[torch.Tensor] = [torch.zeros(1, **like)]
        self._vertices: list[torch.Tensor] = []
        self._count = self._on_edges = 0

    def mark_inside(self, blocks: torch.Tensor, span: int) -> None:
        """Say that all bricks in blocks (N, 3) int32 of `span`³ bricks, which will not be added, are inside."""
        runtime.run(brick_kernels().mark_inside, blocks, self.brick_numbers, span, *self.brick_counts, len(blocks))

    def add(self, bricks: torch.Tensor, values: torch.Tensor) -> None:
        """Add bricks (B, 3) int32, each once, with the values (B, at least 9³) float32 of their nodes, contiguous.

        Nodes follow each other along z, then y, then x. Those past the end of the volume have the value of the last one
        before it.
        """
        kernels = brick_kernels()
        signs = torch.empty(len(bricks), ROWS, dtype=torch.int32, device=values.device)
        runtime.run(kernels.write_signs, values, self.level, signs, signs.numel())
        ends = torch.empty(len(bricks) + 1, dtype=torch.int32, device=values.device)
        runtime.run(kernels.find_crossed, signs, bricks, self.brick_numbers, ends, len(bricks))
        count = exclusive_sums(ends)
        if count == 0 or min(self.shape) == 1:
            return
        chosen, crossed = ends.new_empty(count), ends.new_empty(count, 3)
        runtime.run(kernels.number_crossed, bricks, ends, self._count, chosen, crossed, self.brick_numbers, len(bricks))
        words = torch.empty(count * WORDS, WordColumn.CROSSED + 1, dtype=torch.uint8, device=values.device)
        starts = memory.empty(3 * count * WORDS + 1, like=self.sizes)
        own = (values.view(-1), values.shape[1], signs, chosen, crossed, self.sizes, self.level, words, starts)
        runtime.run(kernels.write_words, *own, count * WORDS)
        before, self._on_edges = self._on_edges, exclusive_sums(starts, self._on_edges)
        vertices = memory.empty(self._on_edges - before, 3, like=values)
        runtime.run(kernels.write_vertices, *own, before, self.coordinates, vertices, count * WORDS)
        self._bricks.append(crossed)
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
            indices.append((first + torch.arange(ROW, device=values.device)).clamp(max=nodes - 1))
        planes = values[torch.arange(ROW, device=values.device).clamp(max=len(values) - 1)]
        # Few rows of bricks at a time: what is gathered is larger than the layer itself.
        for y in range(self.brick_counts[1]):
            parts = planes[:, indices[0][y]][:, :, indices[1]]  # (9, 9, side, 9)
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
        self.crossed, self.first_vertices = bricks, starts[:: 3 * WORDS].clone()
        faces, centres = faces_of_words(
            brick_kernels(), words, self.sizes, self.brick_numbers, bricks, starts, self._on_edges
        )
        vertices = memory.empty(self._on_edges + len(centres), 3, like=self.coordinates)
        at = 0
        while self._vertices:
            part = self._vertices.pop(0)
            vertices[at : at + len(part)] = part
            at += len(part)
        vertices[at:] = cell_centres(centres, self.coordinates, list(self.shape))
        return vertices, faces
