"""The scene program: what the machine runs, as plain tensors that are checked once, when the program is made."""

import functools
import math
from dataclasses import dataclass, field, replace
from enum import IntEnum

import torch

from ..lanes import LEAST_SCALE, arguments
from .operations import SAMPLES, SKIP, Column
from .row_checks import check_groups, check_planes, check_rows, check_samples

MAXIMUM_ROWS = 2**22
FLOATS = (torch.float32, torch.float64)
Vector = tuple[float, float, float]


class MaterialColumn(IntEnum):
    """What the columns of `Program.surfaces`, and of materials at points, hold; colours are linear RGB."""

    BASE_RED = 0
    BASE_GREEN = 1
    BASE_BLUE = 2
    ROUGHNESS = 3  # negative where a shape has no material
    METALLIC = 4
    EMISSION_RED = 5
    EMISSION_GREEN = 6
    EMISSION_BLUE = 7


SURFACE_SIZE = len(MaterialColumn)


class SamplingColumn(IntEnum):
    """What the columns of `Program.sampling` hold."""

    VOXEL = 0  # side of a voxel, scene units; 0 where nothing is sampled
    GROWTH = 1  # by how much values must grow to be as large as before they were made bounds


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
    smallest_scale: float = 1.0

    def __post_init__(self) -> None:
        arguments.check_tensor("rows", self.rows, (torch.int32,), ("N", len(Column)))
        arguments.check_tensor("parameters", self.parameters, FLOATS, ("P",))
        arguments.check_tensor("surfaces", self.surfaces, (torch.float32,), (len(self.names), SURFACE_SIZE))
        if len(self.rows) > MAXIMUM_ROWS:
            raise ValueError(f"rows: expected at most {MAXIMUM_ROWS}, got {len(self.rows)}")
        rows = self.rows.cpu().long()
        check_rows(rows, len(self.parameters), len(self.names))
        check_groups(rows)
        check_planes(rows[: self.planes], self.planes, self.parameters)
        arguments.check_tensor("data", self.data, (torch.float32,), ("D",))
        sampled = len(self.names) if len(self.sampling) else 0
        arguments.check_tensor("sampling", self.sampling, (torch.float32,), (sampled, 2))
        check_samples(rows, len(self.parameters), self.data)
        if not LEAST_SCALE <= self.smallest_scale <= 1.0:
            raise ValueError(f"smallest_scale: expected {LEAST_SCALE:g} to 1, got {self.smallest_scale}")

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
        arguments.check_tensor("parameters", parameters, FLOATS, (len(self.parameters),))
        return replace(self, parameters=parameters)

    def to(self, device: torch.device | str) -> "Program":
        """The program with its tensors on another device."""
        names = ("rows", "parameters", "surfaces", "data", "sampling")
        return replace(self, **{name: getattr(self, name).to(device) for name in names})


def check_program(given: object) -> None:
    """Refuse what is no program.

    Raises:
        TypeError: it is something else, such as the scene itself.
    """
    if not isinstance(given, Program):
        raise TypeError(f"program: expected what isofield.build_program makes of a scene, got {type(given).__name__}")
