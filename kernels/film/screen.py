"""Pictures in the form that a window takes."""

from typing import Any

import torch

from .. import runtime
from ..runtime import ti


def screen_pixels(picture: torch.Tensor, pixels: torch.Tensor) -> None:
    """Write a picture (height, width, 3) float32, sRGB in [0, 1], to `pixels` (width, height) int32.

    A pixel is red, green, blue and 255 from the lowest byte on; columns come first, and run from the bottom up.
    """
    height, width, _ = picture.shape
    runtime.run(_screen_kernel(), picture.contiguous().view(-1), pixels, height, width)


ROWS = 8  # that a packet of pixels is high; those of a column lie side by side in what is written


@runtime.per_lane_width
def _screen_kernel(width: int) -> Any:
    Lanes, Numbers = ti.types.vector(ROWS, ti.f32), ti.types.vector(ROWS, ti.i32)

    @ti.kernel
    def screen_kernel(
        picture: ti.types.ndarray(ti.f32, 1), pixels: ti.types.ndarray(ti.i32, 2), height: ti.i32, columns: ti.i32
    ):
        for packet in range((height + ROWS - 1) // ROWS * columns):
            top = packet // columns * ROWS
            column = packet % columns
            pixel = Numbers(-16777216)  # 255 in the highest byte
            for channel in ti.static(range(3)):
                level = Lanes(0.0)
                for lane in ti.static(range(ROWS)):
                    level[lane] = picture[3 * (ti.min(top + lane, height - 1) * columns + column) + channel]
                level = ti.min(ti.max(level, 0.0), 1.0) * 255.0 + 0.5
                pixel |= ti.cast(level, ti.i32) << (8 * channel)
            for lane in ti.static(range(ROWS)):
                if top + lane < height:
                    pixels[column, height - 1 - top - lane] = pixel[lane]

    return screen_kernel
