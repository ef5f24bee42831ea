"""The planes of a program's outermost union, which rays meet in closed form."""

from enum import IntEnum

import torch

from .operations import FRAME_SIZES, HEAD_SIZE, Column, FrameKind
from .program import Program


class PlaneColumn(IntEnum):
    """What the columns of a table of planes hold: n · p = offset."""

    X = 0  # of the unit normal
    Y = 1
    Z = 2
    OFFSET = 3


def plane_equations(program: Program) -> torch.Tensor:
    """Unit normals and offsets (K, 4) float32 of the planes n · p = offset in rows 0 … K - 1, in scene units."""
    numbers = program.parameters.detach().float()
    table = [
        _plane(FrameKind(row[Column.FRAME]), numbers[row[Column.PARAMETERS] + HEAD_SIZE :])
        for row in program.rows[: program.planes].tolist()
    ]
    return torch.stack(table) if table else numbers.new_zeros(0, 4)


def plane_shapes(program: Program) -> torch.Tensor:
    """Shape numbers (K,) int32 of the same planes."""
    return program.rows[: program.planes, Column.SHAPE].contiguous()


def _plane(frame: FrameKind, numbers: torch.Tensor) -> torch.Tensor:
    """n · (A p + t) = offset as a plane of p; `numbers` start with the row's frame."""
    inside = FRAME_SIZES[frame]
    normal, offset = numbers[inside : inside + 3], numbers[inside + 3]
    if frame == FrameKind.SHIFT:
        offset = offset - normal @ numbers[1:4]
        normal = normal * numbers[0]
    elif frame == FrameKind.AFFINE:
        matrix = numbers[:12].reshape(3, 4)
        offset = offset - normal @ matrix[:, 3]
        normal = normal @ matrix[:, :3]
    plane: torch.Tensor = torch.cat([normal, offset[None]]) / normal.norm()
    return plane
