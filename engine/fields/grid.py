"""Values on a grid, looked up between its nodes, as they are or through a network."""

from __future__ import annotations

from typing import Any, ClassVar, Unpack

import torch

from ...kernels import interpolate
from .base import FieldOptions, LearnedField
from .checks import integer
from .perceptron import Perceptron

LARGEST_GRID = 2**31 - 1  # numbers, what kernels index


class Grid(LearnedField):
    """Values on nodes that span the bounds, bilinear or trilinear between them.

    Args:
        dimensions: 2 or 3.
        nodes: on every axis.

    The other arguments, and what is raised, are those of `Field`. `values` is (nodes, …, C),
    `values[i, j]` at (x_i, y_j).
    """

    kind = "grid"
    rate = 3e-2
    sizes: ClassVar[tuple[str, ...]] = ("nodes",)

    def __init__(
        self,
        dimensions: int,
        channels: int,
        *,
        nodes: int = 33,
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(dimensions, channels, **options)
        self.nodes = nodes
        self.values = node_values(dimensions, nodes, channels)

    def raw(self, unit: torch.Tensor) -> torch.Tensor:
        values: torch.Tensor = interpolate(self.values, unit)
        return values

    @property
    def touched(self) -> dict[str, int]:
        return {"values": 2**self.dimensions * self.channels}


class HybridGrid(LearnedField):
    """Features on a grid, interpolated and given to a network.

    Args:
        dimensions: 2 or 3.
        nodes: on every axis.
        features: numbers at a node.
        width, layers, activation: the network, as in `MLP`.

    The other arguments, and what is raised, are those of `Field`.
    """

    kind = "hybrid_grid"
    sizes: ClassVar[tuple[str, ...]] = ("nodes", "features")

    def __init__(
        self,
        dimensions: int,
        channels: int,
        *,
        nodes: int = 33,
        features: int = 128,
        width: int = 64,
        layers: int = 2,
        activation: str = "relu",
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(dimensions, channels, **options)
        self.nodes, self.features = nodes, features
        self.values = node_values(dimensions, nodes, features, spread=1.0)
        self.network = Perceptron(features, channels, width, layers, activation)

    def raw(self, unit: torch.Tensor) -> torch.Tensor:
        values: torch.Tensor = self.network(interpolate(self.values, unit))
        return values

    @property
    def touched(self) -> dict[str, int]:
        return {"values": 2**self.dimensions * self.features}

    def configuration(self) -> dict[str, Any]:
        return super().configuration() | self.network.configuration()


def node_values(dimensions: int, nodes: int, features: int, spread: float = 0.0) -> torch.nn.Parameter:
    """Trainable numbers (nodes, …, features), normally distributed with the deviation `spread`.

    Raises:
        TypeError, ValueError: an argument is out of its range, or the grid too large.
    """
    integer("dimensions", dimensions, 2, 3)
    integer("nodes", nodes, 1, 65536)
    integer("features", features, 1, 65536)
    if nodes**dimensions * features > LARGEST_GRID:
        raise ValueError(f"nodes: expected at most 2^31 - 1 numbers, got {nodes}^{dimensions} nodes of {features}")
    return torch.nn.Parameter(spread * torch.randn(*(nodes,) * dimensions, features))
