"""Positional encoding by hand; spherical harmonics by quadrature and closed forms; derivatives of both."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from isofield.kernels import positional_encoding, spherical_harmonics


def directions(count: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    found = torch.randn(count, 3, generator=torch.Generator().manual_seed(0), dtype=dtype)
    return found / found.norm(dim=1, keepdim=True)


def test_positional_encoding_by_hand() -> None:
    """x = (1/4, 1/12), two octaves: angles 90°, 180°, 30°, 60°."""
    got = positional_encoding(torch.tensor([[0.25, 1.0 / 12.0]], dtype=torch.float64), 2)
    root = math.sqrt(3.0) / 2.0
    assert got[0].tolist() == pytest.approx([1.0, 0.0, 0.5, root, 0.0, -1.0, root, 0.5], abs=1e-15)


@pytest.mark.parametrize("octaves", [1, 6, 10])
@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_positional_encoding_is_sin_and_cos(dimensions: int, octaves: int) -> None:
    points = torch.randn(40, dimensions, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    got = positional_encoding(points, octaves)
    assert got.shape == (40, 2 * octaves * dimensions)
    for d in range(dimensions):
        for k in range(octaves):
            angle = 2.0 * math.pi * 2**k * points[:, d]
            torch.testing.assert_close(got[:, d * octaves + k], angle.sin(), atol=1e-11, rtol=0.0)
            torch.testing.assert_close(got[:, (dimensions + d) * octaves + k], angle.cos(), atol=1e-11, rtol=0.0)


def test_high_octaves_keep_float32s_digits() -> None:
    """Turns are exact in float32, so the error is that of π and of the sine, and not 2^11 times it."""
    points = torch.rand(1000, 3, generator=torch.Generator().manual_seed(0))
    got = positional_encoding(points, 12).double()
    torch.testing.assert_close(got, positional_encoding(points.double(), 12), atol=5e-7, rtol=0.0)


def test_spherical_harmonics_are_orthonormal() -> None:
    """Gauss-Legendre in z and equal steps round the axis integrate polynomials of degree 14 on the sphere exactly."""
    heights, weights = np.polynomial.legendre.leggauss(8)
    angles = np.arange(16) * 2.0 * math.pi / 16
    z, angle = (torch.from_numpy(a.ravel()) for a in np.meshgrid(heights, angles, indexing="ij"))
    share = torch.from_numpy(np.repeat(weights, 16) * 2.0 * math.pi / 16)
    across = (1.0 - z * z).sqrt()
    found = spherical_harmonics(torch.stack([across * angle.cos(), across * angle.sin(), z], dim=1), 8)
    torch.testing.assert_close(found.T @ (share[:, None] * found), torch.eye(64, dtype=torch.float64))


def test_first_bands_in_closed_form() -> None:
    x, y, z = (at := directions(50)).unbind(1)
    expected = [
        0.5 * math.sqrt(1.0 / math.pi) * torch.ones_like(x),
        *(-math.sqrt(0.75 / math.pi) * y, math.sqrt(0.75 / math.pi) * z, -math.sqrt(0.75 / math.pi) * x),
        0.5 * math.sqrt(15.0 / math.pi) * x * y,
        -0.5 * math.sqrt(15.0 / math.pi) * y * z,
        0.25 * math.sqrt(5.0 / math.pi) * (3.0 * z * z - 1.0),
        -0.5 * math.sqrt(15.0 / math.pi) * x * z,
        0.25 * math.sqrt(15.0 / math.pi) * (x * x - y * y),
        -0.25 * math.sqrt(17.5 / math.pi) * y * (3.0 * x * x - y * y),
        0.5 * math.sqrt(105.0 / math.pi) * x * y * z,
        -0.25 * math.sqrt(10.5 / math.pi) * y * (5.0 * z * z - 1.0),
        0.25 * math.sqrt(7.0 / math.pi) * z * (5.0 * z * z - 3.0),
        -0.25 * math.sqrt(10.5 / math.pi) * x * (5.0 * z * z - 1.0),
        0.25 * math.sqrt(105.0 / math.pi) * z * (x * x - y * y),
        -0.25 * math.sqrt(17.5 / math.pi) * x * (x * x - 3.0 * y * y),
    ]
    torch.testing.assert_close(spherical_harmonics(at, 4), torch.stack(expected, dim=1))


@pytest.mark.parametrize("degree", range(1, 9))
def test_lower_bands_come_first(degree: int) -> None:
    at = directions(20)
    got = spherical_harmonics(at, degree)
    assert got.shape == (20, degree**2)
    torch.testing.assert_close(got, spherical_harmonics(at, 8)[:, : degree**2])


def test_each_band_sums_to_the_same_everywhere() -> None:
    """Unsöld's theorem: Σ_m Y_lm² = (2l + 1) / 4π."""
    squares = spherical_harmonics(directions(100, torch.float32), 5) ** 2
    for band in range(5):
        total = squares[:, band**2 : (band + 1) ** 2].sum(dim=1)
        torch.testing.assert_close(total, torch.full((100,), (2 * band + 1) / (4.0 * math.pi)), atol=1e-5, rtol=0.0)


def test_derivatives() -> None:
    at = directions(4).requires_grad_()
    assert gradcheck(lambda d: spherical_harmonics(d, 5), at)
    assert gradgradcheck(lambda d: spherical_harmonics(d, 5), at)
    assert gradcheck(lambda p: positional_encoding(p, 3), at)
    assert gradgradcheck(lambda p: positional_encoding(p, 3), at)


def test_empty_nan_and_strided() -> None:
    assert positional_encoding(torch.empty(0, 2), 3).shape == (0, 12)
    assert spherical_harmonics(torch.empty(0, 3), 4).shape == (0, 16)
    at = directions(6, torch.float32)
    strided = at.T.contiguous().T
    assert torch.equal(spherical_harmonics(strided, 4), spherical_harmonics(at, 4))
    assert torch.equal(positional_encoding(strided, 4), positional_encoding(at, 4))
    broken = at.clone()
    broken[2] = math.nan
    for encode in (spherical_harmonics, positional_encoding):
        bad = encode(broken, 3).isnan().any(dim=1)
        assert bad.tolist() == [False, False, True, False, False, False]


@pytest.mark.parametrize(
    ("given", "degree", "error", "message"),
    [
        (torch.zeros(3, 2), 4, ValueError, r"directions: expected shape \(N, 3\), got \(3, 2\)"),
        (torch.zeros(3), 4, ValueError, r"directions: expected shape \(N, 3\), got \(3,\)"),
        (torch.zeros(3, 3).half(), 4, TypeError, "directions: expected torch.float32 or torch.float64, got"),
        ([[0.0, 0.0, 1.0]], 4, TypeError, "directions: expected a torch tensor, numpy array, .* got list"),
        (torch.zeros(3, 3), 0, ValueError, "degree: expected a whole number from 1 to 8, got 0"),
        (torch.zeros(3, 3), 9, ValueError, "degree: expected a whole number from 1 to 8, got 9"),
        (torch.zeros(3, 3), 2.0, TypeError, "degree: expected a whole number, got 2.0"),
    ],
)  # fmt: skip
def test_wrong_directions(given: Any, degree: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        spherical_harmonics(given, degree)


@pytest.mark.parametrize(
    ("given", "octaves", "error", "message"),
    [
        (torch.zeros(3), 4, ValueError, r"points: expected shape \(N, D\), got \(3,\)"),
        (torch.zeros(3, 2, dtype=torch.int64), 4, TypeError, "points: expected torch.float32 or torch.float64"),
        (torch.zeros(3, 2), 0, ValueError, "octaves: expected a whole number from 1 to 24, got 0"),
        (torch.zeros(3, 2), True, TypeError, "octaves: expected a whole number, got True"),
    ],
)
def test_wrong_points(given: Any, octaves: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        positional_encoding(given, octaves)
