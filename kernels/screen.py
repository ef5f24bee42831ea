"""Pictures in the form that a window takes."""

from typing import Any

import torch

from . import runtime
from .runtime import ti


def screen_pixels(picture: torch.Tensor, pixels: torch.Tensor) -> None:
    """Write a picture (height, width, 3) float32, sRGB in [0, 1], to `pixels` (width, height) int32.

    A pixel is red, green, blue and 255 from the lowest byte on; columns come first, and run from the bottom up.
    """
    height, width, _ = picture.shape
    runtime.run(_screen_kernel(), picture.contiguous(), pixels, height, width)


@runtime.per_lane_width
def _screen_kernel(width: int) -> Any:
    @ti.kernel
    def screen_kernel(
        picture: ti.types.ndarray(ti.f32, 3), pixels: ti.types.ndarray(ti.i32, 2), height: ti.i32, columns: ti.i32
    ):
        for place in range(height * columns):
            row = place // columns
            column = place % columns
            pixel = ti.i32(-16777216)  # 255 in the highest byte
            for channel in ti.static(range(3)):
                level = ti.min(ti.max(picture[row, column, channel], 0.0), 1.0) * 255.0 + 0.5
                pixel |= ti.cast(level, ti.i32) << (8 * channel)
            pixels[column, height - 1 - row] = pixel

    return screen_kernel
