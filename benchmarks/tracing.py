"""Primary rays: where they hit, and the normals there, against plain PyTorch."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import inputs
from peers import sphere_tracing as peer
from timing import Goal, Row, milliseconds, require, row

from isofield.engine.render import view_of
from isofield.kernels.light import visibility
from isofield.kernels.trace.sphere_tracing import trace_film

SUBJECT = "tracing"
TOLERANCE, SPREAD = 1e-4, 2e-4  # a hit: a value below TOLERANCE + SPREAD · distance
STEPS = 256


def rows(quick: bool) -> tuple[list[Row], dict[str, Any]]:
    """Milliseconds of the torus, of 50 primitives, and of a scene of which nothing can be left out."""
    size, times, peer_times = (128, 3, 1) if quick else (512, 9, 1)
    places, small = inputs.SPHERES, inputs.SPHERE_RADIUS

    def torus(points: Any) -> Any:
        return peer.torus(points, *inputs.TORUS)

    def fifty(points: Any) -> Any:
        return peer.torus_and_spheres(points, *inputs.TORUS, places, small)

    table = _against_pytorch("torus", inputs.torus(), torus, size, times, 5 * peer_times, 40.0)
    table += _against_pytorch("50 primitives", inputs.torus_and_spheres(), fifty, size, times, peer_times, 250.0)
    ours = tracer(inputs.overlapping_64(), size)
    hits = float(ours()[0].isfinite().float().mean())
    require(hits > 0.2, "the overlapping shapes fill too little of the picture")
    table.append(
        row(SUBJECT, f"64 overlapping shapes, {size}², hits and normals", "ms", milliseconds(ours, times),
            goal=Goal("ours", "at most", 140.0), details={"hits": hits})
    )  # fmt: skip
    return table, {}


def _against_pytorch(
    name: str, scene: Any, field: Callable[[Any], Any], size: int, times: int, peer_times: int, goal: float
) -> list[Row]:
    """Hits and normals against the peer's hits alone (as the goal has it), and against its hits and normals."""
    ours = tracer(scene, size)
    origins, directions = inputs.rays(size)
    distance, normals = ours()
    points, mask = peer.trace(field, origins, directions)
    differing = float((distance.isfinite() != mask).float().mean())
    both = distance.isfinite() & mask
    apart = (distance - (points - origins).norm(dim=-1))[both].abs()
    aligned = (normals * peer.normals(field, points))[both].sum(dim=-1)
    turned = float((aligned < math.cos(math.radians(1.0))).float().mean())
    # Rays that graze the surface come near it in any number of steps, and stop at different ones in the two tracers;
    # across the surface they lie together. In a crease the normal is either side's.
    require(differing <= 2e-3, f"{name}: {differing:.2%} of the rays hit in one tracer only")
    across = apart * (normals * directions)[both].sum(dim=-1).abs()
    far_apart = float((across > 2e-3).float().mean())
    require(far_apart <= 2e-3, f"{name}: {far_apart:.2%} of the hits lie more than 2e-3 apart")
    require(turned <= 2e-2, f"{name}: {turned:.2%} of the normals differ by more than 1 degree")

    def peer_hits() -> None:
        peer.trace(field, origins, directions)

    def peer_all() -> None:
        at, good = peer.trace(field, origins, directions)
        peer.normals(field, at[good])

    mine = milliseconds(ours, times)
    hits_only = milliseconds(peer_hits, peer_times)
    everything = milliseconds(peer_all, peer_times)
    details = {
        "masks differ": differing, "hits apart": far_apart, "normals differ": turned,
        "peer, hits only": hits_only, "peer, hits and normals": everything,
    }  # fmt: skip
    name = f"{name}, {size}², hits and normals"
    return [
        row(SUBJECT, name, "ms", mine, peer=statistics.median(hits_only), peer_name="PyTorch, hits only",
            goal=Goal("ratio", "at least", goal), details=details),
        row(SUBJECT, name, "ms", mine, peer=statistics.median(everything), peer_name="PyTorch, hits and normals"),
    ]  # fmt: skip


def tracer(scene: Any, size: int) -> Callable[[], tuple[Any, Any]]:
    """A call that traces the scene as the renderer does, tiles, hits, normals; rays and program are made before."""
    view = view_of(scene)
    program = view.program
    origins, directions = inputs.rays(size)
    dark = replace(view.lighting, lights=view.lighting.lights[:0], reach=0.0)

    def trace() -> tuple[Any, Any]:
        tiles, met = trace_film(program, origins, directions, (TOLERANCE, SPREAD), STEPS)
        normals = visibility(program, tiles, dark, origins, directions, met.distance, met.hit_kind, (0.0, SPREAD))[0]
        return met.distance, normals

    return trace
