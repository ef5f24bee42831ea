"""The optimiser of every fit."""

from __future__ import annotations

from collections.abc import Sequence

import torch

BETAS = (0.9, 0.99)
EPSILON = 1e-15  # a table's entry that is seldom met has tiny second moments, and shall move all the same


class Adam:
    """Adam (Kingma and Ba 2015), fused by PyTorch.

    It is `torch.optim.Adam` without hooks and groups, and with one count of steps for all parameters: what stands
    around the update there takes as long as the update of a small field.

    Args:
        parameters: floats on one device.

    `moments` holds tensors: "step", one that counts the updates, and for each parameter "exp_avg" and "exp_avg_sq".
    """

    def __init__(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        self.parameters = list(parameters)
        self.moments = {
            "step": [torch.zeros((), device=self.parameters[0].device)],
            "exp_avg": [torch.zeros_like(parameter, requires_grad=False) for parameter in self.parameters],
            "exp_avg_sq": [torch.zeros_like(parameter, requires_grad=False) for parameter in self.parameters],
        }

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move the parameters that have gradients at the learning rate `rate`."""
        moved = [(i, parameter.grad) for i, parameter in enumerate(self.parameters) if parameter.grad is not None]
        (count,), means, squares = self.moments.values()
        count.add_(1.0)
        torch._fused_adam_(
            [self.parameters[i] for i, _ in moved], [gradient for _, gradient in moved], [means[i] for i, _ in moved],
            [squares[i] for i, _ in moved], [], [count] * len(moved), lr=rate, beta1=BETAS[0], beta2=BETAS[1],
            weight_decay=0.0, eps=EPSILON, amsgrad=False, maximize=False,
        )  # fmt: skip

    def forget(self) -> None:
        """Drop the gradients."""
        for parameter in self.parameters:
            parameter.grad = None
