"""The rays of a view through a film: what they meet, and what light reaches there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from ...kernels.film import Film, camera_rays
from ...kernels.light import Lighting, visibility
from ...kernels.program import PART, Tiles
from ...kernels.trace import Intersections, surface_on, trace_film
from ..scene import Camera
from .ray_cone import RayCone
from .views import View

MAXIMUM_STEPS = 256

# Normals are taken from taps so far away, in pixels: a wider net rounds edges into bright lines, a finer one sparkles.
TAP_SHARE = 0.3

# A surface is met where its distance is this share of a pixel; less costs steps, more thickens silhouettes.
HIT_SHARE = 0.1


@dataclass(frozen=True)
class TracedRays:
    """The rays of a film in its order, and what they met.

    Attributes:
        origins, directions: (rays, 3).
        tiles, met: the programs of the film's tiles, and what `trace_film` found.
        footprint: how far normals' taps are from a point.
        normals: (rays, 3) of a network where it was met.
    """

    origins: torch.Tensor
    directions: torch.Tensor
    tiles: Tiles
    met: Intersections
    footprint: RayCone
    normals: torch.Tensor | None = None


def trace_rays(view: View, film: Film, shift: tuple[float, float], pixel: float | None = None) -> TracedRays:
    """The rays of a view through a film, `shift` pixels to the right of and below the pixels' centres.

    `pixel` is the side of a pixel, for a film that is part of a larger one or has coarser pixels than it.
    """
    program, camera = view.program, view.camera
    perspective = camera.fov is not None
    pixel = pixel or pixel_size(camera, film)
    matrix = torch.tensor(camera.matrix(), dtype=torch.float32, device=program.rows.device)
    origins, directions = camera_rays(matrix, pixel, film, shift, perspective=perspective)
    tolerance = RayCone(1e-6, HIT_SHARE * pixel) if perspective else RayCone(HIT_SHARE * pixel, 0.0)
    footprint = RayCone(0.0, TAP_SHARE * pixel) if perspective else RayCone(TAP_SHARE * pixel, 0.0)
    thickness = view.network.margin if view.network else 0.0
    thickened = RayCone(tolerance.width + thickness, tolerance.spread)
    tiles, met = trace_film(program, origins, directions, thickened, MAXIMUM_STEPS)
    normals = None
    if view.network is not None:
        met, normals = view.network.trace(program, origins, directions, met, tolerance)
    return TracedRays(origins, directions, tiles, met, footprint, normals)


def visibility_at_hits(
    view: View, rays: TracedRays, lights: Lighting, jitter: float = 0.0, numbers: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Normals, open sky and free lights where rays landed, as `visibility` gives them.

    `jitter` in [0, 1) is another for each sample; `numbers` (rays,) are the shapes met, where they are known already.
    """
    program, met, sampling = view.program, rays.met, None
    if len(program.sampling):
        if numbers is None:
            numbers, _ = surface_on(program, rays.tiles, rays.origins, rays.directions, met.distance, met.hit_kind)
        sampling = program.sampling[numbers.clamp(min=0)]
    normals, open_sky, free_lights = visibility(
        program, rays.tiles, lights, rays.origins, rays.directions, met.distance, met.hit_kind, rays.footprint, jitter,
        sampling,
    )  # fmt: skip
    if rays.normals is not None:
        normals = torch.where((met.hit_kind == PART)[:, None], rays.normals, normals)
    return normals, open_sky, free_lights


def pixel_size(camera: Camera, film: Film) -> float:
    """Side of a pixel: at distance 1 for a perspective camera, in scene units for an orthographic one."""
    if camera.fov is not None:
        return 2.0 * math.tan(math.radians(camera.fov) / 2.0) / film.height
    assert camera.width is not None
    return camera.width / film.width
