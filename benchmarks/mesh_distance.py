"""Distance to a mesh at random points of its box, against point-cloud-utils and libigl."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import inputs
import numpy as np
import torch
from timing import Goal, Row, milliseconds, require, row

from isofield.kernels import MeshTree, mesh_distance

SUBJECT = "mesh_distance"
SIDES = 224  # quads around the torus and around its tube: 100 352 triangles
POINTS = 2**18
OPEN_POINTS = 100_000  # of the open mesh
CHECKED = 2**13  # points at which results are compared
ERROR = 1e-6  # of the box's longest side
AWAY = 1e-3  # distance, as a part of the same, from which signs are compared
SAME_SIGN = 0.999


def rows(quick: bool) -> tuple[list[Row], dict[str, Any]]:
    """Milliseconds of the tree and of whole jobs, tree included, and the peers'."""
    import igl
    import point_cloud_utils as pcu

    vertices, faces = inputs.bumpy_torus(32 if quick else SIDES)
    low, high = vertices.amin(dim=0), vertices.amax(dim=0)
    count = 2**10 if quick else POINTS
    generator = torch.Generator().manual_seed(inputs.SEED)
    points = low + torch.rand(count, 3, generator=generator) * (high - low)
    v, f, p = vertices.numpy(), faces.numpy(), points.numpy()
    doubles, places = v.astype(np.float64), p.astype(np.float64)
    by_winding = {"sign_type": igl.SIGNED_DISTANCE_TYPE_FAST_WINDING_NUMBER}
    jobs: dict[str, tuple[float, Callable[[], Any], dict[str, Callable[[], Any]]]] = {
        "unsigned": (
            8.0,
            lambda: mesh_distance(vertices, faces, points, signed=False),
            {
                "point-cloud-utils": lambda: pcu.closest_points_on_mesh(p, v, f)[0],
                "libigl": lambda: igl.point_mesh_squared_distance(places, doubles, f)[0],
            },
        ),
        "signed": (
            5.0,
            lambda: mesh_distance(vertices, faces, points),
            {
                "point-cloud-utils": lambda: pcu.signed_distance_to_mesh(p, v, f)[0],
                "libigl, fast winding number": lambda: igl.signed_distance(places, doubles, f, **by_winding)[0],
            },
        ),
    }
    found = mesh_distance(vertices, faces, points)[:CHECKED].double().numpy()
    some = places[:CHECKED]
    # libigl's signed distance is (1 - 2 w) times the distance, and its winding number w not exact.
    agreed = _check(
        found,
        np.sqrt(igl.point_mesh_squared_distance(some, doubles, f)[0]),
        np.sign(igl.signed_distance(some, doubles, f, **by_winding)[0]),
        float((high - low).max()),
    )
    times = 3 if quick else 7
    tree = row(
        SUBJECT, f"tree of {len(faces)} triangles", "ms", milliseconds(lambda: MeshTree(vertices, faces), times),
        goal=Goal("ours", "at most", 300.0),
    )  # fmt: skip
    table = [tree]
    for name, (limit, ours, peers) in jobs.items():
        theirs = {peer: milliseconds(job, 1, 0, own_threads=True) for peer, job in peers.items()}
        fastest = min(theirs, key=lambda peer: statistics.median(theirs[peer]))
        table.append(
            row(SUBJECT, f"{name}, {count} points, tree included", "ms", milliseconds(ours, times),
                peer=statistics.median(theirs[fastest]), peer_name=fastest, goal=Goal("ratio", "at least", limit),
                details={"peers": theirs, **agreed})
        )  # fmt: skip
    table.append(_open_signs(2**10 if quick else OPEN_POINTS))
    return table, {}


def _open_signs(count: int) -> Row:
    """At how many points the inside of a torus without a piece differs from the exact winding number's, by libigl."""
    import igl

    vertices, faces = inputs.bumpy_torus(48)
    faces = faces[(vertices[faces.long()][:, :, 0] < 0.5 * float(vertices[:, 0].max())).all(dim=1)]
    low, high = vertices.amin(dim=0), vertices.amax(dim=0)
    points = low + torch.rand(count, 3, generator=torch.Generator().manual_seed(inputs.SEED)) * (high - low)
    winding = igl.winding_number(vertices.double().numpy(), faces.long().numpy(), points.double().numpy())
    differing = int(((mesh_distance(vertices, faces, points).numpy() < 0.0) != (winding > 0.5)).sum())
    return row(
        SUBJECT, f"open mesh of {len(faces)} triangles, {count} points: signs that are not libigl's exact ones", "",
        [float(differing)], goal=Goal("ours", "at most", 0.0),
    )  # fmt: skip


def _check(found: Any, distances: Any, signs: Any, size: float) -> dict[str, float]:
    """Compare signed distances with the peer's distances and signs, which are in double precision."""
    error = float(np.abs(np.abs(found) - distances).max()) / size
    require(error <= ERROR, f"distances differ by {error:.1e} of the box")
    away = distances > AWAY * size
    same = float((np.sign(found[away]) == signs[away]).mean())
    require(same >= SAME_SIGN, f"signs are the same at {same:.4%} of the points")
    return {"largest difference": error, "same sign": same}
