"""The comparison of six representations in plain PyTorch: grid_sample, Adam at a constant rate, MSE.

The protocol is that of the second homework of MIT's 6.S980 (neural fields): points are drawn uniformly in [0, 1]^D, and
the error is taken at the centres of 512² pixels or 96³ cells.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

RATES = {"mlp": 1e-2, "encoded_mlp": 1e-2, "siren": 1e-4, "grid": 1e-2, "hybrid_grid": 1e-2, "ground_plan": 1e-2}
WARM_UP = 5  # steps before the clock starts

Target = Callable[[torch.Tensor], torch.Tensor]


class Encoding(nn.Module):
    """sin and cos of 2π 2^k x."""

    def __init__(self, octaves: int) -> None:
        super().__init__()
        self.octaves = octaves

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        frequencies = 2.0 * math.pi * 2.0 ** torch.arange(self.octaves, device=points.device)
        angles = (points[..., None] * frequencies).flatten(-2)
        return torch.cat([angles.sin(), angles.cos()], dim=-1)


class Grid(nn.Module):
    """Values on nodes whose corners are aligned with [0, 1]^D."""

    def __init__(self, dimensions: int, channels: int, nodes: int) -> None:
        super().__init__()
        self.dimensions = dimensions
        draw = torch.rand if channels <= 3 else torch.randn
        self.values = nn.Parameter(draw(1, channels, *(nodes,) * dimensions))

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        places = (2.0 * points - 1.0).view(1, *(1,) * (self.dimensions - 1), -1, self.dimensions)
        found = functional.grid_sample(self.values, places, padding_mode="border", align_corners=True)
        return found.flatten(2)[0].t()


class Siren(nn.Module):
    """Four layers of sines and a linear one."""

    def __init__(self, dimensions: int, channels: int, width: int = 256, layers: int = 3, omega: float = 30.0) -> None:
        super().__init__()
        self.omega = omega
        sizes = [dimensions, *[width] * (layers + 1), channels]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:], strict=False))  # noqa: RUF007
        with torch.no_grad():
            for index, layer in enumerate(self.layers):
                reach = 1.0 / dimensions if index == 0 else math.sqrt(6.0 / width) / omega
                layer.weight.uniform_(-reach, reach)

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        for layer in self.layers[:-1]:
            points = torch.sin(self.omega * layer(points))
        return self.layers[-1](points)


class GroundPlan(nn.Module):
    """A grid over x and y, the encoded z, and a network."""

    def __init__(self, features: int = 128, nodes: int = 65, octaves: int = 8) -> None:
        super().__init__()
        self.grid, self.encoding = Grid(2, features, nodes), Encoding(octaves)
        self.network = network(features + 2 * octaves, 1, 64)

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        return self.network(torch.cat([self.grid(points[:, :2]), self.encoding(points[:, 2:])], dim=-1))


def network(inputs: int, outputs: int, width: int) -> nn.Sequential:
    """Two hidden layers of ReLUs."""
    return nn.Sequential(
        nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, outputs)
    )


def make(name: str) -> nn.Module:
    """A representation by name."""
    makers: dict[str, Callable[[], nn.Module]] = {
        "mlp": lambda: nn.Sequential(network(2, 3, 128), nn.Sigmoid()),
        "encoded_mlp": lambda: nn.Sequential(Encoding(6), network(24, 3, 128), nn.Sigmoid()),
        "siren": lambda: Siren(2, 3),
        "grid": lambda: nn.Sequential(Grid(2, 3, 33), nn.Sigmoid()),
        "hybrid_grid": lambda: nn.Sequential(Grid(2, 128, 33), network(128, 3, 64), nn.Sigmoid()),
        "ground_plan": lambda: nn.Sequential(GroundPlan(), nn.Sigmoid()),
    }
    return makers[name]()


def picture(pixels: torch.Tensor) -> Target:
    """Colours (N, 3) at points (N, 2) of a picture (H, W, 3) of floats."""
    image = pixels.permute(2, 0, 1)[None].contiguous()

    def colours(points: torch.Tensor) -> torch.Tensor:
        places = (2.0 * points - 1.0)[None, None]
        return functional.grid_sample(image, places, padding_mode="border", align_corners=True)[0, :, 0].t()

    return colours


def torus(points: torch.Tensor) -> torch.Tensor:
    """Occupancy (N, 1) of a torus of radius 0.25 and tube 0.15 about (0.5, 0.5, 0.5)."""
    x, y, z = (points - 0.5).split(1, -1)
    return (((x**2 + y**2).sqrt() - 0.25) ** 2 + z**2 < 0.15**2).float()


def train(name: str, target: Target, steps: int, batch: int, device: str) -> tuple[nn.Module, float]:
    """The trained representation, and the seconds it took."""
    torch.manual_seed(0)
    dimensions = 3 if name == "ground_plan" else 2
    model = make(name).to(device)
    optimiser = torch.optim.Adam(model.parameters(), lr=RATES[name])
    start = time.perf_counter()
    for step in range(steps):
        if step == WARM_UP:
            start = time.perf_counter()
        points = torch.rand(batch, dimensions, device=device)
        loss = functional.mse_loss(model(points), target(points))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    if device == "cuda":
        torch.cuda.synchronize()
    return model, (time.perf_counter() - start) * steps / max(steps - WARM_UP, 1)


@torch.no_grad()
def full_error(model: Target, target: Target, dimensions: int, device: str) -> float:
    """Mean squared error at the centres of 512² pixels or 96³ cells."""
    count = 512 if dimensions == 2 else 96
    axis = (torch.arange(count, device=device) + 0.5) / count
    points = torch.stack(torch.meshgrid(*[axis] * dimensions, indexing="ij"), dim=-1).flip(-1).reshape(-1, dimensions)
    errors = [(model(part) - target(part)).square().mean(dim=-1) for part in points.split(65536)]
    return float(torch.cat(errors).mean())
