"""Light that was found for few pixels, spread to all of them."""

from typing import Any

import torch

from . import runtime
from .rays import PACKET, TILE, Film
from .runtime import ti
from .trace import Met

# Pixels whose distances differ by this share are half as alike as those at the same distance.
SAME = 0.02


def spread(
    coarse: Film,
    coarse_met: Met,
    open_sky: torch.Tensor,
    free: torch.Tensor,
    film: Film,
    met: Met,
    coarseness: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Open sky (rays,) and free lights (rays, L) of a film's rays from those of a film `coarseness` times as coarse.

    Each ray takes the mean of the four coarse pixels around it, weighted bilinearly and by how near their distances
    are to its own (joint bilateral upsampling, Kopf et al. 2007), so that light does not cross outlines.

    Args:
        coarse, film: the two films; pixel (0, 0) of both starts in the same corner.
        coarse_met, met: what their rays met.
        open_sky, free: what `visibility` found for the coarse one, (rays,) and (rays, L) float32.
    """
    open_fine = met.distance.new_empty(film.rays)
    free_fine = met.distance.new_empty(film.rays, free.shape[1])
    runtime.run(
        _spread_kernel(), coarse_met.distance, coarse_met.what, open_sky, free, met.distance, met.what, open_fine,
        free_fine, film.rays, film.padded[1] // TILE, coarse.padded[1] // TILE, coarse.height, coarse.width,
        free.shape[1], 1.0 / coarseness,
    )  # fmt: skip
    return open_fine, free_fine


@runtime.per_lane_width
def _spread_kernel(width: int) -> Any:
    @ti.kernel
    def spread_kernel(
        coarse_distance: ti.types.ndarray(ti.f32, 1),
        coarse_what: ti.types.ndarray(ti.i32, 1),
        coarse_open: ti.types.ndarray(ti.f32, 1),
        coarse_free: ti.types.ndarray(ti.f32, 2),
        distance: ti.types.ndarray(ti.f32, 1),
        what: ti.types.ndarray(ti.i32, 1),
        open_sky: ti.types.ndarray(ti.f32, 1),
        free: ti.types.ndarray(ti.f32, 2),
        count: ti.i32,
        tiles_in_row: ti.i32,
        coarse_tiles_in_row: ti.i32,
        coarse_height: ti.i32,
        coarse_width: ti.i32,
        light_count: ti.i32,
        scale: ti.f32,
    ):
        for ray in range(count):
            square = ray % (TILE * TILE) // (PACKET * PACKET)
            in_packet = ray % (PACKET * PACKET)
            tile = ray // (TILE * TILE)
            row = tile // tiles_in_row * TILE + square // (TILE // PACKET) * PACKET + in_packet // PACKET
            column = tile % tiles_in_row * TILE + square % (TILE // PACKET) * PACKET + in_packet % PACKET
            x = (ti.cast(column, ti.f32) + 0.5) * scale - 0.5
            y = (ti.cast(row, ti.f32) + 0.5) * scale - 0.5
            left = ti.cast(ti.floor(x), ti.i32)
            top = ti.cast(ti.floor(y), ti.i32)
            right_share = x - ti.cast(left, ti.f32)
            below_share = y - ti.cast(top, ti.f32)
            own = distance[ray]
            surface = what[ray]
            places = ti.Vector([0] * 4, ti.i32)
            weights = ti.Vector([0.0] * 4, ti.f32)
            for corner in ti.static(range(4)):
                i = ti.min(ti.max(left + corner % 2, 0), coarse_width - 1)
                j = ti.min(ti.max(top + corner // 2, 0), coarse_height - 1)
                packet = j % TILE // PACKET * (TILE // PACKET) + i % TILE // PACKET
                place = (j // TILE * coarse_tiles_in_row + i // TILE) * (TILE * TILE) + packet * PACKET * PACKET
                place += j % PACKET * PACKET + i % PACKET
                places[corner] = place
                across = right_share if corner % 2 == 1 else 1.0 - right_share
                down = below_share if corner // 2 == 1 else 1.0 - below_share
                apart = ti.abs(coarse_distance[place] - own) / (SAME * own)
                alike = ti.select(coarse_what[place] == surface, 1.0, 1e-3) / (1.0 + apart * apart)
                weights[corner] = across * down * alike + 1e-9  # where none is alike, any
            weights /= weights.sum()
            total = 0.0
            for corner in ti.static(range(4)):
                total += weights[corner] * coarse_open[places[corner]]
            open_sky[ray] = total
            for light in range(light_count):
                part = 0.0
                for corner in ti.static(range(4)):
                    part += weights[corner] * coarse_free[places[corner], light]
                free[ray, light] = part

    return spread_kernel
