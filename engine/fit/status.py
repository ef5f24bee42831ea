"""What a fit shows while it runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Show = Callable[[int, float, float | None], None]


def psnr_of(mean_squared_error: float) -> float:
    """Peak signal-to-noise ratio in decibels, -10 log₁₀(mse), of values in [0, 1]; 100 at most, so that JSON has it."""
    return min(100.0, -10.0 * math.log10(max(mean_squared_error, 1e-10)))


@contextmanager
def shown(steps: int, progress: bool) -> Iterator[Show]:
    """A function (step, loss, PSNR or None) that moves a bar on stderr, or does nothing."""
    if not progress:
        yield lambda step, loss, psnr: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("fitting"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[reached]}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=steps, reached="")

        def show(step: int, loss: float, psnr: float | None) -> None:
            reached = f"loss {loss:.3g}" if psnr is None else f"loss {loss:.3g}  PSNR {psnr:.2f} dB"
            bar.update(task, completed=step, reached=reached)

        yield show
