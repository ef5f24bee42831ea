"""What surface points see: their normals, how much of the sky, and how much of each light.

One loop runs all of it, so that the interpreter is compiled once: four taps give the normal, up to five the ambient
occlusion, then each light's shadow ray is marched; `Phase` says which it is. The planes of the outermost union take no
part in the marching: their share of a shadow has a closed form.

What is simplified: occlusion and penumbrae are estimated from the distances along one ray. Known to be wrong: where
values are far below the distances, shadows are too soft and corners too dark.
"""

from enum import IntEnum
from typing import Any

import torch

from .. import runtime
from ..lanes import FAR, all_lanes, any_lane, packet_functions, room_for_packets
from ..program import NOTHING, Program, Tiles, machine, plane_equations
from ..runtime import deal, first_turn, memory, next_turn, pack_settings, ti
from ..trace import nearest_plane
from .ambient_occlusion import (
    AMBIENT_TAPS,
    NOTHING_NEAR,
    ambient_visibility,
    missing_height,
    out_of_reach,
    tap_height,
    tap_occlusion,
)
from .lights import Lighting
from .occluders import GROUP_RAYS, occluders_of
from .shadow_rays import (
    ENDLESS_REACH,
    SHADOW_STEPS,
    SHADOW_STRIDE,
    STRIDE_JITTER,
    shadow_limit,
    shadow_point,
    shadow_rays,
    shadow_step,
    visible_area,
)
from .surface_points import NORMAL_TAPS, add_to_normal, make_normal_unit, normal_tap, point_loader, tetrahedron_corner
from .visibility_settings import VisibilitySetting


class Phase(IntEnum):
    """What a packet's next value is for."""

    NORMAL = 0
    AMBIENT = 1
    SHADOW = 2
    DONE = 3


def visibility(
    program: Program,
    tiles: Tiles,
    lighting: Lighting,
    origins: torch.Tensor,
    directions: torch.Tensor,
    distance: torch.Tensor,
    hit_kind: torch.Tensor,
    footprint: tuple[float, float],
    jitter: float = 0.0,
    sampling: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Normals, visibility of the sky and of lights where rays hit; zeros, ones and zeros where they miss.

    Args:
        program: the scene, which casts the shadows.
        tiles: the programs of the rays.
        lighting: the lights and the reach of ambient occlusion.
        origins, directions: (N, 3) float32, directions unit vectors.
        distance, hit_kind: (N,) what `march` found.
        footprint: how far from the point the normal's taps are: (a, b) for a + b · distance, in scene units.
        jitter: in [0, 1), another for each sample of a picture.
        sampling: (N, 2) float32, for programs with samples: `Program.sampling` of what was hit. Taps are at least half
            a voxel away, because slopes jump from voxel to voxel and normals should go over from one to the next; and
            ambient occlusion takes values for as large as they were, or free surfaces would be dark.

    Returns:
        normals (N, 3), unit vectors; ambient visibility (N,) in [0, 1], 1 where nothing is near; light visibility
        (N, L) in [0, 1], the share of each light's disc that is not hidden, 0 where the surface looks away from it.
    """
    count = len(origins)
    device = origins.device
    room = room_for_packets(count)
    normals, ambient = memory.empty(room, 3, like=origins), memory.empty(room, like=origins)
    by_light = memory.empty(room, len(lighting.lights), like=origins)
    planes = plane_equations(program)
    if sampling is None:
        sampling = torch.tensor([[0.0, 1.0]], device=device).expand(count if program.has_samples else 1, 2).contiguous()
    occluders = occluders_of(program, tiles, lighting, origins, directions, distance, hit_kind, footprint)
    x, y, z, radius = *program.sphere[:3], max(program.sphere[3], 1e-3)
    settings = pack_settings(
        VisibilitySetting,
        device,
        ball_x=x,
        ball_y=y,
        ball_z=z,
        ball_radius=radius,
        endless_reach=ENDLESS_REACH * radius if program.endless else 0.0,
        ambient_reach=lighting.reach,
        tap=footprint[0],
        tap_growth=footprint[1],
        shadow_stride=SHADOW_STRIDE * lighting.grain,
        step_factor=1.0 - STRIDE_JITTER * jitter,
        groups=occluders.groups,
        rays_per_tile=tiles.rays,
        plane_count=len(planes),
        light_count=len(lighting.lights),
    )
    runtime.run(
        _visibility_kernel(program.has_samples), occluders.rows, tiles.ranges, occluders.ranges, program.numbers,
        planes, lighting.lights, origins, directions, distance, hit_kind, sampling, settings, normals, ambient,
        by_light, count, *deal(count, device),
    )  # fmt: skip
    return normals[:count], ambient[:count], by_light[:count]


@runtime.per_lane_width
def _visibility_kernel(width: int, with_samples: bool) -> Any:
    device = machine(width, with_samples=with_samples)
    packets = packet_functions(width)
    load_points, rays = point_loader(width, with_samples), shadow_rays(width)
    Lanes = device.Lanes

    @ti.func
    def store_misses(
        packet, light_count, normals: ti.template(), ambient: ti.template(), by_light: ti.template()
    ):  # fmt: skip
        """What a packet of rays that met nothing sees: no normal, all of the sky, no light."""
        packets.store(normals, packet, Lanes(0.0), Lanes(0.0), Lanes(0.0))
        packets.store_numbers(ambient, packet, Lanes(1.0))
        for light in range(light_count):
            for lane in ti.static(range(width)):
                by_light[packet * width + lane, light] = 0.0

    @ti.func
    def store_points(
        packet, point: ti.template(), occlusion: ti.template(), normals: ti.template(), ambient: ti.template()
    ):  # fmt: skip
        """Normals, zeros on lanes without a point, and the visibility of the sky."""
        hit = point.missed < 1.0
        nx = ti.select(hit, point.nx, 0.0)
        ny = ti.select(hit, point.ny, 0.0)
        nz = ti.select(hit, point.nz, 0.0)
        packets.store(normals, packet, nx, ny, nz)
        packets.store_numbers(ambient, packet, ambient_visibility(occlusion))

    @ti.kernel
    def visibility_kernel(
        rows: ti.types.ndarray(ti.i32, 2),
        ranges: ti.types.ndarray(ti.i32, 2),
        occluder_ranges: ti.types.ndarray(ti.i32, 2),
        parameters: ti.types.ndarray(ti.f32, 1),
        planes: ti.types.ndarray(ti.f32, 2),
        lights: ti.types.ndarray(ti.f32, 2),
        origins: ti.types.ndarray(ti.f32, 2),
        directions: ti.types.ndarray(ti.f32, 2),
        distance: ti.types.ndarray(ti.f32, 1),
        hit_kind: ti.types.ndarray(ti.i32, 1),
        sampling: ti.types.ndarray(ti.f32, 2),
        settings: ti.types.ndarray(ti.f32, 1),
        normals: ti.types.ndarray(ti.f32, 2),
        ambient: ti.types.ndarray(ti.f32, 1),
        by_light: ti.types.ndarray(ti.f32, 2),
        count: ti.i32,
        queue: ti.types.ndarray(ti.i32, 1),
        slots: ti.i32,
    ):
        for slot in range(slots):
            value_registers = device.new_values()
            point_registers = device.new_points()
            groups = ti.cast(settings[VisibilitySetting.GROUPS], ti.i32)
            rays_per_tile = ti.cast(settings[VisibilitySetting.RAYS_PER_TILE], ti.i32)
            plane_count = ti.cast(settings[VisibilitySetting.PLANE_COUNT], ti.i32)
            light_count = ti.cast(settings[VisibilitySetting.LIGHT_COUNT], ti.i32)
            reach = settings[VisibilitySetting.AMBIENT_REACH]
            packet_count = (count + width - 1) // width
            upcoming = first_turn(queue, slot, packet_count)
            while upcoming < packet_count:
                packet = upcoming
                upcoming = next_turn(queue, packet, packet_count)
                hit_kinds = packets.load_numbers(hit_kind, packet, count)
                missed = ti.select(hit_kinds == NOTHING, FAR, 0.0)
                if all_lanes(missed >= 1.0):
                    store_misses(packet, light_count, normals, ambient, by_light)
                    continue
                point = load_points(
                    packet, count, origins, directions, distance, hit_kinds, missed, planes, sampling, settings
                )
                ray = rays.new_rays()
                occlusion = Lanes(0.0)
                lane_bias = point.normal_bias  # FAR on lanes that the next value does not matter to
                light = -1
                phase = Phase.NORMAL
                turn = 0
                if all_lanes(point.normal_bias >= 1.0):
                    phase = Phase.AMBIENT
                    turn = AMBIENT_TAPS
                while phase != Phase.DONE:
                    occluded = (light + 1) * groups + ti.min(packet * width // GROUP_RAYS, groups - 1)
                    first = occluder_ranges[occluded, 0]
                    last = occluder_ranges[occluded, 1]
                    qx = point.x
                    qy = point.y
                    qz = point.z
                    sx = 0.0
                    sy = 0.0
                    sz = 0.0
                    height = 0.0
                    limit = point.tap * 8.0  # the surface is within one tap, so no value around it is larger than this
                    if phase == Phase.NORMAL:
                        # Kept for `add_to_normal`: signs found again after `evaluate` changed the normals' last digit.
                        first = ranges[packet * width // rays_per_tile, 0]
                        last = ranges[packet * width // rays_per_tile, 1]
                        sx, sy, sz = tetrahedron_corner(turn)
                        qx, qy, qz = normal_tap(point, sx, sy, sz)
                    elif phase == Phase.AMBIENT:
                        height = tap_height(turn, settings)
                        limit = Lanes(height)  # farther occludes nothing
                        qx += point.nx * height
                        qy += point.ny * height
                        qz += point.nz * height
                        lane_bias = out_of_reach(qx, qy, qz, height, missed, settings)
                    else:
                        limit = shadow_limit(ray, point, limit, settings)
                        qx, qy, qz = shadow_point(ray, point)
                    value = limit
                    if any_lane(lane_bias < 1.0):
                        value = device.evaluate(
                            rows, first, last, parameters, qx, qy, qz, lane_bias, limit, value_registers,
                            point_registers,
                        )  # fmt: skip
                    next_light = False
                    if phase == Phase.NORMAL:
                        add_to_normal(point, value, sx, sy, sz)
                        turn += 1
                        if turn == NORMAL_TAPS:
                            make_normal_unit(point)
                            phase = Phase.AMBIENT
                            turn = AMBIENT_TAPS
                    elif phase == Phase.AMBIENT:
                        if ti.static(with_samples):
                            value *= point.growth
                        value = ti.select(lane_bias < 1.0, ti.min(value, limit), limit)
                        value = ti.min(value, nearest_plane(planes, plane_count, qx, qy, qz))
                        missing = missing_height(height, value, missed)
                        occlusion += tap_occlusion(turn, height, missing)
                        turn -= 1
                        if turn == 0 or all_lanes(missing <= NOTHING_NEAR * reach):
                            turn = 0
                            next_light = True
                    else:
                        shadow_step(ray, lane_bias, point, value, limit, turn, settings)
                        turn += 1
                        next_light = turn == SHADOW_STEPS or all_lanes(lane_bias >= 1.0)
                    if phase == Phase.AMBIENT and turn == AMBIENT_TAPS and reach <= 0.0:
                        next_light = True
                    while next_light:
                        if phase == Phase.SHADOW:
                            area = visible_area(ray)
                            for lane in ti.static(range(width)):
                                by_light[packet * width + lane, light] = area[lane]
                        phase = Phase.SHADOW
                        next_light = False
                        light += 1
                        if light == light_count:
                            phase = Phase.DONE
                        else:
                            lane_bias = rays.aim(ray, point, lights, light, planes, plane_count, settings)
                            turn = 0
                            next_light = all_lanes(lane_bias >= 1.0)
                store_points(packet, point, occlusion, normals, ambient)

    return visibility_kernel
