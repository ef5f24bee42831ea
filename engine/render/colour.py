"""Colours for what is measured rather than seen."""

from __future__ import annotations

import torch


def distinct(numbers: torch.Tensor) -> torch.Tensor:
    """A colour (N, 3) in [0, 1] for each number (N,), black for -1; neighbours' hues lie a golden angle apart."""
    hue = (numbers.float() * 0.61803399) % 1.0
    channels = (hue[:, None] * 6.0 + hue.new_tensor([5.0, 3.0, 1.0])) % 6.0
    pure = 1.0 - torch.minimum(channels, 4.0 - channels).clamp(0.0, 1.0)
    light = 0.95 - 0.25 * ((numbers % 3).float() / 2.0)[:, None]
    return torch.where(numbers[:, None] >= 0, light * (1.0 - 0.65 * (1.0 - pure)), 0.0)


def heat(share: torch.Tensor) -> torch.Tensor:
    """Values in [0, 1] (N,) from black through violet and orange to pale yellow (N, 3), like inferno."""
    stops = share.new_tensor(
        [[0.0, 0.0, 0.02], [0.34, 0.06, 0.43], [0.73, 0.21, 0.33], [0.98, 0.55, 0.04], [0.99, 1.0, 0.64]]
    )
    place = share.clamp(0.0, 1.0) * (len(stops) - 1)
    below = place.floor().long().clamp(max=len(stops) - 2)
    return torch.lerp(stops[below], stops[below + 1], (place - below)[:, None])
