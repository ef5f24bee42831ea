"""What a fit shows while it runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..files import progress_bars

Show = Callable[[int, float, float | None], None]


def psnr_of(mean_squared_error: float) -> float:
    """Peak signal-to-noise ratio in decibels, -10 log₁₀(mse), of values in [0, 1]; 100 at most, so that JSON has it."""
    return min(100.0, -10.0 * math.log10(max(mean_squared_error, 1e-10)))


@contextmanager
def shown(steps: int, done: int, progress: bool) -> Iterator[Show]:
    """A function (step, loss, PSNR or None) that shows on stderr how far a fit is that begins with steps done."""
    if not progress:
        yield lambda step, loss, psnr: None
        return
    with progress_bars() as start:
        move, last = start("fitting", steps, done), done

        def show(step: int, loss: float, psnr: float | None) -> None:
            nonlocal last
            move(step - last, f"loss {loss:.3g}" if psnr is None else f"loss {loss:.3g}  PSNR {psnr:.2f} dB")
            last = step

        yield show
