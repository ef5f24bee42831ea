"""Vertices and faces of Wavefront .obj files.

trimesh takes negative indices for those from the end of the file; they count back from the line they stand in.
"""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .polygons import Polygons

ATTRIBUTES = re.compile(r"/\S*")  # of a corner: which texture coordinate and normal it has


def read_obj(path: Path) -> Polygons:
    """The polygons of an .obj file; lines, points, curves, normals and texture coordinates are left out.

    Raises:
        ValueError: a vertex has no three numbers, a face no three corners, or a corner names no vertex; says which.
        OSError: the file cannot be read.
    """
    vertices: list[str] = []
    faces: list[str] = []
    known: list[int] = []  # of each face: how many vertices stand before it
    for line in _lines(path):
        words = line.lstrip()
        if words[:2] in ("v ", "v\t"):
            vertices.append(words[2:])
        elif words[:2] in ("f ", "f\t"):
            faces.append(words[2:])
            known.append(len(vertices))
    return Polygons(_coordinates(vertices), *_corners(faces, known, len(vertices)))


def _lines(path: Path) -> list[str]:
    """The lines, without byte-order mark, however they end; one that ends in a backslash goes on in the next."""
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\\\n", " ")
    return text.split("\n")


def _coordinates(lines: list[str]) -> NDArray[np.float64]:
    """The first three numbers (V, 3) of each line; weights and colours may follow."""
    words = [line.split() for line in lines]
    short = next((number for number, found in enumerate(words) if len(found) < 3), None)
    if short is not None:
        raise ValueError(f"vertex {short + 1}: expected three numbers, got {lines[short].strip()[:80]!r}")
    try:
        flat = np.array(list(chain.from_iterable(found[:3] for found in words)), np.float64)
    except ValueError as error:
        raise ValueError(f"vertices: expected numbers: {error}") from None
    return flat.reshape(-1, 3)


def _corners(lines: list[str], known: list[int], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of vertices from 0 on (C,), and corners of each face (P,)."""
    words = [line.split() for line in ATTRIBUTES.sub("", "\n".join(lines)).split("\n")] if lines else []
    sizes = np.array(list(map(len, words)), np.int64)
    if (sizes < 3).any():
        face = int((sizes < 3).argmax())
        raise ValueError(f"face {face + 1}: expected three corners or more, got {lines[face].strip()[:80]!r}")
    try:
        given = np.array(list(chain.from_iterable(words)), np.int64)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"faces: expected whole numbers: {error}") from None
    corners = np.where(given > 0, given - 1, np.repeat(np.array(known, np.int64), sizes) + given)
    wrong = (given == 0) | (corners < 0) | (corners >= count)
    if wrong.any():
        corner = int(wrong.argmax())
        face = int(np.searchsorted(np.cumsum(sizes), corner, side="right"))
        raise ValueError(f"face {face + 1}: expected vertices from 1 to {count}, or -1 back, got {given[corner]}")
    return corners, sizes
