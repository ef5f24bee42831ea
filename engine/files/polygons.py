"""Polygons cut into triangles: as fans where these are right, else by clipping ears (mapbox-earcut)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Polygons(NamedTuple):
    """Polygons in space.

    Attributes:
        vertices: (V, 3) float64.
        corners: (C,) rows of `vertices`, those of one polygon after those of another.
        sizes: (P,) corners of each, at least 3, whose sum is C.
    """

    vertices: Floats
    corners: Integers
    sizes: Integers


def triangulated(polygons: Polygons) -> Integers:
    """Triangles (F, 3) that cover the polygons, facing as they do, in the polygons' order; F is C - 2 P.

    A polygon need not be convex or quite flat, and may touch itself, as one with a hole does that has been cut open. Of
    corners in line some triangles have no area, so that neighbours still share all their edges.
    """
    starts = np.concatenate([[0], np.cumsum(polygons.sizes)[:-1]])
    first_triangle = np.concatenate([[0], np.cumsum(polygons.sizes - 2)])
    triangles = np.empty((first_triangle[-1], 3), np.int64)
    for size in np.unique(polygons.sizes):
        chosen = np.flatnonzero(polygons.sizes == size)
        corners = polygons.corners[starts[chosen][:, None] + np.arange(size)]  # (polygons of this size, corners)
        places = first_triangle[chosen][:, None] + np.arange(size - 2)
        triangles[places] = _of_one_size(polygons.vertices, corners)
    return triangles


def _of_one_size(vertices: Floats, corners: Integers) -> Integers:
    """Triangles (P, n - 2, 3) of polygons of n corners (P, n)."""
    count = corners.shape[1]
    fan = _fans(corners)
    if count == 3:
        return fan
    points = vertices[corners]
    normals = _newell(points)
    bad = np.flatnonzero(~_faces_along(points, normals))
    if count == 4:  # the other diagonal
        fan[bad] = _fans(np.roll(corners[bad], -1, axis=1))
        return fan
    for polygon in bad:
        fan[polygon] = corners[polygon][_ears(points[polygon], normals[polygon])]
    return fan


def _fans(corners: Integers) -> Integers:
    """Triangles (P, n - 2, 3) that all have the first corner."""
    first = np.broadcast_to(corners[:, :1], (len(corners), corners.shape[1] - 2))
    return np.stack([first, corners[:, 1:-1], corners[:, 2:]], axis=2)


def _newell(points: Floats) -> Floats:
    """Twice the area times the normal (P, 3) of polygons (P, n, 3), the mean one of those that are not flat."""
    centred = points - points[:, :1]
    crosses: Floats = np.cross(centred, np.roll(centred, -1, axis=1)).sum(axis=1)
    return crosses


def _faces_along(points: Floats, normals: Floats) -> NDArray[np.bool_]:
    """Whether no triangle of the fan from the first corner faces against the polygon (P,)."""
    edges = points[:, 1:] - points[:, :1]
    crosses = np.cross(edges[:, :-1], edges[:, 1:])
    along = np.einsum("pti,pi->pt", crosses, normals)
    # Corners in line come to less than rounding.
    least = -1e-12 * np.einsum("pi,pi->p", normals, normals)
    right: NDArray[np.bool_] = (along >= least[:, None]).all(axis=1)
    return right


def _ears(points: Floats, normal: Floats) -> Integers:
    """Triangles (n - 2, 3) of one polygon (n, 3), as numbers of its corners."""
    import mapbox_earcut

    count = len(points)
    axis = int(np.abs(normal).argmax())
    flat = (points - points[0])[:, [(axis + 1) % 3, (axis + 2) % 3]]
    if normal[axis] < 0.0:
        flat = flat[:, ::-1]
    # What crosses itself has fewer ears than its number of corners asks for.
    found = mapbox_earcut.triangulate_float64(np.ascontiguousarray(flat), np.array([count], np.uint32))
    ears = found.astype(np.int64).reshape(-1, 3)
    a, b, c = flat[ears[:, 0]], flat[ears[:, 1]], flat[ears[:, 2]]
    is_turned = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0] < 0.0
    ears[is_turned] = ears[is_turned][:, ::-1]
    triangles = np.concatenate([ears, _left_out(ears, count)])
    if len(triangles) < count - 2:  # a polygon that crosses itself
        triangles = np.concatenate([triangles, np.zeros((count - 2 - len(triangles), 3), np.int64)])
    return triangles[: count - 2]


def _left_out(ears: Integers, count: int) -> Integers:
    """Triangles without area (K, 3) for the corners that no ear has, since they lie in line with their neighbours."""
    used = np.zeros(count, bool)
    used[ears] = True
    triangles = []
    for corner in np.flatnonzero(used):
        after = (corner + 1) % count
        while not used[after]:
            triangles.append((corner, after, (after + 1) % count))
            after = (after + 1) % count
    return np.array(triangles, np.int64).reshape(-1, 3)
