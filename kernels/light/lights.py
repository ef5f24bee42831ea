"""Lights and sky as kernels read them."""

from dataclasses import dataclass

import torch

# kind (0 sun, 1 point), direction towards the sun or position, irradiance (3), tangent of half its angle or radius
LIGHT_SIZE = 8
SKY_SIZE = 9  # radiance at the zenith, at the horizon, of the ground


@dataclass(frozen=True)
class Lighting:
    """Lights (L, 8) and sky (9,), float32, as the kernel reads them.

    `grain` is about how far the scene's parts are apart, in scene units; ambient occlusion looks as far as `reach`,
    with reach 0 there is none.
    """

    lights: torch.Tensor
    sky: torch.Tensor
    reach: float
    grain: float
