"""From the values of rays to a picture: put in order, and for a screen tone mapped and encoded."""

from typing import Any

import torch

from .. import runtime
from ..lanes import packet_functions
from ..runtime import memory, ti
from .rays import TILE, Film, packet_corner, pixel_in_packet

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
    picture = memory.empty(film.height, film.width, 3, like=values)
    runtime.run(
        _develop_kernel(), values.contiguous(), picture, film.rays, film.height, film.width, film.padded[1] // TILE,
        float(scale), int(screen),
    )  # fmt: skip
    return picture


@ti.func
def tone_map(red, green, blue):
    """Linear RGB ≥ 0 into [0, 1]."""
    low = ti.min(red, ti.min(green, blue))
    offset = ti.select(low < 0.08, low - 6.25 * low * low, OFFSET)
    peak = ti.max(red, ti.max(green, blue)) - offset
    room = 1.0 - START
    bright = peak >= START
    compressed = 1.0 - room * room / ti.max(peak + room - START, room)
    scale = ti.select(bright, compressed / ti.max(peak, START), 1.0)
    weight = ti.select(bright, 1.0 / (DESATURATION * (peak - compressed) + 1.0), 1.0)
    white = compressed * (1.0 - weight)
    return (
        ti.min(ti.max((red - offset) * scale * weight + white, 0.0), 1.0),
        ti.min(ti.max((green - offset) * scale * weight + white, 0.0), 1.0),
        ti.min(ti.max((blue - offset) * scale * weight + white, 0.0), 1.0),
    )


@ti.func
def encode(channel):
    """A linear channel in [0, 1] as sRGB; the power 1/2.4 is q^(5/3) of the fourth root q, within 2e-6."""
    q = ti.sqrt(ti.sqrt(channel))
    low = -0.0043996351848 + q * (0.133436360944 + q * (1.28931892471 + q * -0.795239403116))
    power = low + q * q * q * q * (0.605481531138 + q * (-0.290089635267 + q * 0.0614928820478))
    return ti.select(channel > 0.0031308, 1.055 * power - 0.055, 12.92 * channel)


@ti.func
def on_screen(red, green, blue, screen):
    """Linear RGB as a screen shows it, tone mapped and encoded; as it is where `screen` is 0."""
    if screen == 1:
        red, green, blue = tone_map(red, green, blue)
        red = encode(red)
        green = encode(green)
        blue = encode(blue)
    return red, green, blue


@runtime.per_lane_width
def _develop_kernel(width: int) -> Any:
    packets = packet_functions(width)

    @ti.kernel
    def develop_kernel(
        values: ti.types.ndarray(ti.f32, 2),
        picture: ti.types.ndarray(ti.f32, 3),
        count: ti.i32,
        film_height: ti.i32,
        film_width: ti.i32,
        tiles_in_row: ti.i32,
        scale: ti.f32,
        screen: ti.i32,
    ):
        for packet in range(count // width):
            red, green, blue = packets.load(values, packet, count)
            red, green, blue = on_screen(red * scale, green * scale, blue * scale, screen)
            first = packet * width
            left, top = packet_corner(first, tiles_in_row)
            for lane in ti.static(range(width)):
                column, row = pixel_in_packet(first + lane)
                if top + row < film_height and left + column < film_width:
                    picture[top + row, left + column, 0] = red[lane]
                    picture[top + row, left + column, 1] = green[lane]
                    picture[top + row, left + column, 2] = blue[lane]

    return develop_kernel
