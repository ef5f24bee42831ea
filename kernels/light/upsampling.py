"""Pictures whose light is found for few pixels and spread to all of them."""

import functools
from enum import IntEnum
from types import SimpleNamespace
from typing import Any

import torch

from .. import runtime
from ..film import TILE, Film, on_screen, packet_corner, pixel_in_packet
from ..lanes import packet_functions
from ..program import NOTHING, SURFACE_SIZE, PlaneColumn, Program, Tiles, plane_equations, plane_shapes
from ..runtime import memory, pack_settings, ti
from ..trace import Intersections
from .coarse_pixels import CoarseColumn, coarse_film, pixel_rows
from .lights import Lighting
from .shading import shading
from .sky_light import background

# Pixels whose distances differ by this share are half as alike as those at the same distance.
DISTANCE_TOLERANCE = 0.02

PLANE_SIZE = len(PlaneColumn)


class UpsamplingSetting(IntEnum):
    """Settings of the kernel that makes the picture; the film's sizes in pixels."""

    RAYS_PER_TILE = 0
    TILES_IN_ROW = 1
    HEIGHT = 2
    WIDTH = 3
    COARSE_HEIGHT = 4
    COARSE_WIDTH = 5
    SQUARES_PER_PIXEL = 6  # 1 / coarseness
    LIGHT_COUNT = 7
    SCALE = 8  # of what `develop` takes
    SCREEN = 9  # 1 or 0, likewise


def shade_upsampled(
    program: Program,
    lighting: Lighting,
    film: Film,
    tiles: Tiles,
    shared: torch.Tensor,
    rays: tuple[torch.Tensor, torch.Tensor],
    hits: Intersections,
    materials: torch.Tensor,
    normals: torch.Tensor,
    coarseness: int,
    coarse_hits: Intersections,
    light: tuple[torch.Tensor, torch.Tensor],
    scale: float,
    *,
    screen: bool,
) -> torch.Tensor:
    """The picture (height, width, 3) float32 of a film whose light is known in the middles of its squares.

    Each ray takes the mean of the four coarse pixels around it, weighted bilinearly and by how near their distances
    are to its own (joint bilateral upsampling, Kopf et al. 2007), so that light does not cross outlines. Then it is
    shaded as by `shade` and developed as by `develop`, which is not kept apart because half of the time would go into
    writing and reading what is in between.

    Args:
        rays: origins and directions (rays, 3) float32.
        materials, shared: what `surface_on` and `shared_shapes` say.
        normals: (rays, 3) float32, of what `without_planes` leaves.
        coarse_hits, light: of the rays of `coarse_rays`; light is ambient visibility (C,) and light visibility (C, L),
            from `visibility`.
    """
    picture = memory.empty(film.height, film.width, 3, like=normals)
    coarse = coarse_film(film, coarseness)
    coarse_pixels = pixel_rows(coarse, coarse_hits, *light)
    settings = pack_settings(
        UpsamplingSetting,
        normals.device,
        rays_per_tile=tiles.rays,
        tiles_in_row=film.padded[1] // TILE,
        height=film.height,
        width=film.width,
        coarse_height=coarse.height,
        coarse_width=coarse.width,
        squares_per_pixel=1.0 / coarseness,
        light_count=len(lighting.lights),
        scale=scale,
        screen=screen,
    )
    runtime.run(
        _upsampling_kernel(), lighting.lights, lighting.sky, program.surfaces.view(-1),
        plane_equations(program).view(-1), plane_shapes(program), shared, rays[0].view(-1),
        rays[1].view(-1), hits.distance, hits.hit_kind,
        materials.view(-1), normals.view(-1), coarse_pixels, settings, picture.view(-1), film.rays,
    )  # fmt: skip
    return picture


UPSAMPLING_WIDTH = 8


@ti.func
def film_size(settings: ti.template()):
    """Height, width, and tiles in a row."""
    return (
        ti.cast(settings[UpsamplingSetting.HEIGHT], ti.i32),
        ti.cast(settings[UpsamplingSetting.WIDTH], ti.i32),
        ti.cast(settings[UpsamplingSetting.TILES_IN_ROW], ti.i32),
    )


@functools.cache
def _upsampling(width: int) -> SimpleNamespace:
    """Device functions for packets of `width` rays."""
    Lanes = packet_functions(width).Lanes

    @ti.func
    def load(array: ti.template(), first):
        """Rows (3,) of a packet as x, y, z."""
        x = Lanes(0.0)
        y = Lanes(0.0)
        z = Lanes(0.0)
        for lane in ti.static(range(width)):
            x[lane] = array[3 * (first + lane)]
            y[lane] = array[3 * (first + lane) + 1]
            z[lane] = array[3 * (first + lane) + 2]
        return x, y, z

    @ti.func
    def load_hits(hit_kind: ti.template(), distance: ti.template(), first, left, top):
        """What rays have hit, how far away, and their columns and rows in the picture."""
        kind = Lanes(0.0)
        t = Lanes(0.0)
        x = Lanes(0.0)
        y = Lanes(0.0)
        for lane in ti.static(range(width)):
            kind[lane] = ti.cast(hit_kind[first + lane], ti.f32)
            t[lane] = distance[first + lane]
            column, row = pixel_in_packet(first + lane)
            x[lane] = ti.cast(left + column, ti.f32)
            y[lane] = ti.cast(top + row, ti.f32)
        return kind, t, x, y

    @ti.func
    def weigh_coarse_pixels(
        coarse_pixels: ti.template(), kind: ti.template(), t: ti.template(), column, row, places: ti.template(),
        weights: ti.template(), settings: ti.template(),
    ):  # fmt: skip
        """Put the four coarse pixels around each pixel, and their weights, into (4, width); returns the ambient
        visibility that they make."""
        coarse_height = ti.cast(settings[UpsamplingSetting.COARSE_HEIGHT], ti.i32)
        coarse_width = ti.cast(settings[UpsamplingSetting.COARSE_WIDTH], ti.i32)
        squares_per_pixel = settings[UpsamplingSetting.SQUARES_PER_PIXEL]
        x = ti.max((column + 0.5) * squares_per_pixel - 0.5, 0.0)
        y = ti.max((row + 0.5) * squares_per_pixel - 0.5, 0.0)
        left_of = ti.floor(x)
        above = ti.floor(y)
        x = x - left_of
        y = y - above
        near_column = ti.cast(left_of, ti.i32)
        near_row = ti.cast(above, ti.i32)
        next_column = ti.min(near_column + 1, coarse_width - 1)
        next_row = ti.min(near_row + 1, coarse_height - 1)
        inverse = 1.0 / (DISTANCE_TOLERANCE * t + 1e-30)
        total = Lanes(0.0)
        ambient = Lanes(0.0)
        for corner in ti.static(range(4)):
            corner_column = next_column if ti.static(corner % 2 == 1) else near_column
            corner_row = next_row if ti.static(corner // 2 == 1) else near_row
            place = corner_row * coarse_width + corner_column
            across = x if ti.static(corner % 2 == 1) else 1.0 - x
            down = y if ti.static(corner // 2 == 1) else 1.0 - y
            apart = Lanes(0.0)
            other = Lanes(0.0)
            value = Lanes(0.0)
            for lane in ti.static(range(width)):
                apart[lane] = coarse_pixels[place[lane], CoarseColumn.DISTANCE]
                other[lane] = coarse_pixels[place[lane], CoarseColumn.HIT_KIND]
                value[lane] = coarse_pixels[place[lane], CoarseColumn.AMBIENT_VISIBILITY]
                places[corner, lane] = place[lane]
            apart = (apart - t) * inverse
            alike = ti.select(other == kind, 1.0, 1e-3)
            weight = across * down * alike / (1.0 + apart * apart) + 1e-9  # where none is alike, any
            total += weight
            ambient += weight * value
            for lane in ti.static(range(width)):
                weights[corner, lane] = weight[lane]
        ambient /= total
        for corner in ti.static(range(4)):
            for lane in ti.static(range(width)):
                weights[corner, lane] /= total[lane]
        return ambient

    @ti.func
    def load_surface(
        first, shape, lowest, highest, hit_kind: ti.template(), surfaces: ti.template(), planes: ti.template(),
        plane_shape: ti.template(), materials: ti.template(), normals: ti.template(), material: ti.template(),
    ):  # fmt: skip
        """Put materials into (8, width), and return normals as x, y, z.

        `shape` is the number of a shape whose material all parts of the tile have, or negative; what the packet has hit
        is `lowest` to `highest`: packets of one plane or one material need not be looked at lane by lane.
        """
        plane = ti.cast(highest, ti.i32)
        nx = Lanes(0.0)
        ny = Lanes(0.0)
        nz = Lanes(0.0)
        if lowest == highest and plane >= 0:
            nx += planes[PLANE_SIZE * plane + PlaneColumn.X]
            ny += planes[PLANE_SIZE * plane + PlaneColumn.Y]
            nz += planes[PLANE_SIZE * plane + PlaneColumn.Z]
            shape = plane_shape[plane]
        else:
            nx, ny, nz = load(normals, first)
        if lowest == highest and shape >= 0:
            for attribute in ti.static(range(SURFACE_SIZE)):
                value = surfaces[SURFACE_SIZE * shape + attribute]
                for lane in ti.static(range(width)):
                    material[attribute, lane] = value
        else:
            for lane in ti.static(range(width)):
                own = shape
                if hit_kind[first + lane] >= 0:
                    plane = hit_kind[first + lane]
                    own = plane_shape[plane]
                    nx[lane] = planes[PLANE_SIZE * plane + PlaneColumn.X]
                    ny[lane] = planes[PLANE_SIZE * plane + PlaneColumn.Y]
                    nz[lane] = planes[PLANE_SIZE * plane + PlaneColumn.Z]
                for attribute in ti.static(range(SURFACE_SIZE)):
                    if own >= 0:
                        material[attribute, lane] = surfaces[SURFACE_SIZE * own + attribute]
                    else:
                        material[attribute, lane] = materials[SURFACE_SIZE * (first + lane) + attribute]
        return nx, ny, nz

    @ti.func
    def write_pixels(picture: ti.template(), first, left, top, red, green, blue, film_height, film_width):
        """Write those pixels of a packet that are in the picture."""
        for lane in ti.static(range(width)):
            column, row = pixel_in_packet(first + lane)
            if top + row < film_height and left + column < film_width:
                place = 3 * ((top + row) * film_width + left + column)
                picture[place] = red[lane]
                picture[place + 1] = green[lane]
                picture[place + 2] = blue[lane]

    return SimpleNamespace(
        load=load,
        load_hits=load_hits,
        load_surface=load_surface,
        weigh_coarse_pixels=weigh_coarse_pixels,
        write_pixels=write_pixels,
    )


@runtime.per_lane_width
def _upsampling_kernel(backend_width: int) -> Any:
    width = min(backend_width, UPSAMPLING_WIDTH)
    packets = _upsampling(width)
    reflected = shading(width, 4)

    @ti.kernel
    def upsampling_kernel(
        lights: ti.types.ndarray(ti.f32, 2),
        sky: ti.types.ndarray(ti.f32, 1),
        surfaces: ti.types.ndarray(ti.f32, 1),
        planes: ti.types.ndarray(ti.f32, 1),
        plane_shape: ti.types.ndarray(ti.i32, 1),
        shared: ti.types.ndarray(ti.i32, 1),
        origins: ti.types.ndarray(ti.f32, 1),
        directions: ti.types.ndarray(ti.f32, 1),
        distance: ti.types.ndarray(ti.f32, 1),
        hit_kind: ti.types.ndarray(ti.i32, 1),
        materials: ti.types.ndarray(ti.f32, 1),
        normals: ti.types.ndarray(ti.f32, 1),
        coarse_pixels: ti.types.ndarray(ti.f32, 2),
        settings: ti.types.ndarray(ti.f32, 1),
        picture: ti.types.ndarray(ti.f32, 1),
        count: ti.i32,
    ):
        for packet in range(count // width):
            first = packet * width
            film_height, film_width, tiles_in_row = film_size(settings)
            light_count = ti.cast(settings[UpsamplingSetting.LIGHT_COUNT], ti.i32)
            rays_per_tile = ti.cast(settings[UpsamplingSetting.RAYS_PER_TILE], ti.i32)
            scale = settings[UpsamplingSetting.SCALE]
            left, top = packet_corner(first, tiles_in_row)
            dx, dy, dz = packets.load(directions, first)
            red, green, blue = background(sky, dz)
            kind, t, x, y = packets.load_hits(hit_kind, distance, first, left, top)
            hit = kind != NOTHING
            t = ti.select(hit, t, 0.0)
            lowest = kind.min()
            highest = kind.max()
            if highest > NOTHING and top < film_height and left < film_width:
                places = ti.Matrix([[0] * width for _ in range(4)], ti.i32)
                weights = ti.Matrix([[0.0] * width for _ in range(4)], ti.f32)
                ambient = packets.weigh_coarse_pixels(coarse_pixels, kind, t, x, y, places, weights, settings)
                material = ti.Matrix([[0.0] * width for _ in range(SURFACE_SIZE)], ti.f32)
                nx, ny, nz = packets.load_surface(
                    first, shared[first // rays_per_tile], lowest, highest, hit_kind, surfaces, planes, plane_shape,
                    materials, normals, material,
                )  # fmt: skip
                ox, oy, oz = packets.load(origins, first)
                total_r, total_g, total_b = reflected(
                    lights, light_count, sky, ox + dx * t, oy + dy * t, oz + dz * t, nx, ny, nz, -dx, -dy, -dz,
                    material, ambient, coarse_pixels, CoarseColumn.LIGHTS, places, weights,
                )  # fmt: skip
                red = ti.select(hit, total_r, red)
                green = ti.select(hit, total_g, green)
                blue = ti.select(hit, total_b, blue)
            screen = ti.cast(settings[UpsamplingSetting.SCREEN], ti.i32)
            red, green, blue = on_screen(red * scale, green * scale, blue * scale, screen)
            packets.write_pixels(picture, first, left, top, red, green, blue, film_height, film_width)

    return upsampling_kernel
