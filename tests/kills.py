"""A process that is killed, acted out in this one: at the n-th change of a folder, after which nothing is changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

CHANGES = ("mkdir", "remove", "rename", "replace", "rmdir", "unlink")


class Killed(BaseException):
    """Nothing catches it."""


class Changes:
    """The changes of a folder: counted, and from number `last` on, counted from 0, each is a kill."""

    def __init__(self, folder: Path, last: int | None) -> None:
        self.folder, self.last, self.count = os.path.realpath(folder), last, 0

    def __call__(self, change: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        if os.path.realpath(arguments[0]).startswith(self.folder):
            if self.last is not None and self.count >= self.last:
                raise Killed
            self.count += 1
        return change(*arguments, **options)


@contextmanager
def changes(folder: Path, last: int | None = None) -> Iterator[Changes]:
    """Count the changes of a folder, or act out a kill at number `last`."""
    seen = Changes(folder, last)
    with pytest.MonkeyPatch.context() as patch:
        for name in CHANGES:
            patch.setattr(os, name, partial(seen, getattr(os, name)))
        yield seen


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder and those within, but not what is unfinished."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".unfinished" not in str(path)
    }


def left(folder: Path) -> list[Path]:
    """What is unfinished."""
    return list(folder.rglob("*.unfinished"))
