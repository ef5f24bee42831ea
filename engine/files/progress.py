"""What is shown of long work while it runs: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

EVERY = 30.0  # seconds between two lines
LOOK = 1.0  # seconds between two looks at whether a line is due

Advance = Callable[[int], None]  # of so many parts more that are done
StartTask = Callable[[str, int], Advance]  # begins a task of a name and so many parts


class Move(Protocol):
    """Shows so many parts more, and words on what was reached."""

    def __call__(self, done: float, words: str = "", /) -> None: ...


class Start(Protocol):
    """Begins a task of a name and so many parts, some of which may be done already; 1 is shown in per cent."""

    def __call__(self, name: str, parts: float, done: float = 0.0) -> Move: ...


def no_progress(name: str, parts: int) -> Advance:
    """Shows nothing."""
    return lambda done: None


@contextmanager
def progress_bars() -> Iterator[Start]:
    """Shows on stderr the task that runs: on a terminal as a bar, of which nothing stays, else as a line every 30 s."""
    from rich.console import Console

    console = Console(stderr=True)
    with _bars(console) if console.is_terminal else _lines() as start:
        yield start


class Lines:
    """Lines about a task, of which each says what is done, how far it is, and how long it will still take.

    Args:
        say: takes a line.
        clock: seconds.
    """

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say, self._clock = say, clock
        self._lock = threading.Lock()
        self._last = clock()
        self._name, self._words = "", ""
        self._parts = self._first = self._done = self._began = 0.0

    def start(self, name: str, parts: float, done: float = 0.0) -> Move:
        """Begin a task."""
        with self._lock:
            self._name, self._words, self._parts = name, "", parts
            self._first = self._done = done
            self._began = self._clock()
        return self._move

    def look(self) -> None:
        """Say a line if none was said for 30 s."""
        with self._lock:
            now = self._clock()
            if self._name and now - self._last >= EVERY:
                self._last = now
                self._say(self._line(now))

    def _move(self, done: float, words: str = "") -> None:
        with self._lock:
            self._done += done
            self._words = words
        self.look()

    def _line(self, now: float) -> str:
        spent, made = now - self._began, self._done - self._first
        left = (
            f"about {_duration(spent * (self._parts - self._done) / made)} left" if made > 0 else "no end in sight yet"
        )
        reached = ", ".join(filter(None, (_reached(self._done, self._parts), self._words)))
        return f"{self._name}: {reached}, after {_duration(spent)}, {left}"


@contextmanager
def _lines() -> Iterator[Start]:
    """Lines from a thread of their own, because a part may take longer than lines are apart."""
    lines = Lines(lambda line: print(line, file=sys.stderr, flush=True))
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(LOOK):
            lines.look()

    watching = threading.Thread(target=watch, name="progress", daemon=True)
    watching.start()
    try:
        yield lines.start
    finally:
        ended.set()
        watching.join()


@contextmanager
def _bars(console: object) -> Iterator[Start]:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[reached]}"))
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bars:  # type: ignore[arg-type]

        def start(name: str, parts: float, done: float = 0.0) -> Move:
            for task in bars.task_ids:
                bars.remove_task(task)
            task = bars.add_task(name, total=parts, completed=done, reached=_reached(done, parts))  # type: ignore[arg-type]

            def move(more: float, words: str = "") -> None:
                nonlocal done
                done += more
                bars.update(task, completed=done, reached="  ".join(filter(None, (_reached(done, parts), words))))

            return move

        yield start


def _reached(done: float, parts: float) -> str:
    if parts == 1:
        return f"{100.0 * done:.0f} %"
    return f"{done:.0f} of {parts:.0f}"


def _duration(seconds: float) -> str:
    """As people say it: seconds, minutes or hours."""
    if seconds < 100.0:
        return f"{math.ceil(seconds)} s"
    return f"{math.ceil(seconds / 60.0)} min" if seconds < 6000.0 else f"{seconds / 3600.0:.1f} h"
