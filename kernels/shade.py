"""Direct light on surface points: normals, ambient occlusion, soft shadows, a principled reflection, in one pass.

One loop runs all of it, so that the interpreter is compiled once: four taps give the normal, five the ambient
occlusion, then each light's shadow ray is marched; `phase` says which it is.

What is simplified: occlusion and penumbrae are estimated from the distances along one ray, light does not bounce, and
the sky's reflection is not blocked by other shapes beyond the occlusion. Known to be wrong: shadows of a scene whose
values are far below its distances are too soft.
"""

from dataclasses import dataclass
from typing import Any

import torch

from . import runtime
from .interpreter import machine
from .operations import FAR
from .program import SURFACE_SIZE, Program
from .runtime import ti

# kind (0 sun, 1 point), direction towards the sun or position, irradiance (3), tangent of half its angle or radius
LIGHT_SIZE = 8
SKY_SIZE = 9  # radiance at the zenith, at the horizon, of the ground

AMBIENT_TAPS = 5
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


def shade(
    program: Program,
    lighting: Lighting,
    origins: torch.Tensor,
    directions: torch.Tensor,
    distance: torch.Tensor,
    materials: torch.Tensor,
    footprint: tuple[float, float],
) -> tuple[torch.Tensor, torch.Tensor]:
    """Radiance (N, 3) along rays, linear RGB, and normals (N, 3) where they hit; the sky, and zeros, where they miss.

    Args:
        program: the scene, which also casts the shadows.
        lighting: lights, sky and the reach of ambient occlusion.
        origins, directions: (N, 3) float32, directions unit vectors.
        distance: (N,) float32 along the rays, infinite on a miss, from `march`.
        materials: (N, 8) float32, from `surface_on`.
        footprint: half a pixel's size, to which normals are smoothed: (a, b) for a + b · distance.
    """
    count = len(origins)
    radiance = torch.empty(count, 3, dtype=torch.float32, device=origins.device)
    normals = torch.empty(count, 3, dtype=torch.float32, device=origins.device)
    radius = max(program.sphere[3], 1e-3)
    endless = ENDLESS_REACH * radius if program.endless else 0.0
    stride = SHADOW_STRIDE * lighting.grain
    numbers = [*program.sphere[:3], radius, endless, lighting.reach, *footprint, stride]
    settings = torch.tensor(numbers, dtype=torch.float32, device=origins.device)
    with runtime.launch():
        _shade_kernel()(
            program.rows, program.parameters.detach().float().contiguous(), lighting.lights, lighting.sky,
            origins, directions, distance, materials, settings, radiance, normals, len(program.rows), len(lighting.lights), count,
        )  # fmt: skip
    return radiance, normals


@ti.func
def sky_towards(sky: ti.template(), z):
    """Radiance from a direction of height z, -1 … 1: of the ground, the horizon, the zenith, and between them."""
    up = ti.sqrt(ti.max(z, 0.0))
    down = ti.min(ti.max(-4.0 * z, 0.0), 1.0)  # the horizon's glow fades into the ground over a quarter of the way down
    level = (1.0 - up) * (1.0 - down)
    red = sky[0] * up + sky[3] * level + sky[6] * down
    green = sky[1] * up + sky[4] * level + sky[7] * down
    blue = sky[2] * up + sky[5] * level + sky[8] * down
    return red, green, blue


@runtime.per_lane_width
def _shade_kernel(width: int) -> Any:
    device = machine(width)
    Lanes = device.Lanes

    @ti.func
    def reflection(cos_light, cos_view, cos_half, cos_view_half, alpha, fresnel):
        """Specular BSDF times the light's cosine: GGX (Walter et al. 2007), joint Smith shadowing, Schlick's Fresnel."""
        square = alpha * alpha
        d = cos_half * cos_half * (square - 1.0) + 1.0
        ggx = square / (3.14159265 * d * d)
        joint = cos_light * ti.sqrt(cos_view * cos_view * (1.0 - square) + square)
        joint += cos_view * ti.sqrt(cos_light * cos_light * (1.0 - square) + square)
        grazing = ti.max(1.0 - cos_view_half, 0.0)
        schlick = fresnel + (1.0 - fresnel) * grazing * grazing * grazing * grazing * grazing
        return schlick * ggx * 0.5 * cos_light / ti.max(joint, 1e-4)

    @ti.kernel
    def shade_kernel(
        rows: ti.types.ndarray(ti.i32, 2),
        parameters: ti.types.ndarray(ti.f32, 1),
        lights: ti.types.ndarray(ti.f32, 2),
        sky: ti.types.ndarray(ti.f32, 1),
        origins: ti.types.ndarray(ti.f32, 2),
        directions: ti.types.ndarray(ti.f32, 2),
        distance: ti.types.ndarray(ti.f32, 1),
        materials: ti.types.ndarray(ti.f32, 2),
        settings: ti.types.ndarray(ti.f32, 1),
        radiance: ti.types.ndarray(ti.f32, 2),
        normals: ti.types.ndarray(ti.f32, 2),
        row_count: ti.i32,
        light_count: ti.i32,
        count: ti.i32,
    ):
        for packet in range((count + width - 1) // width):
            px = Lanes(0.0)
            py = Lanes(0.0)
            pz = Lanes(0.0)
            vx = Lanes(0.0)  # towards the viewer
            vy = Lanes(0.0)
            vz = Lanes(0.0)
            footprint = Lanes(0.0)
            missed = Lanes(0.0)  # FAR on lanes that have nothing to shade
            material = ti.Matrix([[0.0] * width for _ in range(SURFACE_SIZE)], ti.f32)
            for lane in ti.static(range(width)):
                index = ti.min(packet * width + lane, count - 1)
                far = distance[index]
                if packet * width + lane >= count or far > 0.5 * FAR:
                    missed[lane] = FAR
                    far = 0.0
                vx[lane] = -directions[index, 0]
                vy[lane] = -directions[index, 1]
                vz[lane] = -directions[index, 2]
                px[lane] = origins[index, 0] - vx[lane] * far
                py[lane] = origins[index, 1] - vy[lane] * far
                pz[lane] = origins[index, 2] - vz[lane] * far
                footprint[lane] = settings[6] + settings[7] * far
                for attribute in ti.static(range(SURFACE_SIZE)):
                    material[attribute, lane] = materials[index, attribute]
            red = Lanes(0.0)
            green = Lanes(0.0)
            blue = Lanes(0.0)
            roughness = Lanes(0.0)
            metallic = Lanes(0.0)
            for lane in ti.static(range(width)):
                red[lane] = material[0, lane]
                green[lane] = material[1, lane]
                blue[lane] = material[2, lane]
                roughness[lane] = material[3, lane]
                metallic[lane] = material[4, lane]
            alpha = ti.max(roughness * roughness, 2e-3)
            fresnel_red = 0.04 + (red - 0.04) * metallic
            fresnel_green = 0.04 + (green - 0.04) * metallic
            fresnel_blue = 0.04 + (blue - 0.04) * metallic
            matt = (1.0 - metallic) * 0.318309886  # 1/π: the diffuse part of a white surface
            # Rounding of a coordinate must stay small against the taps.
            tap_size = ti.max(footprint, 1e-4 * ti.max(1.0, ti.sqrt(px * px + py * py + pz * pz)))
            nx = Lanes(0.0)
            ny = Lanes(0.0)
            nz = Lanes(0.0)
            occlusion = Lanes(0.0)
            visible = Lanes(1.0)
            cos_view = Lanes(0.0)
            sum_red = Lanes(0.0)
            sum_green = Lanes(0.0)
            sum_blue = Lanes(0.0)
            lx = Lanes(0.0)
            ly = Lanes(0.0)
            lz = Lanes(0.0)
            t = Lanes(0.0)
            clear = Lanes(0.0)
            step = Lanes(0.0)
            leave = Lanes(0.0)
            end = Lanes(0.0)
            size = Lanes(0.0)
            strength = Lanes(0.0)
            idle = missed
            reach = settings[5]
            phase = ti.select(missed.min() >= 1.0, 3, 0)
            turn = 0
            light = -1
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
                value = device.evaluate(rows, 0, row_count, parameters, qx, qy, qz, idle, limit)
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
                        cos_view = ti.max(nx * vx + ny * vy + nz * vz, 1e-3)
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
                    disc = ti.max(size * t, 1e-6)
                    visible = ti.select(idle < 1.0, ti.min(visible, value / disc), visible)
                    clear = ti.abs(value)
                    step = ti.max(clear, 0.25 * disc + 0.5 * tap_size)
                    t += ti.select(idle < 1.0, step, 0.0)
                    idle = ti.select((visible < -1.0) | (t > end), FAR, idle)
                    if turn == SHADOW_STEPS or idle.min() >= 1.0:
                        free = ti.min(ti.max(visible, -1.0), 1.0)
                        free = 0.25 * (1.0 + free) * (1.0 + free) * (2.0 - free)
                        cos_light = ti.max(nx * lx + ny * ly + nz * lz, 0.0)
                        hx = lx + vx
                        hy = ly + vy
                        hz = lz + vz
                        half = ti.max(ti.sqrt(hx * hx + hy * hy + hz * hz), 1e-6)
                        cos_half = ti.min(ti.max((nx * hx + ny * hy + nz * hz) / half, 0.0), 1.0)
                        cos_view_half = ti.min(ti.max((vx * hx + vy * hy + vz * hz) / half, 0.0), 1.0)
                        # A light of some size blurs its highlight as much as roughness would (Karis 2013).
                        wide = ti.min(alpha + 0.5 * size, 1.0)
                        keep = alpha / wide
                        energy = keep * keep
                        specular_red = (
                            reflection(cos_light, cos_view, cos_half, cos_view_half, wide, fresnel_red) * energy
                        )
                        specular_green = (
                            reflection(cos_light, cos_view, cos_half, cos_view_half, wide, fresnel_green) * energy
                        )
                        specular_blue = (
                            reflection(cos_light, cos_view, cos_half, cos_view_half, wide, fresnel_blue) * energy
                        )
                        sum_red += (matt * red * cos_light + specular_red) * free * strength * lights[light, 4]
                        sum_green += (matt * green * cos_light + specular_green) * free * strength * lights[light, 5]
                        sum_blue += (matt * blue * cos_light + specular_blue) * free * strength * lights[light, 6]
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
                        # Light from a sun comes from beyond the scene's ball, from a point with 1 / distance².
                        cx = px - settings[0]
                        cy = py - settings[1]
                        cz = pz - settings[2]
                        along = cx * lx + cy * ly + cz * lz
                        chord = along * along + settings[3] * settings[3] - (cx * cx + cy * cy + cz * cz)
                        leave = ti.sqrt(ti.max(chord, 0.0)) - along
                        end = ti.max(leave, settings[4])
                        strength = Lanes(1.0)
                        size = Lanes(0.0) + lights[light, 7]
                        if lights[light, 0] > 0.5:
                            end = ti.min(end, away)
                            strength = 1.0 / (away * away)
                            size = size / away
                        t = tap_size
                        turn = 0
                        visible = Lanes(1.0)
                        idle = ti.select(nx * lx + ny * ly + nz * lz <= 0.0, FAR, missed)
                        next_light = idle.min() >= 1.0
            open_sky = ti.min(ti.max(1.0 - 1.1 * occlusion, 0.0), 1.0)
            bounce = 2.0 * cos_view
            rz = bounce * nz - vz
            mirror_red, mirror_green, mirror_blue = sky_towards(sky, rz)
            around_red, around_green, around_blue = sky_towards(sky, nz * 0.6 + 0.1)
            # Split-sum reflectance of GGX under uniform light, as Karis fitted it ("Physically based shading on
            # mobile", 2014).
            r0 = 1.0 - roughness
            a004 = ti.min(r0 * r0, ti.exp(-9.28 * cos_view * 0.69314718)) * r0 + (0.0425 - 0.0275 * roughness)
            scale = -1.04 * a004 + (1.04 - 0.572 * roughness)
            bias = 1.04 * a004 + (0.022 * roughness - 0.04)
            blur = roughness
            hidden = ti.min(open_sky * (1.0 + roughness), 1.0)
            sky_red = mirror_red + (around_red - mirror_red) * blur
            sky_green = mirror_green + (around_green - mirror_green) * blur
            sky_blue = mirror_blue + (around_blue - mirror_blue) * blur
            flat_part = matt * 3.14159265 * open_sky
            sum_red += flat_part * red * around_red + (fresnel_red * scale + bias) * sky_red * hidden
            sum_green += flat_part * green * around_green + (fresnel_green * scale + bias) * sky_green * hidden
            sum_blue += flat_part * blue * around_blue + (fresnel_blue * scale + bias) * sky_blue * hidden
            for lane in ti.static(range(width)):
                index = packet * width + lane
                if index < count:
                    hit = missed[lane] < 1.0
                    back_red, back_green, back_blue = sky_towards(sky, ti.max(-vz[lane], 0.0))
                    radiance[index, 0] = ti.select(hit, sum_red[lane] + material[5, lane], back_red)
                    radiance[index, 1] = ti.select(hit, sum_green[lane] + material[6, lane], back_green)
                    radiance[index, 2] = ti.select(hit, sum_blue[lane] + material[7, lane], back_blue)
                    normals[index, 0] = ti.select(hit, nx[lane], 0.0)
                    normals[index, 1] = ti.select(hit, ny[lane], 0.0)
                    normals[index, 2] = ti.select(hit, nz[lane], 0.0)

    return shade_kernel
