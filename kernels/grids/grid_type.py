"""What interpolation kernels are compiled for: the type of a grid, and of the arrays that hold its numbers."""

import functools
from typing import Any, NamedTuple

from ..runtime import in_vectors, ti


def array_1d(element: Any) -> Any:
    """Type of a kernel's argument: a row of numbers or packets."""
    return ti.types.ndarray(element, 1)


def array_2d(element: Any) -> Any:
    """Type of a kernel's argument: rows of numbers, such as points."""
    return ti.types.ndarray(element, 2)


class GridType(NamedTuple):
    """What kernels are compiled for: dimensions D, type of the numbers, channels, nodes' positions, boundary.

    Channels are taken `lanes` at a time; if `one_packet` there are no more than these. Node k of n along an axis lies
    at k / (n - 1) if `aligned`, else at (k + 0.5) / n. With `border`, points outside have the values of the border;
    else nodes outside are 0.
    """

    dimensions: int
    double: bool
    lanes: int
    one_packet: bool
    aligned: bool
    border: bool

    @property
    def real(self) -> Any:
        """Type of the numbers."""
        return ti.f64 if self.double else ti.f32

    @property
    def packet(self) -> Any:
        """Type of the channels that are taken at a time."""
        return ti.types.vector(self.lanes, self.real)

    @property
    def corner_vector(self) -> Any:
        """Type of a number for each corner of a cell."""
        return ti.types.vector(2**self.dimensions, self.real)

    @property
    def corners(self) -> range:
        """Of a cell; bit D - 1 - i of a corner is its side along axis i."""
        return range(2**self.dimensions)

    def side(self, corner: int, axis: int) -> int:
        """0 or 1: on which side of the cell a corner lies."""
        return corner >> (self.dimensions - 1 - axis) & 1


@functools.cache
def packets(grid_type: GridType) -> tuple[Any, Any]:
    """`read(array, at)` and `write(array, at, packet)` for arrays of packets, by numbers, as `compiled` needs it."""

    @ti.func
    def read(array: ti.template(), at: ti.i32):
        packet = grid_type.packet(0.0)
        for lane in ti.static(range(grid_type.lanes)):
            packet[lane] = array[at][lane]
        return packet

    @ti.func
    def write(array: ti.template(), at: ti.i32, packet: ti.template()):
        for lane in ti.static(range(grid_type.lanes)):
            array[at][lane] = packet[lane]

    return read, write


def compiled(kernel: Any, grid_type: GridType) -> Any:
    """The kernel, in vectors if packets fill registers: LLVM's vectors of 3 numbers take the room of 4."""
    return in_vectors(kernel) if grid_type.lanes in (2, 4, 8) else kernel
