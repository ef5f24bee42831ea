"""What can be set of a fit; the same as its options on the command line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

Schedule = Literal["constant", "one-cycle"]

# One cycle (Smith and Topin 2018): the rate rises from a 25th of its peak, and falls to nothing; both as cosines.
WARM_UP = 0.2
START = 1.0 / 25.0


@dataclass(frozen=True)
class FitSettings:
    """How a field is fitted."""

    steps: int = 2000
    """updates of the parameters"""
    batch: int = 4096
    """points a step"""
    rate: float | None = None
    """peak learning rate of Adam; what suits the kind of field if not given"""
    schedule: Schedule = "one-cycle"
    """one-cycle: the rate rises over the first fifth of the steps, then falls to 0"""
    clip: float | None = None
    """largest norm of the gradient; longer ones are shortened"""
    seed: int = 0
    """seed of the first parameters and of the batches"""
    log_every: int = 100
    """steps between entries of the log"""
    checkpoint_every: int = 1000
    """steps between checkpoints"""
    snapshot_every: int = 0
    """steps between snapshots, 0 for none"""

    def check(self) -> None:
        """Refuse settings that cannot be used.

        Raises:
            ValueError: the first that is out of its range; names it.
        """
        for name, low, high in (
            ("steps", 1, 10**9), ("batch", 1, 2**31 - 1), ("seed", 0, 2**31 - 1), ("log_every", 1, 10**9),
            ("checkpoint_every", 1, 10**9), ("snapshot_every", 0, 10**9),
        ):  # fmt: skip
            value = getattr(self, name)
            if not isinstance(value, int) or not low <= value <= high:
                raise ValueError(f"{name}: expected a whole number from {low} to {high}, got {value}")
        for name in ("rate", "clip"):
            value = getattr(self, name)
            if value is not None and not (value > 0.0 and math.isfinite(value)):
                raise ValueError(f"{name}: expected a finite number above 0, got {value}")
        if self.schedule not in get_args(Schedule):
            raise ValueError(f"schedule: expected one of {', '.join(get_args(Schedule))}, got {self.schedule!r}")

    def rate_at(self, step: int, peak: float) -> float:
        """The learning rate of step 0 ≤ step < steps, at most `peak`."""
        if self.schedule == "constant":
            return peak
        at = (step + 0.5) / self.steps
        if at < WARM_UP:
            return peak * (START + (1.0 - START) * 0.5 * (1.0 - math.cos(math.pi * at / WARM_UP)))
        return peak * 0.5 * (1.0 + math.cos(math.pi * (at - WARM_UP) / (1.0 - WARM_UP)))
