"""Encoding of positions by sines and cosines, differentiable any number of times.

Plain PyTorch: for 512 points a launch costs more than the whole encoding, and for 2^18 a kernel for the sines would
save a twentieth of a training step.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import torch

from ..lanes import Array, arguments


def positional_encoding(points: Array, octaves: int) -> Any:
    """Sines and cosines of the coordinates: sin(2π 2^k x_d) and cos(2π 2^k x_d), k = 0 … octaves - 1.

    Args:
        points: (N, D) float32 or float64, periods of the lowest frequency. A torch tensor, numpy array, DLPack object
            or `ti.ndarray`.
        octaves: K, frequencies per coordinate, each twice the one before.

    Returns:
        (N, 2·K·D): all sines, then all cosines; coordinate after coordinate, each from its lowest frequency to its
        highest. A numpy array if `points` is one, else a tensor. Mildenhall et al. 2020, "NeRF", equation 4, with twice
        its frequencies.

    Raises:
        TypeError, ValueError: another dtype or shape, or `octaves` is no whole number or less than 1.

    Example: 2 octaves of the point (0.25,) are (sin π/2, sin π, cos π/2, cos π) = (1, 0, 0, -1).
    """
    places, restore = arguments.floats("points", points, ("N", "D"))
    arguments.check_integer("octaves", octaves, 1, 24)  # float32's 24 bits have no more
    turns = places[:, :, None] * _powers_of_two(octaves, places.dtype, places.device)  # (N, D, K), exact
    angles = (2.0 * math.pi * (turns - turns.round())).flatten(1)  # rounding a large angle would cost digits
    return restore(torch.cat([angles.sin(), angles.cos()], dim=1))


@functools.lru_cache(maxsize=64)
def _powers_of_two(count: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    return 2.0 ** torch.arange(count, dtype=dtype, device=device)
