"""Device functions about the planes of a program's outermost union, rows of `plane_equations`."""

from ..lanes import FAR
from ..program import PlaneColumn
from ..runtime import ti


@ti.func
def plane_distance(planes: ti.template(), k, x, y, z):
    """Signed distance of points from plane k."""
    along = x * planes[k, PlaneColumn.X] + y * planes[k, PlaneColumn.Y] + z * planes[k, PlaneColumn.Z]
    return along - planes[k, PlaneColumn.OFFSET]


@ti.func
def plane_slope(planes: ti.template(), k, dx, dy, dz):
    """By how much the distance from plane k grows over one unit in a direction."""
    return dx * planes[k, PlaneColumn.X] + dy * planes[k, PlaneColumn.Y] + dz * planes[k, PlaneColumn.Z]


@ti.func
def nearest_plane(planes: ti.template(), plane_count, x, y, z):
    """Signed distance of points from the nearest of the planes (K, 4), FAR without any."""
    nearest = x * 0.0 + FAR
    for k in range(plane_count):
        nearest = ti.min(nearest, plane_distance(planes, k, x, y, z))
    return nearest
