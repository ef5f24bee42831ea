"""Device code that finds the nearest triangle of a tree, and the point on it."""

import functools
from typing import Any

from .. import runtime
from ..lanes import any_lane
from ..runtime import first_turn, next_turn, ti
from .tree import CHILD_BITS, DEEPEST, REACH, WIDE, BoxColumn, TriangleColumn

Vector = ti.types.vector(3, ti.f64)

STACK = DEEPEST * WIDE  # children of the nodes on the way down
NO_CHILD = 0x7F7FFFFF  # the largest finite float's bits
LARGEST = 1e37  # a squared distance that all are less than


@ti.func
def triple(numbers: ti.template(), node, column: ti.template(), child):
    """The three numbers of a child from a column on."""
    return numbers[node, column, child], numbers[node, column + 1, child], numbers[node, column + 2, child]


@ti.func
def box_distances(boxes: ti.template(), node, child, x, y, z):
    """Squared distances of points to a box of a node's."""
    ux, uy, uz = triple(boxes, node, BoxColumn.SIDES, child)
    vx, vy, vz = triple(boxes, node, BoxColumn.SIDES + 3, child)
    wx, wy, wz = triple(boxes, node, BoxColumn.SIDES + 6, child)
    middle_u, middle_v, middle_w = triple(boxes, node, BoxColumn.MIDDLES, child)
    half_u, half_v, half_w = triple(boxes, node, BoxColumn.HALVES, child)
    du = ti.max(ti.abs(ux * x + uy * y + uz * z - middle_u) - half_u, 0.0)
    dv = ti.max(ti.abs(vx * x + vy * y + vz * z - middle_v) - half_v, 0.0)
    dw = ti.max(ti.abs(wx * x + wy * y + wz * z - middle_w) - half_w, 0.0)
    return du * du + dv * dv + dw * dw


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
    cx, cy, cz = triple(triangles, leaf, TriangleColumn.CORNER, child)
    ax, ay, az = triple(triangles, leaf, TriangleColumn.EDGE_A, child)
    bx, by, bz = triple(triangles, leaf, TriangleColumn.EDGE_B, child)
    nx, ny, nz = triple(triangles, leaf, TriangleColumn.NORMAL, child)
    per_normal = triangles[leaf, TriangleColumn.PER_NORMAL, child]
    px = x - cx
    py = y - cy
    pz = z - cz
    # The barycentric coordinates of the foot: n · (p × b), n · (a × p), each divided by n · n.
    v = (nx * (py * bz - pz * by) + ny * (pz * bx - px * bz) + nz * (px * by - py * bx)) * per_normal
    w = (nx * (ay * pz - az * py) + ny * (az * px - ax * pz) + nz * (ax * py - ay * px)) * per_normal
    height = nx * px + ny * py + nz * pz
    over = height * height * per_normal
    first = segment_distances(px, py, pz, ax, ay, az, triangles[leaf, TriangleColumn.PER_EDGE_A, child])
    second = segment_distances(px, py, pz, bx, by, bz, triangles[leaf, TriangleColumn.PER_EDGE_B, child])
    third = segment_distances(
        px - ax, py - ay, pz - az, bx - ax, by - ay, bz - az, triangles[leaf, TriangleColumn.PER_THIRD, child]
    )
    edges = ti.min(ti.min(first, second), third)
    # A triangle without area has the reciprocal 0, so v and w are 0 and are no inside.
    inside = (v > 0.0) & (w > 0.0) & (v + w < 1.0)
    return ti.select(inside, over, edges)


@functools.cache
def nearest_triangles(width: int) -> Any:
    """`(boxes, triangles, first_leaf, seed, x, y, z) -> found`: leaf · 8 + child of the triangles nearest to a packet
    of points, which walk the tree together, from the leaf of triangle `seed` on."""
    packet = ti.types.vector(width, ti.f32)
    integers = ti.types.vector(width, ti.i32)

    @ti.func
    def find(boxes: ti.template(), triangles: ti.template(), first_leaf, seed, x, y, z):
        # Of open nodes, by level: the squared distances of the children, and as keys those of the first point, the
        # child in the lowest bits; NO_CHILD where a child is done with.
        squares = ti.Matrix([[0.0] * width for _ in range(STACK)], ti.f32)
        keys = ti.Vector([NO_CHILD] * STACK, ti.i32)
        depth = -1
        parent = 0
        least = packet(LARGEST)
        nearest = integers(seed)
        node = first_leaf + seed // WIDE
        is_begun = first_leaf == 0  # a tree without nodes has one leaf
        while node >= 0:
            if node >= first_leaf:
                leaf = node - first_leaf
                for child in range(WIDE):
                    found = triangle_distances(triangles, leaf, child, x, y, z)
                    nearer = found < least
                    least = ti.select(nearer, found, least)
                    nearest = ti.select(nearer, leaf * WIDE + child, nearest)
            else:
                depth += 1
                parent = node
                for child in range(WIDE):
                    found = box_distances(boxes, node, child, x, y, z)
                    for lane in ti.static(range(width)):
                        squares[depth * WIDE + child, lane] = found[lane]
                    key = NO_CHILD
                    if any_lane(found < least):
                        key = (ti.bit_cast(found[0], ti.i32) & ~(WIDE - 1)) | child
                    keys[depth * WIDE + child] = key
            node = -1
            if not is_begun:
                is_begun = True
                node = 0
            while node < 0 and depth >= 0:
                key = NO_CHILD
                for child in ti.static(range(WIDE)):
                    key = ti.min(key, keys[depth * WIDE + child])
                if key < NO_CHILD:
                    child = key & (WIDE - 1)
                    keys[depth * WIDE + child] = NO_CHILD
                    away = packet(0.0)
                    for lane in ti.static(range(width)):
                        away[lane] = squares[depth * WIDE + child, lane]
                    if any_lane(away < least):
                        node = parent * WIDE + 1 + child
                else:
                    depth -= 1
                    parent = (parent - 1) >> CHILD_BITS
        return nearest

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


@ti.func
def closest_on_face(vertices: ti.template(), faces: ti.template(), face, p):
    """The point of a face that is closest to p."""
    corner = Vector(0.0)
    a = Vector(0.0)
    b = Vector(0.0)
    for axis in ti.static(range(3)):
        corner[axis] = vertices[faces[face, 0], axis]
        a[axis] = vertices[faces[face, 1], axis] - corner[axis]
        b[axis] = vertices[faces[face, 2], axis] - corner[axis]
    return corner + closest_on_triangle(p - corner, a, b)


@functools.cache
def scaled_points(width: int) -> Any:
    """`(points, order, scale, turn, count) -> x, y, z` of a packet, scaled as the tree is; 0 for a NaN, and for what is
    so far off that its square is no number: any triangle is as near."""
    packet = ti.types.vector(width, ti.f32)

    @ti.func
    def load(points: ti.template(), order: ti.template(), scale, turn, count):
        x = packet(0.0)
        y = packet(0.0)
        z = packet(0.0)
        for lane in ti.static(range(width)):
            index = ti.cast(order[ti.min(turn * width + lane, count - 1)], ti.i32)
            x[lane] = points[index, 0] * scale
            y[lane] = points[index, 1] * scale
            z[lane] = points[index, 2] * scale
        near = (ti.abs(x) < REACH) & (ti.abs(y) < REACH) & (ti.abs(z) < REACH)
        return ti.select(near, x, 0.0), ti.select(near, y, 0.0), ti.select(near, z, 0.0)

    return load


@runtime.per_lane_width
def closest_kernel(width: int) -> Any:
    """For points in a given order, the nearest triangle, the closest point on it and its distance."""
    load = scaled_points(width)
    find = nearest_triangles(width)

    @ti.kernel
    def closest_kernel(
        boxes: ti.types.ndarray(ti.f32, 3),
        triangles: ti.types.ndarray(ti.f32, 3),
        tree_faces: ti.types.ndarray(ti.i32, 1),
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
                x, y, z = load(points, order, scale, turn, count)
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
            face = tree_faces[nearest[index]]
            p = Vector(x, y, z)
            foot = closest_on_face(vertices, faces, face, p)
            distance = ti.cast((p - foot).norm(), ti.f32)
            bad = ti.math.isnan(x) or ti.math.isnan(y) or ti.math.isnan(z)
            distances[index] = ti.select(bad, ti.math.nan, distance)
            nearest[index] = face
            for axis in ti.static(range(3)):
                closest[index, axis] = ti.select(bad, ti.math.nan, ti.cast(foot[axis], ti.f32))

    return closest_kernel
