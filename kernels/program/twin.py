"""The PyTorch twin of the machine: the same formulas on tensors of float32 or float64, differentiable at any order.

It runs every row (the machine's skips change nothing but the time), so it is the explanation and the derivative.
"""

from collections.abc import Callable
from typing import Any

import torch

from ..formulas import values
from ..lanes import NOTHING_KNOWN, TORCH
from .huge_points import largest_coordinate, shrinkage_of
from .operations import CLEAR, FRAME_SIZES, HEAD_SIZE, OPERATIONS, SKIP, Column, Combine, FrameKind
from .program import Program

Point = tuple[torch.Tensor, torch.Tensor, torch.Tensor]

smooth_minimum: Callable[..., torch.Tensor] = values.smooth_minimum  # formulas are untyped


def distance_twin(program: Program, points: torch.Tensor, parameters: torch.Tensor | None = None) -> torch.Tensor:
    """Signed distance of `program` at `points` (N, 3) → (N,), by the formulas on tensors; NaN where not finite.

    `parameters` (P,) replaces the program's own; gradients flow to it and to the points.
    """
    numbers = program.parameters if parameters is None else parameters
    numbers = numbers.to(points.dtype)
    # One split instead of P indexings: each would be a node of the graph with a gradient as long as the vector.
    scalars = numbers.unbind()
    data = program.data.to(points.dtype)
    somewhere = points.isfinite().all(dim=1)
    # A formula may lose a NaN, and one that it keeps would be a part of every parameter's gradient.
    defined = torch.where(somewhere[:, None], points, 0.0)
    divisor = shrinkage_of(defined, largest_coordinate(program.smallest_scale))
    x, y, z = (defined / divisor[:, None]).unbind(dim=1)
    origin: Point = (x, y, z)
    # Registers that no row has written hold what the machine's do: the origin, and NOTHING_KNOWN.
    far = torch.full_like(x, NOTHING_KNOWN)
    zero = torch.zeros_like(far)
    point_registers: dict[int, Point] = {0: origin}
    value_registers: dict[int, torch.Tensor] = {}
    for row in program.rows.tolist():
        number, target, at = row[Column.OPERATION], row[Column.TARGET], row[Column.PARAMETERS]
        if number == SKIP:
            continue
        if number == CLEAR:
            value_registers[target] = far
            continue
        operation = OPERATIONS[number]
        frame = FrameKind(row[Column.FRAME])
        point = in_frame(frame, scalars, at + HEAD_SIZE, point_registers.get(row[Column.POINT], (zero, zero, zero)))
        inside = at + HEAD_SIZE + FRAME_SIZES[frame]
        own_numbers = scalars[inside : inside + len(operation.parameters)]
        formula: Any = operation.formula
        if operation.role == "warp":
            point_registers[target] = formula(TORCH, *point, *own_numbers)
            continue
        if operation.role == "polygon":
            own = formula(TORCH, *point, scalars, inside, row[Column.DATA])
        elif operation.role == "samples":
            own = formula(TORCH, *point, data, row[Column.DATA] - len(numbers))
        elif operation.role == "value":
            own = formula(TORCH, *point, value_registers.get(row[Column.VALUE], far), *own_numbers)
        else:
            own = formula(TORCH, *point, *own_numbers)
        factor, support, quarter = scalars[at : at + HEAD_SIZE]
        held = value_registers.get(target, far)
        value_registers[target] = fold(Combine(row[Column.COMBINE]), held, own * factor, support, quarter)
    return torch.where(somewhere, value_registers.get(0, far) * divisor, torch.nan)


def in_frame(frame: FrameKind, scalars: tuple[torch.Tensor, ...], at: int, point: Point) -> Point:
    """The point in the coordinates that a row's frame, stored from `at` on, gives."""
    if frame == FrameKind.NONE:
        return point
    if frame == FrameKind.SHIFT:
        factor = scalars[at]
        return (
            point[0] * factor + scalars[at + 1],
            point[1] * factor + scalars[at + 2],
            point[2] * factor + scalars[at + 3],
        )
    a = scalars[at : at + FRAME_SIZES[FrameKind.AFFINE]]
    return (
        point[0] * a[0] + point[1] * a[1] + point[2] * a[2] + a[3],
        point[0] * a[4] + point[1] * a[5] + point[2] * a[6] + a[7],
        point[0] * a[8] + point[1] * a[9] + point[2] * a[10] + a[11],
    )


def fold(
    combine: Combine, a: torch.Tensor, b: torch.Tensor, support: torch.Tensor, quarter: torch.Tensor
) -> torch.Tensor:
    """Known value `a` and new value `b` folded as `combine` says (see `operations.Combine`)."""

    def least(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return smooth_minimum(TORCH, first, second, support, quarter)

    if combine == Combine.SET:
        return b
    if combine == Combine.UNION:
        return least(a, b)
    if combine == Combine.INTERSECTION:
        return -least(-a, -b)
    if combine == Combine.DIFFERENCE:
        return -least(-a, b)
    if combine == Combine.CUT:
        return -least(a, -b)
    return -least(-least(a, b), -least(-a, -b))
