"""Vertices and faces of .ply files."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np

from .polygons import Polygons

CORNERS = ("vertex_indices", "vertex_index")  # of a face
END = re.compile(rb"\bend_header[ \t]*(\r\n|\r|\n)")
REMARKS = ("comment", "obj_info")


def read_ply(path: Path) -> Polygons:
    """The polygons of a .ply file, text or binary; P is 0 if it has vertices only.

    trimesh reads the elements. What it makes of the faces is not looked at: it cuts polygons into fans, also those that
    are not convex.

    Raises:
        Exception: of whatever kind a wrong file makes trimesh stumble over.
        OSError: the file cannot be read.
    """
    from trimesh.exchange.ply import load_ply

    read = load_ply(io.BytesIO(_plain(path.read_bytes())), skip_materials=True)
    elements = read["metadata"]["_ply_raw"]
    vertex = elements["vertex"]["data"]
    vertices = np.stack([np.asarray(vertex[name], np.float64).reshape(-1) for name in "xyz"], axis=1)
    faces = _rows(elements["face"]["data"]) if elements.get("face", {}).get("length") else np.empty((0, 3), np.int64)
    if faces.ndim == 2:
        return Polygons(vertices, faces.astype(np.int64).ravel(), np.full(len(faces), faces.shape[1]))
    sizes = np.array([len(face) for face in faces], np.int64)
    return Polygons(vertices, np.concatenate(list(faces)).astype(np.int64), sizes)


def _rows(data: Any) -> Any:
    """The corners of each face, however trimesh holds them: lists of different lengths, or an array of one length."""
    if isinstance(data, dict):
        return next(data[name] for name in CORNERS if name in data)
    names = data.dtype.names
    if names is None:
        return data
    name = next((name for name in CORNERS if name in names), names[0])
    return data[name]["f1"]


def _plain(content: bytes) -> bytes:
    """The file without remarks in its header, which may be in any encoding, with plain ends of lines and none empty."""
    end = END.search(content)
    if end is None:
        return content
    header = content[: end.end()].decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")
    lines = [line for line in header.split("\n") if not line.lstrip().startswith(REMARKS)]
    body = content[end.end() :]
    if "format ascii" in header:
        body = re.sub(rb"[\r\n][\s]*", b"\n", body).lstrip()
    return "\n".join(lines).encode("latin-1") + body
