"""A tree of boxes over triangles, built by median splits, eight children to a node.

Nodes stand as in a heap: the children of node i are 8 i + 1 … 8 i + 8. The root may have fewer, so that the number of
leaves is any power of two and every leaf has up to eight triangles. Boxes and triangles lie in lanes: what is asked of
eight of them is asked at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

WIDE = 8  # children of a node and triangles of a leaf: the lanes that kernels work on
BITS = 3  # of WIDE

BOX = 6  # numbers of a child's box: low corner, high corner
TRIANGLE = 16  # of a triangle: corner, two edges from it, their cross product, and four reciprocals of squared lengths
DIPOLE = 13  # of a child's far field: centre, squared distance where it begins, area vector, six second moments

# Where the far field of a node begins, in radii about its centre: Barill et al. 2018, section 4, find 2 to suffice.
BETA = 2.0

Floats = NDArray[numpy.float32]
Doubles = NDArray[numpy.float64]


@dataclass(frozen=True)
class Tree:
    """What kernels walk.

    Attributes:
        boxes: (nodes, BOX, 8), those of a node's children; a missing child's is empty, and far away.
        dipoles: (nodes, DIPOLE, 8), the far fields of the same.
        triangles: (leaves, TRIANGLE, 8); where there are fewer than eight, the rest are points of the first.
        faces: (leaves, 8), which face each of them is.
        first_leaf: the number of the first leaf, as a node.
        scale: a power of two that makes all of it about one large; boxes, dipoles and triangles are scaled by it.
    """

    boxes: Floats
    dipoles: Floats
    triangles: Floats
    faces: NDArray[numpy.int32]
    first_leaf: int
    scale: float


def build_tree(corners: Floats) -> Tree:
    """The tree over triangles (F, 3, 3), F at least 1, finite."""
    scale = _scale(corners)
    corners = corners * numpy.float32(scale)
    faces, used = _leaves(corners)
    triangles = corners[faces.ravel()].reshape(*faces.shape, 3, 3)
    triangles[~used] = triangles[~used][:, :1]  # a point has no area, and is no nearer than its triangle
    levels = _levels(len(faces))
    return Tree(
        _heaped(levels, _boxes(triangles, levels)),
        _heaped(levels, _dipoles(triangles, levels)),
        _triangles(triangles),
        faces,
        (WIDE ** len(levels) - 1) // (WIDE - 1),
        scale,
    )


def _scale(corners: Floats) -> float:
    """The power of two that makes the larger of box and coordinates between a half and one; 1 for a mesh at 0."""
    reach = float(numpy.abs(corners).max())
    return 2.0 ** -min(max(math.frexp(reach)[1], -120), 120) if reach > 0.0 else 1.0


def _leaves(corners: Floats) -> tuple[NDArray[numpy.int32], NDArray[numpy.bool_]]:
    """The faces of each leaf (leaves, 8), and which of them are not there to fill it up.

    A node's faces are halved at the median of their centres along the longest side of the centres' box.
    """
    count = len(corners)
    splits = max(0, math.ceil(math.log2(count / WIDE)))
    each = math.ceil(count / 2**splits)
    spare = each * 2**splits - count
    # Some faces are there twice, evenly spread, so that all leaves have as many.
    index = numpy.concatenate([numpy.arange(count), numpy.arange(spare) * count // max(spare, 1)]).astype(numpy.int32)
    centres = corners.sum(axis=1)[index]
    slots = numpy.arange(len(index), dtype=numpy.int32)[None]
    for _ in range(splits):
        found = centres[slots]  # (nodes, faces of one, 3)
        axis = (found.max(axis=1) - found.min(axis=1)).argmax(axis=1)
        along = numpy.take_along_axis(found, axis[:, None, None], axis=2)[:, :, 0]
        half = slots.shape[1] // 2
        parted = numpy.argpartition(along, half, axis=1)
        slots = numpy.take_along_axis(slots, parted, axis=1).reshape(-1, half)
    filled = numpy.concatenate([slots, numpy.repeat(slots[:, :1], WIDE - each, axis=1)], axis=1)
    used = (filled < count) & (numpy.arange(WIDE) < each)
    return index[filled], used


def _levels(leaves: int) -> list[int]:
    """How many nodes each level has, from the root to the one above the leaves; none if there is one leaf."""
    counts = []
    while leaves > 1:
        leaves = math.ceil(leaves / WIDE)
        counts.append(leaves)
    return counts[::-1]


def _heaped(levels: list[int], by_level: list[Floats]) -> Floats:
    """Numbers of the levels' nodes (nodes of a level, K, 8) in the order of a heap; rows of missing nodes are 0."""
    starts = [(WIDE**level - 1) // (WIDE - 1) for level in range(len(levels))]
    size = starts[-1] + levels[-1] if levels else 0
    heap = numpy.zeros((size, *by_level[0].shape[1:]), dtype=numpy.float32)
    for start, numbers in zip(starts, by_level, strict=True):
        heap[start : start + len(numbers)] = numbers
    return heap


def _triangles(corners: Floats) -> Floats:
    """The leaves' triangles (leaves, 8, 3, 3) as numbers (leaves, TRIANGLE, 8)."""
    first = corners[:, :, 0]
    edge, other = corners[:, :, 1] - first, corners[:, :, 2] - first
    normal = numpy.cross(edge, other)
    vectors = numpy.concatenate([first, edge, other, normal], axis=2)
    squares = numpy.stack([(vector**2).sum(axis=2) for vector in (normal, edge, other, other - edge)], axis=2)
    with numpy.errstate(divide="ignore"):
        reciprocals = numpy.where(squares > numpy.finfo(numpy.float32).tiny, 1.0 / squares, 0.0)
    return numpy.ascontiguousarray(numpy.concatenate([vectors, reciprocals], axis=2).swapaxes(1, 2), numpy.float32)


def _children(values: NDArray[numpy.floating], missing: float) -> NDArray[numpy.floating]:
    """Values (n, …) of a level's nodes by their parents (parents, 8, …); a root's missing children have `missing`."""
    gap = -len(values) % WIDE
    if gap:
        values = numpy.concatenate([values, numpy.full((gap, *values.shape[1:]), missing, values.dtype)])
    return values.reshape(-1, WIDE, *values.shape[1:])


EMPTY = 1e18  # a coordinate of empty boxes; what is farther off does not walk the tree


def _boxes(triangles: Floats, levels: list[int]) -> list[Floats]:
    low, high = triangles.min(axis=(1, 2)), triangles.max(axis=(1, 2))
    by_level: list[Floats] = []
    for _ in levels:
        lows, highs = _children(low, EMPTY), _children(high, EMPTY)
        by_level.append(numpy.concatenate([lows, highs], axis=2).swapaxes(1, 2))
        low, high = lows.min(axis=1), numpy.where(highs < EMPTY, highs, -EMPTY).max(axis=1)
    return by_level[::-1] or [numpy.zeros((0, BOX, WIDE), numpy.float32)]


def _dipoles(triangles: Floats, levels: list[int]) -> list[Floats]:
    """The far fields of every level's children: Barill et al. 2018, equations 13 to 16.

    The solid angle of triangles t of areas a, centres c and unit normals n about a point q is, with r = p - q, to
    the second order about p = Σ a c / Σ a,  N · r / |r|³ + tr M / |r|³ - 3 r · M r / |r|⁵,  N = Σ a n and
    M = Σ (c - p) ⊗ a n, of which only the symmetric part counts.
    """
    double = triangles.astype(numpy.float64)
    vectors = 0.5 * numpy.cross(double[:, :, 1] - double[:, :, 0], double[:, :, 2] - double[:, :, 0])
    areas = numpy.linalg.norm(vectors, axis=2)
    centres = double.mean(axis=2)
    points = triangles.reshape(len(triangles), -1, 3)
    area, weighted = areas.sum(axis=1), (areas[:, :, None] * centres).sum(axis=1)
    normal, moment = vectors.sum(axis=1), numpy.einsum("lti,ltj->lij", centres, vectors)
    by_level: list[Floats] = []
    for _ in levels:
        middle = points.mean(axis=1, dtype=numpy.float64)
        flat = area <= 0.0
        centre = numpy.where(flat[:, None], middle, weighted / numpy.where(flat, 1.0, area)[:, None])
        radius = numpy.sqrt(((points - centre[:, None]) ** 2).sum(axis=2).max(axis=1))
        second = moment - centre[:, :, None] * normal[:, None, :]
        second = 0.5 * (second + second.swapaxes(1, 2))
        begins = (BETA * radius) ** 2
        numbers = numpy.concatenate(
            [centre, begins[:, None], normal, second[:, *numpy.triu_indices(3)]], axis=1
        )  # (children, DIPOLE)
        by_level.append(_children(numbers, 0.0).swapaxes(1, 2).astype(numpy.float32))
        area, weighted, normal, moment = (
            _children(values, 0.0).sum(axis=1) for values in (area, weighted, normal, moment)
        )
        if len(by_level) < len(levels):
            points = points.reshape(len(points) // WIDE, -1, 3)
    return by_level[::-1] or [numpy.zeros((0, DIPOLE, WIDE), numpy.float32)]
