"""Lengths that grow along rays as pixels do: how near counts as met, how far apart a normal's taps are."""

from __future__ import annotations

from typing import NamedTuple

import torch


class RayCone(NamedTuple):
    """A length that is width + spread · t at the distance t, scene units."""

    width: float
    spread: float

    def at(self, distance: torch.Tensor) -> torch.Tensor:
        """The length at distances (N,)."""
        return self.width + self.spread * distance
