"""Coarse pixels: rays in the middles of a film's squares, and what is known of each in a row.

Light is found for few pixels and spread to all of them, see `shade_upsampled`.
"""

from dataclasses import replace
from enum import IntEnum
from typing import Any

import torch

from .. import runtime
from ..film import TILE, Film, packet_corner, pixel_in_packet, place_of
from ..lanes import FAR
from ..program import NOTHING, PART
from ..runtime import memory, ti
from ..trace import Intersections


class CoarseColumn(IntEnum):
    """What the columns of a coarse pixel's row hold."""

    DISTANCE = 0  # along its ray, FAR on a miss
    HIT_KIND = 1
    AMBIENT_VISIBILITY = 2
    LIGHTS = 3  # and from here on the visibility of each light


def coarse_film(film: Film, coarseness: int) -> Film:
    """A film with one pixel for each square of `coarseness` × `coarseness` pixels of another, from the same corner."""
    return Film(-(-film.height // coarseness), -(-film.width // coarseness))


def coarse_rays(
    film: Film, coarseness: int, origins: torch.Tensor, directions: torch.Tensor, hits: Intersections
) -> tuple[torch.Tensor, torch.Tensor, Intersections]:
    """The rays of a film, and what they met, in the middles of its squares, in the order of `coarse_film`.

    Args:
        film, coarseness: the film, and the side of its squares in pixels, an odd number.
        origins, directions: (rays, 3) float32.
    """
    coarse = coarse_film(film, coarseness)
    count = coarse.rays
    starts, ways = memory.empty(count, 3, like=origins), memory.empty(count, 3, like=origins)
    distance, hit_kind = memory.empty(count, like=hits.distance), memory.empty(count, like=hits.hit_kind)
    runtime.run(
        _coarse_ray_kernel(), origins, directions, hits.distance, hits.hit_kind, starts, ways, distance, hit_kind,
        count, coarse.padded[1] // TILE, film.padded[1] // TILE, film.height, film.width, coarseness,
    )  # fmt: skip
    return starts, ways, Intersections(distance, hits.steps[:0], hit_kind)


def without_planes(hits: Intersections) -> Intersections:
    """What rays met, without the planes, whose normals need not be measured."""
    hit_kind = torch.empty_like(hits.hit_kind)
    runtime.run(_without_planes_kernel(), hits.hit_kind, hit_kind, len(hit_kind))
    return replace(hits, hit_kind=hit_kind)


def pixel_rows(
    coarse: Film, hits: Intersections, ambient_visibility: torch.Tensor, light_visibility: torch.Tensor
) -> torch.Tensor:
    """What is known of coarse pixels (height · width, 3 + L) float32, row by row, by `CoarseColumn`.

    Args:
        coarse, hits: what `coarse_film` and `coarse_rays` say.
        ambient_visibility, light_visibility: (C,) and (C, L) of the same rays, from `visibility`.
    """
    count, light_count = coarse.height * coarse.width, light_visibility.shape[1]
    pixels = memory.empty(count, CoarseColumn.LIGHTS + light_count, like=hits.distance)
    runtime.run(
        _coarse_pixel_kernel(), hits.distance, hits.hit_kind, ambient_visibility, light_visibility, pixels, count,
        coarse.width, coarse.padded[1] // TILE, light_count,
    )  # fmt: skip
    return pixels


@runtime.per_lane_width
def _coarse_ray_kernel(width: int) -> Any:
    @ti.kernel
    def coarse_ray_kernel(
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

    return coarse_ray_kernel


@runtime.per_lane_width
def _without_planes_kernel(width: int) -> Any:
    # PyTorch's own threads wait for each other in a loop, which takes long beside other work.
    @ti.kernel
    def without_planes_kernel(hit_kind: ti.types.ndarray(ti.i32, 1), parts: ti.types.ndarray(ti.i32, 1), count: ti.i32):
        for ray in range(count):
            parts[ray] = ti.select(hit_kind[ray] == PART, PART, NOTHING)

    return without_planes_kernel


@runtime.per_lane_width
def _coarse_pixel_kernel(width: int) -> Any:
    @ti.kernel
    def coarse_pixel_kernel(
        distance: ti.types.ndarray(ti.f32, 1),
        hit_kind: ti.types.ndarray(ti.i32, 1),
        ambient_visibility: ti.types.ndarray(ti.f32, 1),
        light_visibility: ti.types.ndarray(ti.f32, 2),
        coarse_pixels: ti.types.ndarray(ti.f32, 2),
        count: ti.i32,
        columns: ti.i32,
        tiles_in_row: ti.i32,
        light_count: ti.i32,
    ):
        """Put what is known of coarse pixels side by side, row by row."""
        for pixel in range(count):
            place = place_of(pixel % columns, pixel // columns, tiles_in_row)
            coarse_pixels[pixel, CoarseColumn.DISTANCE] = ti.min(distance[place], FAR)
            coarse_pixels[pixel, CoarseColumn.HIT_KIND] = ti.cast(hit_kind[place], ti.f32)
            coarse_pixels[pixel, CoarseColumn.AMBIENT_VISIBILITY] = ambient_visibility[place]
            for light in range(light_count):
                coarse_pixels[pixel, CoarseColumn.LIGHTS + light] = light_visibility[place, light]

    return coarse_pixel_kernel
