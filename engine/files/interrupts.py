"""Ctrl-C in long work that has something to save."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interrupts_noted() -> Iterator[list[int]]:
    """A list that a first Ctrl-C appends to, so that a step is finished; a second one interrupts as ever."""
    noted: list[int] = []
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, _frame: object) -> None:
        noted.append(number)
        signal.signal(signal.SIGINT, before)

    try:
        signal.signal(signal.SIGINT, note)
    except ValueError:  # not in the main thread, where no Ctrl-C arrives
        yield noted
        return
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)
