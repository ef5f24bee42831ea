"""The triangles of words of signs, of a volume or of bricks."""

from types import SimpleNamespace

import torch

from .. import runtime
from ..lanes import arguments
from ..runtime import memory
from .triangle_tables import triangle_tables

LARGEST_WORD = 32  # nodes of one


def exclusive_sums(counts: torch.Tensor, first: int = 0) -> int:
    """Turn counts (N + 1,) int32, each one place late, into `first` and those before, in place; returns all together.

    Raises:
        ValueError: the sum is beyond 32-bit indices.
    """
    counts[0] = first
    # The sum itself is found only where there may be so many.
    if first + len(counts) * 3 * LARGEST_WORD > arguments.LARGEST_COUNT and int(counts.sum()) > arguments.LARGEST_COUNT:
        raise ValueError("values: the surface has more than 2^31 - 1 vertices or triangles; mesh parts of the volume")
    counts.cumsum_(0)
    return int(counts[-1])


def faces_of_words(
    kernels: SimpleNamespace, words: torch.Tensor, sizes: torch.Tensor, brick_numbers: torch.Tensor,
    bricks: torch.Tensor, starts: torch.Tensor, on_edges: int,
) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    """Faces (F, 3) int32 of words of signs, and the cells (C, 3) int32 whose middles follow the vertices on edges."""
    count = len(words)
    patterns, triangulations = triangle_tables(words.device)
    ends = starts.new_empty(2, count + 1)
    around = (words, sizes, brick_numbers, bricks, patterns, triangulations)
    runtime.run(kernels.count_cells, *around, ends[0], ends[1], count)
    faces = memory.empty(exclusive_sums(ends[0]), 3, like=starts)
    centres = starts.new_empty(exclusive_sums(ends[1]), 3)
    runtime.run(kernels.write_cells, *around, starts, ends[0], ends[1], on_edges, faces, centres, count)
    return faces, centres


def cell_centres(cells: torch.Tensor, coordinates: torch.Tensor, sizes: list[int]) -> torch.Tensor:
    """Middles (C, 3) of cells (C, 3) int32."""
    found = []
    for axis, line in enumerate(torch.split(coordinates, sizes[:3])):
        index = cells[:, axis].long()
        found.append((line[index] + line[index + 1]) / 2.0 if len(cells) else coordinates.new_empty(0))
    return torch.stack(found, dim=1)
