"""Film and rays of a camera, in an order that keeps neighbours in the picture neighbours in memory."""

from dataclasses import dataclass
from typing import Any

import torch

from . import runtime
from .runtime import ti

TILE = 16  # pixels on a side that share one program, see tiles.py
PACKET = 4  # pixels on a side that a packet of 16 lanes holds


@dataclass(frozen=True)
class Film:
    """A picture of height × width pixels; its rays run tile by tile, in a tile packet by packet, in both row by row."""

    height: int
    width: int

    @property
    def padded(self) -> tuple[int, int]:
        """Height and width rounded up to whole tiles."""
        return -(-self.height // TILE) * TILE, -(-self.width // TILE) * TILE

    @property
    def rays(self) -> int:
        """Rays of all whole tiles."""
        high, wide = self.padded
        return high * wide


def camera_rays(
    matrix: torch.Tensor, pixel: float, film: Film, shift: tuple[float, float], *, perspective: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Origins and unit directions (rays, 3) float32 through the pixels of a film, in its order.

    Args:
        matrix: (4, 4) float32 camera_to_world, OpenGL axes, on the backend's device.
        pixel: side of a pixel, at distance 1 for a perspective camera, else in scene units.
        film: the picture.
        shift: where in each pixel the ray goes through, (0, 0) the centre, in pixels to the right and down.
        perspective: whether rays start at one point or run side by side.
    """
    origins = torch.empty(film.rays, 3, dtype=torch.float32, device=matrix.device)
    directions = torch.empty(film.rays, 3, dtype=torch.float32, device=matrix.device)
    with runtime.launch():
        _ray_kernel()(
            matrix.contiguous(), origins, directions, film.rays, film.padded[1] // TILE, film.height, film.width,
            pixel, *shift, int(perspective),
        )  # fmt: skip
    return origins, directions


@runtime.per_lane_width
def _ray_kernel(width: int) -> Any:
    @ti.kernel
    def ray_kernel(
        matrix: ti.types.ndarray(ti.f32, 2),
        origins: ti.types.ndarray(ti.f32, 2),
        directions: ti.types.ndarray(ti.f32, 2),
        count: ti.i32,
        tiles_in_row: ti.i32,
        film_height: ti.i32,
        film_width: ti.i32,
        pixel: ti.f32,
        shift_x: ti.f32,
        shift_y: ti.f32,
        perspective: ti.i32,
    ):
        for ray in range(count):
            tile = ray // (TILE * TILE)
            in_tile = ray % (TILE * TILE)
            packet = in_tile // (PACKET * PACKET)
            in_packet = in_tile % (PACKET * PACKET)
            column = (tile % tiles_in_row) * TILE + (packet % (TILE // PACKET)) * PACKET + in_packet % PACKET
            row = (tile // tiles_in_row) * TILE + (packet // (TILE // PACKET)) * PACKET + in_packet // PACKET
            x = (ti.cast(column, ti.f32) + 0.5 + shift_x - 0.5 * ti.cast(film_width, ti.f32)) * pixel
            y = (0.5 * ti.cast(film_height, ti.f32) - ti.cast(row, ti.f32) - 0.5 - shift_y) * pixel
            length = ti.sqrt(1.0 + x * x + y * y)
            for axis in ti.static(range(3)):
                aside = x * matrix[axis, 0] + y * matrix[axis, 1]
                if perspective == 1:
                    origins[ray, axis] = matrix[axis, 3]
                    directions[ray, axis] = (aside - matrix[axis, 2]) / length
                else:
                    origins[ray, axis] = matrix[axis, 3] + aside
                    directions[ray, axis] = -matrix[axis, 2]

    return ray_kernel
