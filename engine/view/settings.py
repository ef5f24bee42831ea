"""What of the view can be set: mode, cut, level, what the panel shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

from ..render import AXES, Layers, Mode
from ..shapes import LARGEST
from .events import Set
from .state import Section, State
from .values import names_in

MODES: tuple[Mode, ...] = get_args(Mode)


def with_setting(state: State, event: Set) -> State:
    """The state after a setting has been asked for; says so where it cannot be."""
    try:
        return _changed(state, event.name, event.value)
    except (TypeError, ValueError):
        return state.with_message(f"{event.name} cannot be {event.value!r}")


def _changed(state: State, name: str, value: Any) -> State:
    """The state with a setting changed.

    Raises:
        TypeError, ValueError: the value is of another kind.
    """
    if name == "mode" and value in MODES:
        return replace(state, mode=value)
    if name == "slice" and (value is None or value in AXES):
        return replace(state, layers=_cut(state, value))
    if name in ("level", "offset", "flipped", "bounds"):
        given: dict[str, Any] = {name: bool(value) if name in ("flipped", "bounds") else _number(value)}
        return replace(state, layers=replace(state.layers, **given))
    if name == "section" and value in get_args(Section):
        names = names_in(state.scene, value)
        return replace(state, section=value, selected=names[0] if names else "")
    if name == "selected" and value in names_in(state.scene, state.section):
        return replace(state, selected=value)
    if name == "fov" and state.pose.width is None:
        return replace(state, pose=replace(state.pose, fov=max(1.0, min(175.0, _number(value)))))
    if name == "split":
        return replace(state, split=_number(value))
    if name == "time":
        return replace(state, time=_number(value))
    return state.with_message(f"{name} cannot be {value!r}")


def _number(value: Any) -> float:
    number = float(value)
    if not abs(number) <= LARGEST:
        raise ValueError("expected a finite number")
    return number


def _cut(state: State, axis: Any) -> Layers:
    """The layers with a cut across an axis, through the subject's middle, that opens towards the camera."""
    if axis is None:
        return replace(state.layers, slice=None)
    index = "xyz".index(axis)
    middle = state.centre[index]
    return replace(state.layers, slice=axis, offset=middle, flipped=state.pose.eye[index] < middle)


def with_next_mode(state: State) -> State:
    """The state in the mode after this one."""
    return replace(state, mode=MODES[(MODES.index(state.mode) + 1) % len(MODES)])


def with_next_slice(state: State) -> State:
    """The state cut across the next axis, or not at all."""
    order = (None, *AXES)
    return replace(state, layers=_cut(state, order[(order.index(state.layers.slice) + 1) % len(order)]))
