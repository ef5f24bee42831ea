"""The network that several fields end in."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal, get_args

import torch

from .checks import integer

Activation = Literal["relu", "softplus"]

SHARPNESS = 100.0  # of the softplus: log(1 + exp(100 x)) / 100, a ReLU with a rounded corner 0.05 wide


class Perceptron(torch.nn.Sequential):
    """A network of `layers` hidden layers of `width` neurons, (N, inputs) to (N, outputs), initialised as PyTorch does.

    A network of ReLUs is linear in pieces: its second derivatives are 0. Softplus has second derivatives.

    Raises:
        TypeError, ValueError: an argument is out of its range.
    """

    def __init__(self, inputs: int, outputs: int, width: int, layers: int, activation: str) -> None:
        integer("width", width, 1, 16384)
        integer("layers", layers, 0, 64)
        if activation not in get_args(Activation):
            raise ValueError(f"activation: expected one of {', '.join(get_args(Activation))}, got {activation!r}")
        widths = [inputs, *[width] * layers]
        steps: list[torch.nn.Module] = []
        for before, after in pairwise(widths):
            steps.append(torch.nn.Linear(before, after))
            steps.append(torch.nn.ReLU() if activation == "relu" else torch.nn.Softplus(SHARPNESS))
        super().__init__(*steps, torch.nn.Linear(widths[-1], outputs))
        self.sizes = {"width": width, "layers": layers, "activation": activation}

    def configuration(self) -> dict[str, Any]:
        """The arguments beside inputs and outputs, by name."""
        return dict(self.sizes)
