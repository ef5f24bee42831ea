"""The optimiser of every fit."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.optim.adam import adam

BETAS = (0.9, 0.99)
EPSILON = 1e-15  # a table's entry that is seldom met has tiny second moments, and shall move all the same


class Adam:
    """Adam (Kingma and Ba 2015), fused by PyTorch.

    It is `torch.optim.Adam` without hooks and groups, which take longer than the update of a small field.

    Args:
        parameters: floats on one device.

    `moments` holds a tensor for each parameter: "step", how often it was updated, "exp_avg" and "exp_avg_sq".
    """

    def __init__(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        self.parameters = list(parameters)
        self.moments = {
            "step": [torch.zeros((), device=parameter.device) for parameter in self.parameters],
            "exp_avg": [torch.zeros_like(parameter, requires_grad=False) for parameter in self.parameters],
            "exp_avg_sq": [torch.zeros_like(parameter, requires_grad=False) for parameter in self.parameters],
        }

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move the parameters that have gradients at the learning rate `rate`."""
        moved = [(i, parameter.grad) for i, parameter in enumerate(self.parameters) if parameter.grad is not None]
        steps, means, squares = ([column[i] for i, _ in moved] for column in self.moments.values())
        adam(
            [self.parameters[i] for i, _ in moved], [gradient for _, gradient in moved], means, squares, [], steps,
            fused=True, amsgrad=False, beta1=BETAS[0], beta2=BETAS[1], lr=rate, weight_decay=0.0, eps=EPSILON,
            maximize=False,
        )  # fmt: skip

    def forget(self) -> None:
        """Drop the gradients."""
        for parameter in self.parameters:
            parameter.grad = None
