"""The loss while learning, as a plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..files import new_figure
from .entries import Learned

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def losses_figure(learned: list[Learned]) -> Figure:
    """The loss of each field against its step, logarithmic."""
    figure, axes = new_figure(7.5, 4.0)
    for one in learned:
        steps, losses = zip(*((entry["step"], entry["loss"]) for entry in one.log), strict=True)
        axes.semilogy(steps, losses, "--" if one.entry.is_solid else "-", label=one.entry.title)
    axes.set(xlabel="step", ylabel="mean squared error of the batches", title="Loss while learning")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right center")
    return figure
