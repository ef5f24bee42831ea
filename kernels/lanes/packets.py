"""Device functions that move packets of lanes to and from arrays."""

import functools
from types import SimpleNamespace

from ..runtime import LANE_WIDTHS, POINT_LANE_WIDTHS, ti

MOST_LANES = max(*LANE_WIDTHS.values(), *POINT_LANE_WIDTHS.values())


def room_for_packets(count: int) -> int:
    """Rows of an array that `count` rows and the rest of their last packet fit into, whatever the packets' width.

    Kernels store whole packets: a bound in between would keep LLVM from joining the lanes of all that leads to it.
    """
    return -(-count // MOST_LANES) * MOST_LANES


@ti.func
def any_lane(condition):
    """Whether the condition holds on any lane.

    Bits that are joined by "or" become one test of a register's signs. Of a least or largest float, LLVM finds all that
    leads to it lane by lane.
    """
    return _joined(ti.select(condition, 1, 0)) != 0


@ti.func
def all_lanes(condition):
    """Whether the condition holds on all lanes, found as for `any_lane`."""
    return _joined(ti.select(condition, 0, 1)) == 0


@ti.func
def _joined(bits):
    joined = bits[0]
    for lane in ti.static(range(1, bits.n)):
        joined |= bits[lane]
    return joined


@functools.cache
def packet_functions(width: int) -> SimpleNamespace:
    """For packets of `width` rows of arrays: `Lanes`, and functions to load and store."""
    Lanes = ti.types.vector(width, ti.f32)

    @ti.func
    def load(array: ti.template(), packet, count):
        """Rows (3,) of the packet as x, y, z; lanes past the end repeat the last row."""
        x = Lanes(0.0)
        y = Lanes(0.0)
        z = Lanes(0.0)
        if (packet + 1) * width <= count:  # without bounds in between the loads are joined
            for lane in ti.static(range(width)):
                x[lane] = array[packet * width + lane, 0]
                y[lane] = array[packet * width + lane, 1]
                z[lane] = array[packet * width + lane, 2]
        else:
            for lane in ti.static(range(width)):
                index = ti.min(packet * width + lane, count - 1)
                x[lane] = array[index, 0]
                y[lane] = array[index, 1]
                z[lane] = array[index, 2]
        return x, y, z

    @ti.func
    def load_numbers(array: ti.template(), packet, count):
        """The packet's numbers, as floats; lanes past the end repeat the last."""
        values = Lanes(0.0)
        if (packet + 1) * width <= count:
            for lane in ti.static(range(width)):
                values[lane] = array[packet * width + lane]
        else:
            for lane in ti.static(range(width)):
                values[lane] = array[ti.min(packet * width + lane, count - 1)]
        return values

    @ti.func
    def store(array: ti.template(), packet, x, y, z):
        """Write x, y, z as rows (3,) of the packet; the array must have room for all of it, see `room_for_packets`."""
        for lane in ti.static(range(width)):
            array[packet * width + lane, 0] = x[lane]
            array[packet * width + lane, 1] = y[lane]
            array[packet * width + lane, 2] = z[lane]

    @ti.func
    def store_numbers(array: ti.template(), packet, values):
        """Write the packet's numbers, likewise."""
        for lane in ti.static(range(width)):
            array[packet * width + lane] = values[lane]

    return SimpleNamespace(
        Lanes=Lanes,
        load=load,
        load_numbers=load_numbers,
        store=store,
        store_numbers=store_numbers,
    )
