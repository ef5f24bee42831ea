"""What kernels say, as figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ..files import new_figure
from .line import EVERY, LineReport

LOWEST = 1e-12  # of the largest eigenvalue; what float64 has of a kernel ends a little below


def eigenvalues_figure(reports: Sequence[LineReport]) -> Any:
    """Eigenvalues, as parts of the largest, from the largest down."""
    figure, axes = new_figure(7.5, 4.0)
    for report in reports:
        largest = report.eigenvalues[0]
        order = range(1, len(report.eigenvalues) + 1)
        axes.loglog(order, [_or_gap(value / largest) for value in report.eigenvalues], label=report.name)
    axes.set(xlabel="order i", ylabel="λᵢ / λ₁", title="Eigenvalues of the tangent kernel")
    axes.set_ylim(bottom=LOWEST / 3.0, top=3.0)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper")
    return figure


def frequencies_figure(reports: Sequence[LineReport]) -> Any:
    """How strongly kernels answer waves, as parts of the largest eigenvalue."""
    figure, axes = new_figure(7.5, 4.0)
    for report in reports:
        gains = [_or_gap(value / report.eigenvalues[0]) for value in report.gain]
        axes.semilogy(report.frequency, gains, label=report.name)
    axes.set(
        xlabel="periods along the line", ylabel="wᵀ K w / (wᵀ w λ₁)", title="How strongly the kernel answers a wave"
    )
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper")
    return figure


def distance_figure(reports: Sequence[LineReport]) -> Any:
    """The kernel against the distance of its points."""
    figure, axes = new_figure(7.5, 4.0)
    for report in reports:
        axes.plot(report.distance, report.kernel, label=report.name)
    axes.set(
        xlabel="distance of the points, in lengths of the line",
        ylabel="k(x, x') / k(x, x)",
        title="The tangent kernel against distance",
        xlim=(0.0, 0.5),
    )
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper")
    return figure


def decay_figure(reports: Sequence[LineReport]) -> Any:
    """Errors along eigenvectors over training: measured as lines, predicted as dots; a panel for each field."""
    figure, panels = _panels(reports)
    for panel, report in zip(panels, reports, strict=True):
        for column, direction in enumerate(report.directions):
            shade = f"C{column % 10}"
            measured = [abs(row[column]) for row in report.measured]
            predicted = [abs(row[column]) for row in report.predicted]
            panel.plot(report.steps, measured, color=shade, label=f"{direction + 1}")
            panel.plot(report.steps, predicted, "o", color=shade, markersize=3.5)
        panel.set_xscale("symlog", linthresh=1)
        panel.set(xlabel="steps of gradient descent", ylabel="error left", title=report.name, ylim=(-0.05, 1.5))
        panel.grid(alpha=0.3)
    lines, names = panels[0].get_legend_handles_labels()
    figure.legend(lines, names, title="direction", loc="outside right upper")
    figure.suptitle("Errors along eigenvectors: lines measured, dots predicted")
    return figure


def regression_figure(reports: Sequence[LineReport]) -> Any:
    """Kernel regressions of a curve from a quarter of its points; a panel for each field."""
    figure, panels = _panels(reports)
    for panel, report in zip(panels, reports, strict=True):
        given = slice(EVERY // 2, None, EVERY)
        panel.plot(report.place, report.wanted, color="grey", linewidth=1, label="curve")
        panel.plot(report.place[given], report.wanted[given], "o", color="grey", markersize=3, label="given")
        panel.plot(report.place, report.regression, color="C1", label="kernel regression")
        panel.set(xlabel="place on the line", title=report.name, ylim=(-1.6, 1.6))
        panel.grid(alpha=0.3)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


FIGURES: dict[str, Callable[[Sequence[LineReport]], Any]] = {
    "eigenvalues.png": eigenvalues_figure,
    "frequencies.png": frequencies_figure,
    "distance.png": distance_figure,
    "decay.png": decay_figure,
    "regression.png": regression_figure,
}


def _panels(reports: Sequence[LineReport]) -> tuple[Any, list[Any]]:
    """A figure of two panels a row, of which there is one for each field."""
    columns = min(2, len(reports))
    rows = math.ceil(len(reports) / columns)
    figure, axes = new_figure(4.5 * columns + 0.5, 3.2 * rows, rows, columns, squeeze=False)
    panels = list(axes.flat)
    for unused in panels[len(reports) :]:
        unused.remove()
    return figure, panels[: len(reports)]


def _or_gap(value: float) -> float:
    """The value, or NaN, which leaves a gap, where rounding is all there is of it."""
    return value if value > LOWEST else math.nan
