"""Device code for where a surface crosses edges and faces of cells."""

from ..runtime import ti
from .bits import lowest_bit

# Vertices keep this share of an edge away from its ends. One on a node would be there once for each of the node's
# edges, and triangles between them would be degenerate. In cells of 2^-12 of the bounds float32 still tells them apart.
MARGIN = 1e-3


@ti.func
def share_of_edge(start, end, level):
    """Where along an edge the level is reached, 0 … 1, kept away from its ends; NaN if an end is not finite."""
    low = start * 0.0 + MARGIN
    share = ti.min(ti.max((level - start) / (end - start), low), 1.0 - low)
    # The fast maths of the backend may lose what is not finite on the way.
    bad = ti.math.isnan(start) or ti.math.isnan(end) or ti.math.isinf(start) or ti.math.isinf(end)
    return ti.select(bad, ti.math.nan, share)


@ti.func
def ambiguous_faces(a, b, c, d):
    """Which faces have inside and outside corners in turn, of signs of the corners as bits; a and d are opposite."""
    return (a ^ b) & ~(a ^ d) & ~(b ^ c)


@ti.func
def face_is_joined(a, b, c, d, level):
    """Whether the corners a and d, or b and c, whichever are inside, are connected across an ambiguous face.

    The sign of the bilinear interpolant where its slope is zero. Products of the same two numbers are the same in both
    cells that share the face.
    """
    first = (a - level) * (d - level)
    second = (b - level) * (c - level)
    joined = second > first
    if a < level:
        joined = first > second
    return joined


@ti.func
def joined_faces(faces, values: ti.template(), first, step_b, step_c, level):
    """Which of the ambiguous faces, bits of a word, are joined: those of nodes a at `first` + bit, b, c and d."""
    joined = ti.u32(0)
    while faces != ti.u32(0):
        bit = lowest_bit(faces)
        faces &= faces - ti.u32(1)
        at = first + bit
        if face_is_joined(values[at], values[at + step_b], values[at + step_c], values[at + step_b + step_c], level):
            joined |= ti.u32(1) << bit
    return joined


@ti.func
def write_crossing(
    vertices: ti.template(), vertex, coordinates: ti.template(), first, bit, axis: ti.template(), start, end, level
):  # fmt: skip
    """Write where the edge along an axis reaches the level, between values `start` and `end`.

    `first` is where those of its word's first node stand in the coordinates, for each axis.
    """
    corner = ti.Vector([coordinates[first[0]], coordinates[first[1]], coordinates[first[2] + bit]])
    after = coordinates[first[axis] + 1]
    if ti.static(axis == 2):
        after = coordinates[first[2] + bit + 1]
    corner[axis] += share_of_edge(start, end, level) * (after - corner[axis])
    for entry in ti.static(range(3)):
        vertices[vertex, entry] = corner[entry]
