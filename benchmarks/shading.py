"""Shaded pictures: the carved box, and cities of which every house is new."""

from __future__ import annotations

import statistics
from typing import Any

import inputs
from timing import Goal, Row, milliseconds, no_new_kernel, row, timed

import isofield as iso
from isofield.engine.render import View, render_view, view_of

SUBJECT = "shading"


def rows(quick: bool) -> tuple[list[Row], dict[str, Any]]:
    """Milliseconds of a warm frame, and seconds from a scene of 1 000 and 10 000 shapes to its picture."""
    size, times = (128, 3) if quick else (512, 15)
    view = view_of(iso.load("carved_box"))
    table = [
        row(SUBJECT, f"carved box, {size}², 1 sample, warm", "ms", milliseconds(lambda: frame(view, size), times),
            goal=Goal("ours", "at most", 80.0))
    ]  # fmt: skip
    frame(view_of(inputs.city(100)), size)  # a scene of many parts needs kernels that one of few does not
    seconds = {}
    with no_new_kernel("a city"):
        for count in (1_000, 10_000):
            scene = inputs.city(count)
            samples = timed(lambda made=scene: frame(view_of(made), size), 3 if quick else 5, warm_up=0)
            seconds[count] = [sample.wall for sample in samples]
    table.append(
        row(SUBJECT, f"city of 1 000 shapes, {size}², program and picture", "s", seconds[1_000],
            goal=Goal("ours", "at most", 2.0))
    )  # fmt: skip
    table.append(
        row(SUBJECT, f"city of 10 000 shapes, {size}², program and picture", "s", seconds[10_000],
            peer=statistics.median(seconds[1_000]), peer_name="city of 1 000")
    )  # fmt: skip
    return table, {}


def frame(view: View, size: int) -> Any:
    """A shaded square picture of a view."""
    return render_view(view, size, size, "shaded", 1, 0, False)
