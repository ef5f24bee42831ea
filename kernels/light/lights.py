"""Lights and sky as kernels read them."""

from dataclasses import dataclass
from enum import IntEnum

import torch


class LightKind(IntEnum):
    """Kinds of lights. Kernels compute with the numbers: what only a point has is multiplied by its kind."""

    SUN = 0
    POINT = 1


class LightColumn(IntEnum):
    """What the columns of a light's row hold."""

    KIND = 0  # see LightKind
    X = 1  # of a sun's direction, a unit vector towards it; of a point's position
    Y = 2
    Z = 3
    RED = 4  # irradiance at a surface that faces the light, of a point at distance 1
    GREEN = 5
    BLUE = 6
    SIZE = 7  # tangent of half a sun's angle; a point's radius


class SkyColumn(IntEnum):
    """Where the colours of the sky begin, each red, green, blue: its radiance in three directions."""

    ZENITH = 0
    HORIZON = 3
    GROUND = 6


LIGHT_SIZE = len(LightColumn)
SKY_SIZE = 3 * len(SkyColumn)


@dataclass(frozen=True)
class Lighting:
    """Lights (L, 8), by `LightColumn`, and sky (9,), by `SkyColumn`, float32, as the kernels read them.

    `grain` is about how far the scene's parts are apart, in scene units; ambient occlusion looks as far as `reach`,
    with reach 0 there is none.
    """

    lights: torch.Tensor
    sky: torch.Tensor
    reach: float
    grain: float
