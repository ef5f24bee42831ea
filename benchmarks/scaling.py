"""How cost grows with the number of shapes and with the picture."""

from __future__ import annotations

import statistics
from typing import Any

import inputs
from shading import frame
from timing import Row, milliseconds, timed

import isofield as iso
from isofield.engine.render import view_of

SUBJECT = "scaling"


def rows(quick: bool) -> tuple[list[Row], dict[str, Any]]:
    """No rows, two curves: milliseconds by number of shapes and by side of the picture."""
    return [], {"shapes": _by_shapes(quick), "pictures": _by_pictures(quick)}


def _by_shapes(quick: bool) -> list[dict[str, float]]:
    """Building the program, and one shaded frame of it, for cities of more and more shapes."""
    counts, size, times = ((10, 100, 1_000), 128, 1) if quick else ((10, 30, 100, 300, 1_000, 3_000, 10_000), 512, 3)
    curve = []
    for count in counts:
        scene = inputs.city(count)
        build = statistics.median(sample.wall for sample in timed(lambda made=scene: view_of(made), times))
        view = view_of(scene)
        picture = statistics.median(milliseconds(lambda seen=view: frame(seen, size), times))
        curve.append({"shapes": count, "rows": len(view.program.rows), "build": build * 1e3, "picture": picture})
    return curve


def _by_pictures(quick: bool) -> list[dict[str, float]]:
    """One shaded frame of the carved box, larger and larger."""
    sides, times = ((128, 256), 1) if quick else ((128, 256, 512, 1024, 2048), 3)
    view = view_of(iso.load("carved_box"))
    return [
        {"side": side, "picture": statistics.median(milliseconds(lambda wide=side: frame(view, wide), times))}
        for side in sides
    ]
