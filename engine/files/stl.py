"""Triangles of .stl files.

trimesh takes text whose title has the words of the format for broken, and refuses what is longer than its triangles.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path

import numpy as np

from .polygons import Polygons

HEADER, RECORD = 84, 50  # bytes before the triangles, and of each: a normal, three corners, two bytes
FACET_END = re.compile(r"^[ \t]*endfacet\b", re.IGNORECASE | re.MULTILINE)
VERTEX = re.compile(r"^[ \t]*vertex[ \t]+(\S+)[ \t]+(\S+)[ \t]+(\S+)[ \t]*$", re.IGNORECASE | re.MULTILINE)


def read_stl(path: Path) -> Polygons:
    """The triangles of an .stl file, text or binary, with three vertices of its own for each.

    Raises:
        ValueError: it is cut short, or its vertices are no numbers; says so.
        OSError: the file cannot be read.
    """
    content = path.read_bytes()
    # Text would be taken for 10⁸ triangles and more.
    count = struct.unpack_from("<I", content, HEADER - 4)[0] if len(content) >= HEADER else 0
    if 0 < count <= (len(content) - HEADER) // RECORD:
        records = np.frombuffer(content, np.uint8, count * RECORD, HEADER).reshape(count, RECORD)
        vertices = records[:, 12:48].copy().view("<f4").astype(np.float64).reshape(-1, 3)
    else:
        vertices = _text_vertices(content)
    return Polygons(vertices, np.arange(len(vertices)), np.full(len(vertices) // 3, 3))


def _text_vertices(content: bytes) -> np.ndarray:
    """The vertices (3 F, 3) of a text."""
    text = content.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")
    if not text.lstrip().lower().startswith("solid"):
        raise ValueError("expected a whole .stl file, text or binary")
    found = VERTEX.findall(text)
    ends = len(FACET_END.findall(text))
    if len(found) != 3 * ends:
        raise ValueError(f"expected three vertices of three numbers for each triangle, got {len(found)} for {ends}")
    try:
        return np.array(found, np.float64).reshape(-1, 3)
    except ValueError as error:
        raise ValueError(f"vertices: expected numbers: {error}") from None
