"""What is shown of long work while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int], None]  # of so many parts more that are done
StartTask = Callable[[str, int], Advance]  # begins a task of a name and so many parts


def no_progress(name: str, parts: int) -> Advance:
    """Shows nothing."""
    return lambda done: None


@contextmanager
def progress_bars() -> Iterator[StartTask]:
    """A `StartTask` that shows the task that runs as a bar on stderr if that is a terminal; nothing stays of it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:

        def start_task(name: str, parts: int) -> Advance:
            for task in bars.task_ids:
                bars.remove_task(task)
            task = bars.add_task(name, total=parts)
            return lambda done: bars.advance(task, done)

        yield start_task
