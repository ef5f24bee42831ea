"""Light that surface points send to the viewer: a principled reflection of lights and sky, and what they emit.

What is simplified: light does not bounce, and the sky's reflection is hidden by other shapes only as t as the ambient
occlusion says.
"""

import functools
from typing import Any

import torch

from .. import runtime
from ..lanes import FAR, any_lane, packet_functions, room_for_packets
from ..program import SURFACE_SIZE, MaterialColumn
from ..runtime import memory, ti
from .lights import LightColumn, Lighting
from .reflection import PI, directional_albedo, specular, specular_albedo
from .sky_light import background, sky_radiance, sky_weights

SHADE_WIDTH = 8


def shade(
    lighting: Lighting,
    origins: torch.Tensor,
    directions: torch.Tensor,
    distance: torch.Tensor,
    materials: torch.Tensor,
    visible: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
) -> torch.Tensor:
    """Radiance (N, 3) along rays, linear RGB: the surface's where they hit, the sky's where they miss.

    Args:
        lighting: lights and sky.
        origins, directions: (N, 3) float32, directions unit vectors.
        distance: (N,) float32 along the rays, infinite on a miss.
        materials: (N, 8) float32, from `surface_on`.
        visible: normals, ambient visibility and light visibility, from `visibility`.
    """
    radiance = memory.empty(room_for_packets(len(origins)), 3, like=origins)
    runtime.run(
        _shade_kernel(), lighting.lights, lighting.sky, origins, directions, distance, materials, *visible, radiance,
        len(lighting.lights), len(origins),
    )  # fmt: skip
    return radiance[: len(origins)]


@ti.func
def arriving_light(lights: ti.template(), light, px, py, pz):
    """Unit direction to a light from points p, its falloff there, and its apparent size."""
    is_point = lights[light, LightColumn.KIND]
    lx = lights[light, LightColumn.X] - px * is_point
    ly = lights[light, LightColumn.Y] - py * is_point
    lz = lights[light, LightColumn.Z] - pz * is_point
    away = ti.max(ti.sqrt(lx * lx + ly * ly + lz * lz), 1e-6)
    lx /= away
    ly /= away
    lz /= away
    # A point's light falls with the square of the distance, and its radius appears as an angle.
    falloff = 1.0 + (1.0 / (away * away) - 1.0) * is_point
    size = lights[light, LightColumn.SIZE] * (1.0 + (1.0 / away - 1.0) * is_point)
    return lx, ly, lz, falloff, size


@ti.func
def add_light(
    total: ti.template(), surface: ti.template(), lights: ti.template(), light, visible: ti.template(),
    px, py, pz, nx, ny, nz, vx, vy, vz,
):  # fmt: skip
    """Add what points p reflect of a light, of which they see the share `visible`, towards v."""
    lx, ly, lz, falloff, size = arriving_light(lights, light, px, py, pz)
    # A light of some size blurs its highlight as much as roughness would (Karis 2013); what is mirrored in all stays
    # the same.
    alpha = ti.min(surface.alpha + 0.5 * size, 1.0)
    highlight, grazing = specular(nx, ny, nz, lx, ly, lz, vx, vy, vz, alpha)
    diffuse = ti.max(nx * lx + ny * ly + nz * lz, 0.0) / PI
    arriving = visible * falloff
    schlick_r = surface.fresnel_r + (1.0 - surface.fresnel_r) * grazing
    schlick_g = surface.fresnel_g + (1.0 - surface.fresnel_g) * grazing
    schlick_b = surface.fresnel_b + (1.0 - surface.fresnel_b) * grazing
    total.r += (surface.diffuse_r * diffuse + schlick_r * highlight) * arriving * lights[light, LightColumn.RED]
    total.g += (surface.diffuse_g * diffuse + schlick_g * highlight) * arriving * lights[light, LightColumn.GREEN]
    total.b += (surface.diffuse_b * diffuse + schlick_b * highlight) * arriving * lights[light, LightColumn.BLUE]


@ti.func
def add_sky(total: ti.template(), surface: ti.template(), sky: ti.template(), ambient: ti.template(), nz, vz):
    """Add what points reflect of the sky, of which they see the share `ambient`."""
    mirror_up, mirror_level, mirror_down = sky_weights(2.0 * surface.cos_view * nz - vz)
    around_up, around_level, around_down = sky_weights(0.6 * nz + 0.1)
    in_mirror = ti.min(ambient * (1.0 + surface.roughness), 1.0)
    around = sky_radiance(sky, around_up, around_level, around_down, 0)
    mirrored = sky_radiance(sky, mirror_up, mirror_level, mirror_down, 0)
    mirrored += (around - mirrored) * surface.roughness
    total.r += surface.diffuse_r * around * ambient + mirrored * surface.specular_r * in_mirror
    around = sky_radiance(sky, around_up, around_level, around_down, 1)
    mirrored = sky_radiance(sky, mirror_up, mirror_level, mirror_down, 1)
    mirrored += (around - mirrored) * surface.roughness
    total.g += surface.diffuse_g * around * ambient + mirrored * surface.specular_g * in_mirror
    around = sky_radiance(sky, around_up, around_level, around_down, 2)
    mirrored = sky_radiance(sky, mirror_up, mirror_level, mirror_down, 2)
    mirrored += (around - mirrored) * surface.roughness
    total.b += surface.diffuse_b * around * ambient + mirrored * surface.specular_b * in_mirror


@functools.cache
def shading(width: int, places: int) -> Any:
    """Device function over packets of `width` points: what they send to the viewer.

    How much of a light a point sees is read in `places` rows of an array, and weighted.
    """
    Lanes = packet_functions(width).Lanes

    @ti.func
    def layers(material: ti.template(), cos_view):
        """Materials (8, width) as reflectances: the diffuse layer's, and of the specular one the share of light from
        all around, and from straight above (`fresnel`)."""
        colour_r = Lanes([material[MaterialColumn.BASE_RED, lane] for lane in range(width)])
        colour_g = Lanes([material[MaterialColumn.BASE_GREEN, lane] for lane in range(width)])
        colour_b = Lanes([material[MaterialColumn.BASE_BLUE, lane] for lane in range(width)])
        roughness = Lanes([material[MaterialColumn.ROUGHNESS, lane] for lane in range(width)])
        metallic = Lanes([material[MaterialColumn.METALLIC, lane] for lane in range(width)])
        alpha = ti.max(roughness * roughness, 2e-3)
        fresnel_r = 0.04 + (colour_r - 0.04) * metallic
        fresnel_g = 0.04 + (colour_g - 0.04) * metallic
        fresnel_b = 0.04 + (colour_b - 0.04) * metallic
        # What the surface reflects does not reach the diffuse layer below (albedo scaling, as in OpenPBR).
        p, q = directional_albedo(alpha, cos_view)
        specular_r = specular_albedo(fresnel_r, p, q)
        specular_g = specular_albedo(fresnel_g, p, q)
        specular_b = specular_albedo(fresnel_b, p, q)
        return ti.Struct(
            cos_view=cos_view, roughness=roughness, alpha=alpha,
            fresnel_r=fresnel_r, fresnel_g=fresnel_g, fresnel_b=fresnel_b,
            specular_r=specular_r, specular_g=specular_g, specular_b=specular_b,
            diffuse_r=colour_r * (1.0 - metallic) * (1.0 - specular_r),
            diffuse_g=colour_g * (1.0 - metallic) * (1.0 - specular_g),
            diffuse_b=colour_b * (1.0 - metallic) * (1.0 - specular_b),
        )  # fmt: skip

    @ti.func
    def emission(material: ti.template()):
        """What materials (8, width) emit, as r, g, b."""
        return ti.Struct(
            r=Lanes([material[MaterialColumn.EMISSION_RED, lane] for lane in range(width)]),
            g=Lanes([material[MaterialColumn.EMISSION_GREEN, lane] for lane in range(width)]),
            b=Lanes([material[MaterialColumn.EMISSION_BLUE, lane] for lane in range(width)]),
        )

    @ti.func
    def visible_share(visibility: ti.template(), column, rows: ti.template(), weights: ti.template()):
        """How much points see of a light: the weighted mean of rows of its column."""
        share = Lanes(0.0)
        for place in ti.static(range(places)):
            for lane in ti.static(range(width)):
                share[lane] += weights[place, lane] * visibility[rows[place, lane], column]
        return share

    @ti.func
    def reflected(
        lights: ti.template(), light_count, sky: ti.template(), px, py, pz, nx, ny, nz, vx, vy, vz,
        material: ti.template(), ambient, visibility: ti.template(), first_light: ti.template(), rows: ti.template(),
        weights: ti.template(),
    ):  # fmt: skip
        """Radiance (red, green, blue) of points p with normals n towards v.

        `material` is (8, width), `ambient` how much of the sky is visible, `rows` and `weights` (places, width) say
        where that of lights is read in `visibility`, from column `first_light` on.
        """
        cos_view = ti.max(nx * vx + ny * vy + nz * vz, 1e-3)
        surface = layers(material, cos_view)
        total = emission(material)
        for light in range(light_count):
            visible = visible_share(visibility, first_light + light, rows, weights)
            if any_lane(visible > 0.0):
                add_light(total, surface, lights, light, visible, px, py, pz, nx, ny, nz, vx, vy, vz)
        add_sky(total, surface, sky, ambient, nz, vz)
        return total.r, total.g, total.b

    return reflected


@runtime.per_lane_width
def _shade_kernel(backend_width: int) -> Any:
    width = min(backend_width, SHADE_WIDTH)
    packets = packet_functions(width)
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
        ambient_visibility: ti.types.ndarray(ti.f32, 1),
        light_visibility: ti.types.ndarray(ti.f32, 2),
        radiance: ti.types.ndarray(ti.f32, 2),
        light_count: ti.i32,
        count: ti.i32,
    ):
        for packet in range((count + width - 1) // width):
            dx, dy, dz = packets.load(directions, packet, count)
            red, green, blue = background(sky, dz)
            t = Lanes(0.0)
            hit = Lanes(0.0)
            ambient = Lanes(0.0)
            rows = ti.Matrix([[0] * width], ti.i32)
            weights = ti.Matrix([[1.0] * width], ti.f32)
            material = ti.Matrix([[0.0] * width for _ in range(SURFACE_SIZE)], ti.f32)
            for lane in ti.static(range(width)):
                row = ti.min(packet * width + lane, count - 1)  # lanes past the end repeat the last row
                rows[0, lane] = row
                if distance[row] < 0.5 * FAR:
                    t[lane] = distance[row]
                    hit[lane] = 1.0
            if any_lane(hit > 0.0):
                ox, oy, oz = packets.load(origins, packet, count)
                nx, ny, nz = packets.load(normals, packet, count)
                for lane in ti.static(range(width)):
                    ambient[lane] = ambient_visibility[rows[0, lane]]
                    for attribute in ti.static(range(SURFACE_SIZE)):
                        material[attribute, lane] = materials[rows[0, lane], attribute]
                total_r, total_g, total_b = reflected(
                    lights, light_count, sky, ox + dx * t, oy + dy * t, oz + dz * t, nx, ny, nz, -dx, -dy, -dz,
                    material, ambient, light_visibility, 0, rows, weights,
                )  # fmt: skip
                red = ti.select(hit > 0.0, total_r, red)
                green = ti.select(hit > 0.0, total_g, green)
                blue = ti.select(hit > 0.0, total_b, blue)
            packets.store(radiance, packet, red, green, blue)

    return shade_kernel
