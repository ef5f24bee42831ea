"""Rays marched through the programs of their tiles, in packets; and beams, before the rays that they hold."""

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import torch

from .. import runtime
from ..film import PACKET, BeamColumn, Beams
from ..lanes import FAR, any_lane, packet_functions, room_for_packets
from ..program import NOTHING, PART, Program, Tiles, machine, plane_equations
from ..runtime import deal, first_turn, memory, next_turn, pack_settings, ti
from .plane_geometry import plane_distance, plane_slope
from .step_length import SLACK, next_lengths, slope_along

# A beam ends where what is left free around it is this share of its radius: less costs steps, more leaves them to rays.
BEAM_SHARE = 0.5
BEAM_STEPS = 64

MOST_STEPS = 2**24  # a kernel counts steps in float32


@dataclass(frozen=True)
class Intersections:
    """What checked rays (N, 3) met.

    Attributes:
        distance: (N,) float32, infinite on a miss.
        steps: (N,) int32.
        hit_kind: (N,) int32, number of the plane, PART or NOTHING.
    """

    distance: torch.Tensor
    steps: torch.Tensor
    hit_kind: torch.Tensor


class MarchSetting(IntEnum):
    """Settings of the kernel, in scene units."""

    RAYS_PER_TILE = 0
    BALL_X = 1  # of the ball that holds all parts
    BALL_Y = 2
    BALL_Z = 3
    BALL_RADIUS = 4
    NEAR = 5  # where the part of a ray that counts begins and ends
    FAR = 6
    TOLERANCE = 7  # a value below TOLERANCE + SPREAD · distance is a hit
    SPREAD = 8
    MAXIMUM_STEPS = 9
    PLANE_COUNT = 10
    HAVE_STARTS = 11  # 1 where rays set out at `starts`, else 0
    ARE_BEAMS = 12  # 1 where rays are the axes of beams, else 0


def march(
    program: Program,
    tiles: Tiles,
    origins: torch.Tensor,
    directions: torch.Tensor,
    interval: tuple[float, float],
    tolerance: tuple[float, float],
    maximum_steps: int,
    starts: torch.Tensor | None = None,
) -> Intersections:
    """What checked rays (N, 3) meet, tile by tile; `starts` (N / 16,) says how far the way of each 16 is free."""
    return _launch(program, tiles, origins, directions, interval, tolerance, maximum_steps, starts=starts)


def clear_distance(program: Program, tiles: Tiles, beams: Beams, tolerance: tuple[float, float]) -> torch.Tensor:
    """How far the way of all rays in each beam is free of parts (G,), FAR where it meets none; planes do not count."""
    interval = (0.0, math.inf)
    return _launch(
        program, tiles, beams.origins, beams.directions, interval, tolerance, BEAM_STEPS, beams=beams
    ).distance


def _launch(
    program: Program,
    tiles: Tiles,
    origins: torch.Tensor,
    directions: torch.Tensor,
    interval: tuple[float, float],
    tolerance: tuple[float, float],
    maximum_steps: int,
    *,
    starts: torch.Tensor | None = None,
    beams: Beams | None = None,
) -> Intersections:
    count = len(origins)
    room = room_for_packets(count)
    distance = memory.empty(room, like=origins)
    steps, hit_kind = (memory.empty(room, like=origins, dtype=torch.int32) for _ in range(2))
    runtime.check_device(rows=program.rows)
    x, y, z, radius = (0.0, 0.0, 0.0, FAR) if program.endless else program.sphere
    planes = plane_equations(program)
    settings = pack_settings(
        MarchSetting,
        origins.device,
        rays_per_tile=tiles.rays if beams is None else max(tiles.rays // beams.rays, 1),
        ball_x=x,
        ball_y=y,
        ball_z=z,
        ball_radius=radius,
        near=interval[0],
        far=min(interval[1], FAR),
        tolerance=tolerance[0],
        spread=tolerance[1],
        maximum_steps=min(maximum_steps, MOST_STEPS),
        plane_count=len(planes),
        have_starts=starts is not None,
        are_beams=beams is not None,
    )
    nothing = origins.new_zeros(1)
    runtime.run(
        _march_kernel(program.has_samples), tiles.rows, tiles.ranges, program.numbers, planes, origins,
        directions, nothing if starts is None else starts, nothing[:, None] if beams is None else beams.cones,
        settings, distance, steps, hit_kind, count, *deal(count, origins.device),
    )  # fmt: skip
    return Intersections(distance[:count], steps[:count], hit_kind[:count])


@ti.func
def nearest_plane_ahead(ray: ti.template(), planes: ti.template(), settings: ti.template(), end: ti.template(),
                        plane: ti.template()):  # fmt: skip
    """Put the nearest plane that rays meet before `end` into `plane`, and where they meet it into `end`.

    A ray that sets out within reach of a plane meets it there; beams meet none.
    """
    near = settings[MarchSetting.NEAR]
    reach = settings[MarchSetting.TOLERANCE] + settings[MarchSetting.SPREAD] * near
    are_beams = ti.cast(settings[MarchSetting.ARE_BEAMS], ti.i32)
    for k in range(ti.cast(settings[MarchSetting.PLANE_COUNT], ti.i32)):
        above = plane_distance(planes, k, ray.ox, ray.oy, ray.oz)
        sinking = -plane_slope(planes, k, ray.dx, ray.dy, ray.dz)
        at_near = above - sinking * near < reach
        meeting = ti.select(at_near, near, ti.select(sinking > 0.0, above / ti.max(sinking, 1e-30), FAR))
        nearer = (meeting < end) & (ray.bias < 1.0) & (are_beams == 0)
        end = ti.select(nearer, meeting, end)
        plane = ti.select(nearer, k, plane)


@ti.func
def part_in_ball(ray: ti.template(), settings: ti.template()):
    """Where rays, or beams, enter and leave the ball that holds all parts, and > 0 where they meet it at all."""
    cx = ray.ox - settings[MarchSetting.BALL_X]
    cy = ray.oy - settings[MarchSetting.BALL_Y]
    cz = ray.oz - settings[MarchSetting.BALL_Z]
    radius = settings[MarchSetting.BALL_RADIUS]
    along = -(cx * ray.dx + cy * ray.dy + cz * ray.dz)
    gx = cx + ray.dx * along
    gy = cy + ray.dy * along
    gz = cz + ray.dz * along
    reach = radius + ray.radius + ray.widening * ti.max(along + radius, 0.0)
    square = reach * reach - (gx * gx + gy * gy + gz * gz)
    half = ti.sqrt(ti.max(square, 0.0))
    return along - half, along + half, square


@runtime.per_lane_width
def _march_kernel(width: int, with_samples: bool) -> Any:
    device = machine(width, with_samples=with_samples)
    packets = packet_functions(width)
    Lanes = device.Lanes

    @ti.func
    def load_rays(origins: ti.template(), directions: ti.template(), packet, count):
        """A packet of rays: origin o, direction d, `bias` FAR on lanes past the end or with NaN, radius as beams 0."""
        ox, oy, oz = packets.load(origins, packet, count)
        dx, dy, dz = packets.load(directions, packet, count)
        total = ox + oy + oz + dx + dy + dz
        bias = ti.select(ti.abs(total) < ti.math.inf, 0.0, FAR)
        if (packet + 1) * width > count:
            for lane in ti.static(range(width)):
                if packet * width + lane >= count:
                    bias[lane] = FAR
        return ti.Struct(
            ox=ox, oy=oy, oz=oz, dx=dx, dy=dy, dz=dz, bias=bias, radius=Lanes(0.0), widening=Lanes(0.0)
        )  # fmt: skip

    @ti.func
    def load_beams(ray: ti.template(), cones: ti.template(), packet, count):
        """Put the radius at the start, and by how much it widens, of a packet of beams into their axes."""
        for lane in ti.static(range(width)):
            index = ti.min(packet * width + lane, count - 1)
            ray.radius[lane] = cones[index, BeamColumn.RADIUS]
            ray.widening[lane] = cones[index, BeamColumn.WIDENING]

    @ti.kernel
    def march_kernel(
        rows: ti.types.ndarray(ti.i32, 2),
        ranges: ti.types.ndarray(ti.i32, 2),
        parameters: ti.types.ndarray(ti.f32, 1),
        planes: ti.types.ndarray(ti.f32, 2),
        origins: ti.types.ndarray(ti.f32, 2),
        directions: ti.types.ndarray(ti.f32, 2),
        starts: ti.types.ndarray(ti.f32, 1),
        cones: ti.types.ndarray(ti.f32, 2),
        settings: ti.types.ndarray(ti.f32, 1),
        distances: ti.types.ndarray(ti.f32, 1),
        steps: ti.types.ndarray(ti.i32, 1),
        hit_kind: ti.types.ndarray(ti.i32, 1),
        count: ti.i32,
        queue: ti.types.ndarray(ti.i32, 1),
        slots: ti.i32,
    ):
        for slot in range(slots):
            value_registers = device.new_values()
            point_registers = device.new_points()
            rays_per_tile = ti.cast(settings[MarchSetting.RAYS_PER_TILE], ti.i32)
            maximum_steps = ti.cast(settings[MarchSetting.MAXIMUM_STEPS], ti.i32)
            plane_count = ti.cast(settings[MarchSetting.PLANE_COUNT], ti.i32)
            have_starts = ti.cast(settings[MarchSetting.HAVE_STARTS], ti.i32)
            are_beams = ti.cast(settings[MarchSetting.ARE_BEAMS], ti.i32)
            near = settings[MarchSetting.NEAR]
            tolerance = settings[MarchSetting.TOLERANCE]
            spread = settings[MarchSetting.SPREAD]
            packet_count = (count + width - 1) // width
            upcoming = first_turn(queue, slot, packet_count)
            while upcoming < packet_count:
                packet = upcoming
                upcoming = next_turn(queue, packet, packet_count)
                begin = near
                if have_starts == 1:
                    begin = ti.max(near, starts[packet * width // (PACKET * PACKET)])
                    if plane_count == 0 and begin >= 0.5 * FAR:  # the beam met nothing
                        packets.store_numbers(distances, packet, Lanes(ti.math.inf))
                        packets.store_numbers(hit_kind, packet, ti.Vector([NOTHING] * width, ti.i32))
                        packets.store_numbers(steps, packet, ti.Vector([0] * width, ti.i32))
                        continue
                tile = packet * width // rays_per_tile
                first = ranges[tile, 0]
                last = ranges[tile, 1]
                ray = load_rays(origins, directions, packet, count)
                if are_beams == 1:
                    load_beams(ray, cones, packet, count)
                narrowing = 1.0 / (1.0 + ray.widening)
                end = Lanes(settings[MarchSetting.FAR])
                plane = ti.Vector([NOTHING] * width, ti.i32)
                nearest_plane_ahead(ray, planes, settings, end, plane)
                # Only the part of the ray within the scene's ball can hit.
                enters, leaves, inside = part_in_ball(ray, settings)
                t = ti.max(enters, begin)
                stop = ti.min(leaves, end)
                lane_bias = ti.select((inside <= 0.0) | (t > stop), FAR, ray.bias)  # FAR on lanes that are done
                t = ti.select(lane_bias < 1.0, t, FAR)
                miss = Lanes(ti.select(are_beams == 1, FAR, ti.math.inf))
                without_parts = ti.select(plane >= 0, end, miss)
                found = miss
                steps_taken = Lanes(0.0)
                if any_lane(lane_bias < 1.0):
                    value = Lanes(FAR)
                    clearance = Lanes(0.0)  # radius of the sphere around the point that holds nothing
                    step = Lanes(0.0)
                    turn = 0
                    while turn < maximum_steps and any_lane(lane_bias < 1.0):
                        turn += 1
                        # A step away from the last point the distance has changed by the step at most.
                        limit = ti.abs(value) + ti.abs(step)
                        value_before = value
                        clearance_before = clearance
                        x = ray.ox + ray.dx * t
                        y = ray.oy + ray.dy * t
                        z = ray.oz + ray.dz * t
                        value = device.evaluate(
                            rows, first, last, parameters, x, y, z, lane_bias, limit, value_registers, point_registers
                        )
                        beam_radius = ray.radius + ray.widening * t
                        threshold = tolerance + spread * t
                        slack = ti.select(beam_radius > 0.0, 0.0, SLACK * threshold)
                        # Around a beam's axis only what is left beyond its own radius is free.
                        clearance = ti.max(ti.abs(value) - beam_radius, 0.0) * narrowing
                        steps_taken += ti.select(lane_bias < 1.0, 1.0, 0.0)
                        # After a step back, and at the start, there is no sphere before that had to be overlapped.
                        overshot = (step > clearance_before) & (clearance + clearance_before + slack < step)
                        slope = slope_along(value_before, value, step)
                        arrived = (
                            (lane_bias < 1.0) & (value < threshold + beam_radius * (1.0 + BEAM_SHARE)) & (overshot == 0)
                        )
                        to_surface, onward = next_lengths(value, clearance, slope, slack)
                        found = ti.select(arrived, t + to_surface, found)
                        lane_bias = ti.select(arrived, FAR, lane_bias)
                        # Past the end nothing would notice that the longer step went through something.
                        onward = ti.select(t + onward > stop, clearance, onward)
                        step = ti.select(overshot, clearance_before - step, onward)
                        clearance = ti.select(overshot, 0.0, clearance)
                        t += ti.select(lane_bias < 1.0, step, 0.0)
                        lane_bias = ti.select(t > stop, FAR, lane_bias)
                    if are_beams == 1:
                        found = ti.select((t > stop) | (t >= 0.5 * FAR), FAR, t)
                packets.store_numbers(distances, packet, ti.max(ti.min(found, without_parts), near))
                packets.store_numbers(hit_kind, packet, ti.select(found < without_parts, PART, plane))
                packets.store_numbers(steps, packet, ti.cast(steps_taken, ti.i32))

    return march_kernel
