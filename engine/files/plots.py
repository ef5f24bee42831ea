"""Matplotlib, without a window, and its figures to files."""

from __future__ import annotations

import importlib.util
import io
import os
from typing import TYPE_CHECKING, Any

from .atomic import atomic_write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_PER_INCH = 120


def check_plot_support() -> None:
    """Find out before long work whether figures can be drawn.

    Raises:
        RuntimeError: matplotlib is missing; says how to install it.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise RuntimeError("plots need matplotlib: run pip install 'isofield[plots]'")


def new_figure(width: float, height: float, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Figure, Any]:
    """A figure of `width` by `height` inches and its axes: one, or an array of them.

    Raises:
        RuntimeError: matplotlib is missing; says how to install it.
    """
    check_plot_support()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, **options)


def write_figure(path: str | os.PathLike[str], figure: Figure) -> None:
    """Write a figure to a .png file, whole or not at all.

    Raises:
        OSError: the file cannot be written; names it.
    """
    encoded = io.BytesIO()
    figure.savefig(encoded, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    with atomic_write(path) as temporary:
        temporary.write_bytes(encoded.getvalue())
