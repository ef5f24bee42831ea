"""`render`: a scene in, a picture out."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import torch

from ...kernels import Program, runtime
from ...kernels.arguments import check_whole
from ...kernels.develop import develop
from ...kernels.operations import Column
from ...kernels.rays import Film, camera_rays
from ...kernels.shade import shade
from ...kernels.surface import surface_on
from ...kernels.tiles import PART
from ...kernels.trace import trace_film
from ...kernels.visibility import Lighting, visibility
from ..program.build import build_program
from ..scene import Camera, Scene
from . import colour
from .framing import frame
from .lighting import exposure, lighting

if TYPE_CHECKING:
    from ..fields import Field
    from .neural import Learned

Mode = Literal["shaded", "normals", "depth", "steps", "shapes"]

LARGEST_SIDE = 16384
MAXIMUM_STEPS = 256
FULL_HEAT = 96  # steps that the mode "steps" shows as the hottest colour

# Normals are taken from taps so far away, in pixels: a wider net rounds edges into bright lines, a finer one sparkles.
TAP_SHARE = 0.3

# A surface is met where its distance is this share of a pixel; less costs steps, more thickens silhouettes.
HIT_SHARE = 0.1


@dataclass(frozen=True)
class View:
    """All that a picture of a scene needs, made once for any number of frames."""

    program: Program
    lighting: Lighting
    exposure: float
    camera: Camera
    learned: Learned | None = None


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
            "steps" (evaluations a ray took), "shapes" (a colour for each).
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
    direct = False
    if not isinstance(scene, Scene):
        from .neural import file_of, scene_of

        scene, direct = scene_of(file_of(scene)), not baked
    return render_view(view_of(scene, camera, direct=direct), width, height, mode, samples, seed, linear)


def view_of(scene: Scene, camera: Camera | None = None, *, direct: bool = False) -> View:
    """Program, lights and camera of a scene, on the backend's device.

    With `direct` the subject, which must be a neural shape that is not moved, is traced by its network.

    Raises:
        BuildError: the scene cannot become a program.
        ValueError: `direct` for another subject.
    """
    device = "cuda" if runtime.backend() == "cuda" else "cpu"
    program = build_program(scene)
    chosen = camera or scene.camera or frame(program)
    # A single shape is one grain; of n that fill a ball, each has the n-th part of its volume.
    parts = int((program.rows[:, Column.SHAPE] >= 0).sum())
    grain = (program.subject[3] or 1.0) / max(parts, 1) ** (1.0 / 3.0)
    lights = list(scene.lighting.values())
    view = View(program.to(device), lighting(lights, grain, device), exposure(lights, program.subject), chosen)
    if not direct:
        return view
    from .neural import learned  # brings the fields, which few scenes need

    return replace(view, learned=learned(scene, view.program))


def render_view(view: View, width: int, height: int, mode: Mode, samples: int, seed: int, linear: bool) -> torch.Tensor:
    """`render` for a view that is made already."""
    film = Film(height, width)
    total = _sample(view, film, mode, *_jitter(0, samples, seed), linear)
    for sample in range(1, samples):
        # Not in place: a depth is one number, seen as three channels.
        total = total + _sample(view, film, mode, *_jitter(sample, samples, seed), linear)
    screen = mode == "shaded" and not linear
    return develop(total, film, scale=(view.exposure if screen else 1.0) / samples, screen=screen)


def _sample(
    view: View, film: Film, mode: Mode, shift: tuple[float, float], jitter: float, linear: bool
) -> torch.Tensor:
    """One sample of each ray of the film (rays, 3), in its order; `jitter` in [0, 1) is another for each sample."""
    program, camera = view.program, view.camera
    perspective = camera.fov is not None
    pixel = pixel_size(camera, film)
    matrix = torch.tensor(camera.matrix(), dtype=torch.float32, device=program.rows.device)
    origins, directions = camera_rays(matrix, pixel, film, shift, perspective=perspective)
    tolerance = (1e-6, HIT_SHARE * pixel) if perspective else (HIT_SHARE * pixel, 0.0)
    thick = view.learned.margin if view.learned else 0.0
    tiles, met = trace_film(program, origins, directions, (tolerance[0] + thick, tolerance[1]), MAXIMUM_STEPS)
    own_normals = None
    if view.learned is not None:
        met, own_normals = view.learned.meet(program, origins, directions, met, tolerance)
    if mode == "steps":
        return met.steps[:, None].float().expand(-1, 3) if linear else colour.heat(met.steps / FULL_HEAT)
    if mode == "depth":
        return met.distance[:, None].expand(-1, 3) if linear else _nearness(met.distance)
    numbers, materials = surface_on(program, tiles, origins, directions, met.distance, met.what)
    if mode == "shapes":
        return numbers[:, None].float().expand(-1, 3) if linear else colour.distinct(numbers)
    bare = mode == "normals"
    lights = replace(view.lighting, lights=view.lighting.lights[:0], reach=0.0) if bare else view.lighting
    footprint = (0.0, TAP_SHARE * pixel) if perspective else (TAP_SHARE * pixel, 0.0)
    sampling = program.sampling[numbers.clamp(min=0)] if len(program.sampling) else None
    seen = visibility(program, tiles, lights, origins, directions, met.distance, met.what, footprint, jitter, sampling)
    if own_normals is not None:
        seen = (torch.where((met.what == PART)[:, None], own_normals, seen[0]), *seen[1:])
    if bare:
        normals = seen[0]
        return normals if linear else torch.where(met.distance.isfinite()[:, None], 0.5 * normals + 0.5, 0.0)
    return shade(lights, origins, directions, met.distance, materials, seen)


def pixel_size(camera: Camera, film: Film) -> float:
    """Side of a pixel: at distance 1 for a perspective camera, in scene units for an orthographic one."""
    if camera.fov is not None:
        return 2.0 * math.tan(math.radians(camera.fov) / 2.0) / film.height
    assert camera.width is not None
    return camera.width / film.width


def _nearness(distance: torch.Tensor) -> torch.Tensor:
    """Distances (N,) as greys (N, 3), the nearest white, the farthest dark, what is not met black."""
    met = torch.isfinite(distance)
    if not bool(met.any()):
        return torch.zeros(len(distance), 3, device=distance.device)
    near, far = distance[met].min(), distance[met].max()
    share = 1.0 - 0.85 * (distance - near) / (far - near).clamp(min=1e-9)
    return torch.where(met, share, 0.0)[:, None].expand(-1, 3)


def _jitter(sample: int, samples: int, seed: int) -> tuple[tuple[float, float], float]:
    """Where in the pixel a sample lies, and a number in [0, 1) for the rest; one sample is the centre and 0.

    R3 sequence (M. Roberts 2018), turned by the seed.
    """
    if samples == 1:
        return (0.0, 0.0), 0.0
    start = (seed * 0.5698402909980532) % 1.0
    x, y, z = ((start + (sample + 1) * a) % 1.0 for a in (0.8191725133961645, 0.6710436067037893, 0.5497004779019703))
    return (x - 0.5, y - 0.5), z


def _check(scene: object, camera: Camera | None, width: int, height: int, mode: str, samples: int, seed: int) -> None:
    if not isinstance(scene, Scene | torch.nn.Module):
        raise TypeError(
            f"scene: expected a Scene or a field, got {type(scene).__name__}; a shape is shown by Scene(show=shape)"
        )
    if not (camera is None or isinstance(camera, Camera)):
        raise TypeError(f"camera: expected a Camera, got {type(camera).__name__}")
    for name, number in (("width", width), ("height", height), ("samples", samples), ("seed", seed)):
        check_whole(name, number)
    for name, side in (("width", width), ("height", height)):
        if not 1 <= side <= LARGEST_SIDE:
            raise ValueError(f"{name}: expected 1 to {LARGEST_SIDE} pixels, got {side}")
    if mode not in get_args(Mode):
        raise ValueError(f"mode: expected one of {', '.join(get_args(Mode))}, got {mode!r}")
    if samples < 1:
        raise ValueError(f"samples: expected at least 1, got {samples}")
