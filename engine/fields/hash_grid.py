"""Features from a hash table, level by level, and a small network."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, ClassVar, Unpack

import torch

from ...kernels import HashLevels, hash_encode
from .base import FieldOptions, LearnedField
from .checks import integer
from .perceptron import Perceptron


class HashGrid(LearnedField):
    """Multiresolution hash encoding and a network (Müller et al. 2022).

    Args:
        dimensions: 2 or 3.
        levels, base, finest: grids, and the cells on an axis of the coarsest and the finest.
        features: numbers at a node of a level.
        entries: rows of a level's table at most; where a level has more nodes they share rows.
        smoothstep: whether weights are smooth across cells, so that first derivatives are continuous.
        width, layers, activation: the network, as in `MLP`.

    The other arguments, and what is raised, are those of `Field`. `active` is the number of levels that are switched
    on, coarse to fine, None for all; it is a setting of training and not saved.
    """

    kind = "hash_grid"
    sizes: ClassVar[tuple[str, ...]] = ("smoothstep",)

    def __init__(
        self,
        dimensions: int,
        channels: int,
        *,
        levels: int = 12,
        base: int = 16,
        finest: int = 512,
        features: int = 2,
        entries: int = 2**17,
        smoothstep: bool = False,
        width: int = 64,
        layers: int = 1,
        activation: str = "relu",
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(dimensions, channels, **options)
        self.levels = HashLevels(dimensions, integer("levels", levels, 1, 64), base, finest, features, entries)
        if not isinstance(smoothstep, bool):
            raise TypeError(f"smoothstep: expected True or False, got {smoothstep!r}")
        self.smoothstep = smoothstep
        self.active: float | None = None
        self.table = torch.nn.Parameter(torch.empty(self.levels.rows, features).uniform_(-1e-4, 1e-4))
        self.network = Perceptron(levels * features, channels, width, layers, activation)

    def raw(self, unit: torch.Tensor) -> torch.Tensor:
        encoded = hash_encode(self.table, unit, self.levels, smoothstep=self.smoothstep, active=self.active)
        values: torch.Tensor = self.network(encoded)
        return values

    @property
    def touched(self) -> dict[str, int]:
        return {"table": 2**self.dimensions * self.levels.levels * self.levels.features}

    def configuration(self) -> dict[str, Any]:
        return super().configuration() | asdict(self.levels) | self.network.configuration()
