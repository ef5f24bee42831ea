"""Pictures of views: rays, what the mode shows where they landed, the mean of all samples of a pixel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import torch

from ...kernels.film import Film, develop
from ...kernels.lanes import check_integer
from ...kernels.light import shade
from ...kernels.trace import surface_on
from ..scene import Camera, Scene
from . import colour
from .modes import Mode
from .rays import TracedRays, trace_rays, visibility_at_hits
from .sampler import sample_place
from .views import View, view_of

if TYPE_CHECKING:
    from ..fields import Field

LARGEST_SIDE = 16384
FULL_HEAT = 96  # steps that the mode "steps" shows as the hottest colour


def render(
    scene: Scene | Field,
    *,
    width: int = 512,
    height: int = 512,
    mode: Mode = "shaded",
    samples: int = 4,
    seed: int = 0,
    camera: Camera | None = None,
    linear: bool = False,
    baked: bool = False,
) -> torch.Tensor:
    """A picture of a scene, or of the surface of a field.

    Args:
        scene: what to draw: its subject and stage, lit by its lights (a studio's if it has none). A field, a signed
            distance or an occupancy in space, is shown in clay on a floor; its network itself is traced.
        width, height: pixels, 1 to 16384.
        mode: "shaded", or what is measured: "normals" (n/2 + 1/2), "depth" (distance along the ray, near is bright),
            "steps" (evaluations a ray took), "shapes" (a colour for each), "ambient" (how open the surroundings are).
        samples: rays a pixel, jittered by a low-discrepancy sequence that `seed` turns.
        camera: in place of the scene's own; without any the subject is framed.
        linear: return linear radiance instead of sRGB in [0, 1]; for the other modes the measured values themselves
            (depth in scene units, infinite where nothing is met; steps and shape numbers as they are).
        baked: trace the bricks that are made of a field, and not the network; scenes always do.

    Returns:
        (height, width, 3) float32.

    Raises:
        TypeError: an argument is of another kind.
        ValueError: width, height, samples or mode is out of range.
        BuildError: the scene cannot become a program.
    """
    _check(scene, camera, width, height, mode, samples, seed)
    view = view_of(scene, camera, direct=False if baked else None)
    return render_view(view, width, height, mode, samples, seed, linear)


def render_view(view: View, width: int, height: int, mode: Mode, samples: int, seed: int, linear: bool) -> torch.Tensor:
    """`render` for a view that is made already."""
    film = Film(height, width)
    total: torch.Tensor | None = None
    for sample in range(samples):
        place = sample_place(sample, samples, seed)
        values = mode_values(view, trace_rays(view, film, place.shift), mode, place.jitter, linear)
        # Not in place: a depth is one number, seen as three channels.
        total = values if total is None else total + values
    assert total is not None
    screen = mode == "shaded" and not linear
    return develop(total, film, scale=(view.exposure if screen else 1.0) / samples, screen=screen)


def mode_values(view: View, rays: TracedRays, mode: Mode, jitter: float, linear: bool) -> torch.Tensor:
    """What the mode shows of where rays landed (rays, 3); `jitter` in [0, 1) is another for each sample."""
    program, met = view.program, rays.met
    if mode == "steps":
        return met.steps[:, None].float().expand(-1, 3) if linear else colour.heat(met.steps / FULL_HEAT)
    if mode == "depth":
        return met.distance[:, None].expand(-1, 3) if linear else _depth_greys(met.distance)
    if mode == "normals":
        normals, _, _ = visibility_at_hits(view, rays, view.unlit)
        return normals if linear else torch.where(met.distance.isfinite()[:, None], 0.5 * normals + 0.5, 0.0)
    if mode == "ambient":
        _, open_sky, _ = visibility_at_hits(view, rays, replace(view.lighting, lights=view.lighting.lights[:0]))
        return open_sky[:, None].expand(-1, 3)
    numbers, materials = surface_on(program, rays.tiles, rays.origins, rays.directions, met.distance, met.hit_kind)
    if mode == "shapes":
        return numbers[:, None].float().expand(-1, 3) if linear else colour.distinct(numbers)
    seen = visibility_at_hits(view, rays, view.lighting, jitter, numbers)
    return shade(view.lighting, rays.origins, rays.directions, met.distance, materials, seen)


def _depth_greys(distance: torch.Tensor) -> torch.Tensor:
    """Distances (N,) as greys (N, 3), the nearest white, the farthest dark, what is not met black."""
    met = torch.isfinite(distance)
    if not bool(met.any()):
        return torch.zeros(len(distance), 3, device=distance.device)
    near, far = distance[met].min(), distance[met].max()
    share = 1.0 - 0.85 * (distance - near) / (far - near).clamp(min=1e-9)
    return torch.where(met, share, 0.0)[:, None].expand(-1, 3)


def _check(scene: object, camera: Camera | None, width: int, height: int, mode: str, samples: int, seed: int) -> None:
    if not isinstance(scene, Scene | torch.nn.Module):
        raise TypeError(
            f"scene: expected a Scene or a field, got {type(scene).__name__}; a shape is shown by Scene(show=shape)"
        )
    if not (camera is None or isinstance(camera, Camera)):
        raise TypeError(f"camera: expected a Camera, got {type(camera).__name__}")
    for name, number in (("width", width), ("height", height), ("samples", samples), ("seed", seed)):
        check_integer(name, number)
    for name, side in (("width", width), ("height", height)):
        if not 1 <= side <= LARGEST_SIDE:
            raise ValueError(f"{name}: expected 1 to {LARGEST_SIDE} pixels, got {side}")
    if mode not in get_args(Mode):
        raise ValueError(f"mode: expected one of {', '.join(get_args(Mode))}, got {mode!r}")
    if samples < 1:
        raise ValueError(f"samples: expected at least 1, got {samples}")
