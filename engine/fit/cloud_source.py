"""Batches from clouds of points, and the loss that makes a signed distance of them without knowing inside or outside.

The recipe is that of Gropp et al. 2020, "Implicit geometric regularization": a network of softplus that begins as a
ball, zero at the points, gradients of length one everywhere; with the off-surface term of Sitzmann et al. 2020.
"""

from __future__ import annotations

import math
import zlib
from typing import Any, NamedTuple

import torch

from ..fields import MLP, Bounds, Field, Placement
from ..files import PointCloud
from .mesh_source import MARGIN

FEWEST = 4  # points: three lie in a plane
STRAY = 20.0  # median distances from the middle at which a point is no part of the shape
FLAT = 1e-5  # thickness of a cloud, as a part of its length, below which it has no inside
NEIGHBOUR = 50  # the points near the surface are as far off as this neighbour is, in Gropp et al. 2020, section 5
LOOKED_AT = 2**12  # points whose neighbours are looked for, among at most 2^16
SPREAD = 1e-4  # of the last layer's weights, so that its neurons do not all learn alike
BALL = 0.5  # radius with which a field begins, in [-1, 1]³
SHARPNESS = 100.0  # of the off-surface term, exp(-100 |f|)
RATE = 5e-3  # peak learning rate of Adam


class CloudBatch(NamedTuple):
    """Points (N, 3) of a cloud, their unit normals (N, 3) if known, points near them, and points anywhere."""

    points: torch.Tensor
    normals: torch.Tensor | None
    near: torch.Tensor
    anywhere: torch.Tensor


def cleaned(cloud: PointCloud) -> tuple[PointCloud, int]:
    """A cloud without strays, and how many there were: points far outside of where most of them lie.

    Raises:
        ValueError: there are too few points, or all lie on a line or plane.
    """
    count = len(cloud.points)
    if count < FEWEST:
        raise ValueError(f"cloud: expected at least {FEWEST} points, got {count}")
    places = cloud.points.double()
    away = (places - places.median(dim=0).values).norm(dim=1)
    kept = away <= STRAY * away.median()
    places = places[kept]
    centred = places - places.mean(dim=0)
    spread = torch.linalg.svdvals(centred / centred.abs().max().clamp_min(1e-300))
    if len(places) < FEWEST or float(spread[2]) <= FLAT * float(spread[0]):
        raise ValueError("cloud: expected points about a body, got points of one plane, line or place")
    normals = None if cloud.normals is None else cloud.normals[kept]
    return PointCloud(cloud.points[kept], normals, cloud.origin), count - len(places)


def placed_cloud(cloud: PointCloud) -> tuple[PointCloud, Placement, Bounds]:
    """A cloud moved so that its longest side and the margin beside it fill [-1, 1]; the bounds are [-1, 1]³."""
    points = cloud.points.double() + torch.tensor(cloud.origin, dtype=torch.float64)
    low, high = points.amin(dim=0), points.amax(dim=0)
    x, y, z = (0.5 * (low + high)).tolist()
    placement = Placement((x, y, z), 2.0 / ((1.0 + 2.0 * MARGIN) * float((high - low).max())))
    moved = PointCloud(placement.to_field(points).float(), cloud.normals)
    return moved, placement, ((-1.0,) * 3, (1.0,) * 3)


class CloudSource:
    """Points of a cloud with points near them and anywhere in the bounds.

    Points near the cloud are normally distributed about points of it, with the distance of the 50th neighbour, at the
    median, as deviation.
    """

    def __init__(self, cloud: PointCloud, bounds: Bounds) -> None:
        self.cloud, self.bounds = cloud, bounds
        self.low, self.high = (torch.tensor(corner) for corner in bounds)
        self.deviation = _neighbour_distance(cloud.points)

    @torch.no_grad()
    def __call__(self, count: int, generator: torch.Generator) -> CloudBatch:
        """`count` points of the cloud and as many of each other kind."""
        place = generator.device
        points = self.cloud.points.to(place)
        chosen = torch.randint(len(points), (count,), generator=generator, device=place)
        low, high = self.low.to(place), self.high.to(place)
        offsets = self.deviation * torch.randn(count, 3, generator=generator, device=place)
        anywhere = low + torch.rand(count, 3, generator=generator, device=place) * (high - low)
        normals = None if self.cloud.normals is None else self.cloud.normals.to(place)[chosen]
        return CloudBatch(points[chosen], normals, (points[chosen] + offsets).clamp(low, high), anywhere)

    def describe(self) -> dict[str, Any]:
        """What tells this source from another, in types that JSON has."""
        return {
            "cloud": len(self.cloud.points),
            "checksum": zlib.crc32(self.cloud.points.numpy().data),
            "normals": self.cloud.normals is not None,
        }


class CloudLoss:
    """Mean of |f| at the points + eikonal · (‖∇f‖ - 1)² everywhere + off · exp(-100 |f|) anywhere + normals · |∇f - n|.

    Args:
        eikonal, off, normals: weights; the last counts where the cloud has normals.
    """

    def __init__(self, eikonal: float = 0.03, off: float = 0.01, normals: float = 0.3) -> None:
        self.eikonal, self.off, self.normals = eikonal, off, normals

    def __call__(self, field: Field, batch: CloudBatch) -> torch.Tensor:
        count = len(batch.points)
        places = torch.cat([batch.points, batch.near, batch.anywhere]).detach().requires_grad_()
        values = field(places)[:, 0]
        (slopes,) = torch.autograd.grad(values.sum(), places, create_graph=True)
        loss: torch.Tensor = values[:count].abs().mean() + self.eikonal * (slopes.norm(dim=1) - 1.0).square().mean()
        if self.off:
            loss = loss + self.off * torch.exp(-SHARPNESS * values[2 * count :].abs()).mean()
        if batch.normals is not None and self.normals:
            loss = loss + self.normals * (slopes[:count] - batch.normals).norm(dim=1).mean()
        return loss


def ball_field(bounds: Bounds, *, width: int = 128, layers: int = 4, seed: int = 0) -> MLP:
    """A network of softplus that begins as about the distance to a ball in the middle of [-1, 1]³.

    Weights begin as in Atzmon and Lipman 2020, "SAL", theorem 1: N(0, 2 / width) in the hidden layers, √(π / width) in
    the last, whose bias is minus the radius.
    """
    with torch.random.fork_rng():  # every number that is drawn here is replaced below
        field = MLP(3, 1, width=width, layers=layers, activation="softplus", meaning="signed_distance", bounds=bounds)
    field.rate = RATE
    linear = [layer for layer in field.network if isinstance(layer, torch.nn.Linear)]
    generator = torch.Generator().manual_seed(seed)
    low, high = (torch.tensor(corner) for corner in bounds)
    with torch.no_grad():
        for layer in linear[:-1]:
            layer.weight.copy_(math.sqrt(2.0 / width) * torch.randn(layer.weight.shape, generator=generator))
            layer.bias.zero_()
        # The network gets fractions of the bounds; what the first layer sees is to be the point itself.
        linear[0].bias.copy_(linear[0].weight @ low)
        linear[0].weight.mul_(high - low)
        last = linear[-1]
        last.weight.copy_(math.sqrt(math.pi / width) + SPREAD * torch.randn(last.weight.shape, generator=generator))
        last.bias.fill_(-BALL)
    return field


def _neighbour_distance(points: torch.Tensor) -> float:
    """Median distance of some points' 50th neighbour, or of the last one if there are fewer."""
    generator = torch.Generator().manual_seed(0)
    shuffled = points[torch.randperm(len(points), generator=generator)]
    among = shuffled[: 2**16]
    wanted = min(NEIGHBOUR, len(among) - 1) + 1  # the nearest is the point itself
    found = [
        torch.cdist(some, among).kthvalue(wanted, dim=1).values for some in torch.split(shuffled[:LOOKED_AT], 2**9)
    ]
    return float(torch.cat(found).median())
