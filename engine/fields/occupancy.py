"""Occupancy from signed distance."""

from __future__ import annotations

from typing import Any

import torch

from .base import Bounds, Field, Maker, Meaning
from .checks import real


class OccupancyOf(Field):
    """The probability of being inside, 1 / (1 + exp(sharpness · distance)): 0.5 on the surface, 1 far inside.

    Args:
        field: a signed distance.
        sharpness: one over the scene units in which the odds change by a factor e.

    Raises:
        ValueError: the field does not mean a signed distance.
    """

    kind = "occupancy"

    def __init__(self, field: Field, sharpness: float) -> None:
        if field.meaning is not Meaning.SIGNED_DISTANCE:
            raise ValueError(f"field: expected one that means signed_distance, got {field.meaning}")
        super().__init__(field.dimensions, 1, meaning=Meaning.OCCUPANCY, bounds=field.bounds)
        self.field = field
        self.sharpness = real("sharpness", sharpness, 1e-6, 1e9)

    def evaluate(self, points: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(-self.sharpness * self.field(points))

    @property
    def touched(self) -> dict[str, int]:
        return {f"field.{name}": numbers for name, numbers in self.field.touched.items()}

    def configuration(self) -> dict[str, Any]:
        return {"sharpness": self.sharpness, "kind": self.field.kind, "configuration": self.field.configuration()}

    @classmethod
    def from_configuration(
        cls, configuration: dict[str, Any], meaning: str, bounds: Bounds, aspect: float = 1.0, *, make: Maker
    ) -> OccupancyOf:
        inner = make(configuration["kind"], configuration["configuration"], Meaning.SIGNED_DISTANCE, bounds, aspect)
        return cls(inner, configuration["sharpness"])


def occupancy_of(field: Field, sharpness: float) -> OccupancyOf:
    """The occupancy field of a signed distance; `sharpness` in one over scene units, as in `OccupancyOf`."""
    return OccupancyOf(field, sharpness)
