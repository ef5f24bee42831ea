"""What is wrong with the options of a command."""

from __future__ import annotations

import math


class UsageError(Exception):
    """An option that cannot be used; the message names it, what is expected and what came."""


def check_range(option: str, value: float, lowest: float, highest: float) -> None:
    """Refuse a number outside [lowest, highest].

    Raises:
        UsageError: it is, or is no number.
    """
    if math.isnan(value) or not lowest <= value <= highest:
        raise UsageError(f"{option}: expected a number from {lowest:g} to {highest:g}, got {value:g}")
