"""A plan of features on the ground and a network that reads the height."""

from __future__ import annotations

from typing import Any, ClassVar, Unpack

import torch

from ...kernels import interpolate, positional_encoding
from .base import FieldOptions, LearnedField
from .checks import integer
from .grid import node_values
from .perceptron import Perceptron


class GroundPlan(LearnedField):
    """Features from a grid over x and y beside the encoded z, given to a network; three dimensions.

    Args:
        nodes: on both axes of the grid.
        features: numbers at a node.
        octaves: frequencies of the encoding of z, as in `MLP`.
        width, layers, activation: the network, as in `MLP`.

    The other arguments, and what is raised, are those of `Field`.
    """

    kind = "ground_plan"
    sizes: ClassVar[tuple[str, ...]] = ("nodes", "features", "octaves")

    def __init__(
        self,
        dimensions: int,
        channels: int,
        *,
        nodes: int = 65,
        features: int = 128,
        octaves: int = 8,
        width: int = 64,
        layers: int = 2,
        activation: str = "relu",
        **options: Unpack[FieldOptions],
    ) -> None:
        if dimensions != 3:
            raise ValueError(f"dimensions: expected 3 for a ground plan, got {dimensions}")
        super().__init__(dimensions, channels, **options)
        self.nodes, self.features, self.octaves = nodes, features, integer("octaves", octaves, 1, 24)
        self.values = node_values(2, nodes, features, spread=0.03)
        self.network = Perceptron(features + 2 * octaves, channels, width, layers, activation)

    def raw(self, unit: torch.Tensor) -> torch.Tensor:
        ground = interpolate(self.values, unit[:, :2])  # (N, features)
        height = positional_encoding(unit[:, 2:], self.octaves)  # (N, 2 octaves)
        values: torch.Tensor = self.network(torch.cat([ground, height], dim=1))
        return values

    @property
    def touched(self) -> dict[str, int]:
        return {"values": 4 * self.features}

    def configuration(self) -> dict[str, Any]:
        return super().configuration() | self.network.configuration()
