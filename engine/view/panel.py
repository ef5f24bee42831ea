"""What the panels show, as a list of things that a window draws and that give events when they are used."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ..scene import linear_from_srgb
from .events import Act, Edit, Event, Set
from .pose import SIDES
from .settings import MODES
from .state import Section, State
from .values import Value, models_in, names_in, values_of

LETTERS, NARROW = 58, 27  # in a line of an error, and of what is said at the left
HINTS = """\
drag: orbit
right drag: pan
middle drag, T G: zoom
W A S D Q E: fly, H: home
click: sliders of a shape
Tab: hide, Escape: end"""
ERROR, QUIET = (1.0, 0.45, 0.4), (0.65, 0.65, 0.7)


@dataclass(frozen=True)
class Text:
    """Lines of text."""

    text: str
    colour: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Button:
    """What gives an event when it is pressed."""

    label: str
    event: Event


@dataclass(frozen=True)
class Control:
    """What shows a value that can be changed; `event` takes what it becomes.

    Attributes:
        kind: "tick" for a bool, "number" or "integer" for a slider from `low` to `high`, "colour" for three channels,
            sRGB in [0, 1].
    """

    kind: Literal["tick", "number", "integer", "colour"]
    label: str
    value: Any
    event: Callable[[Any], Event]
    low: float = 0.0
    high: float = 1.0


Item = Text | Button | Control


@dataclass(frozen=True)
class Panel:
    """A panel: its place as shares of the window, x and y of the upper left corner, y down, and what is in it."""

    title: str
    place: tuple[float, float, float, float]
    items: tuple[Item, ...]

    def holds(self, x: float, y: float) -> bool:
        """Whether a point, in shares of the window, y down, lies in it."""
        left, top, width, height = self.place
        return left <= x <= left + width and top <= y <= top + height


def panels(state: State, status: str = "") -> list[Panel]:
    """The panels of a state; an error is shown even where the user has put them away."""
    text = "\n".join(part for line in state.error.splitlines() for part in textwrap.wrap(line, LETTERS) or [""])
    shown = [Panel("error", (0.23, 0.7, 0.46, 0.28), (Text(text, ERROR),))] if state.error else []
    if not state.panel:
        return shown
    return [
        Panel("view", (0.0, 0.0, 0.22, 1.0), tuple(_view(state, status))),
        Panel("scene", (0.7, 0.0, 0.3, 1.0), tuple(_scene(state))),
        *shown,
    ]


def progress_panel(text: str) -> Panel:
    """A panel that says how far something is."""
    return Panel("progress", (0.35, 0.42, 0.3, 0.16), (Text(text),))


def _view(state: State, status: str) -> list[Item]:
    layers = state.layers
    items: list[Item] = [
        Text(HINTS, QUIET),
        # Always there, so that what is below does not move away from the mouse.
        Text(textwrap.fill(state.message, NARROW) or " "),
        Button("save as scene file (O)", Act("save")),
        Button("undo (U)", Act("undo")),
        Button("redo (Y)", Act("redo")),
        Button("reset (R)", Act("reset")),
        *(Control("tick", f"{mode}##mode", mode == state.mode, _to("mode", mode)) for mode in MODES),
        _setting("level", layers.level, -0.5 * state.size, 0.5 * state.size),
        *(Control("tick", f"cut across {axis}", axis == layers.slice, _cut(axis)) for axis in "xyz"),
    ]
    if layers.slice is not None:
        middle = state.centre["xyz".index(layers.slice)]
        ends = middle - 1.2 * state.size, middle + 1.2 * state.size
        items.append(_setting("offset", layers.offset, *ends, label="at"))
        items.append(Control("tick", "other side", layers.flipped, _to_value("flipped")))
    items.append(Control("tick", "bounds", layers.bounds, _to_value("bounds")))
    if state.beside is not None:
        items.append(_setting("split", state.split, 0.0, 1.0))
    if state.animated:
        items.append(Control("tick", "play (space)", state.playing, lambda value: Act("play")))
        items.append(_setting("time", state.time, 0.0, state.duration))
    items += [
        Button("screenshot (P)", Act("screenshot")),
        Button("turntable", Act("turntable")),
        Button("add camera to path (K)", Act("add camera")),
        Button(f"film of {len(state.keys)} cameras", Act("film")),
        Button("clear path", Act("clear cameras")),
    ]
    if status:
        items.append(Text(status, QUIET))
    return items


def _scene(state: State) -> list[Item]:
    items: list[Item] = [
        Control("tick", f"{section}##section", section == state.section, _to("section", section))
        for section in get_args(Section)
    ]
    if state.section == "camera":
        return items + _camera(state)
    names = names_in(state.scene, state.section)
    if not names:
        return [*items, Text("none", QUIET)]
    at = names.index(state.selected) if state.selected in names else 0
    if len(names) > 1:
        items.append(
            Control("integer", "choose", at, lambda value: Set("selected", names[round(value)]), 0, len(names) - 1)
        )
    name = names[at]
    items.append(Text(f"{name}{_kind(state, name)}"))
    for value in values_of(state.scene, state.base, state.section, name, state.size):
        items += _widgets(value)
    if state.picked is not None:
        picked = state.picked
        items.append(
            Text(
                f"picked {picked.shape}\nat {_numbers(picked.point)}\nnormal {_numbers(picked.normal)}\n"
                f"distance {picked.distance:.4g}\nmaterial {picked.material or 'none of its own'}",
                QUIET,
            )
        )
        items.append(Button("focus (F)", Act("focus")))
    return items


def _camera(state: State) -> list[Item]:
    pose = state.pose
    items: list[Item] = [Text(f"eye {_numbers(pose.eye)}\ntarget {_numbers(pose.target)}")]
    if pose.fov is not None:
        items.append(_setting("fov", pose.fov, 5.0, 120.0))
    else:
        items.append(Text(f"width {pose.width:.4g}"))
    items += [Button("home (H)", Act("home")), Button("copy as text (C)", Act("copy camera"))]
    return [*items, *(Button(side, Act(side)) for side in SIDES), Text("V: the next of these", QUIET)]


def _kind(state: State, name: str) -> str:
    kind = getattr(models_in(state.scene, state.section)[name], "kind", "")
    return f": {kind}" if kind and kind != name else ""


def _widgets(value: Value) -> list[Item]:
    """A slider for each number."""
    if value.kind == "colour":
        return [Control("colour", value.label, _srgb(value.value), _colour_edit(value.name))]
    if not isinstance(value.value, tuple):
        kind: Literal["number", "integer"] = "integer" if value.kind == "integer" else "number"
        return [Control(kind, value.label, value.value, _edit(value), value.low, value.high)]
    letters = "xyzw" if len(value.value) <= 4 else ""
    return [
        Control("number", f"{value.label} {letters[index]}", number, _part_edit(value, index), value.low, value.high)
        for index, number in enumerate(value.value)
    ]


def _edit(value: Value) -> Callable[[float], Event]:
    return lambda number: Edit(value.name, round(number) if value.kind == "integer" else _short(number))


def _part_edit(value: Value, index: int) -> Callable[[float], Event]:
    return lambda number: Edit(
        value.name, [_short(number) if at == index else part for at, part in enumerate(value.value)]
    )


def _colour_edit(name: str) -> Callable[[tuple[float, float, float]], Event]:
    return lambda channels: Edit(name, [_short(linear_from_srgb(channel)) for channel in channels])


def _setting(name: str, value: float, low: float, high: float, *, label: str = "") -> Control:
    """A slider of a setting."""
    return Control("number", label or name, value, _to_value(name), low, high)


def _to_value(name: str) -> Callable[[Any], Event]:
    return lambda value: Set(name, value)


def _to(name: str, value: Any) -> Callable[[bool], Event]:
    return lambda ticked: Set(name, value)


def _cut(axis: str) -> Callable[[bool], Event]:
    return lambda ticked: Set("slice", axis if ticked else None)


def _short(number: float) -> float:
    """A number of a slider with as many digits as mean something in a file."""
    return float(f"{number:.5g}")


def _srgb(channels: tuple[float, float, float]) -> tuple[float, float, float]:
    red, green, blue = (12.92 * c if c <= 0.0031308 else 1.055 * c ** (1.0 / 2.4) - 0.055 for c in channels)
    return red, green, blue


def _numbers(vector: tuple[float, float, float]) -> str:
    return ", ".join(f"{number:.3f}" for number in vector)
