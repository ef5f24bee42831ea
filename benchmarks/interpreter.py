"""The interpreter alone: 64 mixed shapes, each with its own transform, in a smooth union, at random points.

Run by itself it measures one lane width, which a process chooses once: `python interpreter.py WIDTH POINTS TIMES`.
"""

from __future__ import annotations

import json
import statistics
import sys
from dataclasses import replace
from typing import Any

import inputs
import torch
from timing import Goal, Row, own_process, pin_threads, require, row, timed

import isofield as iso
from isofield.kernels import distance, runtime
from isofield.kernels.program.operations import SKIP, Column

SUBJECT = "interpreter"
TOLERANCE = 1e-5
CHUNK = 2**15  # points at a time for the float64 twin, which keeps every intermediate


def rows(quick: bool) -> tuple[list[Row], dict[str, Any]]:
    """Nanoseconds a point and core by lane width, and how far the results lie from the float64 twin."""
    points, times = (2**16, 3) if quick else (2**20, 9)
    if torch.cuda.is_available():
        return _rows_on_a_gpu(points, times), {}
    found = {width: own_process("interpreter.py", width, points, times)[0] for width in (32, 16, 8, 1)}
    for width, measured in found.items():
        require(measured["error"] <= TOLERANCE, f"lane width {width} against the twin: {measured['error']:.2e}")
    best = min(found, key=lambda width: statistics.median(found[width]["all"]))
    scalar = statistics.median(found[1]["all"])
    unit = "ns/point/core"
    table = [
        row(SUBJECT, f"64 mixed shapes, no skips, {width} lanes", unit, measured["all"],
            peer=scalar, peer_name="1 lane",
            goal=Goal("ours", "at most", 150.0) if width == best else None, details=measured)
        for width, measured in found.items() if width > 1
    ]  # fmt: skip
    table.append(
        row(SUBJECT, "the same, best width against 1 lane", unit, found[best]["all"], peer=scalar, peer_name="1 lane",
            goal=Goal("ratio", "at least", 8.0), details={"lanes": best})
    )  # fmt: skip
    table.append(
        row(SUBJECT, f"the same with skips, {best} lanes", unit, found[best]["skips"],
            peer=statistics.median(found[best]["all"]), peer_name="no skips")
    )  # fmt: skip
    table.append(
        row(SUBJECT, "largest difference from the float64 twin", "scene units", [found[best]["error"]],
            goal=Goal("ours", "at most", TOLERANCE))
    )  # fmt: skip
    return table, {}


def _rows_on_a_gpu(points: int, times: int) -> list[Row]:
    measured = own_process("interpreter.py", 1, points, times)[0]
    require(measured["error"] <= TOLERANCE, f"against the twin: {measured['error']:.2e}")
    return [
        row(SUBJECT, "64 mixed shapes, no skips", "ns/point", measured["wall"], details=measured),
        row(SUBJECT, "largest difference from the float64 twin", "scene units", [measured["error"]],
            goal=Goal("ours", "at most", TOLERANCE)),
    ]  # fmt: skip


def measure(width: int, count: int, times: int) -> dict[str, Any]:
    """Times of one lane width, and the largest difference from the float64 twin."""
    device = inputs.device()
    runtime.POINT_LANE_WIDTHS[device] = width
    program = iso.build_program(inputs.smooth_64())
    without = replace(program, rows=program.rows[program.rows[:, Column.OPERATION] != SKIP].contiguous())
    torch.manual_seed(inputs.SEED)
    points = (torch.rand(count, 3) * 2.0 - 1.0) * inputs.REACH
    on_device, whole, all_rows = points.to(device), program.to(device), without.to(device)
    error = 0.0
    for chunk, values in zip(points.split(CHUNK), distance(all_rows, on_device).cpu().split(CHUNK), strict=True):
        error = max(error, float((distance(without, chunk.double()) - values).abs().max()))
    runs = timed(lambda: distance(all_rows, on_device), times)
    with_skips = timed(lambda: distance(whole, on_device), times)
    return {
        "rows": len(without.rows),
        "error": error,
        "all": [sample.cores / count * 1e9 for sample in runs],
        "wall": [sample.wall / count * 1e9 for sample in runs],
        "skips": [sample.cores / count * 1e9 for sample in with_skips],
    }


if __name__ == "__main__":
    pin_threads()
    print(json.dumps(measure(*map(int, sys.argv[1:4]))))
