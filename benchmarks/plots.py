"""The curves of `scaling` as pictures for the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from timing import FOLDER

mpl.use("Agg")
import matplotlib.pyplot as plt

PICTURES = FOLDER.parent / "docs" / "pictures"


def draw(curves: dict[str, Any]) -> list[Path]:
    """Draw cost against the number of shapes and against the picture's size; returns the files."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    return [_shapes(curves["shapes"]), _pictures(curves["pictures"])]


def _shapes(curve: list[dict[str, float]]) -> Path:
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    shapes = [point["shapes"] for point in curve]
    axes.loglog(shapes, [point["picture"] for point in curve], "o-", label="one shaded frame")
    axes.loglog(shapes, [point["build"] for point in curve], "s-", label="building the program")
    first = curve[0]
    axes.loglog(
        shapes, [first["picture"] * n / first["shapes"] for n in shapes], ":", color="grey", label="proportional"
    )
    axes.set(xlabel="shapes in the scene", ylabel="milliseconds", title="Cost against number of shapes")
    axes.set_ylim(bottom=0.5 * min(point["build"] for point in curve), top=20 * max(p["picture"] for p in curve))
    axes.legend()
    return _saved(figure, "speed_shapes.png")


def _pictures(curve: list[dict[str, float]]) -> Path:
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    pixels = [point["side"] ** 2 for point in curve]
    axes.loglog(pixels, [point["picture"] for point in curve], "o-", label="one shaded frame")
    last = curve[-1]
    axes.loglog(
        pixels, [last["picture"] * n / last["side"] ** 2 for n in pixels], ":", color="grey", label="proportional"
    )
    axes.set_xticks(pixels, [f"{point['side']:.0f}²" for point in curve])
    axes.set_xticks([], minor=True)
    axes.set(xlabel="pixels", ylabel="milliseconds", title="Cost against the picture's size")
    axes.legend()
    return _saved(figure, "speed_pictures.png")


def _saved(figure: Any, name: str) -> Path:
    path = PICTURES / name
    figure.savefig(path, dpi=120, metadata={"Software": None})
    plt.close(figure)
    return path
