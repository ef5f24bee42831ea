"""What ends long work early: Ctrl-C, and SIGTERM, by which schedulers and containers stop a process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


_terminated = False  # signals are the process's


@contextmanager
def termination_interrupts() -> Iterator[None]:
    """SIGTERM interrupts what is done inside as Ctrl-C does, by a KeyboardInterrupt."""
    global _terminated
    _terminated = False

    def terminate(number: int, frame: FrameType | None) -> None:
        global _terminated
        _terminated = True
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, terminate)
    except ValueError:  # not in the main thread, where no signal arrives
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def was_terminated() -> bool:
    """Whether SIGTERM has arrived in the last `termination_interrupts`."""
    return _terminated


@contextmanager
def interrupts_noted() -> Iterator[list[int]]:
    """A list that a first Ctrl-C or SIGTERM appends to, so that a step is finished; a second one interrupts as ever."""
    noted: list[int] = []
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def note(number: int, frame: FrameType | None) -> None:
        global _terminated
        _terminated = _terminated or number == signal.SIGTERM
        noted.append(number)
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    try:
        for number in SIGNALS:
            signal.signal(number, note)
    except ValueError:  # not in the main thread, where no signal arrives
        yield noted
        return
    try:
        yield noted
    finally:
        restore()
