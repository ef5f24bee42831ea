"""Meshes as binary .ply files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def write_ply(
    path: Path,
    vertices: NDArray[np.floating],
    faces: NDArray[np.int32],
    normals: NDArray[np.float32],
    colours: NDArray[np.uint8] | None,
) -> None:
    """Write vertices (V, 3), float32 or float64 as they are, faces (F, 3), normals (V, 3) and colours (V, 3) sRGB.

    Raises:
        OSError: the file cannot be written.
    """
    number, name = ("<f8", "double") if vertices.dtype == np.float64 else ("<f4", "float")
    columns = [(axis, number, name) for axis in "xyz"] + [(f"n{axis}", "<f4", "float") for axis in "xyz"]
    values = [*vertices.T, *normals.T]
    if colours is not None:
        columns += [(colour, "u1", "uchar") for colour in ("red", "green", "blue")]
        values += [*colours.T]
    rows = np.empty(len(vertices), [(key, kind) for key, kind, _ in columns])
    for (key, _, _), column in zip(columns, values, strict=True):
        rows[key] = column
    sides = np.empty(len(faces), [("count", "u1"), ("corners", "<i4", 3)])
    sides["count"], sides["corners"] = 3, faces
    header = [
        "ply",
        "format binary_little_endian 1.0",
        f"element vertex {len(vertices)}",
        *(f"property {kind} {key}" for key, _, kind in columns),
        f"element face {len(faces)}",
        "property list uchar int vertex_indices",
        "end_header",
    ]
    with path.open("wb") as file:
        file.write(("\n".join(header) + "\n").encode())
        file.write(rows.tobytes())
        file.write(sides.tobytes())
