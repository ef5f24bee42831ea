"""A field's kernel looked at along one line, where distance, frequency and order mean something."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch

from ..fields import Field, at_bounds
from ..files import StartTask, no_progress
from .kernel import per_point, tangent_kernel
from .regression import KernelRegression
from .training import decay

EVERY = 4  # points from one that a regression is given to the next
JITTER = 1e-3  # of regressions: what the kernel sees a thousand times less well than the average is left out


@dataclass(frozen=True)
class LineReport:
    """What the kernel of a field says on points along a line; lists of floats, for JSON and figures."""

    name: str
    kind: str
    parameters: int
    points: int
    channels: int
    eigenvalues: list[float]
    """λᵢ, falling"""
    distance: list[float]
    """between two points, as parts of the line's length"""
    kernel: list[float]
    """the mean of k(x, x') at that distance over the mean of k(x, x)"""
    frequency: list[int]
    """periods of a wave on the line"""
    gain: list[float]
    """how strongly the kernel answers the wave: wᵀ K w / wᵀ w, mean of sine and cosine; an eigenvalue if w is one's"""
    steps: list[int]
    """updates of gradient descent"""
    directions: list[int]
    """eigenvectors whose errors are followed, 0 is that of the largest eigenvalue"""
    predicted: list[list[float]]
    """errors by steps and directions, 1 before training"""
    measured: list[list[float]]
    place: list[float]
    """of the points, 0 to 1 along the line"""
    wanted: list[float]
    """the curve that a regression is given every fourth point of"""
    regression: list[float]
    """what it makes of them"""

    def as_dictionary(self) -> dict[str, Any]:
        """The report for JSON."""
        return asdict(self)


def line_points(field: Field, count: int) -> torch.Tensor:
    """Points (count, D) evenly along the diagonal of the field's bounds, at (k + ½) / count.

    A diagonal, so that every coordinate counts: a ground plan takes x and y otherwise than z.
    """
    own = next(field.parameters(), torch.empty(0))
    at = (torch.arange(count, dtype=own.dtype, device=own.device) + 0.5) / count
    return at_bounds(field, at[:, None].expand(count, field.dimensions))


def line_report(
    name: str, field: Field, count: int, steps: int, size: float = 0.1, watch: StartTask = no_progress
) -> LineReport:
    """Kernel, spectrum, decay of errors of `size` over `steps` updates, and regression, on `count` points of a line.

    `watch` hears of all of it.

    Raises:
        ValueError: `count` is below 2; what `decay` raises.
    """
    if count < 2:
        raise ValueError(f"points: expected at least 2, got {count}")
    points = line_points(field, count)
    of_channels = tangent_kernel(field, points, watch=watch)
    found, falling = decay(field, points, steps, size=size, kernel=of_channels, watch=watch)
    kernel = per_point(of_channels)
    followed = sorted({2**power - 1 for power in range(len(found.eigenvalues).bit_length())})
    place = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    wanted = curve(place)
    given = slice(EVERY // 2, None, EVERY)
    values = wanted.to(points)[given, None].expand(-1, field.channels)
    regression = KernelRegression(field, points[given], values, jitter=JITTER, from_zero=True, watch=watch)
    return LineReport(
        name=name,
        kind=field.kind,
        parameters=field.parameter_count,
        points=count,
        channels=field.channels,
        eigenvalues=found.eigenvalues.tolist(),
        distance=(torch.arange(count) / count).tolist(),
        kernel=by_distance(kernel).tolist(),
        frequency=list(range(count // 2)),
        gain=by_frequency(kernel).tolist(),
        steps=falling.steps.tolist(),
        directions=followed,
        predicted=falling.predicted[:, followed].tolist(),
        measured=falling.measured[:, followed].tolist(),
        place=place.tolist(),
        wanted=wanted.tolist(),
        regression=regression(points).mean(dim=1).tolist(),
    )


def by_distance(kernel: torch.Tensor) -> torch.Tensor:
    """The mean of k(xᵢ, xᵢ₊ₛ) over i, s = 0 … N - 1, as a part of the mean of k(xᵢ, xᵢ); of (N, N) on even points."""
    means = torch.stack([kernel.diagonal(shift).mean() for shift in range(len(kernel))])
    return means / means[0]


def by_frequency(kernel: torch.Tensor) -> torch.Tensor:
    """wᵀ K w / wᵀ w of waves w of 0 … ⌈N/2⌉ - 1 periods on N even points, the mean of sine and cosine; of (N, N).

    It is the rate at which an error of that shape begins to fall, in units of η / n.
    """
    count = len(kernel)
    turns = torch.arange(count, dtype=kernel.dtype, device=kernel.device) / count
    phases = 2.0 * math.pi * torch.arange(count // 2, device=kernel.device)[:, None] * turns  # (F, N)
    sines, cosines = phases.sin(), phases.cos()
    answers = ((sines @ kernel) * sines).sum(dim=1) + ((cosines @ kernel) * cosines).sum(dim=1)
    return answers / count  # sin² + cos² sum to N at every frequency


def curve(place: torch.Tensor) -> torch.Tensor:
    """Two slow waves and ten fast ones within the unit interval, in [-1, 1]."""
    return 0.5 * (2.0 * math.pi * 2.0 * place).sin() + 0.5 * (2.0 * math.pi * 10.0 * place).sin()
