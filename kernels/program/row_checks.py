"""What a program must be, so that nothing that runs it reads or writes outside its tensors."""

import functools

import torch

from ..formulas import BRICK_NODES, HEADER_SIZE, MAXIMUM_CELLS, Header
from .operations import (
    CLEAR,
    FIRST_WARP,
    FRAME_SIZES,
    HEAD_SIZE,
    NESTING,
    OPERATION_NUMBERS,
    OPERATIONS,
    POINT_REGISTERS,
    SAMPLES,
    SKIP,
    SPHERE_SIZE,
    VALUE_REGISTERS,
    Block,
    Column,
    Combine,
)


@functools.cache
def _parameter_counts() -> torch.Tensor:
    return torch.tensor([len(operation.parameters) for operation in OPERATIONS])


def check_rows(rows: torch.Tensor, parameter_count: int, shape_count: int) -> None:
    """Refuse rows that would make the machine read or write outside its registers and tensors."""
    count = len(rows)
    column = {name: rows[:, name] for name in Column}
    operation = column[Column.OPERATION]

    def require(good: torch.Tensor, what: str) -> None:
        if not bool(good.all()):
            at = int((~good).nonzero()[0])
            raise ValueError(f"rows: row {at} has {what}: {rows[at].tolist()}")

    def within(name: Column, low: int, high: int) -> None:
        require((column[name] >= low) & (column[name] < high), f"a {name.name.lower()} outside {low} … {high - 1}")

    within(Column.OPERATION, 0, len(OPERATIONS))
    warp = operation >= FIRST_WARP
    within(Column.TARGET, 0, VALUE_REGISTERS)
    require(~warp | ((column[Column.TARGET] > 0) & (column[Column.TARGET] < POINT_REGISTERS)), "a bad point register")
    within(Column.POINT, 0, POINT_REGISTERS)
    within(Column.VALUE, 0, VALUE_REGISTERS)
    within(Column.COMBINE, 0, len(Combine))
    within(Column.FRAME, 0, len(FRAME_SIZES))
    within(Column.SHAPE, -1, shape_count)
    within(Column.SKIP, 0, count + 1)
    jumps = operation == SKIP
    require(~jumps | (torch.arange(count) + column[Column.SKIP] < count), "a jump past the end")
    frame = torch.tensor([FRAME_SIZES[key] for key in sorted(FRAME_SIZES)])[column[Column.FRAME]]
    numbers = _parameter_counts()[operation]
    polygon = torch.tensor([operation.role == "polygon" for operation in OPERATIONS])[operation]
    require(~polygon | (column[Column.DATA] >= 3), "fewer than 3 corners")
    numbers = torch.where(polygon, 2 * column[Column.DATA], numbers)
    spheres = jumps | (column[Column.SKIP] > 0)
    start = column[Column.PARAMETERS] - torch.where(spheres, SPHERE_SIZE, 0)
    stop = column[Column.PARAMETERS] + HEAD_SIZE + torch.where(jumps, 0, frame + numbers)
    require((operation == CLEAR) | ((start >= 0) & (stop <= parameter_count)), "parameters outside the vector")


def check_groups(rows: torch.Tensor) -> None:
    """Refuse groups (skips that a tile may leave out as a whole) that cross or nest deeper than a tile holds."""
    starts = ((rows[:, Column.OPERATION] == SKIP) & (rows[:, Column.DATA] == 1)).nonzero().flatten()
    ends = starts + rows[starts, Column.SKIP]
    open_ends: list[int] = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        while open_ends and open_ends[-1] < start:
            open_ends.pop()
        if open_ends and open_ends[-1] < end:
            raise ValueError(f"rows: row {start} has a group that outlasts the one around it: {rows[start].tolist()}")
        open_ends.append(end)
        if len(open_ends) > NESTING:
            raise ValueError(f"rows: row {start} has a group nested deeper than {NESTING}: {rows[start].tolist()}")


def check_planes(rows: torch.Tensor, count: int, parameters: torch.Tensor) -> None:
    """Refuse rows said to be planes of the outermost union that are anything else."""
    if not 0 <= count <= len(rows):
        raise ValueError(f"planes: expected at most as many as there are rows, got {count}")
    sharp = parameters.detach().cpu()[rows[:, Column.PARAMETERS] + Block.SUPPORT] == 0.0
    outermost = (
        (rows[:, Column.OPERATION] == OPERATION_NUMBERS["plane"]) & (rows[:, Column.COMBINE] == Combine.UNION) & sharp
    )
    outermost &= (rows[:, Column.TARGET] == 0) & (rows[:, Column.POINT] == 0)
    if not bool(outermost.all()):
        at = int((~outermost).nonzero()[0])
        raise ValueError(f"planes: row {at} is not a plane of the outermost union: {rows[at].tolist()}")


def check_samples(rows: torch.Tensor, parameter_count: int, data: torch.Tensor) -> None:
    """Refuse rows that read samples where no whole block of them stands."""
    reading = (rows[:, Column.OPERATION] == SAMPLES).nonzero().flatten()
    first = {start: at for at, start in zip(reading.tolist(), rows[reading, Column.DATA].tolist(), strict=True)}
    for start, at in first.items():
        block = data[start - parameter_count :] if start >= parameter_count else data[:0]
        cells = [int(number) for number in block[: Header.CELLS_Z + 1].nan_to_num().tolist()]
        table, corners = 1, 1
        for number in cells:
            table, corners = table * number, corners * (number + 1)
        whole = (
            len(block) >= HEADER_SIZE
            and bool(block.isfinite().all())
            and all(1 <= number <= MAXIMUM_CELLS for number in cells)
        )
        if whole:
            bricks = block[HEADER_SIZE : HEADER_SIZE + table]
            last = int(bricks.max()) + 1 if len(bricks) == table else 0
            whole = len(bricks) == table and len(block) >= HEADER_SIZE + table + corners + last * BRICK_NODES
        if not whole:
            raise ValueError(f"rows: row {at} reads samples where no whole block of them stands: {rows[at].tolist()}")
