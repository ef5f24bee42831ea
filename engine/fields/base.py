"""What every field is: a function from points to values, with what it means and where it is defined."""

from __future__ import annotations

import enum
import math
import os
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple, TypedDict

import torch

from .checks import integer, real

FORMAT, VERSION = "isofield-field", 1  # of files

Bounds = tuple[tuple[float, ...], tuple[float, ...]]

# Makes a field of a kind from its name, configuration, meaning, bounds and aspect.
Maker = Callable[[str, dict[str, Any], str, Bounds, float], "Field"]


class Placement(NamedTuple):
    """Where a model lies that was moved to be fitted: a field's point is (model's point - centre) · scale."""

    centre: tuple[float, float, float]
    scale: float

    def to_field(self, points: torch.Tensor) -> torch.Tensor:
        """Points (…, 3) of the model in the field's coordinates."""
        return (points - points.new_tensor(self.centre)) * self.scale

    def to_model(self, points: torch.Tensor) -> torch.Tensor:
        """Points (…, 3) of the field in the model's coordinates, where distances are 1 / scale times as large."""
        return points / self.scale + points.new_tensor(self.centre)


class Meaning(enum.StrEnum):
    """What the values of a field say."""

    SIGNED_DISTANCE = "signed_distance"  # negative inside
    OCCUPANCY = "occupancy"  # probability of being inside, surface at 0.5
    COLOUR = "colour"  # sRGB in [0, 1]
    DENSITY = "density"  # at least 0
    RAW = "raw"


SCALARS = (Meaning.SIGNED_DISTANCE, Meaning.OCCUPANCY, Meaning.DENSITY)


class FieldOptions(TypedDict, total=False):
    """What every field takes by name; see `Field`."""

    meaning: Meaning | str
    bounds: Bounds | None
    aspect: float


class Field(torch.nn.Module):
    """A function from points (N, D) in `bounds` to values (N, C).

    Args:
        dimensions: D, 1 to 3.
        channels: C, at least 1.
        meaning: what the values say; one channel unless it is colour or raw.
        bounds: lower and upper corner; None for [0, 1]^D. Points outside are allowed: grids hold their border's value.
        aspect: width / height of the picture that a field over [0, 1]² shows.

    `placement` says where a model lay before it was moved to be fitted, None if it was not; files keep it.

    Raises:
        ValueError: an argument is out of its range.
    """

    kind: ClassVar[str]
    rate: float = 1e-2
    """Peak learning rate that suits the kind, for Adam."""

    def __init__(
        self,
        dimensions: int,
        channels: int,
        *,
        meaning: Meaning | str = Meaning.RAW,
        bounds: Bounds | None = None,
        aspect: float = 1.0,
    ) -> None:
        super().__init__()
        self.dimensions = integer("dimensions", dimensions, 1, 3)
        self.channels = integer("channels", channels, 1, 65536)
        self.meaning = _meaning(meaning)
        if self.meaning in SCALARS and channels != 1:
            raise ValueError(f"channels: expected 1 for {self.meaning}, got {channels}")
        self.bounds = _bounds(bounds, dimensions)
        self.aspect = real("aspect", aspect, 1e-6, 1e6)
        self.placement: Placement | None = None

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """Values (N, C) at points (N, D), of the field's dtype and device; a NaN in a point makes its row NaN.

        Raises:
            TypeError: `points` is no tensor, or of another dtype.
            ValueError: `points` has another shape, or lies on another device.
        """
        if not isinstance(points, torch.Tensor):
            raise TypeError(f"points: expected a tensor, got {type(points).__name__}")
        if points.ndim != 2 or points.shape[1] != self.dimensions:
            raise ValueError(f"points: expected shape (N, {self.dimensions}), got {tuple(points.shape)}")
        own = next(self.parameters(), None)
        wanted = points.dtype if own is None else own.dtype
        if points.dtype != wanted or not points.dtype.is_floating_point:
            raise TypeError(f"points: expected {wanted if own is not None else 'a float dtype'}, got {points.dtype}")
        if own is not None and points.device != own.device:
            raise ValueError(
                f"points: expected a tensor on {own.device}, where the field is, got one on {points.device}"
            )
        return self.evaluate(points)

    @abstractmethod
    def evaluate(self, points: torch.Tensor) -> torch.Tensor:
        """Values (N, C) at checked points (N, D)."""

    @abstractmethod
    def configuration(self) -> dict[str, Any]:
        """What `from_configuration` needs besides bounds and meaning, in types that JSON has."""

    @classmethod
    def from_configuration(
        cls, configuration: dict[str, Any], meaning: str, bounds: Bounds, aspect: float = 1.0, *, make: Maker
    ) -> Field:
        """A new field of this kind; its weights are not yet those that were saved. `make` makes those that it holds.

        Raises:
            ValueError, TypeError: the configuration does not fit the kind.
        """
        return cls(**configuration, meaning=meaning, bounds=bounds, aspect=aspect)

    @property
    def parameter_count(self) -> int:
        """How many numbers are trained."""
        return sum(parameter.numel() for parameter in self.parameters() if parameter.requires_grad)

    @property
    def touched(self) -> dict[str, int]:
        """Parameters of which the values at a point depend on few numbers, by name, and on how many at most."""
        return {}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the field to a .safetensors file, whole or not at all; `load_field` reads it.

        The file holds its tensors, and a header that says kind, configuration, bounds, meaning.

        Raises:
            ValueError: the name does not end in .safetensors.
            OSError: the file cannot be written; names it.
        """
        from .tensor_files import write_tensors  # brings safetensors, which most fields do without

        write_tensors(path, self.state_dict(), header_of(self))


class LearnedField(Field):
    """A field of trained parameters over unit coordinates, with an output that its meaning allows."""

    sizes: ClassVar[tuple[str, ...]] = ()
    """Arguments of the kind beside those of every field; each is an attribute too."""

    def configuration(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("dimensions", "channels", *self.sizes)}

    def evaluate(self, points: torch.Tensor) -> torch.Tensor:
        return self.output(self.raw(self.unit(points)))

    @abstractmethod
    def raw(self, unit: torch.Tensor) -> torch.Tensor:
        """Any numbers (N, C) at unit coordinates (N, D), [0, 1] within the bounds."""

    def unit(self, points: torch.Tensor) -> torch.Tensor:
        """Coordinates of points (N, D) as fractions of the bounds."""
        low, high = self.bounds
        if all(bottom == 0.0 and top == 1.0 for bottom, top in zip(low, high, strict=True)):
            return points
        scale = [1.0 / (top - bottom) for bottom, top in zip(low, high, strict=True)]
        return (points - points.new_tensor(low)) * points.new_tensor(scale)

    def output(self, raw: torch.Tensor) -> torch.Tensor:
        """Raw numbers as values: sigmoid for colour and occupancy, softplus for density, else themselves."""
        if self.meaning in (Meaning.COLOUR, Meaning.OCCUPANCY):
            return torch.sigmoid(raw)
        if self.meaning is Meaning.DENSITY:
            return torch.nn.functional.softplus(raw)
        return raw


def header_of(field: Field) -> dict[str, Any]:
    """What a file says of a field beside its tensors."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "kind": field.kind,
        "configuration": field.configuration(),
        "bounds": field.bounds,
        "meaning": field.meaning,
        "aspect": field.aspect,
        **({} if field.placement is None else {"placement": field.placement._asdict()}),
    }


def _meaning(given: Meaning | str) -> Meaning:
    try:
        return Meaning(given)
    except ValueError:
        raise ValueError(f"meaning: expected one of {', '.join(Meaning)}, got {given!r}") from None


def _bounds(given: Bounds | Sequence[Sequence[float]] | None, dimensions: int) -> Bounds:
    """Lower and upper corner as tuples of floats."""
    if given is None:
        return (0.0,) * dimensions, (1.0,) * dimensions
    try:
        low, high = (tuple(map(float, corner)) for corner in given)
    except (TypeError, ValueError):
        raise ValueError(f"bounds: expected a lower and an upper corner, got {given!r}") from None
    if len(low) != dimensions or len(high) != dimensions:
        raise ValueError(f"bounds: expected corners of {dimensions} coordinates, got {low} and {high}")
    if not all(bottom < top and math.isfinite(top - bottom) for bottom, top in zip(low, high, strict=True)):
        raise ValueError(f"bounds: expected finite corners, the lower one lower on every axis, got {low} and {high}")
    return low, high
