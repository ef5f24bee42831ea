"""Film and rays of a camera, in an order that keeps neighbours in the picture neighbours in memory."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import torch

from .. import runtime
from ..lanes import FAR, packet_functions
from ..runtime import memory, ti

TILE_BITS, PACKET_BITS = 4, 2
TILE = 1 << TILE_BITS  # pixels on a side that share one program, see tiles.py
PACKET = 1 << PACKET_BITS  # pixels on a side that a packet of 16 lanes holds


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


class BeamColumn(IntEnum):
    """What the columns of `Beams.cones` hold, in scene units."""

    RADIUS = 0  # where the beam begins
    WIDENING = 1  # by how much the radius grows along it: the tangent of half its angle
    LENGTH = 2
    LARGEST_VALUE = 3  # of the program's values, those up to this one matter to the beam


@dataclass(frozen=True)
class Beams:
    """One cone for each group of rays that lie together in the picture.

    Attributes:
        origins, directions: (G, 3) float32, the axes; directions are unit vectors.
        cones: (G, 4) float32, by `BeamColumn`: at distance t a beam has radius RADIUS + WIDENING · t and holds all its
            rays there.
        rays: rays in a group.
    """

    origins: torch.Tensor
    directions: torch.Tensor
    cones: torch.Tensor
    rays: int


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
    origins, directions = memory.empty(film.rays, 3, like=matrix), memory.empty(film.rays, 3, like=matrix)
    runtime.run(
        _ray_kernel(), matrix.contiguous(), origins, directions, film.rays, film.padded[1] // TILE, film.height,
        film.width, pixel, *shift, int(perspective),
    )  # fmt: skip
    return origins, directions


def beams_of(origins: torch.Tensor, directions: torch.Tensor, side: int) -> Beams:
    """Beams around squares of `side` pixels, TILE or PACKET, of rays (rays, 3) in a film's order.

    All rays of a camera's square lie within the beam of its four corners.
    """
    count = len(origins) // (side * side)
    beams = Beams(
        origins.new_empty(count, 3), origins.new_empty(count, 3), origins.new_empty(count, len(BeamColumn)), side * side
    )
    runtime.run(_beam_kernel(), origins, directions, beams.origins, beams.directions, beams.cones, count, side)
    return beams


@ti.func
def packet_corner(first, tiles_in_row):
    """Column and row of the upper left pixel of the packet in which ray `first` of a film stands."""
    # Shifts, because dividing a signed number takes several instructions more, and this is asked for every packet.
    tile = first >> (2 * TILE_BITS)
    packet = (first >> (2 * PACKET_BITS)) & ((1 << (2 * (TILE_BITS - PACKET_BITS))) - 1)
    left = (tile % tiles_in_row) * TILE + (packet & (TILE // PACKET - 1)) * PACKET
    top = (tile // tiles_in_row) * TILE + (packet >> (TILE_BITS - PACKET_BITS)) * PACKET
    return left, top


@ti.func
def pixel_in_packet(ray):
    """Column and row, counted from the packet's corner, of ray `ray` of a film."""
    return ray & (PACKET - 1), (ray >> PACKET_BITS) & (PACKET - 1)


@ti.func
def place_of(column, row, tiles_in_row):
    """Where a pixel stands in the order of a film."""
    tile = (row >> TILE_BITS) * tiles_in_row + (column >> TILE_BITS)
    x = column & (TILE - 1)
    y = row & (TILE - 1)
    packet = (y >> PACKET_BITS) * (TILE // PACKET) + (x >> PACKET_BITS)
    in_packet = (y & (PACKET - 1)) * PACKET + (x & (PACKET - 1))
    return tile * (TILE * TILE) + packet * (PACKET * PACKET) + in_packet


@runtime.per_lane_width
def _ray_kernel(width: int) -> Any:
    device = packet_functions(width)
    Lanes = device.Lanes

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
        for group in range((count + width - 1) // width):
            first = group * width
            left, top = packet_corner(first, tiles_in_row)
            x = Lanes(0.0)
            y = Lanes(0.0)
            for lane in ti.static(range(width)):
                column, row = pixel_in_packet(first + lane)
                x[lane] = ti.cast(left + column, ti.f32)
                y[lane] = ti.cast(top + row, ti.f32)
            x = (x + (0.5 + shift_x - 0.5 * ti.cast(film_width, ti.f32))) * pixel
            y = ((0.5 * ti.cast(film_height, ti.f32) - 0.5 - shift_y) - y) * pixel
            scale = 1.0 / ti.sqrt(1.0 + x * x + y * y)
            for axis in ti.static(range(3)):
                aside = x * matrix[axis, 0] + y * matrix[axis, 1]
                start = Lanes(matrix[axis, 3])
                way = Lanes(-matrix[axis, 2])
                if perspective == 1:
                    way = (aside - matrix[axis, 2]) * scale
                else:
                    start += aside
                for lane in ti.static(range(width)):
                    origins[first + lane, axis] = start[lane]
                    directions[first + lane, axis] = way[lane]

    return ray_kernel


@runtime.per_lane_width
def _beam_kernel(width: int) -> Any:
    device = packet_functions(width)
    Lanes = device.Lanes

    @ti.func
    def load(array: ti.template(), first, apart, count):
        """Rows first, first + apart … of a packet of beams as x, y, z; lanes past the end repeat the last beam's."""
        x = Lanes(0.0)
        y = Lanes(0.0)
        z = Lanes(0.0)
        for lane in ti.static(range(width)):
            at = first + ti.min(lane, count - 1) * apart
            x[lane] = array[at, 0]
            y[lane] = array[at, 1]
            z[lane] = array[at, 2]
        return x, y, z

    @ti.kernel
    def beam_kernel(
        origins: ti.types.ndarray(ti.f32, 2),
        directions: ti.types.ndarray(ti.f32, 2),
        starts: ti.types.ndarray(ti.f32, 2),
        axes: ti.types.ndarray(ti.f32, 2),
        cones: ti.types.ndarray(ti.f32, 2),
        count: ti.i32,
        side: ti.i32,
    ):
        for packet in range((count + width - 1) // width):
            rays = side * side
            first = packet * width * rays
            left = count - packet * width
            corners = ti.Vector([0] * 4, ti.i32)
            for i in ti.static(range(4)):
                row = i // 2 * (side - 1)
                column = i % 2 * (side - 1)
                square = row // PACKET * (side // PACKET) + column // PACKET
                corners[i] = first + square * PACKET * PACKET + row % PACKET * PACKET + column % PACKET
            sx = Lanes(0.0)
            sy = Lanes(0.0)
            sz = Lanes(0.0)
            ax = Lanes(0.0)
            ay = Lanes(0.0)
            az = Lanes(0.0)
            for i in ti.static(range(4)):
                x, y, z = load(origins, corners[i], rays, left)
                sx += 0.25 * x
                sy += 0.25 * y
                sz += 0.25 * z
                dx, dy, dz = load(directions, corners[i], rays, left)
                ax += dx
                ay += dy
                az += dz
            length = ti.max(ti.sqrt(ax * ax + ay * ay + az * az), 1e-12)
            ax /= length
            ay /= length
            az /= length
            radius = Lanes(0.0)  # squares
            widening = Lanes(0.0)
            for i in ti.static(range(4)):
                x, y, z = load(origins, corners[i], rays, left)
                x = x - sx
                y = y - sy
                z = z - sz
                radius = ti.max(radius, x * x + y * y + z * z)
                dx, dy, dz = load(directions, corners[i], rays, left)
                cx = ay * dz - az * dy
                cy = az * dx - ax * dz
                cz = ax * dy - ay * dx
                # Beyond 84 degrees the tangent only has to be large.
                along = ti.max(ax * dx + ay * dy + az * dz, 0.1)
                widening = ti.max(widening, (cx * cx + cy * cy + cz * cz) / (along * along))
            radius = ti.sqrt(radius)
            widening = ti.sqrt(widening)
            for lane in ti.static(range(width)):
                beam = packet * width + lane
                if beam < count:
                    starts[beam, 0] = sx[lane]
                    starts[beam, 1] = sy[lane]
                    starts[beam, 2] = sz[lane]
                    axes[beam, 0] = ax[lane]
                    axes[beam, 1] = ay[lane]
                    axes[beam, 2] = az[lane]
                    cones[beam, BeamColumn.RADIUS] = radius[lane]
                    cones[beam, BeamColumn.WIDENING] = widening[lane]
                    cones[beam, BeamColumn.LENGTH] = FAR
                    cones[beam, BeamColumn.LARGEST_VALUE] = 0.0

    return beam_kernel
