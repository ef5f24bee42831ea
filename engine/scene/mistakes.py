"""What is wrong with a scene: where, in plain words, all of it at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

LISTED = 100  # mistakes that the message of an error spells out
COMPARED = 5_000  # names that are searched for a similar one; more would take seconds

KeyPath = tuple[str | int, ...]


class Mistake(NamedTuple):
    """One thing that is wrong: `place` such as `shapes.body.size[1]` ("" for the scene as a whole), and what."""

    place: str
    text: str


class SceneError(ValueError):
    """A scene that cannot be used: `mistakes` lists everything found, `source` names the file if there is one."""

    def __init__(self, mistakes: Sequence[Mistake], source: str | None = None) -> None:
        super().__init__(mistakes, source)
        self.mistakes = tuple(mistakes)
        self.source = source

    def __str__(self) -> str:
        lines = [
            ": ".join(part for part in (self.source, mistake.place, mistake.text) if part)
            for mistake in self.mistakes[:LISTED]
        ]
        if len(self.mistakes) > LISTED:
            lines.append(f"… and {len(self.mistakes) - LISTED} more")
        return "\n".join(lines)


def refuse(text: str, source: str | None = None, place: str = "") -> SceneError:
    """The error that consists of one mistake."""
    return SceneError([Mistake(place, text)], source)


def place(path: KeyPath) -> str:
    """A path in a scene as it is written: ("shapes", "a", "of", 1) is `shapes.a.of[1]`."""
    written = ""
    for step in path:
        written += f"[{step}]" if isinstance(step, int) else f".{step}" if written else step
    return written


def shown(value: object) -> str:
    """A value as it stands in a file, shortened to fit in a sentence."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and value.bit_length() > 128:  # Python refuses to print the largest ones
        return "a whole number of too many digits"
    if isinstance(value, str):
        return quoted(value)
    if value is None or isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, (list, tuple)):
        return "an empty list" if not value else f"a list of {len(value)}"
    return f"a {type(value).__name__}"


def quoted(word: str) -> str:
    """A string in double quotes, on one line, shortened to fit in a sentence."""
    return '"' + "".join(c if c.isprintable() else "?" for c in word[:60]) + ("…" if len(word) > 60 else "") + '"'


def similar(word: str, choices: Iterable[str], listed: int = 12) -> str:
    """The end of a sentence: the choices that resemble a word, else all of them if they are at most `listed`."""
    names = list(choices)
    if len(names) <= COMPARED and len(word) <= 100:
        by_lower = {name.lower(): name for name in names}
        close = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
        if close:
            return f", did you mean {quoted(by_lower[close[0]])}?"
    if names and len(names) <= listed:
        return f"; there {'are' if len(names) > 1 else 'is'} {', '.join(names)}"
    return ""
