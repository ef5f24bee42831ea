"""The loss while learning, as a plot."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from .entries import Learned


def check_plot_support() -> None:
    """Find out before long work whether plots can be drawn.

    Raises:
        RuntimeError: matplotlib is missing; says how to install it.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise RuntimeError("plots need matplotlib: run pip install 'isofield[plots]'")


def plot_losses(path: Path, learned: list[Learned]) -> None:
    """Write the loss of each field against its step, logarithmic, to a .png file."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 4.2), layout="constrained")
    axes = figure.subplots()
    for one in learned:
        steps, losses = zip(*((entry["step"], entry["loss"]) for entry in one.log), strict=True)
        axes.semilogy(steps, losses, "--" if one.entry.is_solid else "-", label=one.entry.title)
    axes.set(xlabel="step", ylabel="mean squared error of the batches", title="Loss while learning")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper right")
    figure.savefig(path, dpi=110, metadata={"Software": None})
