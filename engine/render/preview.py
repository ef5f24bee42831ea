"""Pictures that are made while something moves: all but the light is found for every pixel."""

from __future__ import annotations

import torch

from ...kernels.rays import Film
from ...kernels.shade import shade
from ...kernels.spread import spread
from ...kernels.surface import surface_on
from .picture import Cast, View, cast, pixel_size, what_is_visible


def preview_of(view: View, rays: Cast, film: Film, coarseness: int) -> torch.Tensor:
    """Radiance (rays, 3) of rays through the pixels' centres.

    Surface, normal, material and reflection are found for every pixel. How much of the sky and of each light is seen,
    which is most of the work, is found for one pixel in `coarseness`², and spread from there to pixels of the same
    surface.
    """
    coarse_film = Film(-(-film.height // coarseness), -(-film.width // coarseness))
    # Both films' middles lie on the camera's axis; the coarse pixels shall hold whole fine ones.
    aside = (
        0.5 * (coarse_film.width - film.width / coarseness),
        0.5 * (coarse_film.height - film.height / coarseness),
    )
    coarse = cast(view, coarse_film, aside, coarseness * pixel_size(view.camera, film))
    _, open_sky, free = what_is_visible(view, coarse, view.lighting)
    normals, _, _ = what_is_visible(view, rays, view.dark)
    _, materials = surface_on(view.program, rays.tiles, rays.origins, rays.directions, rays.met.distance, rays.met.what)
    seen = spread(coarse_film, coarse.met, open_sky, free, film, rays.met, coarseness)
    return shade(view.lighting, rays.origins, rays.directions, rays.met.distance, materials, (normals, *seen))
