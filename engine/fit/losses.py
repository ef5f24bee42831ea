"""Batches, and how far a field is from them."""

from __future__ import annotations

from typing import NamedTuple

import torch

from ..fields import Field


class Batch(NamedTuple):
    """Points (N, D), the values (N, C) a field should have there, and its gradient (N, D) where that is known."""

    points: torch.Tensor
    values: torch.Tensor
    gradients: torch.Tensor | None = None


def squared_error(field: Field, batch: Batch) -> torch.Tensor:
    """Mean of (f(x) - value)²."""
    return torch.nn.functional.mse_loss(field(batch.points), batch.values)


def cross_entropy(field: Field, batch: Batch) -> torch.Tensor:
    """Mean of -t log f(x) - (1 - t) log(1 - f(x)), for an occupancy f in [0, 1] and what it should be, t, 0 or 1.

    A point that is surely wrong weighs far more than with squared errors, which leave specks in empty space.
    """
    return torch.nn.functional.binary_cross_entropy(field(batch.points), batch.values)


class DistanceLoss:
    """Mean of |f(x) - d| + eikonal · (|∇f(x)| - 1)² + normals · |∇f(x) - ∇d|², for signed distances d.

    The second term is the eikonal equation (Gropp et al. 2020); the third needs the gradients of the batch.

    Args:
        eikonal, normals: weights, 0 to leave a term out.
    """

    def __init__(self, eikonal: float = 0.1, normals: float = 0.0) -> None:
        self.eikonal, self.normals = eikonal, normals

    def __call__(self, field: Field, batch: Batch) -> torch.Tensor:
        if not (self.eikonal or self.normals):
            return torch.nn.functional.l1_loss(field(batch.points), batch.values)
        points = batch.points.detach().requires_grad_()
        values = field(points)
        (slope,) = torch.autograd.grad(values.sum(), points, create_graph=True)
        loss = torch.nn.functional.l1_loss(values, batch.values)
        if self.eikonal:
            loss = loss + self.eikonal * (slope.norm(dim=1) - 1.0).square().mean()
        if self.normals:
            if batch.gradients is None:
                raise ValueError("normals: expected 0 for batches without gradients")
            loss = loss + self.normals * (slope - batch.gradients).square().sum(dim=1).mean()
        return loss
