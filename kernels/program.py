"""The scene program: what the machine runs, as plain tensors that are checked once, when the program is made."""

import functools
import math
from dataclasses import dataclass, field, replace

import torch

from .formulas.samples import BRICK_NODES, HEADER
from .operations import (
    CLEAR,
    FIRST_WARP,
    FRAME_SIZES,
    HEAD_SIZE,
    NESTING,
    NUMBERS,
    OPERATIONS,
    POINT_REGISTERS,
    SAMPLES,
    SKIP,
    SPHERE_SIZE,
    VALUE_REGISTERS,
    Column,
    Combine,
)

MAXIMUM_ROWS = 2**22
Vector = tuple[float, float, float]

SURFACE_SIZE = 8  # base colour (3), roughness, metallic, emission (3)


@dataclass(frozen=True, eq=False)
class Program:
    """A scene as instructions. Rows run in order; value register 0 holds the signed distance at the end.

    Attributes:
        rows: (N, 10) int32, one instruction each; `operations.Column` names the columns.
        parameters: (P,) float32 (float64 for the twin only), the numbers of all rows; may carry gradients.
        surfaces: (S, 8) float32, the material of each shape: base colour, roughness, metallic, emission; a negative
            roughness says that the shape has none, so where it cuts another the other's shows.
        names: S names, by shape number.
        sphere: centre and radius of a ball that holds the surface of every part that ends.
        subject: the same ball of what the scene shows, without its stage; radius 0 if none of it ends.
        box: lower and upper corner of a box that holds the surface of the subject, infinite where it has no end.
        endless: whether there are parts, other than the planes, that do not end (an infinite repeat).
        planes: number of rows at the start that are planes of the outermost union, which rays meet in closed form.
        data: (D,) float32, what sampled leaves read, one block of bricks after the other; without gradients.
        sampling: (S, 2) float32, of each shape the side of a voxel and by how much its values were made smaller to be
            bounds (0 and 1 of what is not sampled); empty if nothing is.

    Raises:
        TypeError: a tensor has the wrong dtype.
        ValueError: a shape is wrong, or a row names an operation, register, parameter or row that does not exist.
    """

    rows: torch.Tensor
    parameters: torch.Tensor
    surfaces: torch.Tensor
    names: tuple[str, ...]
    sphere: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    subject: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    box: tuple[Vector, Vector] = ((-math.inf,) * 3, (math.inf,) * 3)
    endless: bool = True
    planes: int = 0
    data: torch.Tensor = field(default_factory=lambda: torch.empty(0))
    sampling: torch.Tensor = field(default_factory=lambda: torch.empty(0, 2))

    def __post_init__(self) -> None:
        _check_tensor("rows", self.rows, (torch.int32,), (None, len(Column)))
        _check_tensor("parameters", self.parameters, (torch.float32, torch.float64), (None,))
        _check_tensor("surfaces", self.surfaces, (torch.float32,), (len(self.names), SURFACE_SIZE))
        if len(self.rows) > MAXIMUM_ROWS:
            raise ValueError(f"rows: expected at most {MAXIMUM_ROWS}, got {len(self.rows)}")
        rows = self.rows.cpu().long()
        _check_rows(rows, len(self.parameters), len(self.names))
        _check_groups(rows)
        _check_planes(rows[: self.planes], self.planes, self.parameters)
        _check_tensor("data", self.data, (torch.float32,), (None,))
        _check_tensor("sampling", self.sampling, (torch.float32,), (len(self.names) if len(self.sampling) else 0, 2))
        _check_samples(rows, len(self.parameters), self.data)

    @functools.cached_property
    def has_samples(self) -> bool:
        """Whether a row reads samples, which takes kernels that others do not need."""
        return bool((self.rows[:, Column.OPERATION] == SAMPLES).any())

    @functools.cached_property
    def divisible(self) -> bool:
        """Whether there are several parts of the outermost union that a bundle of rays may leave out."""
        skips = self.rows[:, Column.OPERATION] == SKIP
        parts = torch.where(skips, self.rows[:, Column.DATA] == 1, self.rows[:, Column.SKIP] == 1)
        return int(parts.sum()) > 1

    @property
    def numbers(self) -> torch.Tensor:
        """Parameters and data (P + D,) float32 as kernels take them, without their gradients."""
        return self.numbers_with(self.parameters)

    def numbers_with(self, parameters: torch.Tensor) -> torch.Tensor:
        """The same with other parameters (P,). The next call may overwrite what this one gave."""
        own = parameters.detach().float().contiguous()
        if len(self.data) == 0:
            return own
        self._numbers[: len(own)] = own
        return self._numbers

    @functools.cached_property
    def _numbers(self) -> torch.Tensor:
        """Memory for parameters and data in one, with the data in place: copying it at every launch takes long."""
        return torch.cat([self.parameters.detach().float(), self.data])

    def with_parameters(self, parameters: torch.Tensor) -> "Program":
        """The same instructions with other numbers, (P,) float32 or float64."""
        if parameters.shape != self.parameters.shape:
            raise ValueError(
                f"parameters: expected shape {tuple(self.parameters.shape)}, got {tuple(parameters.shape)}"
            )
        return replace(self, parameters=parameters)

    def to(self, device: torch.device | str) -> "Program":
        """The program with its tensors on another device."""
        names = ("rows", "parameters", "surfaces", "data", "sampling")
        return replace(self, **{name: getattr(self, name).to(device) for name in names})


def _check_tensor(
    name: str, tensor: torch.Tensor, dtypes: tuple[torch.dtype, ...], shape: tuple[int | None, ...]
) -> None:
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"{name}: expected a tensor, got {type(tensor).__name__}")
    if tensor.dtype not in dtypes:
        raise TypeError(f"{name}: expected {' or '.join(map(str, dtypes))}, got {tensor.dtype}")
    if tensor.ndim != len(shape) or any(want not in (None, got) for want, got in zip(shape, tensor.shape, strict=True)):
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"{name}: expected shape ({wanted}), got {tuple(tensor.shape)}")


@functools.cache
def _parameter_counts() -> torch.Tensor:
    return torch.tensor([len(operation.parameters) for operation in OPERATIONS])


def _check_rows(rows: torch.Tensor, parameter_count: int, shape_count: int) -> None:
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


def _check_groups(rows: torch.Tensor) -> None:
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


def _check_planes(rows: torch.Tensor, count: int, parameters: torch.Tensor) -> None:
    """Refuse rows said to be planes of the outermost union that are anything else."""
    if not 0 <= count <= len(rows):
        raise ValueError(f"planes: expected at most as many as there are rows, got {count}")
    sharp = parameters.detach().cpu()[rows[:, Column.PARAMETERS] + 1] == 0.0
    outermost = (rows[:, Column.OPERATION] == NUMBERS["plane"]) & (rows[:, Column.COMBINE] == Combine.UNION) & sharp
    outermost &= (rows[:, Column.TARGET] == 0) & (rows[:, Column.POINT] == 0)
    if not bool(outermost.all()):
        at = int((~outermost).nonzero()[0])
        raise ValueError(f"planes: row {at} is not a plane of the outermost union: {rows[at].tolist()}")


def _check_samples(rows: torch.Tensor, parameter_count: int, data: torch.Tensor) -> None:
    """Refuse rows that read samples where no whole block of them stands."""
    reading = (rows[:, Column.OPERATION] == SAMPLES).nonzero().flatten()
    first = {start: at for at, start in zip(reading.tolist(), rows[reading, Column.DATA].tolist(), strict=True)}
    for start, at in first.items():
        block = data[start - parameter_count :] if start >= parameter_count else data[:0]
        cells = [int(number) for number in block[:3].nan_to_num().tolist()]
        table, corners = 1, 1
        for number in cells:
            table, corners = table * number, corners * (number + 1)
        whole = len(block) >= HEADER and bool(block.isfinite().all()) and all(1 <= number <= 4096 for number in cells)
        if whole:
            bricks = block[HEADER : HEADER + table]
            last = int(bricks.max()) + 1 if len(bricks) == table else 0
            whole = len(bricks) == table and len(block) >= HEADER + table + corners + last * BRICK_NODES
        if not whole:
            raise ValueError(f"rows: row {at} reads samples where no whole block of them stands: {rows[at].tolist()}")
