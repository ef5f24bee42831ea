"""What lies under a point of the picture."""

from __future__ import annotations

import torch

from ...kernels.film import Film
from ...kernels.trace import surface_on
from ..render import Shot, pixel_size, trace_rays, visibility_at_hits
from ..scene import Scene
from .state import Picked


def pick(shot: Shot, width: int, height: int, x: float, y: float) -> Picked | None:
    """What a ray through a point of a picture of that size meets first; x and y are shares of it, y down."""
    film = Film(1, 1)
    shift = ((x - 0.5) * width, (y - 0.5) * height)
    rays = trace_rays(shot.view, film, shift, pixel_size(shot.view.camera, Film(height, width)))
    distance = float(rays.met.distance[0])
    if distance == float("inf"):
        return None
    program = shot.view.program
    numbers, _ = surface_on(program, rays.tiles, rays.origins, rays.directions, rays.met.distance, rays.met.hit_kind)
    normals, _, _ = visibility_at_hits(shot.view, rays, shot.view.unlit)
    point = rays.origins[0] + rays.directions[0] * distance
    name = program.names[int(numbers[0])]
    return Picked(name, _material(shot.scene, name), _vector(point), _vector(normals[0]), distance)


def _material(scene: Scene, name: str) -> str:
    shape = scene.shapes.get(name)
    return shape.surface if shape is not None and isinstance(shape.surface, str) else ""


def _vector(numbers: torch.Tensor) -> tuple[float, float, float]:
    x, y, z = numbers.tolist()
    return x, y, z
