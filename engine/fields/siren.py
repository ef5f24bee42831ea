"""A network of sines."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import ClassVar, Unpack, cast

import torch

from .base import FieldOptions, LearnedField, Meaning
from .checks import integer, real


class Siren(LearnedField):
    """A network whose activations are sines, sin(ω₀ (W x + b)), on coordinates in [-1, 1] (Sitzmann et al. 2020).

    Weights begin uniform within 1/D in the first layer and √(6/width)/ω₀ after it (section 3.2, supplement 1.5), so
    that every layer's values are spread alike. Colours come out as they are, not through a sigmoid.

    Args:
        width, layers: neurons in a layer, and sine layers after the first.
        omega: ω₀.

    The other arguments, and what is raised, are those of `Field`.
    """

    kind = "siren"
    rate = 5e-4
    sizes: ClassVar[tuple[str, ...]] = ("width", "layers", "omega")

    def __init__(
        self,
        dimensions: int,
        channels: int,
        *,
        width: int = 256,
        layers: int = 3,
        omega: float = 30.0,
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(dimensions, channels, **options)
        self.width, self.layers = integer("width", width, 1, 16384), integer("layers", layers, 0, 64)
        self.omega = real("omega", omega, 1e-3, 1e4)
        sizes = [dimensions, *[width] * (layers + 1), channels]
        layers_in_order = [torch.nn.Linear(before, after) for before, after in pairwise(sizes)]
        with torch.no_grad():
            for index, layer in enumerate(layers_in_order):
                reach = 1.0 / dimensions if index == 0 else math.sqrt(6.0 / width) / omega
                layer.weight.uniform_(-reach, reach)
        self.linear = torch.nn.ModuleList(layers_in_order)

    def raw(self, unit: torch.Tensor) -> torch.Tensor:
        values = 2.0 * unit - 1.0
        *hidden, last = cast(list[torch.nn.Linear], list(self.linear))
        for layer in hidden:
            # ω₀ (W x + b) in one product: the weights are scaled, not the values.
            values = torch.sin(torch.nn.functional.linear(values, self.omega * layer.weight, self.omega * layer.bias))
        return torch.nn.functional.linear(values, last.weight, last.bias)

    def output(self, raw: torch.Tensor) -> torch.Tensor:
        return raw if self.meaning is Meaning.COLOUR else super().output(raw)
