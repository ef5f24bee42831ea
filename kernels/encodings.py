"""Encodings of positions and directions: sines and cosines, spherical harmonics. Differentiable any number of times.

Plain PyTorch: for 512 points a launch costs more than the whole encoding, and for 2^18 a kernel for the sines would
save a twentieth of a training step.
"""

from __future__ import annotations

import functools
import math

import torch


def positional_encoding(points: torch.Tensor, octaves: int) -> torch.Tensor:
    """Sines and cosines of the coordinates: sin(2π 2^k x_d) and cos(2π 2^k x_d), k = 0 … octaves - 1.

    Args:
        points: (N, D) float32 or float64, periods of the lowest frequency.
        octaves: K, frequencies per coordinate, each twice the one before.

    Returns:
        (N, 2·K·D): all sines, then all cosines; coordinate after coordinate, each from its lowest frequency to its
        highest. Mildenhall et al. 2020, "NeRF", equation 4, with twice its frequencies.

    Raises:
        TypeError, ValueError: another dtype or shape, or `octaves` is no int or less than 1.

    Example: 2 octaves of the point (0.25,) are (sin π/2, sin π, cos π/2, cos π) = (1, 0, 0, -1).
    """
    _check("points", points, None)
    _check_count("octaves", octaves, 1, 24)  # float32's 24 bits have no more
    turns = points[:, :, None] * _powers_of_two(octaves, points.dtype, points.device)  # (N, D, K), exact
    angles = (2.0 * math.pi * (turns - turns.round())).flatten(1)  # rounding a large angle would cost digits
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def spherical_harmonics(directions: torch.Tensor, degree: int) -> torch.Tensor:
    """Real orthonormal spherical harmonics Y_lm of all bands l < `degree`, in the order of l, then m = -l … l.

    Y_lm = N_lm Q_lm(z) · {Im (x + iy)^|m| for m < 0, Re (x + iy)^m for m ≥ 0}, Q_lm the |m|-th derivative of the
    Legendre polynomial P_l, and N_lm = (-1)^m √((2 - δ_m0) (2l + 1) / 4π · (l - |m|)! / (l + |m|)!): signs and order
    are those of tiny-cuda-nn and of Sloan 2013, "Efficient spherical harmonic evaluation".

    Args:
        directions: (N, 3) float32 or float64, unit vectors; other vectors give the polynomials' values there.
        degree: number of bands, 1 … 8.

    Returns:
        (N, degree²). ∫ Y_i Y_j over the sphere is 1 where i = j and 0 elsewhere.

    Raises:
        TypeError, ValueError: another dtype or shape, or `degree` is no int or out of its range.

    Example: the direction (0, 0, 1) has (0.2821, 0, 0.4886, 0) for degree 2: √(1 / 4π) and √(3 / 4π).
    """
    _check("directions", directions, 3)
    _check_count("degree", degree, 1, 8)
    x, y, z = directions.unbind(-1)
    heights, cosines, sines = [torch.ones_like(z)], [torch.ones_like(z)], [torch.zeros_like(z)]
    for _ in range(1, degree):
        heights.append(z * heights[-1])
        cosine, sine = cosines[-1], sines[-1]
        cosines.append(x * cosine - y * sine)
        sines.append(x * sine + y * cosine)
    around = torch.stack([*reversed(sines[1:]), *cosines], dim=-1)  # (N, 2·degree - 1), m from -(degree - 1)
    columns, coefficients = _harmonics(degree, directions.dtype, directions.device)
    return around[:, columns] * (torch.stack(heights, dim=-1) @ coefficients)


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


@functools.lru_cache(maxsize=64)
def _powers_of_two(count: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    return 2.0 ** torch.arange(count, dtype=dtype, device=device)


def _check(name: str, given: torch.Tensor, columns: int | None) -> None:
    if not isinstance(given, torch.Tensor):
        raise TypeError(f"{name}: expected a torch tensor, got {type(given).__name__}")
    if given.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"{name}: expected torch.float32 or torch.float64, got {given.dtype}")
    if given.ndim != 2 or columns not in (None, given.shape[1]):
        raise ValueError(f"{name}: expected shape (N, {columns or 'D'}), got {tuple(given.shape)}")


def _check_count(name: str, given: int, low: int, high: int) -> None:
    if type(given) is not int:
        raise TypeError(f"{name}: expected an int, got {given!r}")
    if not low <= given <= high:
        raise ValueError(f"{name}: expected {low} … {high}, got {given}")
