"""Light that surface points send to the viewer: a principled reflection of lights and sky, and what they emit.

What is simplified: light does not bounce, and the sky's reflection is hidden by other shapes only as far as the ambient
occlusion says.
"""

from typing import Any

import torch

from . import runtime
from .operations import FAR
from .runtime import ti
from .visibility import Lighting

vec3 = ti.types.vector(3, ti.f32)
PI = 3.14159265


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
    radiance = torch.empty_like(origins)
    runtime.run(
        _shade_kernel(), lighting.lights, lighting.sky, origins, directions, distance, materials, *seen, radiance,
        len(lighting.lights), len(origins),
    )  # fmt: skip
    return radiance


@ti.func
def sky_towards(sky: ti.template(), z):
    """Radiance from a direction of height z, -1 … 1: of the ground, the horizon, the zenith, and between them."""
    up = ti.sqrt(ti.max(z, 0.0))
    down = ti.min(ti.max(-4.0 * z, 0.0), 1.0)  # the horizon's glow fades into the ground a quarter of the way down
    level = (1.0 - up) * (1.0 - down)
    return vec3([sky[c] * up + sky[3 + c] * level + sky[6 + c] * down for c in ti.static(range(3))])


@ti.func
def reflection(normal, light, view, alpha, fresnel):
    """Specular BSDF times the light's cosine: GGX (Walter et al. 2007), joint Smith shadowing, Schlick's Fresnel."""
    cos_light = ti.max(normal.dot(light), 0.0)
    cos_view = ti.max(normal.dot(view), 1e-3)
    half = (light + view).normalized(1e-9)
    square = alpha * alpha
    # cos² (α² - 1) + 1 = sin² + cos² α²; the sine by the cross product keeps its digits on a mirror.
    d = normal.cross(half).norm_sqr() + square * normal.dot(half) ** 2
    d = ti.max(d, 1e-7)  # nothing is mirrored back where light and view are opposite
    ggx = square / (PI * d * d)
    joint = cos_light * ti.sqrt(cos_view * cos_view * (1.0 - square) + square)
    joint += cos_view * ti.sqrt(cos_light * cos_light * (1.0 - square) + square)
    grazing = 1.0 - ti.min(ti.max(view.dot(half), 0.0), 1.0)
    schlick = fresnel + (1.0 - fresnel) * grazing**5
    return schlick * (ggx * 0.5 * cos_light / joint)  # joint ≥ cos_view · alpha, which both have a least value


@ti.func
def reflectance(alpha, cos_view, fresnel):
    """Share of the light from all around that `reflection` sends to the viewer (its directional albedo), 0 … 1.

    MaterialX' rational fit for GGX (pbrlib, mx_ggx_dir_albedo_analytic): f0 · a/c + b/d. For a dielectric it is within
    0.04 of the integral at all angles.
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
    return ti.min(ti.max(fresnel * (a / c) + b / d, 0.0), 1.0)


@runtime.per_lane_width
def _shade_kernel(width: int) -> Any:
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
        for ray in range(count):
            view = -vec3(directions[ray, 0], directions[ray, 1], directions[ray, 2])
            total = sky_towards(sky, ti.max(-view[2], 0.0))
            if distance[ray] < 0.5 * FAR:
                point = vec3(origins[ray, 0], origins[ray, 1], origins[ray, 2]) - view * distance[ray]
                normal = vec3(normals[ray, 0], normals[ray, 1], normals[ray, 2])
                colour = vec3(materials[ray, 0], materials[ray, 1], materials[ray, 2])
                roughness = materials[ray, 3]
                metallic = materials[ray, 4]
                total = vec3(materials[ray, 5], materials[ray, 6], materials[ray, 7])
                alpha = ti.max(roughness * roughness, 2e-3)
                fresnel = 0.04 + (colour - 0.04) * metallic
                cos_view = ti.max(normal.dot(view), 1e-3)
                # What the surface reflects does not reach the matt layer below (albedo scaling, as in OpenPBR).
                shiny = reflectance(alpha, cos_view, fresnel)
                matt = colour * (1.0 - metallic) * (1.0 - shiny)
                for light in range(light_count):
                    share = free[ray, light]
                    if share > 0.0:
                        is_point = lights[light, 0]
                        towards = vec3(lights[light, 1], lights[light, 2], lights[light, 3]) - point * is_point
                        away = ti.max(towards.norm(), 1e-6)
                        towards /= away
                        # A point's light falls with the square of the distance, and its radius appears as an angle.
                        fall = 1.0 + (1.0 / (away * away) - 1.0) * is_point
                        size = lights[light, 7] * (1.0 + (1.0 / away - 1.0) * is_point)
                        # A light of some size blurs its highlight as much as roughness would (Karis 2013); what is
                        # mirrored in all stays the same.
                        wide = ti.min(alpha + 0.5 * size, 1.0)
                        shine = reflection(normal, towards, view, wide, fresnel)
                        diffuse = matt * (ti.max(normal.dot(towards), 0.0) / PI)
                        irradiance = vec3(lights[light, 4], lights[light, 5], lights[light, 6])
                        total += (diffuse + shine) * irradiance * (share * fall)
                mirrored = sky_towards(sky, 2.0 * cos_view * normal[2] - view[2])
                around = sky_towards(sky, 0.6 * normal[2] + 0.1)
                total += matt * around * open_sky[ray]
                glossy = mirrored + (around - mirrored) * roughness
                hidden = ti.min(open_sky[ray] * (1.0 + roughness), 1.0)
                total += glossy * shiny * hidden
            for channel in ti.static(range(3)):
                radiance[ray, channel] = total[channel]

    return shade_kernel
