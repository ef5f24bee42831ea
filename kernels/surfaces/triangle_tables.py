"""The cells of marching cubes: which triangles each pattern of signs at the corners gives; made here, not listed.

Corner c of a cell lies at (c & 1, c >> 1 & 1, c >> 2 & 1); bit c of a pattern says that it is inside. On each face the
crossed edges are joined in pairs. Four crossed edges can be joined in two ways; which one, the values decide, once for
both cells (G. Nielson and B. Hamann, "The asymptotic decider", 1991). The segments of a cell's faces form loops, and
each loop is filled with triangles. No side of a triangle lies in a face but the segments themselves, so no two cells
draw the same side twice; where a loop of eight or more cannot be filled like that, its triangles meet in the middle of
the cell.
"""

import functools
import itertools
from enum import IntEnum

import torch

CENTRE = 12  # number of the vertex in the middle of the cell, after those on its twelve edges

# Edge 4 · axis + n from a lower corner to the upper one along the axis; n counts along the other two axes.
EDGES = tuple(
    (low, low | 1 << axis)
    for axis in range(3)
    for n in range(4)
    for low in [sum((n >> place & 1) << other for place, other in enumerate(a for a in range(3) if a != axis))]
)

# Corners of face 2 · axis + side, counter-clockwise seen from outside the cell.
FACES = tuple(
    (corners if side else corners[::-1])
    for axis in range(3)
    for side in range(2)
    for u, v in [(1 << (axis + 1) % 3, 1 << (axis + 2) % 3)]
    for base in [side << axis]
    for corners in [(base, base | u, base | u | v, base | v)]
)

_EDGE_OF = {frozenset(ends): number for number, ends in enumerate(EDGES)}
_FACE_EDGES = tuple(
    tuple(_EDGE_OF[frozenset((corners[at], corners[(at + 1) % 4]))] for at in range(4)) for corners in FACES
)

MOST_TRIANGLES = 12


class PatternColumn(IntEnum):
    """What is known of a pattern of signs."""

    FIRST = 0  # number of its first triangulation; the decisions on its ambiguous faces, as bits, are added to it
    AMBIGUOUS = 1  # these faces as bits


class TriangulationColumn(IntEnum):
    """What is known of a cell's triangles."""

    COUNT = 0
    HAS_CENTRE = 1  # 1 if they meet in the CENTRE
    TRIANGLES = 2  # each as edge + 16 edge + 256 edge; up to MOST_TRIANGLES


Triangle = tuple[int, int, int]


def ambiguous_faces(pattern: int) -> list[int]:
    """Faces whose corners are inside and outside in turn."""
    return [
        face
        for face, corners in enumerate(FACES)
        if [pattern >> corner & 1 for corner in corners] in ([0, 1, 0, 1], [1, 0, 1, 0])
    ]


def loops(pattern: int, joined: tuple[bool, ...]) -> list[list[int]]:
    """Crossed edges of a cell as loops, counter-clockwise seen from outside the surface.

    `joined` says for each of the ambiguous faces whether its two inside corners are connected across it.
    """
    decisions = dict(zip(ambiguous_faces(pattern), joined, strict=True))
    following = {}
    for face, corners in enumerate(FACES):
        inside = [pattern >> corner & 1 for corner in corners]
        for leaves in (at for at in range(4) if inside[at] and not inside[(at + 1) % 4]):
            enters = [at for at in range(4) if not inside[at] and inside[(at + 1) % 4]]
            if face in decisions:
                enters = [(leaves + 1) % 4 if decisions[face] else (leaves - 1) % 4]
            following[_FACE_EDGES[face][enters[0]]] = _FACE_EDGES[face][leaves]
    found = []
    while following:
        loop = [min(following)]
        while (edge := following.pop(loop[-1])) != loop[0]:
            loop.append(edge)
        found.append(loop)
    return found


@functools.cache
def fill_loop(loop: tuple[int, ...]) -> list[Triangle]:
    """Triangles that fill a loop, with the shortest diagonals there are; meeting in the CENTRE if there are none."""

    @functools.cache
    def best(first: int, last: int) -> tuple[float, tuple[Triangle, ...]] | None:
        """Length of the diagonals, and triangles, of the part of the loop from `first` to `last`."""
        if last - first == 1:
            return 0.0, ()
        choices = []
        for middle in range(first + 1, last):
            below, above = best(first, middle), best(middle, last)
            near, far = side(first, middle), side(middle, last)
            if below is not None and above is not None and near is not None and far is not None:
                triangle = (loop[first], loop[middle], loop[last])
                choices.append((below[0] + above[0] + near + far, (triangle, *below[1], *above[1])))
        return min(choices, default=None)

    def side(first: int, last: int) -> float | None:
        """Length of a triangle's side if it is a diagonal; None if it is one that must not be."""
        return _diagonal(loop[first], loop[last]) if last - first > 1 else 0.0

    filled = best(0, len(loop) - 1)
    if filled is not None:
        return list(filled[1])
    return [(CENTRE, edge, loop[(at + 1) % len(loop)]) for at, edge in enumerate(loop)]


def _diagonal(first: int, second: int) -> float | None:
    """Square of the length between the middles of two edges; None if they lie on one face."""
    if any(first in edges and second in edges for edges in _FACE_EDGES):
        return None
    ends = [[sum(c >> axis & 1 for c in EDGES[edge]) / 2.0 for axis in range(3)] for edge in (first, second)]
    return float(sum((a - b) ** 2 for a, b in zip(*ends, strict=True)))


@functools.cache
def triangle_tables(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """What kernels read: patterns (256, 2) int32 and triangulations (T, 14) int32, see PatternColumn and
    TriangulationColumn.

    The decisions on a pattern's ambiguous faces, the lowest face's lowest, count its triangulations from the first on.
    """
    patterns: list[list[int]] = []
    triangulations: list[list[int]] = []
    for pattern in range(256):
        faces = ambiguous_faces(pattern)
        patterns.append([len(triangulations), sum(1 << face for face in faces)])
        for bits in itertools.product((False, True), repeat=len(faces)):
            triangles = [t for loop in loops(pattern, bits[::-1]) for t in fill_loop(tuple(loop))]
            packed = [a | b << 4 | c << 8 for a, b, c in triangles]
            centred = int(any(CENTRE in triangle for triangle in triangles))
            triangulations.append([len(packed), centred, *packed, *[0] * (MOST_TRIANGLES - len(packed))])
    return (
        torch.tensor(patterns, dtype=torch.int32, device=device),
        torch.tensor(triangulations, dtype=torch.int32, device=device),
    )
