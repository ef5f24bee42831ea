"""Pictures whose light is found for few pixels and spread to all of them."""

from dataclasses import replace
from enum import IntEnum
from typing import Any

import torch

from .. import runtime
from ..film import TILE, Film, on_screen, packet_corner, pixel_in_packet, place_of
from ..lanes import FAR, lanes
from ..program import NOTHING, PART, SURFACE_SIZE, PlaneColumn, Program, Tiles, plane_shapes, plane_table
from ..runtime import memory, ti
from ..trace import Intersections
from .lights import Lighting
from .shading import background, shading

# Pixels whose distances differ by this share are half as alike as those at the same distance.
SAME = 0.02

PLANE_SIZE = len(PlaneColumn)


class CoarseColumn(IntEnum):
    """What the columns of a coarse pixel's row hold."""

    DISTANCE = 0  # along its ray, FAR on a miss
    HIT_KIND = 1
    OPEN_SKY = 2
    LIGHTS = 3  # and from here on how much it sees of each light


def coarse_film(film: Film, coarseness: int) -> Film:
    """A film with one pixel for each square of `coarseness` × `coarseness` pixels of another, from the same corner."""
    return Film(-(-film.height // coarseness), -(-film.width // coarseness))


def middles(
    film: Film, coarseness: int, origins: torch.Tensor, directions: torch.Tensor, met: Intersections
) -> tuple[torch.Tensor, torch.Tensor, Intersections]:
    """The rays of a film, and what they met, in the middles of its squares, in the order of `coarse_film`.

    Args:
        film, coarseness: the film, and the side of its squares in pixels, an odd number.
        origins, directions: (rays, 3) float32.
    """
    coarse = coarse_film(film, coarseness)
    count = coarse.rays
    starts, ways = memory.empty(count, 3, like=origins), memory.empty(count, 3, like=origins)
    distance, hit_kind = memory.empty(count, like=met.distance), memory.empty(count, like=met.hit_kind)
    runtime.run(
        _middle_kernel(), origins, directions, met.distance, met.hit_kind, starts, ways, distance, hit_kind, count,
        coarse.padded[1] // TILE, film.padded[1] // TILE, film.height, film.width, coarseness,
    )  # fmt: skip
    return starts, ways, Intersections(distance, met.steps[:0], hit_kind)


def parts_only(met: Intersections) -> Intersections:
    """What rays met, without the planes, whose normals need not be measured."""
    hit_kind = torch.empty_like(met.hit_kind)
    runtime.run(_part_kernel(), met.hit_kind, hit_kind, len(hit_kind))
    return replace(met, hit_kind=hit_kind)


def spread_picture(
    program: Program,
    lighting: Lighting,
    film: Film,
    tiles: Tiles,
    shared: torch.Tensor,
    rays: tuple[torch.Tensor, torch.Tensor],
    met: Intersections,
    materials: torch.Tensor,
    normals: torch.Tensor,
    coarseness: int,
    coarse_met: Intersections,
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
        normals: (rays, 3) float32, of what `parts_only` leaves.
        coarse_met, light: of the rays of `middles`; light is open sky (C,) and free lights (C, L), from `visibility`.
    """
    picture = memory.empty(film.height, film.width, 3, like=normals)
    coarse = coarse_film(film, coarseness)
    few = memory.empty(coarse.height * coarse.width, CoarseColumn.LIGHTS + len(lighting.lights), like=normals)
    runtime.run(
        _row_kernel(), coarse_met.distance, coarse_met.hit_kind, *light, few, coarse.height * coarse.width,
        coarse.width, coarse.padded[1] // TILE, len(lighting.lights),
    )  # fmt: skip
    runtime.run(
        _spread_kernel(), lighting.lights, lighting.sky, program.surfaces.view(-1), plane_table(program).view(-1),
        plane_shapes(program), shared, rays[0].view(-1), rays[1].view(-1), met.distance, met.hit_kind,
        materials.view(-1), normals.view(-1), few, picture.view(-1), film.rays, tiles.rays, film.padded[1] // TILE,
        film.height, film.width, coarse.height, coarse.width, len(lighting.lights), 1.0 / coarseness, float(scale),
        int(screen),
    )  # fmt: skip
    return picture


@runtime.per_lane_width
def _middle_kernel(width: int) -> Any:
    @ti.kernel
    def middle_kernel(
        origins: ti.types.ndarray(ti.f32, 2),
        directions: ti.types.ndarray(ti.f32, 2),
        distance: ti.types.ndarray(ti.f32, 1),
        hit_kind: ti.types.ndarray(ti.i32, 1),
        coarse_origins: ti.types.ndarray(ti.f32, 2),
        coarse_directions: ti.types.ndarray(ti.f32, 2),
        coarse_distance: ti.types.ndarray(ti.f32, 1),
        coarse_hit_kind: ti.types.ndarray(ti.i32, 1),
        count: ti.i32,
        coarse_tiles_in_row: ti.i32,
        tiles_in_row: ti.i32,
        height: ti.i32,
        columns: ti.i32,
        coarseness: ti.i32,
    ):
        for ray in range(count):
            left, top = packet_corner(ray, coarse_tiles_in_row)
            column, row = pixel_in_packet(ray)
            column = (left + column) * coarseness + coarseness // 2
            row = (top + row) * coarseness + coarseness // 2
            place = place_of(ti.min(column, columns - 1), ti.min(row, height - 1), tiles_in_row)
            for axis in ti.static(range(3)):
                coarse_origins[ray, axis] = origins[place, axis]
                coarse_directions[ray, axis] = directions[place, axis]
            coarse_distance[ray] = distance[place]
            coarse_hit_kind[ray] = hit_kind[place]

    return middle_kernel


@runtime.per_lane_width
def _part_kernel(width: int) -> Any:
    # PyTorch's own threads wait for each other in a loop, which takes long beside other work.
    @ti.kernel
    def part_kernel(hit_kind: ti.types.ndarray(ti.i32, 1), parts: ti.types.ndarray(ti.i32, 1), count: ti.i32):
        for ray in range(count):
            parts[ray] = ti.select(hit_kind[ray] == PART, PART, NOTHING)

    return part_kernel


@runtime.per_lane_width
def _row_kernel(width: int) -> Any:
    @ti.kernel
    def row_kernel(
        distance: ti.types.ndarray(ti.f32, 1),
        hit_kind: ti.types.ndarray(ti.i32, 1),
        open_sky: ti.types.ndarray(ti.f32, 1),
        free: ti.types.ndarray(ti.f32, 2),
        few: ti.types.ndarray(ti.f32, 2),
        count: ti.i32,
        columns: ti.i32,
        tiles_in_row: ti.i32,
        light_count: ti.i32,
    ):
        """Put what is known of coarse pixels side by side, row by row."""
        for pixel in range(count):
            place = place_of(pixel % columns, pixel // columns, tiles_in_row)
            few[pixel, CoarseColumn.DISTANCE] = ti.min(distance[place], FAR)
            few[pixel, CoarseColumn.HIT_KIND] = ti.cast(hit_kind[place], ti.f32)
            few[pixel, CoarseColumn.OPEN_SKY] = open_sky[place]
            for light in range(light_count):
                few[pixel, CoarseColumn.LIGHTS + light] = free[place, light]

    return row_kernel


SPREAD_WIDTH = 8


@runtime.per_lane_width
def _spread_kernel(backend_width: int) -> Any:
    width = min(backend_width, SPREAD_WIDTH)
    packets = lanes(width)
    Lanes = packets.Lanes
    reflected = shading(width, 4)

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

    @ti.kernel
    def spread_kernel(
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
        few: ti.types.ndarray(ti.f32, 2),
        picture: ti.types.ndarray(ti.f32, 1),
        count: ti.i32,
        rays_per_tile: ti.i32,
        tiles_in_row: ti.i32,
        height: ti.i32,
        columns: ti.i32,
        coarse_height: ti.i32,
        coarse_columns: ti.i32,
        light_count: ti.i32,
        per_pixel: ti.f32,
        scale: ti.f32,
        screen: ti.i32,
    ):
        for packet in range(count // width):
            first = packet * width
            left, top = packet_corner(first, tiles_in_row)
            dx, dy, dz = load(directions, first)
            red, green, blue = background(sky, dz)
            surface = Lanes(0.0)
            far = Lanes(0.0)
            x = Lanes(0.0)
            y = Lanes(0.0)
            for lane in ti.static(range(width)):
                surface[lane] = ti.cast(hit_kind[first + lane], ti.f32)
                far[lane] = distance[first + lane]
                column, row = pixel_in_packet(first + lane)
                x[lane] = ti.cast(left + column, ti.f32)
                y[lane] = ti.cast(top + row, ti.f32)
            hit = surface != NOTHING
            far = ti.select(hit, far, 0.0)
            lowest = surface.min()
            highest = surface.max()
            if highest > NOTHING and top < height and left < columns:
                x = ti.max((x + 0.5) * per_pixel - 0.5, 0.0)
                y = ti.max((y + 0.5) * per_pixel - 0.5, 0.0)
                left_of = ti.floor(x)
                above = ti.floor(y)
                x = x - left_of
                y = y - above
                near_column = ti.cast(left_of, ti.i32)
                near_row = ti.cast(above, ti.i32)
                next_column = ti.min(near_column + 1, coarse_columns - 1)
                next_row = ti.min(near_row + 1, coarse_height - 1)
                inverse = 1.0 / (SAME * far + 1e-30)
                total = Lanes(0.0)
                seen = Lanes(0.0)
                places = ti.Matrix([[0] * width for _ in range(4)], ti.i32)
                weights = ti.Matrix([[0.0] * width for _ in range(4)], ti.f32)
                for corner in ti.static(range(4)):
                    column = next_column if ti.static(corner % 2 == 1) else near_column
                    row = next_row if ti.static(corner // 2 == 1) else near_row
                    place = row * coarse_columns + column
                    across = x if ti.static(corner % 2 == 1) else 1.0 - x
                    down = y if ti.static(corner // 2 == 1) else 1.0 - y
                    apart = Lanes(0.0)
                    other = Lanes(0.0)
                    value = Lanes(0.0)
                    for lane in ti.static(range(width)):
                        apart[lane] = few[place[lane], CoarseColumn.DISTANCE]
                        other[lane] = few[place[lane], CoarseColumn.HIT_KIND]
                        value[lane] = few[place[lane], CoarseColumn.OPEN_SKY]
                        places[corner, lane] = place[lane]
                    apart = (apart - far) * inverse
                    alike = ti.select(other == surface, 1.0, 1e-3)
                    weight = across * down * alike / (1.0 + apart * apart) + 1e-9  # where none is alike, any
                    total += weight
                    seen += weight * value
                    for lane in ti.static(range(width)):
                        weights[corner, lane] = weight[lane]
                seen /= total
                for corner in ti.static(range(4)):
                    for lane in ti.static(range(width)):
                        weights[corner, lane] /= total[lane]
                shape = shared[first // rays_per_tile]
                plane = ti.cast(highest, ti.i32)
                material = ti.Matrix([[0.0] * width for _ in range(SURFACE_SIZE)], ti.f32)
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
                ox, oy, oz = load(origins, first)
                total_r, total_g, total_b = reflected(
                    lights, light_count, sky, ox + dx * far, oy + dy * far, oz + dz * far, nx, ny, nz, -dx, -dy, -dz,
                    material, seen, few, CoarseColumn.LIGHTS, places, weights,
                )  # fmt: skip
                red = ti.select(hit, total_r, red)
                green = ti.select(hit, total_g, green)
                blue = ti.select(hit, total_b, blue)
            red, green, blue = on_screen(red * scale, green * scale, blue * scale, screen)
            for lane in ti.static(range(width)):
                column, row = pixel_in_packet(first + lane)
                if top + row < height and left + column < columns:
                    place = 3 * ((top + row) * columns + left + column)
                    picture[place] = red[lane]
                    picture[place + 1] = green[lane]
                    picture[place + 2] = blue[lane]

    return spread_kernel
