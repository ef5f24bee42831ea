"""Pictures that are made while something moves: all but the light is found for every pixel."""

from __future__ import annotations

from dataclasses import replace

import torch

from ...kernels.film import TILE, Film, beams_of
from ...kernels.light import coarse_rays, shade_upsampled, without_planes
from ...kernels.program import tiles_of
from ...kernels.trace import shared_shapes, surface_on
from .ray_cone import RayCone
from .rays import TracedRays, visibility_at_hits
from .views import View


def preview_of(view: View, rays: TracedRays, film: Film, coarseness: int) -> torch.Tensor:
    """A shaded picture (height, width, 3), sRGB in [0, 1], of rays through the pixels' centres.

    Surface, normal, material and reflection are found for every pixel. How much of the sky and of each light is seen,
    which is most of the work, is found in the middle of each square of `coarseness` × `coarseness` pixels, and spread
    from there to pixels of the same surface.
    """
    program, met = view.program, rays.met
    starts, ways, coarse_met = coarse_rays(film, coarseness, rays.origins, rays.directions, met)
    tiles = tiles_of(program, beams_of(starts, ways, TILE))
    footprint = RayCone(coarseness * rays.footprint.width, coarseness * rays.footprint.spread)
    coarse = TracedRays(starts, ways, tiles, coarse_met, footprint)
    _, open_sky, free_lights = visibility_at_hits(view, coarse, view.lighting)
    normals, _, _ = visibility_at_hits(view, replace(rays, met=without_planes(met)), view.unlit)
    shared = shared_shapes(program, rays.tiles)
    _, materials = surface_on(program, rays.tiles, rays.origins, rays.directions, met.distance, met.hit_kind, shared)
    return shade_upsampled(
        program, view.lighting, film, rays.tiles, shared, (rays.origins, rays.directions), met, materials, normals,
        coarseness, coarse_met, (open_sky, free_lights), view.exposure, screen=True,
    )  # fmt: skip
