"""Plain PyTorch sphere tracing as in learning3d assignment 3: 64 steps of every ray, one tensor operation at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

ITERATIONS = 64
HIT = 1e-3

Field = Callable[[torch.Tensor], torch.Tensor]


def torus(points: torch.Tensor, radius: float, tube: float) -> torch.Tensor:
    """Signed distance of a torus about the z axis at points (N, 3)."""
    around = torch.sqrt(points[:, 0] ** 2 + points[:, 1] ** 2) - radius
    return torch.stack([around, points[:, 2]], dim=-1).norm(dim=-1) - tube


def torus_and_spheres(
    points: torch.Tensor, radius: float, tube: float, centres: Sequence[tuple[float, float, float]], size: float
) -> torch.Tensor:
    """Signed distance of a torus and spheres of one size at points (N, 3)."""
    nearest = torus(points, radius, tube)
    for centre in centres:
        away = (points - torch.tensor(centre, device=points.device)).norm(dim=-1)
        nearest = torch.minimum(nearest, away - size)
    return nearest


def trace(field: Field, origins: torch.Tensor, directions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Points (N, 3) that the rays come to, and whether (N,) they lie on the surface."""
    points = origins.clone()
    for _ in range(ITERATIONS):
        value = field(points)
        points = points + value[:, None] * directions
    return points, value < HIT


def normals(field: Field, points: torch.Tensor) -> torch.Tensor:
    """Unit normals (N, 3) by autograd."""
    leaf = points.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(field(leaf).sum(), leaf)
    return torch.nn.functional.normalize(gradient, dim=-1)
