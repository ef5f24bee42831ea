"""A network on coordinates, with or without positional encoding."""

from __future__ import annotations

from typing import Any, ClassVar, Unpack

import torch

from ...kernels import positional_encoding
from .base import FieldOptions, LearnedField
from .checks import integer
from .perceptron import Perceptron


class MLP(LearnedField):
    """A network on unit coordinates x, or on sin(2π 2^k x) and cos(2π 2^k x), k < octaves (Mildenhall et al. 2020).

    Args:
        octaves: frequencies of the encoding, 0 for none; the lowest has one period in the bounds.
        width, layers: neurons in a hidden layer, and hidden layers.
        activation: "relu", or "softplus" where second derivatives are needed.

    The other arguments, and what is raised, are those of `Field`.
    """

    kind = "mlp"
    sizes: ClassVar[tuple[str, ...]] = ("octaves",)

    def __init__(
        self,
        dimensions: int,
        channels: int,
        *,
        octaves: int = 0,
        width: int = 128,
        layers: int = 2,
        activation: str = "relu",
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(dimensions, channels, **options)
        self.octaves = integer("octaves", octaves, 0, 24)
        self.rate = 1e-2 if octaves else 2e-2
        inputs = 2 * octaves * dimensions if octaves else dimensions
        self.network = Perceptron(inputs, channels, width, layers, activation)

    def raw(self, unit: torch.Tensor) -> torch.Tensor:
        values: torch.Tensor = self.network(positional_encoding(unit, self.octaves) if self.octaves else unit)
        return values

    def configuration(self) -> dict[str, Any]:
        return super().configuration() | self.network.configuration()
