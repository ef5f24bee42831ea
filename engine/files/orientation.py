"""Which way the faces of a mesh look, how they hang together, and what is open: found and, where it is sure, mended."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ...kernels import MeshTree
from ...kernels.triangles import part_numbers

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

NEARLY = 1e-6  # of the longest side, between vertices that are nearly alike
NO_VOLUME = 1e-9  # of the area's three halves' power, of which a sphere has 0.09
OPEN_VOLUME = 0.01  # the same of what is open, about its middle, of which half a sphere has 0.1
FLAT = 1e-6  # thickness of a flat mesh, of its largest extent
SHELL = 'with sign = "none" it is a shell'  # what can be done, for notes


class Oriented(NamedTuple):
    """Faces (F, 3), whether an edge belongs to an odd number of them, and what was found, a sentence each."""

    faces: Integers
    is_open: bool
    notes: tuple[str, ...]


class _Edges(NamedTuple):
    """The sides of faces, those between the same two vertices next to each other.

    Attributes:
        face: (3 F,) which face each is a side of.
        ends: (3 F, 2) the two vertices, the smaller one first.
        forward: (3 F,) whether the face runs from the smaller to the larger one.
        number: (3 F,) of the edge that it lies on, ascending.
        used: (3 F,) how many sides lie on that edge.
    """

    face: Integers
    ends: Integers
    forward: Flags
    number: Integers
    used: Integers


def oriented(vertices: Floats, faces: Integers) -> Oriented:
    """The faces of a mesh, turned where they face the wrong way, and what there is to say about it.

    Neighbours that run through their common edge in one direction are made to agree. Closed parts are made to face
    outwards unless they lie inside of others, where one that faces inwards is a cavity; open ones are turned together,
    if their volume about their middle says so. A face that is there twice counts once; those that are there in both
    directions enclose nothing and are left alone.

    Args:
        vertices: (V, 3), finite where faces use them.
        faces: (F, 3), F at least 1.
    """
    notes: list[str] = []
    welded = _welded(vertices, faces)
    faces, is_pair, is_point = _without_copies(faces, welded, notes)
    is_single = ~is_pair & ~is_point
    faces = faces.copy()
    is_open = False
    if is_single.any():
        faces[is_single], is_open = _turned(vertices, faces[is_single], welded, notes)
    _note_missing_inside(vertices, faces, is_pair, notes)
    return Oriented(faces, is_open, tuple(notes))


def _welded(vertices: Floats, faces: Integers) -> Integers:
    """Of each vertex the number of one at its place: files may hold one for each of its triangles.

    If faces do not close so, vertices that are nearly alike are one too: seams differ by rounding.
    """
    welded = _first_alike(vertices + 0.0)  # -0 is 0
    if not (_edges_of(welded[faces]).used % 2 == 1).any():
        return welded
    cell = NEARLY * float(np.ptp(vertices[faces].reshape(-1, 3), axis=0).max())
    if not cell > 0.0:
        return welded
    # Two that lie in different cells, between which there is a border, lie in one of cells half a side off.
    low = vertices.min(axis=0)
    alike = [_first_alike(np.floor((vertices - low) / cell + shift)) for shift in (0.0, 0.5)]
    numbers = np.arange(len(vertices))
    sides = np.concatenate([np.stack([numbers, other], axis=1) for other in (welded, *alike)])
    return part_numbers(torch.from_numpy(sides), len(vertices)).numpy()


def _first_alike(rows: NDArray[np.generic]) -> Integers:
    """Of each row (N, 3) of 64-bit numbers the number of the first one that is equal to it."""
    bits = np.ascontiguousarray(rows).view(np.uint64)
    # One number for a row, since sorting rows takes ten times as long; two rows share one in one of 2⁶⁴ cases.
    mixed = bits[:, 0] * np.uint64(0x9E3779B97F4A7C15)
    for column in (1, 2):
        mixed = ((mixed ^ (mixed >> np.uint64(29))) + bits[:, column]) * np.uint64(0xBF58476D1CE4E5B9)
    _, first, inverse = np.unique(mixed, return_index=True, return_inverse=True)
    numbers: Integers = first[inverse]
    return numbers


def _without_copies(faces: Integers, welded: Integers, notes: list[str]) -> tuple[Integers, Flags, Flags]:
    """The faces without copies; which are there in the opposite direction too, and which are less than a triangle."""
    corners = welded[faces]
    order = np.argsort(corners, axis=1)
    is_point = (np.diff(np.take_along_axis(corners, order, axis=1), axis=1) == 0).any(axis=1)
    is_odd = (order[:, 1] - order[:, 0]) % 3 != 1  # of the six orders, the three that run through the corners backwards
    body = _first_alike(np.take_along_axis(corners, order, axis=1))
    has_forward, has_backward = (np.zeros(len(faces), bool) for _ in range(2))
    has_forward[body[~is_odd]] = has_backward[body[is_odd]] = True
    is_copy = np.ones(len(faces), bool)
    is_copy[np.unique(2 * body + is_odd, return_index=True)[1]] = False
    kept = ~is_copy | is_point
    copies = int((~kept).sum())
    if copies:
        notes.append(f"{copies} of {len(faces)} faces are there twice and count once")
    return faces[kept], ((has_forward & has_backward)[body] & ~is_point)[kept], is_point[kept]


def _turned(vertices: Floats, faces: Integers, welded: Integers, notes: list[str]) -> tuple[Integers, bool]:
    """Faces that agree with their neighbours and whose parts face outwards, and whether they are open."""
    edges = _edges_of(welded[faces])
    is_turned, parts = _disagreeing(edges, len(faces), notes)
    faces = np.where(is_turned[:, None], faces[:, ::-1], faces)
    forward = edges.forward ^ is_turned[edges.face]
    is_open = _open_parts(edges, forward, parts)
    faces = _facing_outwards(vertices, faces, parts, is_open, notes)
    border = edges.ends[edges.used % 2 == 1]
    if len(border):
        notes.append(_border_note(vertices, border, float(np.ptp(vertices[faces].reshape(-1, 3), axis=0).max())))
    return faces, len(border) > 0


def _edges_of(corners: Integers) -> _Edges:
    """The sides of faces (F, 3)."""
    start, end = corners.ravel(), np.roll(corners, -1, axis=1).ravel()
    low, high = np.minimum(start, end), np.maximum(start, end)
    key = low * (int(corners.max()) + 1) + high
    order = np.argsort(key, kind="stable")
    is_first = np.concatenate([[True], np.diff(key[order]) != 0])
    number = np.cumsum(is_first) - 1
    return _Edges(
        order // 3,
        np.stack([low, high], axis=1)[order],
        (start == low)[order],
        number,
        np.bincount(number)[number],
    )


def _disagreeing(edges: _Edges, count: int, notes: list[str]) -> tuple[Flags, Integers]:
    """Which faces (F,) are to be turned so that neighbours agree, and the part (F,) that each belongs to."""
    first = np.flatnonzero((edges.used == 2) & np.concatenate([[True], np.diff(edges.number) != 0]))
    one, other = edges.face[first], edges.face[first + 1]
    clash = edges.forward[first] == edges.forward[first + 1]
    # Each face is there twice, as it is and turned, and hangs together with its neighbours as these agree with it.
    turned = other + count * clash
    starts, ends = np.concatenate([one, one + count]), np.concatenate([turned, (turned + count) % (2 * count)])
    numbers = part_numbers(torch.from_numpy(np.stack([starts, ends], axis=1)), 2 * count).numpy()
    as_it_is, as_turned = numbers[:count], numbers[count:]
    parts = np.unique(np.minimum(as_it_is, as_turned), return_inverse=True)[1]
    one_sided = as_it_is == as_turned
    if one_sided.any():
        notes.append(f"{int(one_sided.sum())} faces have no two sides, as on a Möbius strip: they have no inside")
    # Of the two ways in which a part agrees with itself, that which turns fewer faces.
    is_turned = as_turned < as_it_is
    share = np.bincount(parts, weights=is_turned) / np.bincount(parts)
    is_turned = (is_turned ^ (share > 0.5)[parts]) & ~one_sided
    if is_turned.any():
        notes.append(f"{int(is_turned.sum())} of {count} faces ran against their neighbours and were turned")
    return is_turned, parts


def _open_parts(edges: _Edges, forward: Flags, parts: Integers) -> Flags:
    """Which parts (P,) have an edge that their faces do not run through as often in one direction as in the other."""
    count = int(parts.max()) + 1
    part = parts[edges.face]
    pair = np.unique(edges.number * count + part, return_inverse=True)[1]
    balance = np.bincount(pair, weights=np.where(forward, 1.0, -1.0))
    is_open = np.zeros(count, bool)
    is_open[part[balance[pair] != 0.0]] = True
    return is_open


def _facing_outwards(vertices: Floats, faces: Integers, parts: Integers, is_open: Flags, notes: list[str]) -> Integers:
    """The faces, turned with their part where it faces inwards."""
    corners = vertices[faces]
    corners = corners - corners.mean(axis=(0, 1))
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    volume = np.bincount(parts, weights=np.einsum("ij,ij->i", corners[:, 0], across)) / 6.0
    area = np.bincount(parts, weights=np.linalg.norm(across, axis=1)) / 2.0
    inward = ~is_open & (volume < -NO_VOLUME * area**1.5)
    if inward.any():
        outward = np.where(inward[parts][:, None], faces[:, ::-1], faces)
        inward &= ~_inside_others(vertices, outward, parts, inward, is_open)
    if inward.any():
        notes.append(f"{int(inward.sum())} of {len(volume)} parts faced inwards and were turned")
    loose = is_open[parts]
    if loose.any():
        middle = corners[loose].mean(axis=(0, 1))
        about = float(np.einsum("ij,ij->", corners[loose][:, 0] - middle, across[loose])) / 6.0
        if about < -OPEN_VOLUME * area[is_open].sum() ** 1.5:
            inward |= is_open
            notes.append("what is open faced inwards and was turned")
    return np.where(inward[parts][:, None], faces[:, ::-1], faces)


def _inside_others(vertices: Floats, outward: Integers, parts: Integers, asked: Flags, is_open: Flags) -> Flags:
    """Which of the parts that are asked for lie inside of other closed parts, all of which face outwards."""
    closed = ~is_open[parts]
    corners = vertices[outward[closed]]
    low, high = (np.full((len(asked), 3), bound) for bound in (np.inf, -np.inf))
    np.minimum.at(low, parts[closed], corners.min(axis=1))
    np.maximum.at(high, parts[closed], corners.max(axis=1))
    found = np.zeros(len(asked), bool)
    # Only a part whose box lies in another one's can be inside of that.
    asked = np.array([
        bool(asked[part] and (((low <= low[part]) & (high >= high[part])).all(axis=1).sum() > 1))
        for part in range(len(asked))
    ])  # fmt: skip
    if not asked.any():
        return found
    middle = vertices[outward].mean(axis=(0, 1))
    scale = 1.0 / max(float(np.abs(corners - middle).max()), np.finfo(np.float64).tiny)
    places = torch.from_numpy((vertices - middle) * scale).float()
    tree = MeshTree(places, torch.from_numpy(outward[closed]))
    for part in np.flatnonzero(asked):
        own = outward[parts == part]
        point = places[own[0, :1]]
        whole = float(tree.winding_number(point))
        found[part] = whole - float(MeshTree(places, torch.from_numpy(own)).winding_number(point)) > 0.5
    return found


def _border_note(vertices: Floats, border: Integers, size: float) -> str:
    """What is open: edges (B, 2) that only one face has, of a mesh whose longest side is `size`."""
    used, ends = np.unique(border, return_inverse=True)
    ends = ends.reshape(border.shape)
    hole = part_numbers(torch.from_numpy(ends), len(used)).numpy()[ends[:, 0]]
    lengths = np.linalg.norm(np.diff(vertices[border], axis=1)[:, 0], axis=1)
    of_holes = np.bincount(hole, weights=lengths)
    longest = int(of_holes.argmax())
    digits = 4 - math.ceil(math.log10(max(size, 1e-300)))
    place = ", ".join(f"{at:g}" for at in vertices[border[hole == longest]].mean(axis=(0, 1)).round(digits) + 0.0)
    return (
        f"open: {len(border)} border edges around {len(of_holes)} hole{'s' if len(of_holes) > 1 else ''}, the largest "
        f"{of_holes[longest]:.4g} around at ({place}), of a mesh {size:.4g} long; its inside is a guess, {SHELL}"
    )


def _note_missing_inside(vertices: Floats, faces: Integers, is_pair: Flags, notes: list[str]) -> None:
    """Say where faces enclose nothing."""
    corners = vertices[faces]
    extents = np.linalg.svd(_moments(corners), compute_uv=False) ** 0.5
    pairs = int(is_pair.sum())
    if extents[2] <= FLAT * extents[0]:
        notes.append(f"all of it lies in a plane: it has no inside, {SHELL}")
    elif pairs == len(faces):
        notes.append(f"every face is there in both directions: it has no inside, {SHELL}")
    elif pairs:
        notes.append(f"{pairs} of {len(faces)} faces are there in both directions: they enclose nothing")


def _moments(corners: Floats) -> Floats:
    """The mean of the squares and products (3, 3) of corners' offsets (F, 3, 3) from their middle."""
    offsets = (corners - corners.mean(axis=(0, 1))).reshape(-1, 3)
    moments: Floats = offsets.T @ offsets / len(offsets)
    return moments
