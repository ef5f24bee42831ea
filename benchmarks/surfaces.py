"""Fields fitted to meshes and to clouds of points, by the commands that a user types.

The models are those named with --model and --cloud; without any, a bumpy torus, and points of it.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import inputs
from timing import COMMAND, Goal, Row, process, row

SUBJECT = "surfaces"
SHAPE_STEPS, SHAPE_BATCH = 1000, 8192
PIECES_AT = 512  # cells a side of the mesh whose pieces are counted


def rows(quick: bool) -> tuple[list[Row], dict[str, Any]]:
    """How well the fits agree with what they were fitted to, and their seconds."""
    table = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for model in inputs.models() or (inputs.write_model(place / "bumpy_torus.ply"),):
            table += _shape(model, place, 20 if quick else SHAPE_STEPS)
            table += _occupancy(model, place, *(("--steps", "20") if quick else ()))
        for cloud in inputs.clouds() or (inputs.write_cloud(place / "bumpy_torus.npz"),):
            table += _points(cloud, place, 20 if quick else None)
    return table, {}


def _shape(model: Path, place: Path, steps: int) -> list[Row]:
    options = ("--field", "hash_grid", "--steps", str(steps), "--batch", str(SHAPE_BATCH))
    log, whole = _fitted("shape", model, place, *options)
    found, name = log["measured"], f"fit shape, hash_grid, {model.stem}"
    return [
        row(SUBJECT, f"{name}: intersection over union", "", [found["iou"]], goal=Goal("ours", "at least", 0.995),
            details=found),
        row(SUBJECT, f"{name}: normal consistency", "", [found.get("normal_consistency", 0.0)],
            goal=Goal("ours", "at least", 0.98)),
        row(SUBJECT, f"{name}: training", "s", [log["seconds"]], goal=Goal("ours", "at most", 60.0),
            details={"whole command": whole}),
    ]  # fmt: skip


def _occupancy(model: Path, place: Path, *options: str) -> list[Row]:
    log, _ = _fitted("shape", model, place, "--target", "occupancy", *options)
    found, name = log["measured"], f"fit shape, occupancy, {model.stem}"
    field, mesh = place / f"shape-{model.stem}" / "field.safetensors", place / "mesh.ply"
    told = process(COMMAND, "mesh", field, "--output", mesh, "--resolution", PIECES_AT, "--report").output
    parts = re.search(r"(\d+) component", told)
    return [
        row(SUBJECT, f"{name}: intersection over union", "", [found["iou"]], goal=Goal("ours", "at least", 0.99),
            details=found),
        row(SUBJECT, f"{name}: pieces of the mesh at {PIECES_AT} cells", "", [float(parts[1]) if parts else 0.0]),
    ]  # fmt: skip


def _points(cloud: Path, place: Path, steps: int | None) -> list[Row]:
    log, whole = _fitted("points", cloud, place, *(() if steps is None else ("--steps", str(steps))))
    found, name = log["measured"], f"fit points, {cloud.stem}"
    return [
        row(SUBJECT, f"{name}: mean distance of the points, % of the diagonal", "",
            [100.0 * found.get("mean_distance", 1.0)], goal=Goal("ours", "at most", 0.5), details=found),
        row(SUBJECT, f"{name}: pieces of the mesh", "", [found.get("components", 0)],
            goal=Goal("ours", "at most", 1.0)),
        row(SUBJECT, f"{name}: 1 if the mesh is closed", "", [float(found.get("watertight", False))],
            goal=Goal("ours", "at least", 1.0)),
        row(SUBJECT, f"{name}: whole command", "s", [whole], goal=Goal("ours", "at most", 300.0),
            details={"training": log["seconds"]}),
    ]  # fmt: skip


def _fitted(what: str, path: Path, place: Path, *options: str) -> tuple[dict[str, Any], float]:
    """The log of a fit, and the seconds of its whole command."""
    output = place / f"{what}-{path.stem}"
    ended = process(COMMAND, "fit", what, path, "--output", output, *options)
    return json.loads((output / "log.json").read_text(encoding="utf-8")), ended.seconds
