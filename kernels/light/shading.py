"""Light that surface points send to the viewer: a principled reflection of lights and sky, and what they emit.

What is simplified: light does not bounce, and the sky's reflection is hidden by other shapes only as far as the ambient
occlusion says.
"""

import functools
from typing import Any

import torch

from .. import runtime
from ..lanes import FAR, lanes, some, whole_packets
from ..program import SURFACE_SIZE, MaterialColumn
from ..runtime import memory, ti
from .lights import LightColumn, Lighting, SkyColumn

PI = 3.14159265
SHADE_WIDTH = 8


def shade(
    lighting: Lighting,
    origins: torch.Tensor,
    directions: torch.Tensor,
    distance: torch.Tensor,
    materials: torch.Tensor,
    seen: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
) -> torch.Tensor:
    """Radiance (N, 3) along rays, linear RGB: the surface's where they hit, the sky's where they miss.

    Args:
        lighting: lights and sky.
        origins, directions: (N, 3) float32, directions unit vectors.
        distance: (N,) float32 along the rays, infinite on a miss.
        materials: (N, 8) float32, from `surface_on`.
        seen: normals, open sky and free lights, from `visibility`.
    """
    radiance = memory.empty(whole_packets(len(origins)), 3, like=origins)
    runtime.run(
        _shade_kernel(), lighting.lights, lighting.sky, origins, directions, distance, materials, *seen, radiance,
        len(lighting.lights), len(origins),
    )  # fmt: skip
    return radiance[: len(origins)]


@ti.func
def heights(z):
    """Weights of the zenith, the horizon and the ground in the radiance from a direction of height z, -1 … 1."""
    up = ti.sqrt(ti.max(z, 0.0))
    down = ti.min(ti.max(-4.0 * z, 0.0), 1.0)  # the horizon's glow fades into the ground a quarter of the way down
    return up, (1.0 - up) * (1.0 - down), down


@ti.func
def reflection(nx, ny, nz, lx, ly, lz, vx, vy, vz, alpha):
    """Specular BSDF times the light's cosine: GGX (Walter et al. 2007), joint Smith shadowing.

    Returns it without its Fresnel factor, and Schlick's (1 - cos)⁵ for that.
    """
    cos_light = ti.max(nx * lx + ny * ly + nz * lz, 0.0)
    cos_view = ti.max(nx * vx + ny * vy + nz * vz, 1e-3)
    hx = lx + vx
    hy = ly + vy
    hz = lz + vz
    length = ti.sqrt(hx * hx + hy * hy + hz * hz) + 1e-9
    hx /= length
    hy /= length
    hz /= length
    square = alpha * alpha
    # cos² (α² - 1) + 1 = sin² + cos² α²; the sine by the cross product keeps its digits on a mirror.
    sx = ny * hz - nz * hy
    sy = nz * hx - nx * hz
    sz = nx * hy - ny * hx
    cos_half = nx * hx + ny * hy + nz * hz
    d = sx * sx + sy * sy + sz * sz + square * cos_half * cos_half
    d = ti.max(d, 1e-7)  # nothing is mirrored back where light and view are opposite
    ggx = square / (PI * d * d)
    joint = cos_light * ti.sqrt(cos_view * cos_view * (1.0 - square) + square)
    joint += cos_view * ti.sqrt(cos_light * cos_light * (1.0 - square) + square)
    grazing = 1.0 - ti.min(ti.max(vx * hx + vy * hy + vz * hz, 0.0), 1.0)
    twice = grazing * grazing
    return ggx * 0.5 * cos_light / joint, twice * twice * grazing  # joint ≥ cos_view · alpha, which have a least value


@ti.func
def reflectance(alpha, cos_view):
    """Share of the light from all around that `reflection` sends to the viewer (its directional albedo): p · f0 + q.

    MaterialX' rational fit for GGX (pbrlib, mx_ggx_dir_albedo_analytic): p = a/c, q = b/d. For a dielectric it is
    within 0.04 of the integral at all angles.
    """
    x = cos_view
    y = alpha
    xx = x * x
    yy = y * y
    a = 0.1003 - 0.6303 * x + 9.748 * y - 2.038 * x * y + 29.34 * xx - 8.245 * yy
    a += -26.44 * xx * y + 19.99 * x * yy - 5.448 * xx * yy
    c = 1.0 - 1.765 * x + 8.263 * y + 11.53 * x * y + 28.96 * xx - 7.507 * yy
    c += -36.11 * xx * y + 15.86 * x * yy + 33.37 * xx * yy
    b = 0.9345 - 2.323 * x + 2.229 * y - 3.748 * x * y + 1.424 * xx - 0.7684 * yy
    b += 1.436 * xx * y + 0.2913 * x * yy + 0.6286 * xx * yy
    d = 1.0 + 0.2281 * x + 15.94 * y - 55.83 * x * y + 13.08 * xx + 41.26 * yy
    d += 54.9 * xx * y + 300.2 * x * yy - 285.1 * xx * yy
    return a / c, b / d


@ti.func
def from_sky(sky: ti.template(), up, level, down, channel):
    """A channel of the sky where zenith, horizon and ground have the weights that `heights` gives."""
    radiance = sky[SkyColumn.ZENITH + channel] * up + sky[SkyColumn.HORIZON + channel] * level
    return radiance + sky[SkyColumn.GROUND + channel] * down


@ti.func
def background(sky: ti.template(), z):
    """Radiance (red, green, blue) of the sky behind everything in a direction of height z."""
    up, level, down = heights(ti.max(z, 0.0))
    return from_sky(sky, up, level, down, 0), from_sky(sky, up, level, down, 1), from_sky(sky, up, level, down, 2)


@ti.func
def shine_of(fresnel, p, q):
    """What the surface reflects of light from all around."""
    return ti.min(ti.max(fresnel * p + q, 0.0), 1.0)


@functools.cache
def shading(width: int, places: int) -> Any:
    """Device function over packets of `width` points: what they send to the viewer.

    How much of a light a point sees is read in `places` rows of an array, and weighted.
    """
    Lanes = lanes(width).Lanes

    @ti.func
    def reflected(
        lights: ti.template(), light_count, sky: ti.template(), px, py, pz, nx, ny, nz, vx, vy, vz,
        material: ti.template(), seen, free: ti.template(), first_light: ti.template(), rows: ti.template(),
        weights: ti.template(),
    ):  # fmt: skip
        """Radiance (red, green, blue) of points p with normals n towards v.

        `material` is (8, width), `seen` the open sky, `rows` and `weights` (places, width) say where `free` is read,
        from column `first_light` on.
        """
        colour_r = Lanes([material[MaterialColumn.BASE_RED, lane] for lane in range(width)])
        colour_g = Lanes([material[MaterialColumn.BASE_GREEN, lane] for lane in range(width)])
        colour_b = Lanes([material[MaterialColumn.BASE_BLUE, lane] for lane in range(width)])
        roughness = Lanes([material[MaterialColumn.ROUGHNESS, lane] for lane in range(width)])
        metallic = Lanes([material[MaterialColumn.METALLIC, lane] for lane in range(width)])
        total_r = Lanes([material[MaterialColumn.EMISSION_RED, lane] for lane in range(width)])
        total_g = Lanes([material[MaterialColumn.EMISSION_GREEN, lane] for lane in range(width)])
        total_b = Lanes([material[MaterialColumn.EMISSION_BLUE, lane] for lane in range(width)])
        alpha = ti.max(roughness * roughness, 2e-3)
        fresnel_r = 0.04 + (colour_r - 0.04) * metallic
        fresnel_g = 0.04 + (colour_g - 0.04) * metallic
        fresnel_b = 0.04 + (colour_b - 0.04) * metallic
        cos_view = ti.max(nx * vx + ny * vy + nz * vz, 1e-3)
        # What the surface reflects does not reach the matt layer below (albedo scaling, as in OpenPBR).
        p, q = reflectance(alpha, cos_view)
        shiny_r = shine_of(fresnel_r, p, q)
        shiny_g = shine_of(fresnel_g, p, q)
        shiny_b = shine_of(fresnel_b, p, q)
        matt_r = colour_r * (1.0 - metallic) * (1.0 - shiny_r)
        matt_g = colour_g * (1.0 - metallic) * (1.0 - shiny_g)
        matt_b = colour_b * (1.0 - metallic) * (1.0 - shiny_b)
        for light in range(light_count):
            share = Lanes(0.0)
            for place in ti.static(range(places)):
                for lane in ti.static(range(width)):
                    share[lane] += weights[place, lane] * free[rows[place, lane], first_light + light]
            if some(share > 0.0):
                is_point = lights[light, LightColumn.KIND]
                lx = lights[light, LightColumn.X] - px * is_point
                ly = lights[light, LightColumn.Y] - py * is_point
                lz = lights[light, LightColumn.Z] - pz * is_point
                away = ti.max(ti.sqrt(lx * lx + ly * ly + lz * lz), 1e-6)
                lx /= away
                ly /= away
                lz /= away
                # A point's light falls with the square of the distance, and its radius appears as an angle.
                fall = 1.0 + (1.0 / (away * away) - 1.0) * is_point
                size = lights[light, LightColumn.SIZE] * (1.0 + (1.0 / away - 1.0) * is_point)
                # A light of some size blurs its highlight as much as roughness would (Karis 2013); what is mirrored
                # in all stays the same.
                wide = ti.min(alpha + 0.5 * size, 1.0)
                shine, grazing = reflection(nx, ny, nz, lx, ly, lz, vx, vy, vz, wide)
                diffuse = ti.max(nx * lx + ny * ly + nz * lz, 0.0) / PI
                here = share * fall
                schlick_r = fresnel_r + (1.0 - fresnel_r) * grazing
                schlick_g = fresnel_g + (1.0 - fresnel_g) * grazing
                schlick_b = fresnel_b + (1.0 - fresnel_b) * grazing
                total_r += (matt_r * diffuse + schlick_r * shine) * here * lights[light, LightColumn.RED]
                total_g += (matt_g * diffuse + schlick_g * shine) * here * lights[light, LightColumn.GREEN]
                total_b += (matt_b * diffuse + schlick_b * shine) * here * lights[light, LightColumn.BLUE]
        mirror_up, mirror_level, mirror_down = heights(2.0 * cos_view * nz - vz)
        around_up, around_level, around_down = heights(0.6 * nz + 0.1)
        hidden = ti.min(seen * (1.0 + roughness), 1.0)
        around = from_sky(sky, around_up, around_level, around_down, 0)
        mirrored = from_sky(sky, mirror_up, mirror_level, mirror_down, 0)
        total_r += matt_r * around * seen + (mirrored + (around - mirrored) * roughness) * shiny_r * hidden
        around = from_sky(sky, around_up, around_level, around_down, 1)
        mirrored = from_sky(sky, mirror_up, mirror_level, mirror_down, 1)
        total_g += matt_g * around * seen + (mirrored + (around - mirrored) * roughness) * shiny_g * hidden
        around = from_sky(sky, around_up, around_level, around_down, 2)
        mirrored = from_sky(sky, mirror_up, mirror_level, mirror_down, 2)
        total_b += matt_b * around * seen + (mirrored + (around - mirrored) * roughness) * shiny_b * hidden
        return total_r, total_g, total_b

    return reflected


@runtime.per_lane_width
def _shade_kernel(backend_width: int) -> Any:
    width = min(backend_width, SHADE_WIDTH)
    packets = lanes(width)
    Lanes = packets.Lanes
    reflected = shading(width, 1)

    @ti.kernel
    def shade_kernel(
        lights: ti.types.ndarray(ti.f32, 2),
        sky: ti.types.ndarray(ti.f32, 1),
        origins: ti.types.ndarray(ti.f32, 2),
        directions: ti.types.ndarray(ti.f32, 2),
        distance: ti.types.ndarray(ti.f32, 1),
        materials: ti.types.ndarray(ti.f32, 2),
        normals: ti.types.ndarray(ti.f32, 2),
        open_sky: ti.types.ndarray(ti.f32, 1),
        free: ti.types.ndarray(ti.f32, 2),
        radiance: ti.types.ndarray(ti.f32, 2),
        light_count: ti.i32,
        count: ti.i32,
    ):
        for packet in range((count + width - 1) // width):
            dx, dy, dz = packets.load(directions, packet, count)
            red, green, blue = background(sky, dz)
            far = Lanes(0.0)
            hit = Lanes(0.0)
            seen = Lanes(0.0)
            rows = ti.Matrix([[0] * width], ti.i32)
            weights = ti.Matrix([[1.0] * width], ti.f32)
            material = ti.Matrix([[0.0] * width for _ in range(SURFACE_SIZE)], ti.f32)
            for lane in ti.static(range(width)):
                row = ti.min(packet * width + lane, count - 1)  # lanes past the end repeat the last row
                rows[0, lane] = row
                if distance[row] < 0.5 * FAR:
                    far[lane] = distance[row]
                    hit[lane] = 1.0
            if some(hit > 0.0):
                ox, oy, oz = packets.load(origins, packet, count)
                nx, ny, nz = packets.load(normals, packet, count)
                for lane in ti.static(range(width)):
                    seen[lane] = open_sky[rows[0, lane]]
                    for attribute in ti.static(range(SURFACE_SIZE)):
                        material[attribute, lane] = materials[rows[0, lane], attribute]
                total_r, total_g, total_b = reflected(
                    lights, light_count, sky, ox + dx * far, oy + dy * far, oz + dz * far, nx, ny, nz, -dx, -dy, -dz,
                    material, seen, free, 0, rows, weights,
                )  # fmt: skip
                red = ti.select(hit > 0.0, total_r, red)
                green = ti.select(hit > 0.0, total_g, green)
                blue = ti.select(hit > 0.0, total_b, blue)
            packets.store(radiance, packet, red, green, blue)

    return shade_kernel
