"""Device code that adds up the solid angles of a tree's triangles about a point: winding numbers."""

import functools
from typing import Any

from ..runtime import ti
from .tree import CHILD_BITS, DEEPEST, EMPTY, WIDE, FarFieldColumn, TriangleColumn

Lanes = ti.types.vector(WIDE, ti.f32)
Double = ti.types.vector(3, ti.f64)

TINY = 1e-30
LEAST_SQUARE = 1e-24  # of a distance whose inverse cube is a number; only to empty groups and near ones is it less


@ti.func
def triple(numbers: ti.template(), node, column: ti.template()):
    """The three numbers of all children from a column on."""
    return numbers[node, column], numbers[node, column + 1], numbers[node, column + 2]


@ti.func
def arc_tangent(y, x):
    """atan2(y, x) over lanes, to 1e-5: a polynomial in the smaller by the larger (Abramowitz and Stegun, 4.4.49)."""
    ax = ti.abs(x)
    ay = ti.abs(y)
    ratio = ti.min(ax, ay) / ti.max(ti.max(ax, ay), TINY)
    square = ratio * ratio
    angle = ratio * (
        0.9998660 + square * (-0.3302995 + square * (0.1801410 + square * (-0.0851330 + square * 0.0208351)))
    )
    angle = ti.select(ay > ax, 0.5 * ti.math.pi - angle, angle)
    angle = ti.select(x < 0.0, ti.math.pi - angle, angle)
    return ti.select(y < 0.0, -angle, angle)


@ti.func
def solid_angles(triangles: ti.template(), leaf, x, y, z):
    """Solid angles of the eight triangles about the point (Van Oosterom and Strackee 1983)."""
    corner_x, corner_y, corner_z = triple(triangles, leaf, TriangleColumn.CORNER)
    ax = corner_x - x
    ay = corner_y - y
    az = corner_z - z
    edge_x, edge_y, edge_z = triple(triangles, leaf, TriangleColumn.EDGE_A)
    bx = ax + edge_x
    by = ay + edge_y
    bz = az + edge_z
    other_x, other_y, other_z = triple(triangles, leaf, TriangleColumn.EDGE_B)
    cx = ax + other_x
    cy = ay + other_y
    cz = az + other_z
    nx, ny, nz = triple(triangles, leaf, TriangleColumn.NORMAL)
    volume = ax * nx + ay * ny + az * nz
    a = ti.sqrt(ax * ax + ay * ay + az * az)
    b = ti.sqrt(bx * bx + by * by + bz * bz)
    c = ti.sqrt(cx * cx + cy * cy + cz * cz)
    ab = ax * bx + ay * by + az * bz
    bc = bx * cx + by * cy + bz * cz
    ca = cx * ax + cy * ay + cz * az
    return 2.0 * arc_tangent(volume, a * b * c + ab * c + bc * a + ca * b)


@ti.func
def far_angles(far_fields: ti.template(), node, rx, ry, rz, square):
    """Solid angles of a node's children about the point, r away from their centres, by their far fields."""
    inverse = 1.0 / ti.max(square, LEAST_SQUARE)
    cubed = inverse * ti.sqrt(inverse)
    mxx, mxy, mxz = triple(far_fields, node, FarFieldColumn.MOMENTS)
    myy, myz, mzz = triple(far_fields, node, FarFieldColumn.MOMENTS + 3)
    nx, ny, nz = triple(far_fields, node, FarFieldColumn.NORMAL)
    along = rx * nx + ry * ny + rz * nz
    quadratic = rx * rx * mxx + ry * ry * myy + rz * rz * mzz
    quadratic += 2.0 * (rx * ry * mxy + rx * rz * mxz + ry * rz * myz)
    return cubed * (along + mxx + myy + mzz - 3.0 * quadratic * inverse)


@ti.func
def solid_angle(far_fields: ti.template(), triangles: ti.template(), first_leaf, farther, x, y, z):
    """Solid angle of all triangles about the point; groups that are far enough count by their far field, which begins
    at a squared distance `farther` times that of FAR_FIELD_RADII."""
    near = ti.Vector([0] * DEEPEST, ti.i32)  # of each level's node: the children that are still to be looked into
    depth = -1
    parent = 0
    node = 0
    total = Lanes(0.0)
    while node >= 0:
        if node >= first_leaf:
            total += solid_angles(triangles, node - first_leaf, x, y, z)
        else:
            centre_x, centre_y, centre_z = triple(far_fields, node, FarFieldColumn.CENTRE)
            rx = centre_x - x
            ry = centre_y - y
            rz = centre_z - z
            square = rx * rx + ry * ry + rz * rz
            is_near = square < farther * far_fields[node, FarFieldColumn.BEGINS]
            total += ti.select(is_near, 0.0, far_angles(far_fields, node, rx, ry, rz, square))
            depth += 1
            parent = node
            mask = 0
            for lane in ti.static(range(WIDE)):
                mask |= ti.select(is_near[lane], 1 << lane, 0)
            near[depth] = mask
        node = -1
        while node < 0 and depth >= 0:
            mask = near[depth]
            if mask != 0:
                lane = 31 - ti.math.clz(mask)
                near[depth] = mask ^ (1 << lane)
                node = parent * WIDE + 1 + lane
            else:
                depth -= 1
                parent = (parent - 1) >> CHILD_BITS
    return total.sum()


@functools.cache
def winding_kernel() -> Any:
    """For points in a given order, the winding number; 0 for what is too far off to square, NaN for NaN."""

    @ti.kernel
    def winding_kernel(
        far_fields: ti.types.ndarray(Lanes, 2),
        triangles: ti.types.ndarray(Lanes, 2),
        points: ti.types.ndarray(ti.f32, 2),
        order: ti.types.ndarray(ti.i64, 1),
        windings: ti.types.ndarray(ti.f32, 1),
        first_leaf: ti.i32,
        farther: ti.f32,
        scale: ti.f32,
        count: ti.i32,
    ):
        for place in range(count):
            index = ti.cast(order[place], ti.i32)
            x = points[index, 0] * scale
            y = points[index, 1] * scale
            z = points[index, 2] * scale
            winding = 0.0  # of what is far off
            if ti.abs(x) < EMPTY and ti.abs(y) < EMPTY and ti.abs(z) < EMPTY:
                winding = solid_angle(far_fields, triangles, first_leaf, farther, x, y, z) / (4.0 * ti.math.pi)
            bad = ti.math.isnan(x) or ti.math.isnan(y) or ti.math.isnan(z)
            windings[index] = ti.select(bad, ti.math.nan, winding)

    return winding_kernel


@ti.func
def exact_solid_angle(p, a, b, c):
    """Solid angle of a triangle about a point (Van Oosterom and Strackee 1983), float64."""
    a -= p
    b -= p
    c -= p
    la = a.norm()
    lb = b.norm()
    lc = c.norm()
    return 2.0 * ti.atan2(a.dot(b.cross(c)), la * lb * lc + a.dot(b) * lc + b.dot(c) * la + c.dot(a) * lb)


@functools.cache
def exact_winding_kernel() -> Any:
    """For some of the points, the winding number as the sum over all triangles."""

    @ti.kernel
    def exact_winding_kernel(
        vertices: ti.types.ndarray(ti.f32, 2),
        faces: ti.types.ndarray(ti.i32, 2),
        points: ti.types.ndarray(ti.f32, 2),
        asked: ti.types.ndarray(ti.i64, 1),
        windings: ti.types.ndarray(ti.f32, 1),
        count: ti.i32,
    ):
        for place in range(count):
            index = ti.cast(asked[place], ti.i32)
            p = Double([points[index, 0], points[index, 1], points[index, 2]])
            total = ti.cast(0.0, ti.f64)
            for face in range(faces.shape[0]):
                i = faces[face, 0]
                j = faces[face, 1]
                k = faces[face, 2]
                a = Double([vertices[i, 0], vertices[i, 1], vertices[i, 2]])
                b = Double([vertices[j, 0], vertices[j, 1], vertices[j, 2]])
                c = Double([vertices[k, 0], vertices[k, 1], vertices[k, 2]])
                total += exact_solid_angle(p, a, b, c)
            windings[index] = ti.cast(total / (4.0 * ti.math.pi), ti.f32)

    return exact_winding_kernel
