"""Marching cubes: of a given volume against the libraries that people use, and of whole scenes."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from typing import Any

import numpy
import torch
from timing import Goal, Row, milliseconds, own_process, pin_threads, require, row, timed

import isofield as iso
from isofield.kernels import marching_cubes

# fogleman/sdf meshing the same shape with 2 workers, without writing the file, measured once beside this project: it is
# not in the registry, so it does not run in the same process.
FOGLEMAN = {161: (1100.0, 10.0), 256: (3800.0, 20.0)}  # cells a side (2^22 and 2^24 samples): milliseconds, goal

SHAPES = 300


def gyroid(count: int) -> torch.Tensor:
    """Four periods of the gyroid along each axis (count, count, count)."""
    line = torch.linspace(-4 * math.pi, 4 * math.pi, count)
    x, y, z = torch.meshgrid(line, line, line, indexing="ij")
    return (x.sin() * y.cos() + y.sin() * z.cos() + z.sin() * x.cos()).contiguous()


def scattered(count: int) -> iso.Scene:
    """Balls, boxes, rings, rods and carved boxes, turned, in [-1, 1]³."""
    random = torch.Generator().manual_seed(0)
    kinds: tuple[Callable[[], iso.Shape], ...] = (
        lambda: iso.sphere(0.08),
        lambda: iso.box(0.13),
        lambda: iso.torus(0.08, 0.03),
        lambda: iso.cylinder(0.05, 0.2),
        lambda: iso.box(0.14) - iso.sphere(0.09),
    )
    places = (2.0 * torch.rand(count, 3, generator=random) - 1.0).tolist()
    parts = (kinds[n % 5]().rotate(37 * n, axis=(1, 0.5, 0.2)).translate(*at) for n, at in enumerate(places))
    return iso.Scene(show=iso.union(*parts))


def rows(quick: bool) -> tuple[list[Row], dict[str, Any]]:
    """Rows of the table."""
    largest, times = (64, 3) if quick else (256, 9)
    found = [_volume(gyroid(largest), largest, times)]
    for count in (32,) if quick else (64, 128):
        values = gyroid(count)
        ours = milliseconds(lambda values=values: marching_cubes(values), times, 3)
        found.append(row("meshing", f"gyroid {count}³", "ms", ours))
    for cells, (peer, factor) in FOGLEMAN.items():
        found.append(_carved_box(cells // 4 if quick else cells, peer, factor, 2 if quick else 7))
    return found + _scattered(64 if quick else 1024), {}


def _volume(values: torch.Tensor, count: int, times: int) -> Row:
    ours = milliseconds(lambda: marching_cubes(values), times, 3)
    vertices, faces = marching_cubes(values)
    peers: dict[str, list[float]] = {}
    for name, work in _peers(values.numpy()).items():
        own_vertices, own_faces = work()
        require(abs(len(own_faces) / len(faces) - 1.0) < 0.02, f"{name} has {len(own_faces)} triangles, {len(faces)}")
        del own_vertices
        peers[name] = milliseconds(work, 3, 0, own_threads=True)
    fastest = min(peers, key=lambda name: min(peers[name]))
    return row(
        "meshing", f"gyroid {count}³, {len(faces)} triangles", "ms", ours, peer=sorted(peers[fastest])[1],
        peer_name=fastest, goal=Goal("ratio", "at least", 6.0),
        details={"vertices": len(vertices), "peers": {name: sorted(ms)[1] for name, ms in peers.items()}},
    )  # fmt: skip


def _peers(values: numpy.ndarray) -> dict[str, Callable[[], tuple[Any, Any]]]:
    """What the volume is meshed with elsewhere; each gives vertices and triangles."""
    import mcubes
    import warp
    from skimage import measure

    warp.config.quiet = True
    warp.init()

    def by_warp() -> tuple[Any, Any]:
        cubes = warp.MarchingCubes(*values.shape)
        cubes.surface(warp.array(values, dtype=float, device="cpu"), 0.0)
        return cubes.verts.numpy(), cubes.indices.numpy().reshape(-1, 3)

    return {
        "scikit-image, Lewiner": lambda: measure.marching_cubes(values, 0.0)[:2],
        "scikit-image, Lorensen": lambda: measure.marching_cubes(values, 0.0, method="lorensen")[:2],
        "PyMCubes": lambda: mcubes.marching_cubes(values, 0.0),
        "warp on the CPU": by_warp,
    }


def _carved_box(cells: int, peer: float, factor: float, times: int) -> Row:
    scene = iso.load("carved_box")
    ours = milliseconds(lambda: iso.mesh(scene, resolution=cells), times, 2)
    made = iso.mesh(scene, resolution=cells)
    require(made.report.watertight and made.report.genus == 5, str(made.report))
    return row(
        "meshing", f"carved box, {cells}³ cells, with normals and colours", "ms", ours, peer=peer,
        peer_name="fogleman/sdf (anchor)", goal=Goal("ratio", "at least", factor),
        details={"triangles": len(made.faces)},
    )  # fmt: skip


def _scattered(cells: int) -> list[Row]:
    measured, ended = own_process("meshing.py", cells)
    name = f"{SHAPES} shapes, {cells}³ cells"
    return [
        row("meshing", name, "ms", measured["ms"], goal=Goal("ours", "at most", 10_000.0)),
        row("meshing", f"{name}, most memory", "MiB", [ended.memory], goal=Goal("ours", "at most", 1500.0)),
    ]


def main() -> None:
    """Mesh the scattered shapes twice, after a small mesh that compiles the kernels; for a process of its own."""
    pin_threads()
    scene = scattered(SHAPES)
    iso.mesh(scene, resolution=32)
    samples = timed(lambda: iso.mesh(scene, resolution=int(sys.argv[1])), 2, 0)
    print(json.dumps({"ms": [sample.wall * 1e3 for sample in samples]}))


if __name__ == "__main__":
    main()
