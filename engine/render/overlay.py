"""What is drawn over a picture: the signed distance on a cut as coloured lines, and the edges of a box."""

from __future__ import annotations

import math

import torch

from ...kernels import Program, distance
from ..scene import Camera, Scene
from .layers import Layers
from .rays import TAP_SHARE, TracedRays

Box = tuple[tuple[float, float, float], tuple[float, float, float]]

LINES = 8.0  # lines of equal distance between the middle of a subject and its rim, about
LINE_WIDTH, SURFACE_WIDTH = 0.8, 1.5  # half of each, pixels
OUTSIDE, INSIDE, SURFACE = (0.93, 0.55, 0.25), (0.25, 0.52, 0.9), (1.0, 1.0, 1.0)  # sRGB
OUTSIDE_COVER = 0.8
EDGE = (1.0, 0.82, 0.2)  # sRGB
NEARER = 2e-3  # share of its distance by which the cut may lie behind the surface that was found on it


def box_of(scene: Scene, program: Program) -> Box:
    """The bounds of a scene, else a cube about its subject, else [-1, 1]³."""
    if scene.bounds is not None:
        low, high = scene.bounds
        return (low[0], low[1], low[2]), (high[0], high[1], high[2])
    x, y, z, radius = program.subject
    r = radius or 1.0
    return (x - r, y - r, z - r), (x + r, y + r, z + r)


def lines_on_cut(program: Program, rays: TracedRays, layers: Layers, box: Box) -> tuple[torch.Tensor, torch.Tensor]:
    """Colours (rays, 3), sRGB, times cover, and cover (rays, 3) of the cut through `box`, where it is in front.

    Outside is orange and lets through a little, inside blue; dark lines are of equal distance, the white one is the
    surface.
    """
    assert layers.slice is not None
    axis = "xyz".index(layers.slice)
    ways = rays.directions[:, axis]
    along = (layers.offset - rays.origins[:, axis]) / torch.where(ways.abs() < 1e-9, 1e-9, ways)
    low, high = (torch.tensor(corner, device=ways.device) for corner in box)
    points = rays.origins + rays.directions * along[:, None]
    points[:, axis] = layers.offset
    others = [other for other in range(3) if other != axis]
    within = ((points[:, others] >= low[others]) & (points[:, others] <= high[others])).all(dim=1)
    shown = within & (along > 0.0) & (along <= rays.met.distance * (1.0 + NEARER))
    at = shown.nonzero().flatten()
    colours, cover = torch.zeros_like(rays.origins), torch.zeros_like(rays.origins)
    if len(at):
        values = distance(program, points[at])
        pixel = rays.footprint.at(along[at]) / TAP_SHARE
        opacity = torch.where(values > 0.0, OUTSIDE_COVER, 1.0)[:, None]
        colours[at] = iso_colours(values, line_spacing(box), pixel) * opacity
        cover[at] = opacity.expand(-1, 3)
    return colours, cover


def iso_colours(values: torch.Tensor, spacing: float, pixel: torch.Tensor) -> torch.Tensor:
    """Signed distances (N,) as sRGB colours (N, 3), with a dark line every `spacing` and a white one at 0.

    `pixel` (N,) is the side of a pixel there, in scene units.
    """
    outside, inside, surface = (values.new_tensor(colour) for colour in (OUTSIDE, INSIDE, SURFACE))
    base = torch.where(values[:, None] > 0.0, outside, inside)
    base = base * (1.0 - 0.35 * torch.exp(-3.0 * values.abs() / spacing))[:, None]
    from_line = (values / spacing - (values / spacing).round()).abs() * spacing
    dark = 1.0 - 0.45 * (LINE_WIDTH + 0.5 - from_line / pixel).clamp(0.0, 1.0)
    white = (SURFACE_WIDTH + 0.5 - values.abs() / pixel).clamp(0.0, 1.0)
    return torch.lerp(base * dark[:, None], surface.expand(len(values), 3), white[:, None])


def line_spacing(box: Box) -> float:
    """A round number, 1, 2 or 5 times a power of ten, of which about LINES fit in half the box."""
    wanted = 0.5 * max(b - a for a, b in zip(*box, strict=True)) / LINES
    power = 10.0 ** math.floor(math.log10(wanted))
    return min((factor * power for factor in (1.0, 2.0, 5.0, 10.0)), key=lambda spacing: abs(spacing - wanted))


def draw_box(picture: torch.Tensor, depth: torch.Tensor, camera: Camera, box: Box) -> torch.Tensor:
    """The picture (height, width, 3) with the box's edges, hidden where `depth` (height, width) is less than theirs."""
    height, width, _ = picture.shape
    low, high = (torch.tensor(corner) for corner in box)
    corners = torch.tensor([[i >> 2 & 1, i >> 1 & 1, i & 1] for i in range(8)], dtype=torch.float32)
    ends = [(a, a | bit) for a in range(8) for bit in (1, 2, 4) if not a & bit]
    share = torch.linspace(0.0, 1.0, 2 * max(height, width))[:, None]
    points = low + (high - low) * torch.cat([torch.lerp(corners[a], corners[b], share) for a, b in ends])
    matrix = torch.tensor(camera.matrix())
    local = (points - matrix[:3, 3]) @ matrix[:3, :3]
    ahead = -local[:, 2]
    if camera.fov is not None:
        pixel = 2.0 * math.tan(math.radians(camera.fov) / 2.0) / height
        scale, away = 1.0 / (pixel * ahead.clamp(min=1e-6)), local.norm(dim=1)
    else:
        assert camera.width is not None
        scale, away = torch.full_like(ahead, width / camera.width), ahead
    columns = (0.5 * width + local[:, 0] * scale).floor().long()
    rows = (0.5 * height - local[:, 1] * scale).floor().long()
    inside = (ahead > 0.0) & (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    rows, columns, away = rows[inside], columns[inside], away[inside]
    free = away < depth.cpu()[rows, columns] * (1.0 + NEARER)
    drawn = picture.clone()
    drawn[rows[free].to(picture.device), columns[free].to(picture.device)] = picture.new_tensor(EDGE)
    return drawn
