"""Encoding of directions by spherical harmonics, differentiable any number of times."""

from __future__ import annotations

import functools
import math
from typing import Any

import torch

from ..lanes import Array, arguments


def spherical_harmonics(directions: Array, degree: int) -> Any:
    """Real orthonormal spherical harmonics Y_lm of all bands l < `degree`, in the order of l, then m = -l … l.

    Y_lm = N_lm Q_lm(z) · {Im (x + iy)^|m| for m < 0, Re (x + iy)^m for m ≥ 0}, Q_lm the |m|-th derivative of the
    Legendre polynomial P_l, and N_lm = (-1)^m √((2 - δ_m0) (2l + 1) / 4π · (l - |m|)! / (l + |m|)!): signs and order
    are those of tiny-cuda-nn and of Sloan 2013, "Efficient spherical harmonic evaluation".

    Args:
        directions: (N, 3) float32 or float64, unit vectors; other vectors give the polynomials' values there. A torch
            tensor, numpy array, DLPack object or `ti.ndarray`.
        degree: number of bands, 1 … 8.

    Returns:
        (N, degree²), a numpy array if `directions` is one, else a tensor. ∫ Y_i Y_j over the sphere is 1 where i = j
        and 0 elsewhere.

    Raises:
        TypeError, ValueError: another dtype or shape, or `degree` is no whole number or out of its range.

    Example: the direction (0, 0, 1) has (0.2821, 0, 0.4886, 0) for degree 2: √(1 / 4π) and √(3 / 4π).
    """
    vectors, restore = arguments.floats("directions", directions, ("N", 3))
    arguments.check_integer("degree", degree, 1, 8)
    x, y, z = vectors.unbind(-1)
    heights, cosines, sines = [torch.ones_like(z)], [torch.ones_like(z)], [torch.zeros_like(z)]
    for _ in range(1, degree):
        heights.append(z * heights[-1])
        cosine, sine = cosines[-1], sines[-1]
        cosines.append(x * cosine - y * sine)
        sines.append(x * sine + y * cosine)
    around = torch.stack([*reversed(sines[1:]), *cosines], dim=-1)  # (N, 2·degree - 1), m from -(degree - 1)
    columns, coefficients = _harmonics(degree, vectors.dtype, vectors.device)
    return restore(around[:, columns] * (torch.stack(heights, dim=-1) @ coefficients))


@functools.lru_cache(maxsize=64)
def _harmonics(degree: int, dtype: torch.dtype, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Of each Y_lm the column m + degree - 1, (degree²,), and the coefficients of N_lm Q_lm, (degree, degree²)."""
    columns, polynomials = [], []
    for band in range(degree):
        for m in range(-band, band + 1):
            order = abs(m)
            fraction = math.factorial(band - order) / math.factorial(band + order)
            norm = (-1) ** order * math.sqrt((2 - (m == 0)) * (2 * band + 1) / (4.0 * math.pi) * fraction)
            columns.append(m + degree - 1)
            polynomials.append([norm * c for c in _legendre(band, order, degree)])
    coefficients = torch.tensor(polynomials, dtype=dtype, device=device)
    return torch.tensor(columns, device=device), coefficients.T.contiguous()


def _legendre(band: int, order: int, length: int) -> list[float]:
    """Coefficients of the `order`-th derivative of the Legendre polynomial P_band, low powers first.

    Rodrigues: P_l(z) = Σ_k (-1)^k (2l - 2k)! / (2^l k! (l - k)! (l - 2k)!) z^(l - 2k).
    """
    found = [0.0] * length
    for k in range(band // 2 + 1):
        power = band - 2 * k
        if power >= order:
            below = 2**band * math.factorial(k) * math.factorial(band - k) * math.factorial(power - order)
            found[power - order] = (-1) ** k * math.factorial(2 * band - 2 * k) / below
    return found
