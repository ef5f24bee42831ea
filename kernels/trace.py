"""Sphere tracing: where rays first meet a scene program's surface."""

import math
from dataclasses import dataclass
from typing import Any

import torch

from . import arguments, runtime
from .arguments import Given
from .interpreter import machine
from .operations import FAR
from .program import Program
from .runtime import ti
from .surface import surface_on
from .tiles import Tiles, whole

# Enhanced sphere tracing (Keinert et al. 2014): steps this much longer than the distance, taken back where the spheres
# of two steps do not overlap, so nothing can be jumped over. 1.2 to 1.6 measured alike.
RELAXATION = 1.4


@dataclass(frozen=True)
class Hits:
    """What rays met.

    Attributes:
        distance: (…) float32 along the ray in scene units, infinite on a miss.
        hit: (…) bool.
        shape: (…) int32, number of the shape hit (an index into `Program.names`), -1 on a miss.
        steps: (…) int32, evaluations the ray took part in.
    """

    distance: Any
    hit: Any
    shape: Any
    steps: Any


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
    start, restore = arguments.vectors("origins", origins)
    way, _ = arguments.vectors("directions", directions)
    if start.shape != way.shape:
        raise ValueError(f"directions: expected the shape of origins, {tuple(start.shape)}, got {tuple(way.shape)}")
    if not 0.0 <= near <= far:
        raise ValueError(f"near, far: expected 0 ≤ near ≤ far, got {near} and {far}")
    if not (tolerance >= 0.0 and spread >= 0.0 and tolerance + spread > 0.0):
        raise ValueError(f"tolerance, spread: expected numbers ≥ 0, one of them > 0, got {tolerance} and {spread}")
    if maximum_steps < 1:
        raise ValueError(f"maximum_steps: expected at least 1, got {maximum_steps}")
    flat_start = arguments.ready("origins", start)
    flat_way = arguments.ready("directions", way)
    distance, steps = march(
        program, whole(program), flat_start, flat_way, (near, far), (tolerance, spread), maximum_steps
    )
    hit = torch.isfinite(distance)
    shape = surface_on(program, flat_start, flat_way, distance)[0]
    size = start.shape[:-1]
    return Hits(*(restore(tensor.reshape(size)) for tensor in (distance, hit, shape, steps)))


def march(
    program: Program,
    tiles: Tiles,
    origins: torch.Tensor,
    directions: torch.Tensor,
    interval: tuple[float, float],
    tolerance: tuple[float, float],
    maximum_steps: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Distance (N,), infinite on a miss, and steps (N,) int32 of checked rays (N, 3), tile by tile."""
    count = len(origins)
    distance = torch.empty(count, dtype=torch.float32, device=origins.device)
    steps = torch.empty(count, dtype=torch.int32, device=origins.device)
    near, far = interval
    runtime.check_device(rows=program.rows)
    ball = (0.0, 0.0, 0.0, FAR) if program.endless else program.sphere
    with runtime.launch():
        _march_kernel()(
            tiles.rows, tiles.ranges, tiles.rays, program.parameters.detach().float().contiguous(), origins, directions,
            distance, steps, count, ti.Vector(ball), near, min(far, FAR), *tolerance, maximum_steps,
        )  # fmt: skip
    return distance, steps


@runtime.per_lane_width
def _march_kernel(width: int) -> Any:
    device = machine(width)
    Lanes = device.Lanes

    @ti.kernel
    def march_kernel(
        rows: ti.types.ndarray(ti.i32, 2),
        ranges: ti.types.ndarray(ti.i32, 2),
        rays_per_tile: ti.i32,
        parameters: ti.types.ndarray(ti.f32, 1),
        origins: ti.types.ndarray(ti.f32, 2),
        directions: ti.types.ndarray(ti.f32, 2),
        distances: ti.types.ndarray(ti.f32, 1),
        steps: ti.types.ndarray(ti.i32, 1),
        count: ti.i32,
        ball: ti.types.vector(4, ti.f32),
        near: ti.f32,
        far: ti.f32,
        tolerance: ti.f32,
        spread: ti.f32,
        maximum_steps: ti.i32,
    ):
        for packet in range((count + width - 1) // width):
            tile = packet * width // rays_per_tile
            first = ranges[tile, 0]
            last = ranges[tile, 1]
            ox = Lanes(0.0)
            oy = Lanes(0.0)
            oz = Lanes(0.0)
            dx = Lanes(0.0)
            dy = Lanes(0.0)
            dz = Lanes(0.0)
            idle = Lanes(0.0)  # FAR on lanes that are done
            for lane in ti.static(range(width)):
                index = ti.min(packet * width + lane, count - 1)
                ox[lane] = origins[index, 0]
                oy[lane] = origins[index, 1]
                oz[lane] = origins[index, 2]
                dx[lane] = directions[index, 0]
                dy[lane] = directions[index, 1]
                dz[lane] = directions[index, 2]
                total = ox[lane] + oy[lane] + oz[lane] + dx[lane] + dy[lane] + dz[lane]
                if ti.math.isnan(total) or ti.math.isinf(total) or packet * width + lane >= count:
                    idle[lane] = FAR
            # Only the part of the ray within the scene's ball can hit.
            cx = ox - ball[0]
            cy = oy - ball[1]
            cz = oz - ball[2]
            along = -(cx * dx + cy * dy + cz * dz)
            gx = cx + dx * along
            gy = cy + dy * along
            gz = cz + dz * along
            square = ball[3] * ball[3] - (gx * gx + gy * gy + gz * gz)
            half = ti.sqrt(ti.max(square, 0.0))
            t = ti.max(along - half, near)
            end = ti.min(along + half, far)
            idle = ti.select((square <= 0.0) | (t > end), FAR, idle)
            found = Lanes(FAR)
            previous = Lanes(0.0)
            step = Lanes(0.0)
            radius = Lanes(FAR)
            relaxation = Lanes(RELAXATION)
            taken = Lanes(0.0)
            value_registers = device.new_values()
            point_registers = device.new_points()
            turn = 0
            while turn < maximum_steps and idle.min() < 1.0:
                turn += 1
                # A step away from the last point the distance has changed by the step at most.
                limit = radius + ti.abs(step)
                x = ox + dx * t
                y = oy + dy * t
                z = oz + dz * t
                value = device.evaluate(
                    rows, first, last, parameters, x, y, z, idle, limit, value_registers, point_registers
                )
                radius = ti.abs(value)
                taken += ti.select(idle < 1.0, 1.0, 0.0)
                overshot = (relaxation > 1.0) & (radius + previous < step)
                arrived = (idle < 1.0) & (value < tolerance + spread * t)
                arrived = arrived & ((relaxation <= 1.0) | (radius + previous >= step))
                found = ti.select(arrived, t + value, found)
                idle = ti.select(arrived, FAR, idle)
                # Past the end nothing would notice that the longer step went through something.
                onward = ti.select(t + radius * relaxation > end, radius, radius * relaxation)
                step = ti.select(overshot, previous - step, onward)
                relaxation = ti.select(overshot, 1.0, RELAXATION)
                previous = ti.select(overshot, 0.0, radius)
                t += ti.select(idle < 1.0, step, 0.0)
                idle = ti.select(t > end, FAR, idle)
            for lane in ti.static(range(width)):
                index = packet * width + lane
                if index < count:
                    distances[index] = ti.select(found[lane] < 0.5 * FAR, ti.max(found[lane], near), ti.math.inf)
                    steps[index] = ti.cast(taken[lane], ti.i32)

    return march_kernel
