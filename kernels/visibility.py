"""What surface points see: their normals, how much of the sky, and how much of each light.

One loop runs all of it, so that the interpreter is compiled once: four taps give the normal, five the ambient
occlusion, then each light's shadow ray is marched; `phase` says which it is.

What is simplified: occlusion and penumbrae are estimated from the distances along one ray. Known to be wrong: where
values are far below the distances, shadows are too soft and corners too dark.
"""

from dataclasses import dataclass
from typing import Any

import torch

from . import runtime
from .interpreter import machine
from .operations import FAR
from .program import Program
from .runtime import ti

# kind (0 sun, 1 point), direction towards the sun or position, irradiance (3), tangent of half its angle or radius
LIGHT_SIZE = 8
SKY_SIZE = 9  # radiance at the zenith, at the horizon, of the ground

AMBIENT_TAPS = 5
OCCLUSION_SCALE = 1.1  # brings the darkest corners to black
SHADOW_STEPS = 96
SHADOW_STRIDE = 1.0  # longest step of a shadow ray in grains of the scene

# Shadows of parts without an end are looked for within so many radii of the rest of the scene.
ENDLESS_REACH = 8.0


@dataclass(frozen=True)
class Lighting:
    """Lights (L, 8) and sky (9,), float32, as the kernel reads them.

    `grain` is about how far the scene's parts are apart, in scene units; ambient occlusion looks as far as `reach`.
    """

    lights: torch.Tensor
    sky: torch.Tensor
    reach: float
    grain: float


def visibility(
    program: Program,
    lighting: Lighting,
    origins: torch.Tensor,
    directions: torch.Tensor,
    distance: torch.Tensor,
    footprint: tuple[float, float],
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Normals, open sky and free lights where rays hit; zeros, ones and zeros where they miss.

    Args:
        program: the scene, which casts the shadows.
        lighting: the lights and the reach of ambient occlusion.
        origins, directions: (N, 3) float32, directions unit vectors.
        distance: (N,) float32 along the rays, infinite on a miss, from `march`.
        footprint: how far from the point the normal's taps are: (a, b) for a + b · distance, in scene units.

    Returns:
        normals (N, 3), unit vectors; open sky (N,) in [0, 1], 1 where nothing is near; free lights (N, L) in [0, 1],
        the share of each light's disc that is not hidden, 0 where the surface looks away from it.
    """
    count = len(origins)
    device = origins.device
    normals = torch.empty(count, 3, dtype=torch.float32, device=device)
    open_sky = torch.empty(count, dtype=torch.float32, device=device)
    free = torch.zeros(count, len(lighting.lights), dtype=torch.float32, device=device)
    radius = max(program.sphere[3], 1e-3)
    endless = ENDLESS_REACH * radius if program.endless else 0.0
    stride = SHADOW_STRIDE * lighting.grain
    numbers = [*program.sphere[:3], radius, endless, lighting.reach, *footprint, stride]
    settings = torch.tensor(numbers, dtype=torch.float32, device=device)
    with runtime.launch():
        _visibility_kernel()(
            program.rows, program.parameters.detach().float().contiguous(), lighting.lights, origins, directions,
            distance, settings, normals, open_sky, free, len(program.rows), len(lighting.lights), count,
        )  # fmt: skip
    return normals, open_sky, free


@runtime.per_lane_width
def _visibility_kernel(width: int) -> Any:
    device = machine(width)
    Lanes = device.Lanes

    @ti.kernel
    def visibility_kernel(
        rows: ti.types.ndarray(ti.i32, 2),
        parameters: ti.types.ndarray(ti.f32, 1),
        lights: ti.types.ndarray(ti.f32, 2),
        origins: ti.types.ndarray(ti.f32, 2),
        directions: ti.types.ndarray(ti.f32, 2),
        distance: ti.types.ndarray(ti.f32, 1),
        settings: ti.types.ndarray(ti.f32, 1),
        normals: ti.types.ndarray(ti.f32, 2),
        open_sky: ti.types.ndarray(ti.f32, 1),
        free: ti.types.ndarray(ti.f32, 2),
        row_count: ti.i32,
        light_count: ti.i32,
        count: ti.i32,
    ):
        for packet in range((count + width - 1) // width):
            px = Lanes(0.0)
            py = Lanes(0.0)
            pz = Lanes(0.0)
            footprint = Lanes(0.0)
            missed = Lanes(0.0)  # FAR on lanes that have nothing to shade
            for lane in ti.static(range(width)):
                index = ti.min(packet * width + lane, count - 1)
                far = distance[index]
                if packet * width + lane >= count or far > 0.5 * FAR:
                    missed[lane] = FAR
                    far = 0.0
                px[lane] = origins[index, 0] + directions[index, 0] * far
                py[lane] = origins[index, 1] + directions[index, 1] * far
                pz[lane] = origins[index, 2] + directions[index, 2] * far
                footprint[lane] = settings[6] + settings[7] * far
            # Rounding of a coordinate must stay small against the taps.
            tap_size = ti.max(footprint, 1e-4 * ti.max(1.0, ti.sqrt(px * px + py * py + pz * pz)))
            nx = Lanes(0.0)
            ny = Lanes(0.0)
            nz = Lanes(0.0)
            occlusion = Lanes(0.0)
            visible = Lanes(1.0)
            lx = Lanes(0.0)
            ly = Lanes(0.0)
            lz = Lanes(0.0)
            t = Lanes(0.0)
            clear = Lanes(0.0)
            step = Lanes(0.0)
            leave = Lanes(0.0)
            end = Lanes(0.0)
            size = Lanes(0.0)
            idle = missed
            reach = settings[5]
            phase = ti.select(missed.min() >= 1.0, 3, 0)
            turn = 0
            light = -1
            value_registers = device.new_values()
            point_registers = device.new_points()
            while phase < 3:
                qx = px
                qy = py
                qz = pz
                sx = 0.0
                sy = 0.0
                sz = 0.0
                height = 0.0
                limit = tap_size * 8.0  # the surface is within one tap, so no value around it is larger than this
                if phase == 0:
                    # Corners of a tetrahedron; their values' differences along x, y, z give the gradient.
                    sx = ti.select((turn == 0) | (turn == 3), 1.0, -1.0)
                    sy = ti.select((turn == 2) | (turn == 3), 1.0, -1.0)
                    sz = ti.select((turn == 1) | (turn == 3), 1.0, -1.0)
                    qx += sx * tap_size
                    qy += sy * tap_size
                    qz += sz * tap_size
                elif phase == 1:
                    height = (
                        reach * ti.cast((turn + 1) * (turn + 1), ti.f32) / ti.cast(AMBIENT_TAPS * AMBIENT_TAPS, ti.f32)
                    )
                    limit = Lanes(height)  # farther occludes nothing
                    qx += nx * height
                    qy += ny * height
                    qz += nz * height
                else:
                    # A value beyond the disc shows all of it; short steps among many shapes are cheaper than long ones,
                    # because what is farther than the step is skipped.
                    near_by = ti.select(t > leave, FAR, ti.max(size * t, settings[8]))
                    limit = ti.select(t > tap_size, ti.min(clear + step, near_by), limit)
                    qx += nx * tap_size * 2.0 + lx * t
                    qy += ny * tap_size * 2.0 + ly * t
                    qz += nz * tap_size * 2.0 + lz * t
                value = device.evaluate(
                    rows, 0, row_count, parameters, qx, qy, qz, idle, limit, value_registers, point_registers
                )
                turn += 1
                next_light = False
                if phase == 0:
                    nx += value * sx
                    ny += value * sy
                    nz += value * sz
                    if turn == 4:
                        length = ti.max(ti.sqrt(nx * nx + ny * ny + nz * nz), 1e-20)
                        nx /= length
                        ny /= length
                        nz /= length
                        phase = 1
                        turn = 0
                elif phase == 1:
                    occlusion += ti.max(height - value, 0.0) / height / ti.cast(1 << turn, ti.f32)
                    if turn == AMBIENT_TAPS:
                        phase = 2
                        next_light = True
                else:
                    # The light's disc has radius size · t at the blocker; value / (size · t) is how much of it is free
                    # on a scale from -1 (covered) to 1 (free).
                    # Between this point and the last the ray came nearer to what is value away: where the spheres
                    # around the two meet, `back` before this point, if it is as good as flat (S. Aaltonen, GDC 2018).
                    # Values at the limit say nothing.
                    disc = ti.max(size * t, 1e-6)
                    measured = (value > 0.0) & (value < 0.999 * limit) & (t > tap_size)
                    back = ti.select(measured, ti.min(0.5 * value * value / ti.max(step, 1e-9), 0.9 * step), 0.0)
                    nearest = ti.sqrt(ti.max(value * value - back * back, 0.0)) / ti.max(size * (t - back), 1e-6)
                    share = ti.select(measured, nearest, value / disc)
                    visible = ti.select(idle < 1.0, ti.min(visible, share), visible)
                    clear = ti.abs(value)
                    step = ti.max(clear, 0.25 * disc + 0.5 * tap_size)
                    t += ti.select(idle < 1.0, step, 0.0)
                    idle = ti.select((visible < -1.0) | (t > end), FAR, idle)
                    if turn == SHADOW_STEPS or idle.min() >= 1.0:
                        seen = ti.min(ti.max(visible, -1.0), 1.0)
                        share_free = 0.25 * (1.0 + seen) * (1.0 + seen) * (2.0 - seen)  # of the disc's area, about
                        for lane in ti.static(range(width)):
                            if packet * width + lane < count:
                                free[packet * width + lane, light] = share_free[lane]
                        next_light = True
                while next_light:
                    light += 1
                    next_light = False
                    if light == light_count:
                        phase = 3
                    else:
                        ax = lights[light, 1] - px * lights[light, 0]
                        ay = lights[light, 2] - py * lights[light, 0]
                        az = lights[light, 3] - pz * lights[light, 0]
                        away = ti.max(ti.sqrt(ax * ax + ay * ay + az * az), 1e-6)
                        lx = ax / away
                        ly = ay / away
                        lz = az / away
                        # A sun's light comes from beyond the scene's ball.
                        cx = px - settings[0]
                        cy = py - settings[1]
                        cz = pz - settings[2]
                        along = cx * lx + cy * ly + cz * lz
                        chord = along * along + settings[3] * settings[3] - (cx * cx + cy * cy + cz * cz)
                        leave = ti.sqrt(ti.max(chord, 0.0)) - along
                        end = ti.max(leave, settings[4])
                        size = Lanes(0.0) + lights[light, 7]
                        if lights[light, 0] > 0.5:
                            end = ti.min(end, away)
                            size = size / away
                        t = tap_size
                        turn = 0
                        visible = Lanes(1.0)
                        idle = ti.select(nx * lx + ny * ly + nz * lz <= 0.0, FAR, missed)
                        next_light = idle.min() >= 1.0
            for lane in ti.static(range(width)):
                index = packet * width + lane
                if index < count:
                    hit = missed[lane] < 1.0
                    open_sky[index] = ti.min(ti.max(1.0 - OCCLUSION_SCALE * occlusion[lane], 0.0), 1.0)
                    normals[index, 0] = ti.select(hit, nx[lane], 0.0)
                    normals[index, 1] = ti.select(hit, ny[lane], 0.0)
                    normals[index, 2] = ti.select(hit, nz[lane], 0.0)

    return visibility_kernel
