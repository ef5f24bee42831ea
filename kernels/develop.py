"""From the values of rays to a picture: put in order, and for a screen tone mapped and encoded."""

from typing import Any

import torch

from . import runtime
from .rays import PACKET, TILE, Film
from .runtime import ti

# Khronos PBR Neutral (2024), a tone map made for product pictures: colours stay what they are up to START, brighter
# ones are compressed and lose saturation.
OFFSET = 0.04
START = 0.8 - OFFSET
DESATURATION = 0.15


def develop(values: torch.Tensor, film: Film, *, scale: float = 1.0, screen: bool = False) -> torch.Tensor:
    """Values of rays (rays, 3) float32, times `scale`, as a picture (height, width, 3) float32.

    With `screen`, linear radiance is tone mapped into [0, 1] by Khronos PBR Neutral and encoded as sRGB
    (IEC 61966-2-1).
    """
    picture = torch.empty(film.height, film.width, 3, dtype=torch.float32, device=values.device)
    with runtime.launch():
        _develop_kernel()(
            values.contiguous(),
            picture,
            film.height * film.width,
            film.width,
            film.padded[1] // TILE,
            scale,
            int(screen),
        )
    return picture


@ti.func
def tone_map(colour):
    """Linear RGB ≥ 0 into [0, 1]."""
    low = colour.min()
    offset = ti.select(low < 0.08, low - 6.25 * low * low, OFFSET)
    colour -= offset
    peak = colour.max()
    if peak >= START:
        room = 1.0 - START
        compressed = 1.0 - room * room / (peak + room - START)
        colour *= compressed / peak
        weight = 1.0 / (DESATURATION * (peak - compressed) + 1.0)
        colour = colour * weight + compressed * (1.0 - weight)
    return ti.min(ti.max(colour, 0.0), 1.0)


@ti.func
def encode(channel):
    """A linear channel in [0, 1] as sRGB."""
    encoded = 12.92 * channel
    if channel > 0.0031308:
        encoded = 1.055 * ti.pow(channel, 1.0 / 2.4) - 0.055
    return encoded


@runtime.per_lane_width
def _develop_kernel(width: int) -> Any:
    @ti.kernel
    def develop_kernel(
        values: ti.types.ndarray(ti.f32, 2),
        picture: ti.types.ndarray(ti.f32, 3),
        count: ti.i32,
        film_width: ti.i32,
        tiles_in_row: ti.i32,
        scale: ti.f32,
        screen: ti.i32,
    ):
        for pixel in range(count):
            row = pixel // film_width
            column = pixel % film_width
            tile = (row // TILE) * tiles_in_row + column // TILE
            packet = ((row % TILE) // PACKET) * (TILE // PACKET) + (column % TILE) // PACKET
            ray = (tile * (TILE // PACKET) ** 2 + packet) * PACKET**2 + (row % PACKET) * PACKET + column % PACKET
            colour = ti.Vector([values[ray, 0], values[ray, 1], values[ray, 2]]) * scale
            if screen == 1:
                colour = tone_map(colour)
                for channel in ti.static(range(3)):
                    colour[channel] = encode(colour[channel])
            for channel in ti.static(range(3)):
                picture[row, column, channel] = colour[channel]

    return develop_kernel
