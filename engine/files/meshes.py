"""Meshes of triangles and clouds of points from files, by trimesh and numpy."""

from __future__ import annotations

import os
import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .endings import MESHES, Up

CLOUDS = (".ply", ".npz", ".xyz")
MOST_BYTES = 2**30  # of a file; what is read takes several times as much memory

POINT_NAMES = ("points", "verts", "vertices", "xyz")  # of an array in an .npz file
NORMAL_NAMES = ("normals", "normal")


class ModelFileError(ValueError):
    """A file that is no mesh or cloud; the message names it and what is wrong."""


@dataclass(frozen=True)
class TriangleMesh:
    """Vertices (V, 3) float32, finite where faces use them, and faces (F, 3) int32, F at least 1."""

    vertices: torch.Tensor
    faces: torch.Tensor


@dataclass(frozen=True)
class PointCloud:
    """Points (N, 3) float32, finite, and their unit normals (N, 3) if the file has them."""

    points: torch.Tensor
    normals: torch.Tensor | None = None


def read_mesh(path: str | os.PathLike[str], up: Up = "z") -> TriangleMesh:
    """The triangles of a .ply, .obj, .stl or .glb file; quads and polygons are split, the parts of a scene joined.

    What points along the axis `up` in the file points along z in the mesh: (x, y, z) of a file with y up becomes
    (x, -z, y), as programs do that read such files into a space with z up.

    A mesh that faces inwards, so that its volume about its middle is negative, is turned to face outwards.

    Raises:
        ModelFileError: no mesh, no faces, an index out of range, a vertex that is not finite, or a file too large.
        OSError: the file cannot be read; names it.
    """
    loaded = _loaded(path, MESHES)
    vertices, faces = np.asarray(loaded.vertices, np.float32), np.asarray(getattr(loaded, "faces", ()), np.int64)
    if not faces.size:
        raise ModelFileError(f"{os.fspath(path)}: expected a mesh of triangles, got {len(vertices)} points, no faces")
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise ModelFileError(
            f"{os.fspath(path)}: expected faces of vertices 0 to {len(vertices) - 1}, got {faces.max()}"
        )
    corners = vertices[faces]
    bad = ~np.isfinite(corners).all(axis=(1, 2))
    if bad.any():
        face = int(bad.argmax())
        raise ModelFileError(f"{os.fspath(path)}: face {face}: expected finite vertices, got {corners[face].tolist()}")
    if up == "y":
        vertices = np.stack([vertices[:, 0], -vertices[:, 2], vertices[:, 1]], axis=1)
    centred = (corners - corners.mean(axis=(0, 1))).astype(np.float64)
    if float(np.einsum("ij,ij->", centred[:, 0], np.cross(centred[:, 1], centred[:, 2]))) < 0.0:
        faces = faces[:, ::-1]
    return TriangleMesh(torch.from_numpy(vertices.copy()), torch.from_numpy(np.ascontiguousarray(faces, np.int32)))


def read_cloud(path: str | os.PathLike[str]) -> PointCloud:
    """The points of a .ply, .npz or .xyz file, with normals if it has them.

    A .ply file has properties x, y, z and may have nx, ny, nz; an .npz file an array (N, 3) named points, verts,
    vertices or xyz, or only one, and may have one named normals; an .xyz file three or six numbers a line.

    Raises:
        ModelFileError: no points, one that is not finite, another shape, or a file too large.
        OSError: the file cannot be read; names it.
    """
    name, suffix = os.fspath(path), Path(path).suffix.lower()
    if suffix == ".ply":
        points, normals = _ply_points(_loaded(path, CLOUDS))
    else:
        _check_file(path, CLOUDS)
        try:
            points, normals = _npz_points(path) if suffix == ".npz" else _xyz_points(path)
        except ModelFileError as error:
            raise ModelFileError(f"{name}: {error}") from None
        except (ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
            raise ModelFileError(f"{name}: no readable {suffix} file: {error}") from None
    if points.ndim != 2 or points.shape[1] != 3:
        raise ModelFileError(f"{name}: expected points (N, 3), got {points.shape}")
    if normals is not None and normals.shape != points.shape:
        raise ModelFileError(f"{name}: expected as many normals as points, {points.shape}, got {normals.shape}")
    for what, numbers in (("point", points), ("normal", normals)):
        bad = np.zeros(1, bool) if numbers is None else ~np.isfinite(numbers).all(axis=1)
        if bad.any():
            raise ModelFileError(f"{name}: {what} {int(bad.argmax())}: expected finite numbers, got NaN or infinity")
    place = torch.from_numpy(points.copy())
    return PointCloud(
        place, None if normals is None else torch.nn.functional.normalize(torch.from_numpy(normals), dim=1)
    )


def _check_file(path: str | os.PathLike[str], suffixes: tuple[str, ...]) -> None:
    """Refuse a file of another kind or too large, before memory is asked for."""
    name = os.fspath(path)
    if Path(path).suffix.lower() not in suffixes:
        raise ModelFileError(f"{name}: expected a name that ends in {', '.join(suffixes)}")
    try:
        status = os.stat(path)
    except OSError as error:
        raise type(error)(f"{name}: cannot be read: {(error.strerror or str(error)).lower()}") from None
    if not stat.S_ISREG(status.st_mode):
        raise ModelFileError(f"{name}: expected a file, got a folder or a device")
    if status.st_size > MOST_BYTES:
        raise ModelFileError(f"{name}: expected at most {MOST_BYTES} bytes, got {status.st_size}")


def _loaded(path: str | os.PathLike[str], suffixes: tuple[str, ...]) -> Any:
    """What trimesh makes of a file: a mesh or a cloud, the parts of a scene as one."""
    import trimesh

    _check_file(path, suffixes)
    try:
        loaded: Any = trimesh.load(os.fspath(path), process=False)
        if isinstance(loaded, trimesh.Scene):
            loaded = trimesh.util.concatenate(loaded.dump())
    except Exception as error:  # its readers raise whatever a wrong file makes them stumble over
        raise ModelFileError(f"{os.fspath(path)}: cannot be read as a model: {error}") from None
    if getattr(loaded, "vertices", None) is None:
        raise ModelFileError(f"{os.fspath(path)}: cannot be read as a model: there is nothing in it")
    return loaded


def _ply_points(loaded: Any) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    raw = loaded.metadata.get("_ply_raw", {}).get("vertex", {}).get("data")
    points = np.asarray(loaded.vertices, np.float32)
    if raw is None or not {"nx", "ny", "nz"} <= set(raw if isinstance(raw, dict) else raw.dtype.names):
        return points, None
    return points, np.stack([np.asarray(raw[name], np.float32).reshape(-1) for name in ("nx", "ny", "nz")], axis=1)


def _npz_points(path: str | os.PathLike[str]) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > MOST_BYTES:
        raise ModelFileError(f"expected at most {MOST_BYTES} bytes unpacked, got {size}")
    with np.load(path, allow_pickle=False) as arrays:
        names = list(arrays)
        chosen = next((name for name in POINT_NAMES if name in names), names[0] if len(names) == 1 else None)
        if chosen is None:
            raise ModelFileError(f"expected an array named {', '.join(POINT_NAMES)}, got {', '.join(names) or 'none'}")
        normals = next((arrays[name] for name in NORMAL_NAMES if name in names), None)
        found = arrays[chosen]
    if found.dtype.kind not in "fiu":
        raise ModelFileError(f"expected numbers, got dtype {found.dtype}")
    return found.astype(np.float32), None if normals is None else normals.astype(np.float32)


def _xyz_points(path: str | os.PathLike[str]) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    with open(path, encoding="utf-8") as file:
        lines = [line for line in file if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        return np.empty((0, 3), np.float32), None
    numbers = np.loadtxt(lines, dtype=np.float32, ndmin=2)
    if numbers.shape[1] == 6:
        return numbers[:, :3], numbers[:, 3:].copy()
    return numbers, None
