"""Light that was found for few pixels, spread to all of them."""

from typing import Any

import torch

from . import runtime
from .lanes import lanes
from .operations import FAR
from .rays import PACKET, TILE, Film, packet_corner
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
    packets = lanes(width)
    Lanes = packets.Lanes

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
        for packet in range(count // width):
            first = packet * width
            left, top = packet_corner(first, tiles_in_row)
            x = Lanes(0.0)
            y = Lanes(0.0)
            inverse = Lanes(0.0)
            own = Lanes(0.0)
            for lane in ti.static(range(width)):
                in_packet = (first + lane) % (PACKET * PACKET)
                x[lane] = ti.cast(left + in_packet % PACKET, ti.f32)
                y[lane] = ti.cast(top + in_packet // PACKET, ti.f32)
                own[lane] = ti.min(distance[first + lane], FAR)
            inverse = 1.0 / (SAME * own + 1e-30)
            x = ti.max((x + 0.5) * scale - 0.5, 0.0)
            y = ti.max((y + 0.5) * scale - 0.5, 0.0)
            column = ti.floor(x)
            row = ti.floor(y)
            x -= column
            y -= row
            total = Lanes(0.0)
            opened = Lanes(0.0)
            light = Lanes(0.0)
            places = ti.Matrix([[0] * width for _ in range(4)], ti.i32)
            weights = ti.Matrix([[0.0] * width for _ in range(4)], ti.f32)
            for corner in ti.static(range(4)):
                apart = Lanes(0.0)
                value = Lanes(0.0)
                alike = Lanes(1.0)
                for lane in ti.static(range(width)):
                    i = ti.min(ti.cast(column[lane], ti.i32) + corner % 2, coarse_width - 1)
                    j = ti.min(ti.cast(row[lane], ti.i32) + corner // 2, coarse_height - 1)
                    place = (j // TILE * coarse_tiles_in_row + i // TILE) * (TILE * TILE)
                    place += (j % TILE // PACKET * (TILE // PACKET) + i % TILE // PACKET) * (PACKET * PACKET)
                    place += j % PACKET * PACKET + i % PACKET
                    places[corner, lane] = place
                    apart[lane] = ti.min(coarse_distance[place], FAR)
                    value[lane] = coarse_open[place]
                    if coarse_what[place] != what[first + lane]:
                        alike[lane] = 1e-3
                across = x if ti.static(corner % 2 == 1) else 1.0 - x
                down = y if ti.static(corner // 2 == 1) else 1.0 - y
                apart = (apart - own) * inverse
                weight = across * down * alike / (1.0 + apart * apart) + 1e-9  # where none is alike, any
                total += weight
                opened += weight * value
                for lane in ti.static(range(width)):
                    weights[corner, lane] = weight[lane]
            packets.store_numbers(open_sky, packet, count, opened / total)
            for number in range(light_count):
                light = Lanes(0.0)
                for corner in ti.static(range(4)):
                    for lane in ti.static(range(width)):
                        light[lane] += weights[corner, lane] * coarse_free[places[corner, lane], number]
                light /= total
                for lane in ti.static(range(width)):
                    free[first + lane, number] = light[lane]

    return spread_kernel
