"""Device code over a tree of triangles: the nearest one, and the solid angle of all of them."""

import functools
from typing import Any

from .. import runtime
from ..lanes import some
from ..runtime import first_turn, next_turn, ti
from .tree import BITS, BOX, EMPTY, REACH, TRIANGLE, WIDE

Lanes = ti.types.vector(WIDE, ti.f32)
Point = ti.types.vector(3, ti.f64)

DEEPEST = 9  # levels of nodes: 8⁹ leaves are more than 32-bit indices reach
KEPT = DEEPEST * WIDE
NOTHING = 0x7F7FFFFF  # the largest finite float's bits
LARGEST = 1e37  # a squared distance that all are less than
TINY = 1e-30
LEAST_SQUARE = 1e-24  # of a distance whose inverse cube is a number; only to empty groups and near ones is it less


@ti.func
def box_distances(boxes: ti.template(), node, child, x, y, z):
    """Squared distances of points to a box of a node's."""
    b = [boxes[node, number, child] for number in ti.static(range(BOX))]
    dx = ti.max(ti.abs(b[0] * x + b[1] * y + b[2] * z - b[9]) - b[12], 0.0)
    dy = ti.max(ti.abs(b[3] * x + b[4] * y + b[5] * z - b[10]) - b[13], 0.0)
    dz = ti.max(ti.abs(b[6] * x + b[7] * y + b[8] * z - b[11]) - b[14], 0.0)
    return dx * dx + dy * dy + dz * dz


@ti.func
def segment_distances(x, y, z, ex, ey, ez, reciprocal):
    """Squared distances of (x, y, z) to segments from 0 to e, 1/|e|² given."""
    t = ti.min(ti.max((x * ex + y * ey + z * ez) * reciprocal, 0.0), 1.0)
    rx = x - t * ex
    ry = y - t * ey
    rz = z - t * ez
    return rx * rx + ry * ry + rz * rz


@ti.func
def triangle_distances(triangles: ti.template(), leaf, child, x, y, z):
    """Squared distances of points to a triangle of a leaf's: to the plane over the triangle, else to an edge."""
    t = [triangles[leaf, number, child] for number in ti.static(range(TRIANGLE))]
    px = x - t[0]
    py = y - t[1]
    pz = z - t[2]
    # The barycentric coordinates of the foot: n · (p × b), n · (a × p), each divided by n · n.
    v = (t[9] * (py * t[8] - pz * t[7]) + t[10] * (pz * t[6] - px * t[8]) + t[11] * (px * t[7] - py * t[6])) * t[12]
    w = (t[9] * (t[4] * pz - t[5] * py) + t[10] * (t[5] * px - t[3] * pz) + t[11] * (t[3] * py - t[4] * px)) * t[12]
    height = t[9] * px + t[10] * py + t[11] * pz
    over = height * height * t[12]
    first = segment_distances(px, py, pz, t[3], t[4], t[5], t[13])
    second = segment_distances(px, py, pz, t[6], t[7], t[8], t[14])
    third = segment_distances(px - t[3], py - t[4], pz - t[5], t[6] - t[3], t[7] - t[4], t[8] - t[5], t[15])
    edges = ti.min(ti.min(first, second), third)
    # A triangle without area has the reciprocal 0, so v and w are 0 and are no inside.
    inside = (v > 0.0) & (w > 0.0) & (v + w < 1.0)
    return ti.select(inside, over, edges)


@functools.cache
def nearest_slots(width: int) -> Any:
    """`(boxes, triangles, first_leaf, seed, x, y, z) -> slots`: leaf · 8 + child of the triangles nearest to a packet
    of points, which walk the tree together, from the leaf in `seed` on."""
    packet = ti.types.vector(width, ti.f32)
    numbers = ti.types.vector(width, ti.i32)

    @ti.func
    def find(boxes: ti.template(), triangles: ti.template(), first_leaf, seed, x, y, z):
        # Of open nodes, by level: the squared distances of the children, and as keys those of the first point, the
        # child in the lowest bits; NOTHING where a child is done with.
        squares = ti.Matrix([[0.0] * width for _ in range(KEPT)], ti.f32)
        keys = ti.Vector([NOTHING] * KEPT, ti.i32)
        depth = -1
        parent = 0
        least = packet(LARGEST)
        slots = numbers(seed)
        node = first_leaf + seed // WIDE
        is_begun = first_leaf == 0  # a tree without nodes has one leaf
        while node >= 0:
            if node >= first_leaf:
                leaf = node - first_leaf
                for child in range(WIDE):
                    found = triangle_distances(triangles, leaf, child, x, y, z)
                    nearer = found < least
                    least = ti.select(nearer, found, least)
                    slots = ti.select(nearer, leaf * WIDE + child, slots)
            else:
                depth += 1
                parent = node
                for child in range(WIDE):
                    found = box_distances(boxes, node, child, x, y, z)
                    for lane in ti.static(range(width)):
                        squares[depth * WIDE + child, lane] = found[lane]
                    key = NOTHING
                    if some(found < least):
                        key = (ti.bit_cast(found[0], ti.i32) & ~(WIDE - 1)) | child
                    keys[depth * WIDE + child] = key
            node = -1
            if not is_begun:
                is_begun = True
                node = 0
            while node < 0 and depth >= 0:
                key = NOTHING
                for child in ti.static(range(WIDE)):
                    key = ti.min(key, keys[depth * WIDE + child])
                if key < NOTHING:
                    child = key & (WIDE - 1)
                    keys[depth * WIDE + child] = NOTHING
                    away = packet(0.0)
                    for lane in ti.static(range(width)):
                        away[lane] = squares[depth * WIDE + child, lane]
                    if some(away < least):
                        node = parent * WIDE + 1 + child
                else:
                    depth -= 1
                    parent = (parent - 1) >> BITS
        return slots

    return find


@ti.func
def closest_on_segment(p, e):
    """The point of the segment from 0 to e that is closest to p."""
    square = e.dot(e)
    t = ti.cast(0.0, ti.f64)
    if square > 0.0:
        t = ti.min(ti.max(p.dot(e) / square, 0.0), 1.0)
    return t * e


@ti.func
def closest_on_triangle(p, a, b):
    """The point of the triangle (0, a, b) that is closest to p."""
    n = a.cross(b)
    square = n.dot(n)
    v = n.dot(p.cross(b))
    w = n.dot(a.cross(p))
    found = closest_on_segment(p, a)
    if square > 0.0 and v > 0.0 and w > 0.0 and v + w < square:
        found = (v * a + w * b) / square
    else:
        least = (p - found).norm_sqr()
        other = closest_on_segment(p, b)
        if (p - other).norm_sqr() < least:
            least = (p - other).norm_sqr()
            found = other
        third = a + closest_on_segment(p - a, b - a)
        if (p - third).norm_sqr() < least:
            found = third
    return found


@runtime.per_lane_width
def closest_kernel(width: int) -> Any:
    """For points in a given order, the nearest triangle, the closest point on it and its distance."""
    find = nearest_slots(width)
    packet = ti.types.vector(width, ti.f32)

    @ti.kernel
    def closest_kernel(
        boxes: ti.types.ndarray(ti.f32, 3),
        triangles: ti.types.ndarray(ti.f32, 3),
        numbers: ti.types.ndarray(ti.i32, 1),
        vertices: ti.types.ndarray(ti.f32, 2),
        faces: ti.types.ndarray(ti.i32, 2),
        points: ti.types.ndarray(ti.f32, 2),
        order: ti.types.ndarray(ti.i64, 1),
        distances: ti.types.ndarray(ti.f32, 1),
        closest: ti.types.ndarray(ti.f32, 2),
        nearest: ti.types.ndarray(ti.i32, 1),
        first_leaf: ti.i32,
        scale: ti.f32,
        count: ti.i32,
        queue: ti.types.ndarray(ti.i32, 1),
        slots: ti.i32,
    ):
        for slot in range(slots):
            packet_count = (count + width - 1) // width
            upcoming = first_turn(queue, slot, packet_count)
            seed = 0
            while upcoming < packet_count:
                turn = upcoming
                upcoming = next_turn(queue, turn, packet_count)
                x = packet(0.0)
                y = packet(0.0)
                z = packet(0.0)
                for lane in ti.static(range(width)):
                    index = ti.cast(order[ti.min(turn * width + lane, count - 1)], ti.i32)
                    x[lane] = points[index, 0] * scale
                    y[lane] = points[index, 1] * scale
                    z[lane] = points[index, 2] * scale
                # Not for NaN, nor for what is so far off that its square is no number: any triangle is as near.
                near = (ti.abs(x) < REACH) & (ti.abs(y) < REACH) & (ti.abs(z) < REACH)
                x = ti.select(near, x, 0.0)
                y = ti.select(near, y, 0.0)
                z = ti.select(near, z, 0.0)
                found = find(boxes, triangles, first_leaf, seed, x, y, z)
                seed = found[0]
                for lane in ti.static(range(width)):
                    if turn * width + lane < count:
                        nearest[ti.cast(order[turn * width + lane], ti.i32)] = found[lane]
        for place in range(count):
            index = ti.cast(order[place], ti.i32)
            x = points[index, 0]
            y = points[index, 1]
            z = points[index, 2]
            face = numbers[nearest[index]]
            p = Point(x, y, z)
            corner = Point(0.0)
            a = Point(0.0)
            b = Point(0.0)
            for axis in ti.static(range(3)):
                corner[axis] = vertices[faces[face, 0], axis]
                a[axis] = vertices[faces[face, 1], axis] - corner[axis]
                b[axis] = vertices[faces[face, 2], axis] - corner[axis]
            foot = corner + closest_on_triangle(p - corner, a, b)
            distance = ti.cast((p - foot).norm(), ti.f32)
            bad = ti.math.isnan(x) or ti.math.isnan(y) or ti.math.isnan(z)
            distances[index] = ti.select(bad, ti.math.nan, distance)
            nearest[index] = face
            for axis in ti.static(range(3)):
                closest[index, axis] = ti.select(bad, ti.math.nan, ti.cast(foot[axis], ti.f32))

    return closest_kernel


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
    ax = triangles[leaf, 0] - x
    ay = triangles[leaf, 1] - y
    az = triangles[leaf, 2] - z
    bx = ax + triangles[leaf, 3]
    by = ay + triangles[leaf, 4]
    bz = az + triangles[leaf, 5]
    cx = ax + triangles[leaf, 6]
    cy = ay + triangles[leaf, 7]
    cz = az + triangles[leaf, 8]
    volume = ax * triangles[leaf, 9] + ay * triangles[leaf, 10] + az * triangles[leaf, 11]
    a = ti.sqrt(ax * ax + ay * ay + az * az)
    b = ti.sqrt(bx * bx + by * by + bz * bz)
    c = ti.sqrt(cx * cx + cy * cy + cz * cz)
    ab = ax * bx + ay * by + az * bz
    bc = bx * cx + by * cy + bz * cz
    ca = cx * ax + cy * ay + cz * az
    return 2.0 * arc_tangent(volume, a * b * c + ab * c + bc * a + ca * b)


@ti.func
def solid_angle(dipoles: ti.template(), triangles: ti.template(), first_leaf, x, y, z):
    """Solid angle of all triangles about the point; groups that are far enough count by their far field."""
    near = ti.Vector([0] * DEEPEST, ti.i32)  # of each level's node: the children that are still to be looked into
    depth = -1
    parent = 0
    node = 0
    total = Lanes(0.0)
    while node >= 0:
        if node >= first_leaf:
            total += solid_angles(triangles, node - first_leaf, x, y, z)
        else:
            rx = dipoles[node, 0] - x
            ry = dipoles[node, 1] - y
            rz = dipoles[node, 2] - z
            square = rx * rx + ry * ry + rz * rz
            is_near = square < dipoles[node, 3]
            inverse = 1.0 / ti.max(square, LEAST_SQUARE)
            cubed = inverse * ti.sqrt(inverse)
            mxx = dipoles[node, 7]
            mxy = dipoles[node, 8]
            mxz = dipoles[node, 9]
            myy = dipoles[node, 10]
            myz = dipoles[node, 11]
            mzz = dipoles[node, 12]
            along = rx * dipoles[node, 4] + ry * dipoles[node, 5] + rz * dipoles[node, 6]
            quadratic = rx * rx * mxx + ry * ry * myy + rz * rz * mzz
            quadratic += 2.0 * (rx * ry * mxy + rx * rz * mxz + ry * rz * myz)
            far = cubed * (along + mxx + myy + mzz - 3.0 * quadratic * inverse)
            total += ti.select(is_near, 0.0, far)
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
                parent = (parent - 1) >> BITS
    return total.sum()


@functools.cache
def winding_kernel() -> Any:
    """For points in a given order, the winding number; 0 for what is too far off to square, NaN for NaN."""

    @ti.kernel
    def winding_kernel(
        dipoles: ti.types.ndarray(Lanes, 2),
        triangles: ti.types.ndarray(Lanes, 2),
        points: ti.types.ndarray(ti.f32, 2),
        order: ti.types.ndarray(ti.i64, 1),
        windings: ti.types.ndarray(ti.f32, 1),
        first_leaf: ti.i32,
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
                winding = solid_angle(dipoles, triangles, first_leaf, x, y, z) / (4.0 * ti.math.pi)
            bad = ti.math.isnan(x) or ti.math.isnan(y) or ti.math.isnan(z)
            windings[index] = ti.select(bad, ti.math.nan, winding)

    return winding_kernel
