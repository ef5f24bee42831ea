"""What can happen to the viewer, as data that a file can hold."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

Button = Literal["left", "middle", "right"]


@dataclass(frozen=True)
class Drag:
    """The mouse moved with a button down, `x` to the right and `y` down, in heights of the window."""

    button: Button
    x: float
    y: float


@dataclass(frozen=True)
class Click:
    """The left button pressed and let go at one place: shares of the window's width and height, y down."""

    x: float
    y: float


@dataclass(frozen=True)
class Key:
    """A key pressed or let go; letters are small, the others are called as in `KEYS`."""

    name: str
    down: bool = True


@dataclass(frozen=True)
class Edit:
    """A value of the scene changed, by the names of `isofield render --set`."""

    name: str
    value: Any


@dataclass(frozen=True)
class Settle:
    """The mouse let go of a slider: what follows is another step to undo."""


@dataclass(frozen=True)
class Set:
    """A setting of the view changed, such as mode or level; `inputs` knows which there are."""

    name: str
    value: Any


@dataclass(frozen=True)
class Act:
    """A button pressed: one of `inputs.ACTIONS`."""

    name: str


@dataclass(frozen=True)
class Tick:
    """Time passed, in seconds."""

    seconds: float


Event = Drag | Click | Key | Edit | Settle | Set | Act | Tick

# What a file may hold for a name; any value for the others.
_TYPES: dict[str, tuple[Any, str]] = {
    **dict.fromkeys(("name", "button"), (str, "a word")),
    **dict.fromkeys(("x", "y", "seconds"), (int | float, "a number")),
    "down": (bool, "true or false"),
}
_KINDS: dict[str, type[Event]] = {kind.__name__.lower(): kind for kind in get_args(Event)}


def event_to_dict(event: Event) -> dict[str, Any]:
    """An event as an object of a JSON file: {"event": "drag", "button": "left", …}."""
    return {"event": type(event).__name__.lower(), **asdict(event)}


def event_from_dict(entry: Any) -> Event:
    """The event that an object of a JSON file describes.

    Raises:
        ValueError: it describes none; says what is expected.
    """
    kind = _KINDS.get(str(entry.get("event"))) if isinstance(entry, dict) else None
    if kind is None:
        raise ValueError(f"event: expected one of {', '.join(_KINDS)}, got {entry!r:.80}")
    given = {key: value for key, value in entry.items() if key not in ("event", "frame")}
    known = [attribute.name for attribute in fields(kind)]
    try:
        event = kind(**given)
    except TypeError:
        wanted = ", ".join(known) or "nothing more"
        raise ValueError(f"{entry['event']}: expected {wanted}, got {', '.join(given)}") from None
    for name, value in given.items():
        kinds, wanted = _TYPES.get(name, (object, "anything"))
        if not isinstance(value, kinds) or (kinds is not object and isinstance(value, bool) != (kinds is bool)):
            raise ValueError(f"{entry['event']}: {name}: expected {wanted}, got {value!r:.40}")
    return event
