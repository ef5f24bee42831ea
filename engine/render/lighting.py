"""A scene's lights as the shading kernel reads them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch

from ...kernels.light import LIGHT_SIZE, SKY_SIZE, LightColumn, Lighting, LightKind, SkyColumn
from ..scene import Light, PointLight, Sky, Sun

AMBIENT_REACH = 0.35  # how far ambient occlusion looks, in grains of the scene

WHITE = 0.85  # what a white floor in full light becomes, before the tone map
LEAST_COSINE = 0.2  # light from the side or below lights something, if not the floor
FLOOR_ZENITH = 0.84  # how much of what a floor sees of the sky is the zenith's, as `shade` weighs it
DARKEST = 0.25  # a scene darker than this stays dark

GROUND = 0.35  # share of the light from above that the ground throws back, as seen in metals and by undersides


def lighting(lights: Iterable[Light], grain: float, device: torch.device | str = "cpu") -> Lighting:
    """Suns and point lights as rows, skies added up; `grain` is about how far the scene's parts are apart."""
    rows: list[list[float]] = []
    zenith, horizon, ground = [0.0] * 3, [0.0] * 3, [0.0] * 3
    for light in lights:
        if isinstance(light, Sun):
            half = math.tan(math.radians(light.angle) / 2.0)
            direction = _unit(light.direction)
            rows.append(_row(LightKind.SUN, direction, light, half))
            ground = _plus(ground, light.color, GROUND * light.strength * max(direction[2], 0.0))
        elif isinstance(light, PointLight):
            rows.append(_row(LightKind.POINT, light.position, light, light.radius))
        elif isinstance(light, Sky):
            zenith = _plus(zenith, light.zenith, light.strength)
            horizon = _plus(horizon, light.horizon, light.strength)
            for part in (light.zenith, light.horizon):
                ground = _plus(ground, part, 0.5 * GROUND * light.strength)
    table = torch.tensor(rows, dtype=torch.float32, device=device).reshape(-1, LIGHT_SIZE)
    sky = torch.empty(SKY_SIZE)
    for start, colour in ((SkyColumn.ZENITH, zenith), (SkyColumn.HORIZON, horizon), (SkyColumn.GROUND, ground)):
        sky[start : start + 3] = torch.tensor(colour)
    return Lighting(table, sky.to(device), AMBIENT_REACH * grain, grain)


def exposure(lights: Iterable[Light], ball: tuple[float, float, float, float]) -> float:
    """Factor that brings what the lights do to a white matt floor under a ball to WHITE, as a camera's meter would.

    So a picture keeps its brightness when all lights grow together; linear pictures are not touched.
    """
    brightness = 0.0
    for light in lights:
        if isinstance(light, Sky):
            seen = FLOOR_ZENITH * _luminance(light.zenith) + (1.0 - FLOOR_ZENITH) * _luminance(light.horizon)
            brightness += seen * light.strength
        else:
            towards = light.direction if isinstance(light, Sun) else _difference(light.position, ball[:3])
            away = math.hypot(*towards)
            # A lamp within the ball is as far from the floor as the ball is large.
            fall = 1.0 if isinstance(light, Sun) else 1.0 / max(away, ball[3], 1e-3) ** 2
            cosine = max(towards[2] / max(away, 1e-6), LEAST_COSINE)
            brightness += _luminance(light.color) * light.strength * fall * cosine
    return WHITE / max(brightness, DARKEST)


def _row(kind: LightKind, where: tuple[float, float, float], light: Sun | PointLight, size: float) -> list[float]:
    """A light as `LightColumn` has it."""
    red, green, blue = (channel * light.strength * math.pi for channel in light.color)
    x, y, z = where
    row = [0.0] * LIGHT_SIZE
    row[LightColumn.KIND], row[LightColumn.SIZE] = float(kind), size
    row[LightColumn.X], row[LightColumn.Y], row[LightColumn.Z] = x, y, z
    row[LightColumn.RED], row[LightColumn.GREEN], row[LightColumn.BLUE] = red, green, blue
    return row


def _plus(total: list[float], color: tuple[float, float, float], weight: float) -> list[float]:
    return [a + weight * b for a, b in zip(total, color, strict=True)]


def _luminance(color: tuple[float, float, float]) -> float:
    return 0.2126 * color[0] + 0.7152 * color[1] + 0.0722 * color[2]  # ITU-R BT.709


def _difference(a: tuple[float, float, float], b: tuple[float, float, float]) -> tuple[float, float, float]:
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2])


def _unit(vector: tuple[float, float, float]) -> tuple[float, float, float]:
    length = math.hypot(*vector)
    return (vector[0] / length, vector[1] / length, vector[2] / length)
