"""The furnace: a white surface in even light of 1 sends 1 to the viewer, or less; never more."""

from __future__ import annotations

import math

import pytest
import torch

from isofield.kernels.light.lights import Lighting
from isofield.kernels.light.shading import shade

FIT = 0.04  # by how much the fitted albedo of the shiny layer may miss the integral for a dielectric

# What a rough metal loses because light that bounces twice between its facets is not counted: white gives back 0.32
# when seen from the front at roughness 1 (integrated numerically).
ROUGH_METAL = 0.3

ROUGHNESS = [0.0, 0.05, 0.2, 0.5, 0.8, 1.0]
METALLIC = [0.0, 0.3, 1.0]
COSINES = [0.001, 0.02, 0.1, 0.3, 0.6, 1.0]  # of the angle between the normal and the viewer


def seen(lights: torch.Tensor, sky: list[float], view: torch.Tensor, roughness: float, metallic: float) -> float:
    """Radiance of white in the plane z = 0, nothing in the way of sky (9,) and lights (L, 8)."""
    material = torch.tensor([[1.0, 1.0, 1.0, roughness, metallic, 0.0, 0.0, 0.0]])
    normal = torch.tensor([[0.0, 0.0, 1.0]])
    lighting = Lighting(lights, torch.tensor(sky), 1.0, 1.0)
    visible = (normal, torch.ones(1), torch.ones(1, len(lights)))
    radiance = shade(lighting, view[None].clone(), -view[None], torch.ones(1), material, visible)
    return float(radiance.max())


def even_light(view: torch.Tensor, alpha: float, side: int = 96) -> torch.Tensor:
    """Suns (L, 8) that together are even light of 1 from above, dense where a GGX surface mirrors the viewer.

    Half of them are spread by the cosine, half by the facets that the viewer sees (E. Heitz, "Sampling the GGX
    distribution of visible normals", 2018); each has the irradiance 1 / (density · number).
    """
    grid = (torch.arange(side, dtype=torch.float64) + 0.5) / side
    u, v = (axis.reshape(-1) for axis in torch.meshgrid(grid, grid, indexing="ij"))
    radius, angle = u.sqrt(), 2.0 * math.pi * v
    x, y = radius * angle.cos(), radius * angle.sin()
    cosine = torch.stack([x, y, (1.0 - u).sqrt()], dim=1)
    view = view.double()
    stretched = torch.nn.functional.normalize(view * torch.tensor([alpha, alpha, 1.0]), dim=0)
    first = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)  # level, across the viewer's direction in the x-z plane
    second = torch.linalg.cross(stretched, first)
    lean = 0.5 * (1.0 + stretched[2])
    y = (1.0 - lean) * (1.0 - x * x).clamp(min=0.0).sqrt() + lean * y
    z = (1.0 - x * x - y * y).clamp(min=0.0).sqrt()
    facet = x[:, None] * first + y[:, None] * second + z[:, None] * stretched
    facet = torch.nn.functional.normalize(facet * torch.tensor([alpha, alpha, 1.0]), dim=1)
    towards = torch.cat([cosine, 2.0 * (facet @ view)[:, None] * facet - view])
    towards = towards[towards[:, 2] > 1e-6]
    half = torch.nn.functional.normalize(towards + view, dim=1)
    spread = alpha**2 / (math.pi * (half[:, 2] ** 2 * (alpha**2 - 1.0) + 1.0) ** 2)
    shown = 2.0 * view[2] / (view[2] + (view[2] ** 2 * (1.0 - alpha**2) + alpha**2).sqrt())
    density = 0.5 * towards[:, 2] / math.pi + 0.5 * spread * shown / (4.0 * view[2])
    suns = torch.zeros(len(towards), 8)
    suns[:, 1:4] = towards.float()
    suns[:, 4:7] = (1.0 / (density * 2 * side**2)).float()[:, None]
    return suns


def test_the_suns_of_this_file_are_even_light_of_one() -> None:
    """Their irradiance on the plane is that of a sky of 1, π."""
    for cosine in COSINES[1:]:
        suns = even_light(torch.tensor([math.sqrt(1.0 - cosine**2), 0.0, cosine]), 0.3)
        assert float((suns[:, 3] * suns[:, 4]).sum()) == pytest.approx(math.pi, rel=0.01)


@pytest.mark.parametrize("metallic", METALLIC)
@pytest.mark.parametrize("roughness", ROUGHNESS)
def test_white_in_even_light_is_no_brighter_than_the_light(roughness: float, metallic: float) -> None:
    for cosine in COSINES:
        view = torch.tensor([math.sqrt(1.0 - cosine**2), 0.0, cosine])
        suns = even_light(view, max(roughness**2, 2e-3))
        by_suns = seen(suns, [0.0] * 9, view, roughness, metallic)
        by_sky = seen(torch.zeros(0, 8), [1.0] * 9, view, roughness, metallic)
        assert by_sky <= 1.0 + 1e-5
        # A metal has no matt part, so nothing is fitted; what is left is the sum over suns.
        assert by_suns <= 1.0 + (FIT if metallic < 1.0 else 0.01), f"cosine {cosine}"
        least = ROUGH_METAL if metallic == 1.0 else 1.0 - metallic - FIT
        assert min(by_suns, by_sky) >= least, f"cosine {cosine}: {by_suns} by suns, {by_sky} by the sky"


@pytest.mark.parametrize("angle", [0.5, 10.0, 20.0])
def test_a_large_light_is_mirrored_wider_but_as_bright_in_all(angle: float) -> None:
    """Summed over the directions from which it is seen, a highlight does not depend on the size of the sun."""
    totals = []
    for size in (0.0, math.tan(math.radians(angle) / 2.0)):
        sun = torch.tensor([[0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, size]])
        total = 0.0
        for step in range(400):
            slant = 0.5 * math.pi * ((step + 0.5) / 400) ** 2  # dense where the sun is mirrored
            view = torch.tensor([math.sin(slant), 0.0, math.cos(slant)])
            ring = math.sin(slant) * math.cos(slant) * math.pi * (step + 0.5) / 400**2
            total += 2.0 * math.pi * ring * seen(sun, [0.0] * 9, view, 0.3, 1.0)
        totals.append(total)
    assert totals[1] == pytest.approx(totals[0], rel=0.1)
