"""Meshes of triangles from files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ...kernels.triangles import origin_of
from .endings import MESHES, Up
from .model_files import ModelFileError, check_file, loaded_by_trimesh
from .obj import read_obj
from .orientation import oriented
from .ply import read_ply
from .polygons import Polygons, triangulated
from .stl import read_stl


@dataclass(frozen=True)
class TriangleMesh:
    """A mesh of triangles.

    Attributes:
        vertices: (V, 3) float32, finite where faces use them.
        faces: (F, 3) int32, F at least 1.
        origin: the point of the file that `vertices` are counted from: 0, or far from it the middle of their box.
        is_open: whether some edge belongs to an odd number of faces.
        notes: what was found that makes it other than a closed mesh that faces outwards, a sentence each.
    """

    vertices: torch.Tensor
    faces: torch.Tensor
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    is_open: bool = False
    notes: tuple[str, ...] = ()


def read_mesh(path: str | os.PathLike[str], up: Up = "z") -> TriangleMesh:
    """The triangles of a .ply, .obj, .stl or .glb file; polygons are cut up, the parts of a scene joined.

    What points along the axis `up` in the file points along z in the mesh: (x, y, z) of a file with y up becomes
    (x, -z, y), as programs do that read such files into a space with z up.

    Faces are turned to face outwards, as `oriented` does it; its notes are the mesh's.

    Raises:
        ModelFileError: no mesh, no faces, an index out of range, a vertex that is not finite, or a file too large.
        OSError: the file cannot be read; names it.
    """
    name = os.fspath(path)
    check_file(path, MESHES)
    polygons = _polygons(path)
    _check(name, polygons)
    vertices, faces = polygons.vertices, triangulated(polygons)
    if up == "y":
        vertices = np.stack([vertices[:, 0], -vertices[:, 2], vertices[:, 1]], axis=1)
    used = vertices[faces].reshape(-1, 3)
    origin = origin_of(used.min(axis=0).tolist(), used.max(axis=0).tolist())
    found = oriented(vertices, faces)
    with np.errstate(over="ignore"):
        near = (vertices - origin).astype(np.float32)
    if not np.isfinite(near[faces]).all():
        raise ModelFileError(f"{name}: expected coordinates up to 1e38, got {np.abs(vertices[faces]).max():.3g}")
    notes = found.notes
    if any(origin):
        notes = (f"far from the origin: its coordinates are counted from {origin}", *notes)
    rows = torch.from_numpy(np.ascontiguousarray(found.faces, np.int32))
    return TriangleMesh(torch.from_numpy(near), rows, origin, found.is_open, notes)


def _polygons(path: str | os.PathLike[str]) -> Polygons:
    """The polygons as they stand in the file.

    Raises:
        ModelFileError: it cannot be read as a model; names it.
        OSError: it cannot be read; names it.
    """
    match Path(path).suffix.lower():
        case ".obj":
            read = read_obj
        case ".ply":
            read = read_ply
        case ".stl":
            read = read_stl
        case _:
            loaded = loaded_by_trimesh(path, MESHES)
            faces = np.asarray(getattr(loaded, "faces", ()), np.int64).reshape(-1, 3)
            return Polygons(np.asarray(loaded.vertices, np.float64), faces.ravel(), np.full(len(faces), 3))
    try:
        return read(Path(path))
    except OSError as error:
        raise type(error)(f"{os.fspath(path)}: cannot be read: {(error.strerror or str(error)).lower()}") from None
    except Exception as error:  # a wrong file makes trimesh stumble over anything
        raise ModelFileError(f"{os.fspath(path)}: cannot be read as a model: {error}") from None


def _check(name: str, polygons: Polygons) -> None:
    """Refuse polygons that are none.

    Raises:
        ModelFileError: there are none, or one has too few corners, no such vertex, or a vertex that is not finite.
    """
    vertices, corners, sizes = polygons
    if not len(sizes):
        raise ModelFileError(f"{name}: expected a mesh of triangles, got {len(vertices)} points, no faces")
    if sizes.min() < 3:
        face = int(sizes.argmin())
        raise ModelFileError(f"{name}: face {face}: expected three corners or more, got {sizes[face]}")
    missing = (corners < 0) | (corners >= len(vertices))
    if missing.any():
        wrong = corners[missing][0]
        raise ModelFileError(f"{name}: expected faces of vertices 0 to {len(vertices) - 1}, got {wrong}")
    bad = ~np.isfinite(vertices[corners]).all(axis=1)
    if bad.any():
        corner = int(bad.argmax())
        face = int(np.searchsorted(np.cumsum(sizes), corner, side="right"))
        found = vertices[corners[corner]].tolist()
        raise ModelFileError(f"{name}: face {face}: expected finite vertices, got {found}")
