"""A scene's lights as the shading kernel reads them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch

from ...kernels.shade import LIGHT_SIZE, SKY_SIZE, Lighting
from ..scene import Light, PointLight, Sky, Sun

SUN, POINT = 0.0, 1.0


def lighting(lights: Iterable[Light], reach: float, device: torch.device | str = "cpu") -> Lighting:
    """Suns and point lights as rows, skies added up; `reach` is how far ambient occlusion looks, in scene units."""
    rows: list[list[float]] = []
    sky = [0.0] * SKY_SIZE
    for light in lights:
        if isinstance(light, Sun):
            half = math.tan(math.radians(light.angle) / 2.0)
            rows.append([SUN, *_unit(light.direction), *(c * light.strength for c in light.color), half])
        elif isinstance(light, PointLight):
            rows.append([POINT, *light.position, *(c * light.strength for c in light.color), light.radius])
        elif isinstance(light, Sky):
            added = [c * light.strength for c in (*light.zenith, *light.horizon)]
            sky = [a + b for a, b in zip(sky, added, strict=True)]
    table = torch.tensor(rows, dtype=torch.float32, device=device).reshape(-1, LIGHT_SIZE)
    return Lighting(table, torch.tensor(sky, dtype=torch.float32, device=device), reach)


def _unit(vector: tuple[float, float, float]) -> tuple[float, float, float]:
    length = math.hypot(*vector)
    return (vector[0] / length, vector[1] / length, vector[2] / length)
