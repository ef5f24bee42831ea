"""Points where rays hit, and their normals: device functions.

A normal is measured by four taps around the point; planes of the outermost union know theirs.
"""

import functools
from typing import Any

from ..lanes import FAR, packet_functions
from ..program import PlaneColumn, SamplingColumn
from ..runtime import ti
from .visibility_settings import VisibilitySetting

NORMAL_TAPS = 4


@functools.cache
def point_loader(width: int, with_samples: bool) -> Any:
    """The device function that loads a packet of `width` points."""
    packets = packet_functions(width)
    Lanes = packets.Lanes

    @ti.func
    def take_planes(point: ti.template(), hit_kinds: ti.template(), planes: ti.template()):
        """Give points on planes the planes' normals, which need no taps."""
        for lane in ti.static(range(width)):
            plane = ti.cast(hit_kinds[lane], ti.i32)
            if plane >= 0:
                point.normal_bias[lane] = FAR
                point.nx[lane] = planes[plane, PlaneColumn.X]
                point.ny[lane] = planes[plane, PlaneColumn.Y]
                point.nz[lane] = planes[plane, PlaneColumn.Z]

    @ti.func
    def load_points(
        packet, count, origins: ti.template(), directions: ti.template(), distance: ti.template(),
        hit_kinds: ti.template(), missed: ti.template(), planes: ti.template(), sampling: ti.template(),
        settings: ti.template(),
    ):  # fmt: skip
        """A packet of points.

        x, y, z are where they are, nx, ny, nz their normals, zeros as long as they are not known; `tap` is how far
        away taps are, `growth` by how much a sampled shape's values were made smaller. `missed` is FAR on lanes
        without a point, `normal_bias` on those that need no taps either.
        """
        x, y, z = packets.load(origins, packet, count)
        dx, dy, dz = packets.load(directions, packet, count)
        t = ti.select(missed < 1.0, packets.load_numbers(distance, packet, count), 0.0)
        point = ti.Struct(
            x=x, y=y, z=z, nx=Lanes(0.0), ny=Lanes(0.0), nz=Lanes(0.0), tap=Lanes(0.0), growth=Lanes(1.0),
            missed=missed, normal_bias=missed,
        )  # fmt: skip
        if settings[VisibilitySetting.PLANE_COUNT] > 0.0:
            take_planes(point, hit_kinds, planes)
        point.x += dx * t
        point.y += dy * t
        point.z += dz * t
        footprint = settings[VisibilitySetting.TAP] + settings[VisibilitySetting.TAP_GROWTH] * t
        # Rounding of a coordinate must stay small against the taps.
        away = ti.sqrt(point.x * point.x + point.y * point.y + point.z * point.z)
        point.tap = ti.max(footprint, 1e-4 * ti.max(1.0, away))
        if ti.static(with_samples):
            for lane in ti.static(range(width)):
                index = ti.min(packet * width + lane, count - 1)
                point.tap[lane] = ti.max(point.tap[lane], 0.5 * sampling[index, SamplingColumn.VOXEL])
                point.growth[lane] = sampling[index, SamplingColumn.GROWTH]
        return point

    return load_points


@ti.func
def tetrahedron_corner(tap):
    """Signs of a corner of a tetrahedron: differences of values there along x, y, z give the gradient."""
    sx = ti.select((tap == 0) | (tap == 3), 1.0, -1.0)
    sy = ti.select((tap == 2) | (tap == 3), 1.0, -1.0)
    sz = ti.select((tap == 1) | (tap == 3), 1.0, -1.0)
    return sx, sy, sz


@ti.func
def normal_tap(point: ti.template(), sx, sy, sz):
    """Where a value is measured for the normals, at the corner with these signs."""
    return point.x + sx * point.tap, point.y + sy * point.tap, point.z + sz * point.tap


@ti.func
def add_to_normal(point: ti.template(), value: ti.template(), sx, sy, sz):
    """Add the value at a tap to the normals that are not known."""
    point.nx += ti.select(point.normal_bias < 1.0, value * sx, 0.0)
    point.ny += ti.select(point.normal_bias < 1.0, value * sy, 0.0)
    point.nz += ti.select(point.normal_bias < 1.0, value * sz, 0.0)


@ti.func
def make_normal_unit(point: ti.template()):
    """Give the normals the length 1."""
    length = ti.max(ti.sqrt(point.nx * point.nx + point.ny * point.ny + point.nz * point.nz), 1e-20)
    point.nx /= length
    point.ny /= length
    point.nz /= length
