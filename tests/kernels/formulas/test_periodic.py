"""The slopes by which the sheets are divided: the largest gradient over a period, found by scan and ascent."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch

from isofield.kernels.formulas import periodic
from isofield.kernels.lanes.maths import TORCH

SHEETS = [
    (periodic.gyroid, periodic.GYROID_SLOPE, math.sqrt(3)),
    (periodic.schwarz_p, periodic.SCHWARZ_P_SLOPE, math.sqrt(3)),
    (periodic.diamond, periodic.DIAMOND_SLOPE, math.sqrt(1.5)),
    (periodic.neovius, periodic.NEOVIUS_SLOPE, 7.0),
]


def slopes(formula, points: torch.Tensor) -> torch.Tensor:
    """|∇g| at points (N, 3), differentiable; |g| has the same slope as g."""
    one, zero = torch.tensor(1.0, dtype=torch.float64), torch.tensor(0.0, dtype=torch.float64)
    value = formula(TORCH, *points.unbind(1), one, one, zero)
    (slope,) = torch.autograd.grad(value.sum(), points, create_graph=True)
    return slope.norm(dim=1)


@pytest.mark.parametrize(("formula", "constant", "exact"), SHEETS)
def test_slope(formula, constant: float, exact: float) -> None:
    ticks = torch.linspace(0.01, 0.01 + 2 * math.pi, 49, dtype=torch.float64)[:-1]
    grid = torch.cartesian_prod(ticks, ticks, ticks).requires_grad_()
    scan = slopes(formula, grid)
    points = grid.detach()[scan.argsort(descending=True)[:64]]
    best = scan.max().item()
    step = 0.1
    for _ in range(60):
        points.requires_grad_()
        here = slopes(formula, points)
        best = max(best, here.max().item())
        (uphill,) = torch.autograd.grad(here.sum(), points)
        points = (points + step * torch.nn.functional.normalize(uphill, dim=1)).detach()
        step *= 0.85
    assert best == pytest.approx(exact, abs=1e-6)
    assert best <= constant <= best * (1 + 1e-3)


@pytest.mark.parametrize(("formula", "constant", "exact"), SHEETS)
def test_sheet_is_a_bound(formula, constant: float, exact: float, oracle: SimpleNamespace) -> None:
    k = 2 * math.pi / 0.4
    parameters = (k, 1 / (k * constant), 0.03)
    assert oracle.lipschitz(lambda p: oracle.run(formula, p, *parameters), 0.5) <= 1.0 + 1e-9
