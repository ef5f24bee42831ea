"""Sphere tracing: where rays first meet a scene program's surface."""

import math
from dataclasses import dataclass
from typing import Any

import torch

from .. import runtime
from ..film import PACKET, TILE, BeamColumn, Beams, beams_of
from ..lanes import FAR, Given, arguments, lanes, some, whole_packets
from ..program import NOTHING, PART, Program, Tiles, check_program, machine, plane_table, tiles_of, whole
from ..runtime import deal, first_turn, memory, next_turn, ti
from .plane_geometry import plane_distance, plane_slope
from .surface import surface_on

# Steps are longer than the distance and taken back where the spheres of two steps do not overlap, so that nothing is
# jumped over (Keinert et al. 2014). How long follows from how fast the value fell over the last step: at a plane the
# spheres then touch, or the step ends on it (Bálint and Valasek 2018, "Accelerating sphere tracing"). Flatter falls
# than this are not believed.
LEAST_SLOPE = 0.15
LANDING_SLOPE = 0.5
# What may be left between two spheres, in tolerances: that of a picture is a tenth of a pixel.
SLACK = 5.0

# A beam ends where what is left free around it is this share of its radius: less costs steps, more leaves them to rays.
BEAM_SHARE = 0.5
BEAM_STEPS = 64


@dataclass(frozen=True)
class Hits:
    """What rays met.

    Attributes:
        distance: (…) float32 along the ray in scene units, infinite on a miss.
        hit: (…) bool.
        shape: (…) int32, number of the shape hit (an index into `Program.names`), -1 on a miss.
        steps: (…) int32, evaluations the ray took part in; planes of the outermost union take none.
    """

    distance: Any
    hit: Any
    shape: Any
    steps: Any


@dataclass(frozen=True)
class Met:
    """What checked rays (N, 3) met.

    Attributes:
        distance: (N,) float32, infinite on a miss.
        steps: (N,) int32.
        hit_kind: (N,) int32, number of the plane, PART or NOTHING.
    """

    distance: torch.Tensor
    steps: torch.Tensor
    hit_kind: torch.Tensor


def sphere_trace(
    program: Program,
    origins: Given,
    directions: Given,
    *,
    near: float = 0.0,
    far: float = math.inf,
    tolerance: float = 1e-4,
    spread: float = 0.0,
    maximum_steps: int = 256,
) -> Hits:
    """The first point on each ray where the program's value falls below a tolerance (J. C. Hart, 1996).

    Args:
        program: what `isofield.build_program` makes of a scene.
        origins: (…, 3) float32, scene units.
        directions: (…, 3) float32, unit vectors. Rays that lie side by side in memory run fastest.
        near, far: the part of the ray that counts, scene units.
        tolerance: a value below `tolerance + spread · distance` is a hit; `spread` is a pixel's size at distance 1.
        maximum_steps: evaluations after which a ray that neither hit nor left is a miss.

    Returns:
        `Hits` of the rays' shape. Rays that start inside hit at `near`; NaN rays miss. Gradients: none; evaluate
        `distance` at the point found (implicit differentiation).

    Raises:
        TypeError, ValueError: a tensor is of another dtype, shape or device; near, far, tolerance or steps are
            out of range.
    """
    check_program(program)
    start, restore = arguments.vectors("origins", origins)
    way, _ = arguments.vectors("directions", directions)
    if start.shape != way.shape:
        raise ValueError(f"directions: expected the shape of origins, {tuple(start.shape)}, got {tuple(way.shape)}")
    if not 0.0 <= near <= far:
        raise ValueError(f"near, far: expected 0 ≤ near ≤ far, got {near} and {far}")
    if not (tolerance >= 0.0 and spread >= 0.0 and tolerance + spread > 0.0):
        raise ValueError(f"tolerance, spread: expected numbers ≥ 0, one of them > 0, got {tolerance} and {spread}")
    arguments.check_whole("maximum_steps", maximum_steps)
    if maximum_steps < 1:
        raise ValueError(f"maximum_steps: expected at least 1, got {maximum_steps}")
    flat_start = arguments.ready("origins", start)
    flat_way = arguments.ready("directions", way)
    tiles = whole(program)
    met = march(program, tiles, flat_start, flat_way, (near, far), (tolerance, spread), maximum_steps)
    shape = surface_on(program, tiles, flat_start, flat_way, met.distance, met.hit_kind)[0]
    size = start.shape[:-1]
    hit = torch.isfinite(met.distance)
    return Hits(*(restore(tensor.reshape(size)) for tensor in (met.distance, hit, shape, met.steps)))


def trace_film(
    program: Program,
    origins: torch.Tensor,
    directions: torch.Tensor,
    tolerance: tuple[float, float],
    maximum_steps: int,
) -> tuple[Tiles, Met]:
    """What the rays (rays, 3) of a film, in its order, meet, and the programs of its tiles.

    Rays set out where a beam around each packet of them, traced first at a sixteenth of the cost, has come near
    something ("cone marching", fulcrum demo, 2012).
    """
    tiles = tiles_of(program, beams_of(origins, directions, TILE)) if program.divisible else whole(program)
    beams = beams_of(origins, directions, PACKET)
    starts = _launch(
        program, tiles, beams.origins, beams.directions, (0.0, math.inf), tolerance, BEAM_STEPS, beams=beams
    )
    return tiles, march(program, tiles, origins, directions, (0.0, math.inf), tolerance, maximum_steps, starts.distance)


def march(
    program: Program,
    tiles: Tiles,
    origins: torch.Tensor,
    directions: torch.Tensor,
    interval: tuple[float, float],
    tolerance: tuple[float, float],
    maximum_steps: int,
    starts: torch.Tensor | None = None,
) -> Met:
    """What checked rays (N, 3) meet, tile by tile; `starts` (N / 16,) says how far the way of each 16 is free."""
    return _launch(program, tiles, origins, directions, interval, tolerance, maximum_steps, starts=starts)


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
) -> Met:
    count = len(origins)
    room = whole_packets(count)
    distance = memory.empty(room, like=origins)
    steps, hit_kind = (memory.empty(room, like=origins, dtype=torch.int32) for _ in range(2))
    near, far = interval
    runtime.check_device(rows=program.rows)
    ball = (0.0, 0.0, 0.0, FAR) if program.endless else program.sphere
    planes = plane_table(program)
    rays_in_tile = tiles.rays if beams is None else max(tiles.rays // beams.rays, 1)
    nothing = origins.new_zeros(1)
    runtime.run(
        _march_kernel(program.has_samples), tiles.rows, tiles.ranges, program.numbers, planes, origins,
        directions, nothing if starts is None else starts, nothing[:, None] if beams is None else beams.cones,
        distance, steps, hit_kind, rays_in_tile, count, *map(float, ball), float(near), float(min(far, FAR)),
        *map(float, tolerance), maximum_steps, len(planes), int(starts is not None), int(beams is not None),
        *deal(count, origins.device),
    )  # fmt: skip
    return Met(distance[:count], steps[:count], hit_kind[:count])


@runtime.per_lane_width
def _march_kernel(width: int, with_samples: bool) -> Any:
    device = machine(width, with_samples=with_samples)
    packets = lanes(width)
    Lanes = device.Lanes

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
        distances: ti.types.ndarray(ti.f32, 1),
        steps: ti.types.ndarray(ti.i32, 1),
        hit_kind: ti.types.ndarray(ti.i32, 1),
        rays_per_tile: ti.i32,
        count: ti.i32,
        ball_x: ti.f32,
        ball_y: ti.f32,
        ball_z: ti.f32,
        ball_radius: ti.f32,
        near: ti.f32,
        far: ti.f32,
        tolerance: ti.f32,
        spread: ti.f32,
        maximum_steps: ti.i32,
        plane_count: ti.i32,
        have_starts: ti.i32,
        are_beams: ti.i32,
        queue: ti.types.ndarray(ti.i32, 1),
        slots: ti.i32,
    ):
        for slot in range(slots):
            value_registers = device.new_values()
            point_registers = device.new_points()
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
                ox, oy, oz = packets.load(origins, packet, count)
                dx, dy, dz = packets.load(directions, packet, count)
                total = ox + oy + oz + dx + dy + dz
                blunt = Lanes(0.0)  # radius of a beam at its start
                cone = Lanes(0.0)  # by how much a beam widens
                lane_bias = ti.select(ti.abs(total) < ti.math.inf, 0.0, FAR)  # FAR on lanes that are done
                if (packet + 1) * width > count:
                    for lane in ti.static(range(width)):
                        if packet * width + lane >= count:
                            lane_bias[lane] = FAR
                if are_beams == 1:
                    for lane in ti.static(range(width)):
                        index = ti.min(packet * width + lane, count - 1)
                        blunt[lane] = cones[index, BeamColumn.RADIUS]
                        cone[lane] = cones[index, BeamColumn.WIDENING]
                awake = lane_bias
                narrowing = 1.0 / (1.0 + cone)
                # The nearest plane: where the ray starts within reach of one, it hits there.
                end = Lanes(far)
                plane = ti.Vector([NOTHING] * width, ti.i32)
                for k in range(plane_count):
                    above = plane_distance(planes, k, ox, oy, oz)
                    sinking = -plane_slope(planes, k, dx, dy, dz)
                    at_near = above - sinking * near < tolerance + spread * near
                    there = ti.select(at_near, near, ti.select(sinking > 0.0, above / ti.max(sinking, 1e-30), FAR))
                    nearer = (there < end) & (awake < 1.0) & (are_beams == 0)
                    end = ti.select(nearer, there, end)
                    plane = ti.select(nearer, k, plane)
                # Only the part of the ray within the scene's ball can hit.
                cx = ox - ball_x
                cy = oy - ball_y
                cz = oz - ball_z
                along = -(cx * dx + cy * dy + cz * dz)
                gx = cx + dx * along
                gy = cy + dy * along
                gz = cz + dz * along
                reach = ball_radius + blunt + cone * ti.max(along + ball_radius, 0.0)
                square = reach * reach - (gx * gx + gy * gy + gz * gz)
                half = ti.sqrt(ti.max(square, 0.0))
                t = ti.max(along - half, begin)
                stop = ti.min(along + half, end)
                lane_bias = ti.select((square <= 0.0) | (t > stop), FAR, lane_bias)
                t = ti.select(lane_bias < 1.0, t, FAR)
                miss = Lanes(ti.select(are_beams == 1, FAR, ti.math.inf))
                last_resort = ti.select(plane >= 0, end, miss)
                found = miss
                taken = Lanes(0.0)
                if some(lane_bias < 1.0):
                    value = Lanes(FAR)
                    free = Lanes(0.0)
                    step = Lanes(0.0)
                    slope = Lanes(1.0)
                    turn = 0
                    while turn < maximum_steps and some(lane_bias < 1.0):
                        turn += 1
                        # A step away from the last point the distance has changed by the step at most.
                        limit = ti.abs(value) + ti.abs(step)
                        before = value
                        previous = free
                        x = ox + dx * t
                        y = oy + dy * t
                        z = oz + dz * t
                        value = device.evaluate(
                            rows, first, last, parameters, x, y, z, lane_bias, limit, value_registers, point_registers
                        )
                        wide = blunt + cone * t
                        near_enough = tolerance + spread * t
                        slack = ti.select(wide > 0.0, 0.0, SLACK * near_enough)
                        # Around a beam's axis only what is left beyond its own radius is free.
                        free = ti.max(ti.abs(value) - wide, 0.0) * narrowing
                        taken += ti.select(lane_bias < 1.0, 1.0, 0.0)
                        # After a step back, and at the start, `previous` is no sphere to overlap with: none is needed.
                        overshot = (step > previous) & (free + previous + slack < step)
                        fallen = (before - value) / ti.max(step, 1e-30)
                        slope = ti.select(step > 0.0, ti.min(ti.max(fallen, LEAST_SLOPE), 1.0), 1.0)
                        arrived = (
                            (lane_bias < 1.0) & (value < near_enough + wide * (1.0 + BEAM_SHARE)) & (overshot == 0)
                        )
                        # 1 / slope and 1 / (1 + slope) by one division, of which a step has few.
                        joint = 1.0 / (slope * (1.0 + slope))
                        # Inside, the fall since the point before leads back to the surface; outside it may be
                        # another's.
                        steep = (1.0 + slope) * joint
                        landing = ti.select(value > 0.0, ti.min(steep, 1.0 / LANDING_SLOPE), steep)
                        found = ti.select(arrived, t + value * landing, found)
                        lane_bias = ti.select(arrived, FAR, lane_bias)
                        onward = ti.min((2.0 * free + slack) * slope, free * (1.0 + slope)) * joint
                        # Past the end nothing would notice that the longer step went through something.
                        onward = ti.select(t + onward > stop, free, onward)
                        step = ti.select(overshot, previous - step, onward)
                        free = ti.select(overshot, 0.0, free)
                        t += ti.select(lane_bias < 1.0, step, 0.0)
                        lane_bias = ti.select(t > stop, FAR, lane_bias)
                    if are_beams == 1:
                        found = ti.select((t > stop) | (t >= 0.5 * FAR), FAR, t)
                packets.store_numbers(distances, packet, ti.max(ti.min(found, last_resort), near))
                packets.store_numbers(hit_kind, packet, ti.select(found < last_resort, PART, plane))
                packets.store_numbers(steps, packet, ti.cast(taken, ti.i32))

    return march_kernel
