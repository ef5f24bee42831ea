"""`render`: a scene in, a picture out."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

import torch

from ...kernels import Program, runtime
from ...kernels.film import Film, camera_rays, develop
from ...kernels.lanes import check_whole
from ...kernels.light import Lighting, shade, visibility
from ...kernels.program import PART, Column, Tiles
from ...kernels.trace import Intersections, surface_on, trace_film
from ..build import build_program
from ..scene import Camera, Scene
from . import colour
from .framing import frame
from .lighting import exposure, lighting
from .modes import Mode

if TYPE_CHECKING:
    from ..fields import Field
    from .neural import Learned

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

    @property
    def dark(self) -> Lighting:
        """Its light switched off, ambient occlusion too: with it `visibility` finds normals only."""
        return replace(self.lighting, lights=self.lighting.lights[:0], reach=0.0)


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
    direct = False
    if not isinstance(scene, Scene):
        from .neural import file_of
        from .sources import scene_of

        scene, direct = scene_of(file_of(scene)), not baked
    return render_view(view_of(scene, camera, direct=direct), width, height, mode, samples, seed, linear)


def view_of(
    scene: Scene, camera: Camera | None = None, *, program: Program | None = None, direct: bool = False
) -> View:
    """Program, lights and camera of a scene, on the backend's device, where the program may be already.

    With `direct` the subject, which must be a neural shape that is not moved, is traced by its network.

    Raises:
        BuildError: the scene cannot become a program.
        ValueError: `direct` for another subject.
    """
    device = "cuda" if runtime.backend() == "cuda" else "cpu"
    program = program or build_program(scene).to(device)
    chosen = camera or scene.camera or frame(program)
    # A single shape is one grain; of n that fill a ball, each has the n-th part of its volume.
    parts = int((program.rows[:, Column.SHAPE] >= 0).sum())
    grain = (program.subject[3] or 1.0) / max(parts, 1) ** (1.0 / 3.0)
    lights = list(scene.lighting.values())
    view = View(program, lighting(lights, grain, device), exposure(lights, program.subject), chosen)
    if not direct:
        return view
    from .neural import learned  # brings the fields, which few scenes need

    return replace(view, learned=learned(scene, view.program))


def render_view(view: View, width: int, height: int, mode: Mode, samples: int, seed: int, linear: bool) -> torch.Tensor:
    """`render` for a view that is made already."""
    film = Film(height, width)
    total: torch.Tensor | None = None
    for sample in range(samples):
        shift, jitter = jittered(sample, samples, seed)
        values = seen_of(view, cast(view, film, shift), mode, jitter, linear)
        # Not in place: a depth is one number, seen as three channels.
        total = values if total is None else total + values
    assert total is not None
    screen = mode == "shaded" and not linear
    return develop(total, film, scale=(view.exposure if screen else 1.0) / samples, screen=screen)


@dataclass(frozen=True)
class Cast:
    """The rays of a film in its order, and what they met.

    Attributes:
        origins, directions: (rays, 3).
        tiles, met: the programs of the film's tiles, and what `trace_film` found.
        footprint: how far normals' taps are from a point at a distance t: footprint[0] + footprint[1] · t.
        normals: (rays, 3) of a network where it was met.
    """

    origins: torch.Tensor
    directions: torch.Tensor
    tiles: Tiles
    met: Intersections
    footprint: tuple[float, float]
    normals: torch.Tensor | None = None


def cast(view: View, film: Film, shift: tuple[float, float], pixel: float | None = None) -> Cast:
    """The rays of a view through a film, `shift` pixels to the right of and below the pixels' centres.

    `pixel` is the side of a pixel, for a film that is part of a larger one or has coarser pixels than it.
    """
    program, camera = view.program, view.camera
    perspective = camera.fov is not None
    pixel = pixel or pixel_size(camera, film)
    matrix = torch.tensor(camera.matrix(), dtype=torch.float32, device=program.rows.device)
    origins, directions = camera_rays(matrix, pixel, film, shift, perspective=perspective)
    tolerance = (1e-6, HIT_SHARE * pixel) if perspective else (HIT_SHARE * pixel, 0.0)
    thick = view.learned.margin if view.learned else 0.0
    tiles, met = trace_film(program, origins, directions, (tolerance[0] + thick, tolerance[1]), MAXIMUM_STEPS)
    normals = None
    if view.learned is not None:
        met, normals = view.learned.meet(program, origins, directions, met, tolerance)
    footprint = (0.0, TAP_SHARE * pixel) if perspective else (TAP_SHARE * pixel, 0.0)
    return Cast(origins, directions, tiles, met, footprint, normals)


def seen_of(view: View, rays: Cast, mode: Mode, jitter: float, linear: bool) -> torch.Tensor:
    """What the mode shows of where rays landed (rays, 3); `jitter` in [0, 1) is another for each sample."""
    program, met = view.program, rays.met
    if mode == "steps":
        return met.steps[:, None].float().expand(-1, 3) if linear else colour.heat(met.steps / FULL_HEAT)
    if mode == "depth":
        return met.distance[:, None].expand(-1, 3) if linear else _nearness(met.distance)
    if mode == "normals":
        normals, _, _ = what_is_visible(view, rays, view.dark)
        return normals if linear else torch.where(met.distance.isfinite()[:, None], 0.5 * normals + 0.5, 0.0)
    if mode == "ambient":
        _, open_sky, _ = what_is_visible(view, rays, replace(view.lighting, lights=view.lighting.lights[:0]))
        return open_sky[:, None].expand(-1, 3)
    numbers, materials = surface_on(program, rays.tiles, rays.origins, rays.directions, met.distance, met.hit_kind)
    if mode == "shapes":
        return numbers[:, None].float().expand(-1, 3) if linear else colour.distinct(numbers)
    seen = what_is_visible(view, rays, view.lighting, jitter, numbers)
    return shade(view.lighting, rays.origins, rays.directions, met.distance, materials, seen)


def what_is_visible(
    view: View, rays: Cast, lights: Lighting, jitter: float = 0.0, numbers: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Normals, open sky and free lights where rays landed, as `visibility` gives them.

    `numbers` (rays,) are the shapes met, where they are known already.
    """
    program, met, sampling = view.program, rays.met, None
    if len(program.sampling):
        if numbers is None:
            numbers, _ = surface_on(program, rays.tiles, rays.origins, rays.directions, met.distance, met.hit_kind)
        sampling = program.sampling[numbers.clamp(min=0)]
    seen = visibility(
        program, rays.tiles, lights, rays.origins, rays.directions, met.distance, met.hit_kind, rays.footprint, jitter,
        sampling,
    )  # fmt: skip
    if rays.normals is None:
        return seen
    return torch.where((met.hit_kind == PART)[:, None], rays.normals, seen[0]), seen[1], seen[2]


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


def jittered(sample: int, samples: int, seed: int) -> tuple[tuple[float, float], float]:
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
