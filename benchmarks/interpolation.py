"""Interpolation at random points, forward and backward to values and points, against PyTorch's grid_sample."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import inputs
import torch
from timing import Goal, Row, milliseconds, require, row

from isofield.kernels import interpolate

SUBJECT = "interpolation"
TOLERANCE = 2e-3  # relative to the norm; PyTorch's own cells in single precision move by one rounding of a coordinate


@dataclass(frozen=True)
class Case:
    """Nodes along each axis, channels, points (all in one cell if `crowded`), and which goal the ratio has."""

    size: int
    dimensions: int
    channels: int
    points: int = 2**18
    crowded: bool = False
    goal: float | None = None
    training: bool = False  # the points are data and need no gradient

    @property
    def name(self) -> str:
        """As it stands in the table."""
        where = " in one cell" if self.crowded else ""
        what = ", values only" if self.training else ""
        return f"{self.size}{'²³'[self.dimensions - 2]} × {self.channels}, {self.points} points{where}{what}"


CASES = (
    Case(128, 3, 4, goal=5.0),
    Case(128, 3, 16, goal=8.0),
    Case(256, 3, 1, goal=5.0),
    Case(65, 2, 128, goal=5.0),
    Case(512, 2, 3, goal=1.0),
    Case(128, 3, 4, crowded=True),
    Case(33, 2, 128, points=512, training=True, goal=1.0),
    Case(65, 2, 128, points=512, training=True, goal=1.0),
)


def rows(quick: bool) -> tuple[list[Row], dict[str, Any]]:
    """Milliseconds of a forward and a backward pass, and the peer's."""
    cases = [replace(case, points=min(case.points, 2**12)) for case in CASES] if quick else CASES
    return [_against_pytorch(case, quick) for case in cases], {}


def _against_pytorch(case: Case, quick: bool) -> Row:
    generator = torch.Generator().manual_seed(inputs.SEED)
    count = case.points
    values = torch.randn(*[case.size] * case.dimensions, case.channels, generator=generator)
    points = torch.rand(count, case.dimensions, generator=generator)
    if case.crowded:
        points = 0.5 + (0.25 + 0.5 * points) / (case.size - 1)
    upstream = torch.randn(count, case.channels, generator=generator)
    values, points, upstream = (tensor.to(inputs.device()) for tensor in (values, points, upstream))

    # PyTorch has its channels first, its coordinates in [-1, 1] and the last axis first.
    ones = [1] * (case.dimensions - 1)
    leaves = values.requires_grad_(), points.requires_grad_(not case.training)
    peer_values = values.detach().movedim(-1, 0)[None].contiguous().requires_grad_()
    peer_points = (2.0 * points.detach().flip(-1) - 1.0).reshape(1, *ones, count, -1).contiguous()
    peer_leaves = peer_values, peer_points.requires_grad_(not case.training)
    peer_upstream = upstream.T.reshape(1, case.channels, *ones, count).contiguous()

    def ours() -> tuple[torch.Tensor, ...]:
        result = interpolate(*leaves)
        return result, *torch.autograd.grad(result, leaves[: 2 - case.training], upstream)

    def peer() -> tuple[torch.Tensor, ...]:
        result = torch.nn.functional.grid_sample(*peer_leaves, padding_mode="border", align_corners=True)
        return result, *torch.autograd.grad(result, peer_leaves[: 2 - case.training], peer_upstream)

    names = ("values", "gradient to the values", "gradient to the points")
    for name, mine, theirs in zip(names, ours(), _as_ours(case, peer()), strict=False):
        apart = float((mine - theirs).detach().norm() / theirs.detach().norm())
        require(apart <= TOLERANCE, f"{case.name}: {name} differ by {apart:.1e}")
    return _timed(case, ours, peer, quick)


def _as_ours(case: Case, found: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
    """The peer's result and gradients in our layout and coordinates."""
    result, to_values, *to_points = found
    there = [result.reshape(case.channels, -1).T, to_values[0].movedim(0, -1)]
    return there + [2.0 * gradient.reshape(-1, case.dimensions).flip(-1) for gradient in to_points]


def _timed(case: Case, ours: Callable[[], Any], peer: Callable[[], Any], quick: bool) -> Row:
    times, peer_times = (3, 2) if quick else (11, 3)
    if case.training:
        times = peer_times = 20 if quick else 300
    mine, theirs = milliseconds(ours, times, 3), milliseconds(peer, peer_times)
    goal = None if case.goal is None else Goal("ratio", "at least", case.goal)
    name = f"{case.name}, forward and backward"
    return row(
        SUBJECT, name, "ms", mine, peer=statistics.median(theirs), peer_name="PyTorch grid_sample", goal=goal,
        details={"peer": theirs if len(theirs) < 20 else [min(theirs), max(theirs)]},
    )  # fmt: skip
