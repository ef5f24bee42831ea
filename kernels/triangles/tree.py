"""A tree of boxes over triangles, built by median splits, eight children to a node.

Nodes stand as in a heap: the children of node i are 8 i + 1 … 8 i + 8. The root may have fewer, so that the number of
leaves is any power of two and every leaf has up to eight triangles. Boxes and triangles lie in lanes: what is asked of
eight of them is asked at once.

A box lies along the mean normal of its triangles. One along the axes is as thick as a slanting piece of surface is
wide, so that points at a distance would have to look into many that are not nearer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy
from numpy.typing import NDArray

WIDE = 8  # children of a node and triangles of a leaf: the lanes that kernels work on
CHILD_BITS = 3  # of WIDE
DEEPEST = 9  # levels of nodes: 8⁹ leaves are more than 32-bit indices reach


class BoxColumn(IntEnum):
    """Where the numbers of a child's box begin."""

    SIDES = 0  # three unit vectors along its sides
    MIDDLES = 9  # where its middle lies along each of them
    HALVES = 12  # half the length of each side
    COUNT = 15


class TriangleColumn(IntEnum):
    """Where the numbers of a triangle begin; the reciprocals are 0 where there is no length."""

    CORNER = 0
    EDGE_A = 3  # from the corner to the second one
    EDGE_B = 6  # from the corner to the third one
    NORMAL = 9  # cross product of the edges
    PER_NORMAL = 12  # reciprocal of the normal's squared length
    PER_EDGE_A = 13  # of the first edge's
    PER_EDGE_B = 14  # of the second edge's
    PER_THIRD = 15  # of that of the edge opposite the corner
    COUNT = 16


class FarFieldColumn(IntEnum):
    """Where the numbers of a child's far field begin, see `far_fields`."""

    CENTRE = 0
    BEGINS = 3  # squared distance from the centre at which it begins
    NORMAL = 4  # sum of areas times normals
    MOMENTS = 7  # six second moments, as SYMMETRIC
    COUNT = 13


# Where the far field of a node begins, in radii about its centre. Barill et al. 2018 take 2, at which winding numbers
# of a coarse sphere were wrong by up to 0.065; at 2.5 by 0.035.
FAR_FIELD_RADII = 2.5

Floats = NDArray[numpy.float32]

EMPTY = 1e18  # a coordinate of empty boxes; what is farther off has no winding number
REACH = 0.25 * EMPTY  # what is farther off does not walk the tree: it would be nearer to empty boxes than to the mesh
BOX_MARGIN = 1e-6  # by which boxes are larger than what is in them, whose coordinates are at most 1
SYMMETRIC = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))  # entries of a symmetric matrix


@dataclass(frozen=True)
class Tree:
    """What kernels walk.

    Attributes:
        boxes: (nodes, 15, 8), those of a node's children, see BoxColumn; a missing child's is empty, and far away.
        triangles: (leaves, 16, 8), see TriangleColumn; where there are fewer than eight, the rest are points of the
            first.
        faces: (leaves, 8), which face each of them is.
        first_leaf: the number of the first leaf, as a node.
        scale: a power of two that makes all of it about one large; boxes and triangles are scaled by it.
    """

    boxes: Floats
    triangles: Floats
    faces: NDArray[numpy.int32]
    first_leaf: int
    scale: float


def build_tree(corners: Floats) -> Tree:
    """The tree over triangles, given by coordinate, triangle and corner (3, F, 3), F at least 1, finite."""
    scale = _scale(corners)
    corners = corners * numpy.float32(scale)
    faces, used = _leaves(_sum(corners))
    triangles = corners.take(faces, axis=1)  # (3, leaves, 8, 3 corners)
    # A point has no area, and is no nearer than its triangle.
    triangles = numpy.where(used[:, :, None], triangles, triangles[:, :, :, :1])
    levels = _levels(len(faces))
    numbers = _triangles(triangles)
    return Tree(
        _heaped(levels, _boxes(triangles, numbers, levels), BoxColumn.COUNT),
        numbers,
        faces,
        (WIDE ** len(levels) - 1) // (WIDE - 1),
        scale,
    )


def _scale(corners: Floats) -> float:
    """The power of two that makes the largest coordinate between a half and one; 1 for a mesh at 0."""
    reach = float(max(corners.max(), -corners.min()))
    return 2.0 ** -min(max(math.frexp(reach)[1], -120), 120) if reach > 0.0 else 1.0


def _sum(corners: NDArray[Any]) -> NDArray[Any]:
    """The sum of three corners, which stand along the last axis; numpy's own takes ten times as long for three."""
    total: NDArray[Any] = corners[..., 0] + corners[..., 1] + corners[..., 2]
    return total


def _leaves(centres: Floats) -> tuple[NDArray[numpy.int32], NDArray[numpy.bool_]]:
    """The faces of each leaf (leaves, 8), of centres (3, F), and which of them are not there to fill it up.

    A node's faces are halved at the median of their centres along the longest side of the centres' box.
    """
    count = centres.shape[1]
    splits = max(0, math.ceil(math.log2(count / WIDE)))
    each = math.ceil(count / 2**splits)
    spare = each * 2**splits - count
    # Some faces are there twice, evenly spread, so that all leaves have as many.
    index = numpy.concatenate([numpy.arange(count), numpy.arange(spare) * count // max(spare, 1)]).astype(numpy.int32)
    centres = centres.take(index, axis=1)
    slots = numpy.arange(len(index), dtype=numpy.int32)[None]
    for _ in range(splits):
        found = centres.take(slots, axis=1)  # (3, nodes, faces of one)
        axis = (found.max(axis=2) - found.min(axis=2)).argmax(axis=0)
        along = found[axis, numpy.arange(len(slots))]
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


def _heaped(levels: list[int], by_level: list[Floats], rows: int) -> Floats:
    """Numbers of the levels' nodes (nodes of a level, rows, 8) in the order of a heap; those of missing nodes are 0."""
    starts = [(WIDE**level - 1) // (WIDE - 1) for level in range(len(levels))]
    size = starts[-1] + levels[-1] if levels else 0
    heap = numpy.zeros((size, rows, WIDE), dtype=numpy.float32)
    for start, numbers in zip(starts, by_level, strict=True):
        heap[start : start + len(numbers)] = numbers
    return heap


def _triangles(corners: Floats) -> Floats:
    """The leaves' triangles (3, leaves, 8, 3) as numbers (leaves, 16, 8)."""
    first = corners[..., 0]
    edge, other = corners[..., 1] - first, corners[..., 2] - first
    vectors = [first, edge, other, numpy.cross(edge, other, axis=0)]
    squares = numpy.stack([_dot(vector, vector) for vector in (vectors[3], edge, other, other - edge)])
    with numpy.errstate(divide="ignore"):
        reciprocals = numpy.where(squares > numpy.finfo(numpy.float32).tiny, 1.0 / squares, 0.0)
    return numpy.ascontiguousarray(numpy.concatenate([*vectors, reciprocals]).swapaxes(0, 1), numpy.float32)


def _children(values: NDArray[Any], missing: float) -> NDArray[Any]:
    """Values (K, n) of a level's nodes by their parents (K, parents, 8); a root's missing children have `missing`."""
    gap = -values.shape[1] % WIDE
    if gap:
        values = numpy.concatenate([values, numpy.full((len(values), gap), missing, values.dtype)], axis=1)
    return values.reshape(len(values), -1, WIDE)


def _boxes(triangles: Floats, numbers: Floats, levels: list[int]) -> list[Floats]:
    """The boxes (nodes, 15, 8) of every level's children, of the leaves' triangles and the numbers of these."""
    leaves = triangles.shape[1]
    points = numpy.ascontiguousarray(triangles.reshape(3, leaves, -1).swapaxes(1, 2))  # (3, 24, leaves)
    normals = numbers[:, TriangleColumn.NORMAL : TriangleColumn.PER_NORMAL].sum(axis=2).T
    axes = _axes(normals, points.max(axis=1) - points.min(axis=1))
    along = numpy.stack([_dot(axis[:, None], points) for axis in axes])
    low, high = along.min(axis=1), along.max(axis=1)
    by_level: list[Floats] = []
    for _ in levels:
        boxes = numpy.concatenate([axes.reshape(9, -1), 0.5 * (low + high), 0.5 * (high - low) + BOX_MARGIN])
        children = _children(boxes, 0.0)
        missing = _children(numpy.zeros_like(low[:1], dtype=bool), True)[0]
        sides, middles, halves = numpy.split(children, [BoxColumn.MIDDLES, BoxColumn.HALVES])  # views
        middles[:, missing] = EMPTY
        sides[:, missing] = numpy.eye(3, dtype=numpy.float32).reshape(9, 1)
        by_level.append(children.swapaxes(0, 1))
        # A box around boxes: along its axes, every child reaches from its middle by what its half sides come to.
        sides = sides.reshape(3, 3, -1, WIDE)
        centres = numpy.stack([_dot(sides[:, axis], middles) for axis in range(3)])
        normals = _children(normals, 0.0).sum(axis=2)
        known = numpy.where(missing, centres[:, :, :1], centres)
        axes = _axes(normals, known.max(axis=2) - known.min(axis=2))
        along = numpy.stack([_dot(axis[:, :, None], known) for axis in axes])
        shares = [numpy.abs([_dot(axis[:, :, None], side) for side in sides]) for axis in axes]
        reach = numpy.where(missing, 0.0, numpy.stack([_dot(share, halves) for share in shares]))
        low, high = (along - reach).min(axis=2), (along + reach).max(axis=2)
    return by_level[::-1]


def _axes(normals: NDArray[Any], spread: Floats) -> Floats:
    """Three unit vectors (axis, coordinate, n), the first of them along normals (3, n), if these are not 0.

    The second lies as near as it can to the coordinate axis along which there is most `spread` (3, n).
    """
    normals = normals.astype(numpy.float64)  # squares of small ones would have few digits
    length = numpy.sqrt(_dot(normals, normals))
    upright = numpy.where(length > 0.0, normals / numpy.where(length > 0.0, length, 1.0), [[0.0], [0.0], [1.0]])
    # Along the normal itself nothing is left of it.
    longest = numpy.where(numpy.abs(upright) > 0.9, -1.0, spread).argmax(axis=0)
    coordinate = numpy.eye(3)[:, longest]
    aside = coordinate - _dot(upright, coordinate) * upright
    aside = aside / numpy.sqrt(_dot(aside, aside))
    return numpy.stack([upright, aside, numpy.cross(upright, aside, axis=0)]).astype(numpy.float32)


def _dot(a: Any, b: Any) -> Any:
    """The sum of products over the first axis, of three."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def far_fields(triangles: Floats) -> Floats:
    """The far fields (nodes, 13, 8) of every node's children, of a tree's triangles (leaves, 16, 8).

    The solid angle of triangles t of areas a, centres c and unit normals n about a point q is, with r = p - q, to
    the second order about p = Σ a c / Σ a,  N · r / |r|³ + tr M / |r|³ - 3 r · M r / |r|⁵,  N = Σ a n and
    M = Σ (c - p) ⊗ a n, of which only the symmetric part counts (Barill et al. 2018, section 3).
    """
    levels = _levels(len(triangles))
    first, edge, other, across = triangles[:, : TriangleColumn.PER_NORMAL].reshape(-1, 4, 3, WIDE).transpose(1, 2, 0, 3)
    points = numpy.concatenate([first, first + edge, first + other], axis=2)  # (3, leaves, 24)
    vectors = 0.5 * across.astype(numpy.float64)  # (3, leaves, 8)
    areas = numpy.sqrt((vectors**2).sum(axis=0))
    centres = first + (edge.astype(numpy.float64) + other) / 3.0
    moments = numpy.stack([centres[i] * vectors[j] + centres[j] * vectors[i] for i, j in SYMMETRIC]) * 0.5
    # Of each node: area, Σ a c, N, and Σ c ⊗ a n.
    sums = numpy.concatenate([areas[None], areas * centres, vectors, moments]).sum(axis=2)
    by_level: list[Floats] = []
    for level in range(len(levels)):
        area, weighted, normal, moment = sums[0], sums[1:4], sums[4:7], sums[7:]
        centre = numpy.where(area > 0.0, weighted / numpy.where(area > 0.0, area, 1.0), points[:, :, 0])
        squares = sum((points[axis] - centre[axis, :, None].astype(numpy.float32)) ** 2 for axis in range(3))
        second = [
            moment[k] - 0.5 * (centre[i] * normal[j] + centre[j] * normal[i]) for k, (i, j) in enumerate(SYMMETRIC)
        ]
        begins = FAR_FIELD_RADII**2 * squares.max(axis=1)
        numbers = numpy.concatenate([centre, begins[None], normal, second])
        by_level.append(_children(numbers, 0.0).swapaxes(0, 1).astype(numpy.float32))
        sums = _children(sums, 0.0).sum(axis=2)
        if level + 1 < len(levels):
            points = points.reshape(3, points.shape[1] // WIDE, -1)
    return _heaped(levels, by_level[::-1], FarFieldColumn.COUNT)
