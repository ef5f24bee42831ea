"""Clouds of points from files."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...kernels.triangles import origin_of
from .model_files import MOST_BYTES, ModelFileError, check_file, loaded_by_trimesh

CLOUDS = (".ply", ".npz", ".xyz")

POINT_NAMES = ("points", "verts", "vertices", "xyz")  # of an array in an .npz file
NORMAL_NAMES = ("normals", "normal")


@dataclass(frozen=True)
class PointCloud:
    """A cloud of points.

    Attributes:
        points: (N, 3) float32, finite.
        normals: (N, 3) float32 unit vectors, if the file has them.
        origin: the point of the file that `points` are counted from: 0, or far from it the middle of their box.
    """

    points: torch.Tensor
    normals: torch.Tensor | None = None
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)


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
        points, normals = _ply_points(loaded_by_trimesh(path, CLOUDS))
    else:
        check_file(path, CLOUDS)
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
    origin = origin_of(points.min(axis=0).tolist(), points.max(axis=0).tolist()) if len(points) else (0.0, 0.0, 0.0)
    near = torch.from_numpy(points - origin).float()
    if not bool(near.isfinite().all()):
        raise ModelFileError(f"{name}: expected coordinates up to 1e38, got {np.abs(points).max():.3g}")
    if normals is None:
        return PointCloud(near, None, origin)
    return PointCloud(near, torch.nn.functional.normalize(torch.from_numpy(normals), dim=1).float(), origin)


def _ply_points(loaded: Any) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    raw = loaded.metadata.get("_ply_raw", {}).get("vertex", {}).get("data")
    points = np.asarray(loaded.vertices, np.float64)
    if raw is None or not {"nx", "ny", "nz"} <= set(raw if isinstance(raw, dict) else raw.dtype.names):
        return points, None
    return points, np.stack([np.asarray(raw[name], np.float64).reshape(-1) for name in ("nx", "ny", "nz")], axis=1)


def _npz_points(path: str | os.PathLike[str]) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
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
    return found.astype(np.float64), None if normals is None else normals.astype(np.float64)


def _xyz_points(path: str | os.PathLike[str]) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    with open(path, encoding="utf-8") as file:
        lines = [line for line in file if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        return np.empty((0, 3), np.float64), None
    numbers = np.loadtxt(lines, dtype=np.float64, ndmin=2)
    if numbers.shape[1] == 6:
        return numbers[:, :3], numbers[:, 3:].copy()
    return numbers, None
