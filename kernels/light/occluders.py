"""Programs for what surface points see: only what can hide the sky or a light from the points of a group of rays.

A shadow is looked for in many steps along a ray, each of which runs the program. Of a large scene nearly all of it is
far from the beam of a group's shadow rays, and is left out once instead of skipped at every step.
"""

from dataclasses import dataclass
from typing import Any

import torch

from .. import runtime
from ..film import TILE, BeamColumn, Beams
from ..lanes import FAR
from ..program import NOTHING, Program, SamplingColumn, Tiles, tiles_of
from ..runtime import ti
from .lights import LightColumn, Lighting, LightKind

GROUP_RAYS = TILE * TILE
FEWEST_ROWS = 64  # of a program for which it pays
MOST_ROWS = 2**21  # of all groups' programs, 84 MB
WIDEST_SUN = 0.2  # size of a sun of 23 degrees; towards wider ones lies too much of a scene to be copied for each group
TAP_MARGIN = 4.0  # by how many sizes of a tap a group's ball is larger than its points: where shadow rays begin


@dataclass(frozen=True)
class Occluders:
    """Rows of programs, and their ranges.

    Attributes:
        rows: (R, 10) int32, those of the tiles first.
        ranges: ((1 + L) · G, 2) int32: of each group what is near, then for each light what is towards it.
        groups: G, of GROUP_RAYS consecutive rays; 1 where all rays have the whole program.
    """

    rows: torch.Tensor
    ranges: torch.Tensor
    groups: int


def occluders_of(
    program: Program,
    tiles: Tiles,
    lighting: Lighting,
    origins: torch.Tensor,
    directions: torch.Tensor,
    distance: torch.Tensor,
    hit_kind: torch.Tensor,
    footprint: tuple[float, float],
) -> Occluders:
    """What can hide the sky and the lights from where rays hit; arguments as for `visibility`."""
    lights = lighting.lights
    is_dark = len(lights) == 0 and lighting.reach <= 0.0
    if is_dark or not program.divisible or len(program.rows) < FEWEST_ROWS:
        return _one_program(tiles, lights)
    groups = -(-len(origins) // GROUP_RAYS)
    balls = origins.new_empty(groups, 4)
    # Taps on sampled shapes are at least half a voxel away.
    tap = footprint[0] + (0.5 * float(program.sampling[:, SamplingColumn.VOXEL].max()) if program.has_samples else 0.0)
    runtime.run(
        _ball_kernel(), origins, directions, distance, hit_kind, balls, len(origins), groups, float(tap),
        float(footprint[1]),
    )  # fmt: skip
    centres, radii = balls[:, :3], balls[:, 3]
    # A tap for the sky stands off the surface by its height, and sees as far from there.
    near = torch.zeros_like(balls)
    near[:, BeamColumn.RADIUS] = radii + 2.0 * lighting.reach
    starts, ways, cones = [centres], [centres.new_tensor([0.0, 0.0, 1.0]).expand_as(centres)], [near]
    narrow = [0]  # what has programs of its own: what is near, and the lights of these numbers, counted from 1
    for number, light in enumerate(lights.tolist(), start=1):
        kind, size = light[LightColumn.KIND], light[LightColumn.SIZE]
        if kind == LightKind.SUN and size > WIDEST_SUN:
            continue
        narrow.append(number)
        target = centres.new_tensor(light[LightColumn.X : LightColumn.Z + 1])
        cone = torch.zeros_like(balls)
        if kind == LightKind.POINT:
            way = target - centres
            length = way.norm(dim=1).clamp(min=1e-6)
            cone[:, BeamColumn.RADIUS] = radii.clamp(min=size)
            cone[:, BeamColumn.LENGTH] = torch.where(radii > 0.0, length, 0.0)
            ways.append(way / length[:, None])
        else:
            cone[:, BeamColumn.RADIUS] = radii * (1.0 + size)
            cone[:, BeamColumn.WIDENING] = size
            cone[:, BeamColumn.LENGTH] = FAR
            ways.append(target.expand_as(centres))
        starts.append(centres)
        cones.append(cone)
    beams = Beams(torch.cat(starts), torch.cat(ways), torch.cat(cones), GROUP_RAYS)
    found = tiles_of(program, beams, MOST_ROWS)
    if len(found.ranges) != len(beams.origins):
        return _one_program(tiles, lights)
    ranges = _one_program(tiles, lights).ranges.repeat_interleave(groups, dim=0).view(-1, groups, 2)
    ranges[narrow] = (found.ranges + len(tiles.rows)).view(-1, groups, 2)
    return Occluders(torch.cat([tiles.rows, found.rows]), ranges.view(-1, 2), groups)


def _one_program(tiles: Tiles, lights: torch.Tensor) -> Occluders:
    """The whole program, for all rays and lights."""
    whole = torch.tensor([tiles.whole_range], dtype=torch.int32, device=tiles.rows.device)
    return Occluders(tiles.rows, whole.expand(1 + len(lights), 2).contiguous(), 1)


@runtime.per_lane_width
def _ball_kernel(width: int) -> Any:
    vec3 = ti.types.vector(3, ti.f32)

    @ti.kernel
    def ball_kernel(
        origins: ti.types.ndarray(ti.f32, 2),
        directions: ti.types.ndarray(ti.f32, 2),
        distance: ti.types.ndarray(ti.f32, 1),
        hit_kind: ti.types.ndarray(ti.i32, 1),
        balls: ti.types.ndarray(ti.f32, 2),
        count: ti.i32,
        groups: ti.i32,
        tap: ti.f32,
        tap_growth: ti.f32,
    ):
        for group in range(groups):
            low = vec3(FAR)
            high = vec3(-FAR)
            farthest = 0.0
            for ray in range(group * GROUP_RAYS, ti.min((group + 1) * GROUP_RAYS, count)):
                if hit_kind[ray] != NOTHING:
                    farthest = ti.max(farthest, distance[ray])
                    for axis in ti.static(range(3)):
                        at = origins[ray, axis] + distance[ray] * directions[ray, axis]
                        low[axis] = ti.min(low[axis], at)
                        high[axis] = ti.max(high[axis], at)
            centre = vec3(FAR)  # without a point nothing is near
            radius = 0.0
            if low[0] <= high[0]:
                centre = 0.5 * (low + high)
                size = ti.max(tap + tap_growth * farthest, 1e-4 * ti.max(1.0, centre.norm()))
                radius = 0.5 * (high - low).norm() + TAP_MARGIN * size
            for axis in ti.static(range(3)):
                balls[group, axis] = centre[axis]
            balls[group, 3] = radius

    return ball_kernel
