"""Oracles that share nothing with the formulas: surfaces as parametrised patches, searched for the closest point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from isofield.kernels.lanes.maths import TORCH

Profile = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]  # u in [0, 1] → (ρ, z)
Patch = Callable[[np.ndarray, np.ndarray], np.ndarray]  # (u, v) in [0, 1]² → points (..., 3)


def run(formula: Callable[..., torch.Tensor], points: np.ndarray, *parameters: float) -> np.ndarray:
    """The formula in float64 at points (N, 3)."""
    x, y, z = torch.tensor(points, dtype=torch.float64).unbind(-1)
    return formula(TORCH, x, y, z, *[torch.tensor(p, dtype=torch.float64) for p in parameters]).numpy()


def distance(points: np.ndarray, patches: Sequence[Patch], cells: int = 20) -> np.ndarray:
    """Distance of points (N, 3) to the patches: pattern search from the three best cell centres of each patch.

    Every value is the distance to a point of the surface, so never below the true distance but for rounding.
    """
    # Cell centres, not nodes: where a patch shrinks to a pole all nodes would coincide and give no direction.
    ticks = (np.arange(cells) + 0.5) / cells
    u, v = (a.ravel() for a in np.meshgrid(ticks, ticks, indexing="ij"))
    offsets = np.linspace(-1.0, 1.0, 5)
    du, dv = (a.ravel() for a in np.meshgrid(offsets, offsets, indexing="ij"))
    stay = len(du) // 2
    best = np.full(len(points), np.inf)
    for patch in patches:
        if isinstance(patch, (Turned, Triangle)):
            best = np.minimum(best, patch.distance(points))
            continue
        square = ((points[:, None, :] - patch(u, v)[None]) ** 2).sum(-1)
        starts = np.argpartition(square, 3, axis=1)[:, :3].T.ravel()
        aims = np.tile(points, (3, 1))[:, None, :]
        rows = np.arange(len(starts))
        at_u, at_v, step = u[starts], v[starts], np.full(len(starts), 1.0 / cells)
        for _ in range(40):
            try_u = np.clip(at_u[:, None] + du * step[:, None], 0.0, 1.0)
            try_v = np.clip(at_v[:, None] + dv * step[:, None], 0.0, 1.0)
            found = ((aims - patch(try_u, try_v)) ** 2).sum(-1)
            chosen = found.argmin(1)
            at_u, at_v = try_u[rows, chosen], try_v[rows, chosen]
            step = np.where(found[rows, chosen] < found[:, stay], step, step * 0.3)
        best = np.minimum(best, np.sqrt(found.min(1)).reshape(3, -1).min(0))
    return best


def quad(a: Sequence[float], b: Sequence[float], c: Sequence[float], d: Sequence[float]) -> Patch:
    """The flat or bilinear patch with corners a, b, c, d in turn."""
    pa, pb, pc, pd = (np.asarray(p, dtype=float) for p in (a, b, c, d))

    def patch(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        u, v = u[..., None], v[..., None]
        return (1 - u) * (1 - v) * pa + u * (1 - v) * pb + u * v * pc + (1 - u) * v * pd

    return patch


class Turned:
    """The surface that a curve (ρ(u), z(u)), u in [0, 1], sweeps about the z axis."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    def __call__(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        rho, z = self.profile(u)
        return np.stack([rho * np.cos(2 * np.pi * v), rho * np.sin(2 * np.pi * v), z + 0 * v], -1)

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Distance within the point's half-plane through the axis: a scan of the curve, then narrowed."""
        rho, z = np.hypot(points[:, 0], points[:, 1]), points[:, 2]
        at, step = np.full(len(points), 0.5), 0.5
        for _ in range(14):
            tried = np.clip(at[:, None] + step * np.linspace(-1, 1, 81), 0, 1)
            along, up = self.profile(tried)
            found = np.hypot(rho[:, None] - along, z[:, None] - up)
            at, step = tried[np.arange(len(points)), found.argmin(1)], step / 8
        return found.min(1)


class Triangle:
    """A triangle in space, with the exact distance: to its plane where the foot lies within, else to its edges."""

    def __init__(self, a: Sequence[float], b: Sequence[float], c: Sequence[float]) -> None:
        self.corners = np.array([a, b, c], dtype=float)

    def __call__(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        a, b, c = self.corners
        return a + u[..., None] * (b - a) + (u * v)[..., None] * (c - b)

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Distance of points (N, 3)."""
        a, b, c = self.corners
        normal = np.cross(b - a, c - a)
        normal /= np.linalg.norm(normal)
        edges = list(zip(self.corners, np.roll(self.corners, -1, axis=0), strict=True))
        within = np.all([(points - p) @ np.cross(normal, q - p) >= 0 for p, q in edges], axis=0)
        gaps = []
        for p, q in edges:
            t = np.clip((points - p) @ (q - p) / ((q - p) @ (q - p)), 0, 1)
            gaps.append(np.linalg.norm(points - p - t[:, None] * (q - p), axis=1))
        return np.where(within, np.abs((points - a) @ normal), np.min(gaps, axis=0))


def line(a: tuple[float, float], b: tuple[float, float]) -> Profile:
    """The profile from a to b."""
    return lambda u: (a[0] + u * (b[0] - a[0]), a[1] + u * (b[1] - a[1]))


def arc(centre: tuple[float, float], radius: float, start: float, end: float) -> Profile:
    """The profile along a circle between two angles (radians)."""

    def profile(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        angle = start + u * (end - start)
        return centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)

    return profile


def queries(extent: float, patches: Sequence[Patch] = (), count: int = 60, seed: int = 0) -> np.ndarray:
    """Points near and far, on axes and coordinate planes, at the centre, and on and closely beside the surface."""
    random = np.random.default_rng(seed)
    near = random.uniform(-1.3, 1.3, (4 * count, 3)) * extent
    far = random.normal(size=(count // 2, 3)) * 6 * extent
    planes = random.uniform(-1.3, 1.3, (count, 3)) * extent
    planes[np.arange(count), random.integers(0, 3, count)] = 0.0
    axes = random.uniform(-1.5, 1.5, (count, 3)) * extent * np.eye(3)[random.integers(0, 3, count)]
    diagonal = np.array([[i, j, k] for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1)]) * (0.4 * extent)
    parts = [near, far, planes, axes, diagonal]
    for patch in patches:
        surface = patch(random.uniform(size=16), random.uniform(size=16))
        corners = patch(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.0, 1.0, 0.0, 1.0]))
        parts += [surface, surface + random.normal(size=surface.shape) * 1e-3 * extent, corners]
    return np.concatenate(parts)


def lipschitz(value: Callable[[np.ndarray], np.ndarray], extent: float, seed: int = 1) -> float:
    """Largest |f(p) - f(q)| / |p - q| over pairs far and near."""
    random = np.random.default_rng(seed)
    p = random.uniform(-1.5, 1.5, (20000, 3)) * extent
    reach = 10.0 ** random.uniform(-4, 0.5, (len(p), 1)) * extent
    q = p + random.normal(size=p.shape) * reach
    return float((np.abs(value(p) - value(q)) / np.linalg.norm(p - q, axis=1)).max())


@pytest.fixture(scope="session")
def oracle() -> SimpleNamespace:
    """The helpers of this file."""
    return SimpleNamespace(
        run=run,
        distance=distance,
        queries=queries,
        lipschitz=lipschitz,
        quad=quad,
        triangle=Triangle,
        turned=Turned,
        line=line,
        arc=arc,
    )
