"""From one state to the next: what every input does. Nothing here draws, reads or waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

from ..render.layers import AXES as SLICE_AXES, Layers
from ..render.modes import Mode
from ..scene import Scene, SceneError, with_values
from ..shapes.base import LARGEST
from . import pose as poses
from .events import Act, Click, Drag, Edit, Event, Key, Set, Settle, Tick
from .pose import Pose
from .state import Edits, Picked, Section, State
from .values import names_in

MODES: tuple[Mode, ...] = get_args(Mode)

TURN = 200.0  # degrees of a drag across the window's height
ZOOM = 3.0  # doublings of a drag across it
KEY_TURN, KEY_ZOOM = 10.0, 1.15  # of one press
SPEED = 0.8  # sizes of the subject that flying covers in a second
FLIGHT = {"w": (0, 0, 1), "s": (0, 0, -1), "a": (-1, 0, 0), "d": (1, 0, 0), "q": (0, -1, 0), "e": (0, 1, 0)}


def apply(state: State, event: Event) -> State:
    """The state after an event."""
    if isinstance(event, Drag):
        return replace(state, pose=_dragged(state.pose, event, state.held))
    if isinstance(event, Click):
        return replace(state, cursor=(event.x, event.y)).wishing("pick")
    if isinstance(event, Key):
        return _key(state, event)
    if isinstance(event, Edit):
        return _edited(state, event)
    if isinstance(event, Settle):
        return replace(state, touched=None)
    if isinstance(event, Set):
        return _set(state, event)
    if isinstance(event, Act):
        return ACTIONS[event.name](state) if event.name in ACTIONS else _told(state, f"no action {event.name!r}")
    return _passed(state, event)


def reloaded(state: State, base: Scene) -> State:
    """The state with the scene of a file that has changed; edits that still fit stay, camera and settings too."""
    try:
        scene, edits = with_values(base, state.edits), state.edits
    except SceneError:
        scene, edits = base, {}
    state = replace(state, base=base, scene=scene, edits=edits, picked=None, error="", message="reloaded")
    if state.selected in names_in(scene, state.section):
        return state
    return _set(state, Set("section", state.section))


def at_time(state: State, base: Scene) -> State:
    """The state with the scene of a script at the state's time."""
    after = reloaded(state, base)
    return replace(after, picked=state.picked, message=state.message)


def with_picked(state: State, picked: Picked | None) -> State:
    """The state after a look for what lies under a click: the panel goes to the shape."""
    if picked is None:
        return replace(state, picked=None)
    return replace(state, picked=picked, section="shapes", selected=picked.shape)


def is_moving(state: State) -> bool:
    """Whether the picture changes by itself."""
    return state.playing or bool(state.held & FLIGHT.keys())


def _dragged(pose: Pose, drag: Drag, held: frozenset[str]) -> Pose:
    pans = drag.button == "right" or (drag.button == "left" and "Shift" in held)
    zooms = drag.button == "middle" or (drag.button == "left" and "Control" in held)
    if zooms:
        return poses.zoomed(pose, 2.0 ** (-ZOOM * drag.y))
    if pans:
        return poses.panned(pose, -drag.x, drag.y)
    return poses.orbited(pose, -TURN * drag.x, TURN * drag.y)


def _key(state: State, key: Key) -> State:
    held = state.held | {key.name} if key.down else state.held - {key.name}
    state = replace(state, held=held)
    if not key.down or key.name not in KEYS:
        return state
    if key.name == "z" and "Control" not in held:
        return state
    return apply(state, KEYS[key.name])


def _edited(state: State, edit: Edit) -> State:
    edits = {**state.edits, edit.name: edit.value}
    try:
        scene = with_values(state.base, edits)
    except SceneError as error:
        return _told(state, error.mistakes[0].text)
    # All changes of one value until the mouse is let go are one step to undo.
    past = state.past if state.touched == edit.name else (*state.past, state.edits)
    return replace(state, scene=scene, edits=edits, past=past, future=(), touched=edit.name, message="")


def _with_edits(state: State, edits: Edits, **more: Any) -> State:
    try:
        scene = with_values(state.base, edits)
    except SceneError as error:  # the file has changed since
        return _told(state, error.mistakes[0].text)
    return replace(state, scene=scene, edits=edits, touched=None, **more)


def _undone(state: State) -> State:
    if not state.past:
        return _told(state, "nothing to undo")
    return _with_edits(state, state.past[-1], past=state.past[:-1], future=(*state.future, state.edits))


def _redone(state: State) -> State:
    if not state.future:
        return _told(state, "nothing to redo")
    return _with_edits(state, state.future[-1], past=(*state.past, state.edits), future=state.future[:-1])


def _reset(state: State) -> State:
    if not state.edits:
        return replace(state, pose=state.home)
    return _with_edits(state, {}, past=(*state.past, state.edits), future=(), pose=state.home)


def _set(state: State, event: Set) -> State:
    try:
        return _changed(state, event.name, event.value)
    except (TypeError, ValueError):
        return _told(state, f"{event.name} cannot be {event.value!r}")


def _changed(state: State, name: str, value: Any) -> State:
    """The state with a setting changed.

    Raises:
        TypeError, ValueError: the value is of another kind.
    """
    if name == "mode" and value in MODES:
        return replace(state, mode=value)
    if name == "slice" and (value is None or value in SLICE_AXES):
        return replace(state, layers=_cut(state, value))
    if name in ("level", "offset", "flipped", "bounds"):
        given: dict[str, Any] = {name: bool(value) if name in ("flipped", "bounds") else _number(value)}
        return replace(state, layers=replace(state.layers, **given))
    if name == "section" and value in get_args(Section):
        names = names_in(state.scene, value)
        first = state.scene.show if value == "shapes" else names[0] if names else ""
        return replace(state, section=value, selected=first)
    if name == "selected" and value in names_in(state.scene, state.section):
        return replace(state, selected=value)
    if name == "fov" and state.pose.width is None:
        return replace(state, pose=replace(state.pose, fov=max(1.0, min(175.0, _number(value)))))
    if name == "split":
        return replace(state, split=_number(value))
    if name == "time":
        return replace(state, time=_number(value))
    return _told(state, f"{name} cannot be {value!r}")


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


def _passed(state: State, tick: Tick) -> State:
    pose = state.pose
    ways = [FLIGHT[key] for key in state.held if key in FLIGHT and "Control" not in state.held]
    if ways:
        stride = SPEED * state.size * tick.seconds
        right, up, ahead = (stride * sum(way[axis] for way in ways) for axis in range(3))
        pose = poses.flown(pose, right, up, ahead)
    time = state.time
    if state.playing:
        time = (time + tick.seconds) % state.duration
    return state if pose is state.pose and time == state.time else replace(state, pose=pose, time=time)


def _next_mode(state: State) -> State:
    return replace(state, mode=MODES[(MODES.index(state.mode) + 1) % len(MODES)])


def _next_slice(state: State) -> State:
    order = (None, *SLICE_AXES)
    return replace(state, layers=_cut(state, order[(order.index(state.layers.slice) + 1) % len(order)]))


def _next_side(state: State) -> State:
    """The view after that of the side from which the camera looks, or the first."""
    sides = list(poses.AXES)
    _, _, backwards = state.pose.axes
    facing = [sum(a * b for a, b in zip(poses.AXES[side], backwards, strict=True)) for side in sides]
    nearest = max(range(len(sides)), key=facing.__getitem__)
    side = sides[(nearest + 1) % len(sides)] if facing[nearest] > 0.999 else sides[0]
    return replace(state, pose=poses.along_axis(state.pose, side))


def _play(state: State) -> State:
    if not state.animated:
        return _told(state, "only a script with scene(time) plays")
    return replace(state, playing=not state.playing)


def _focus(state: State) -> State:
    if state.picked is None:
        return _told(state, "click a surface first")
    return replace(state, pose=poses.focused(state.pose, state.picked.point))


def _keyed(state: State) -> State:
    return _told(replace(state, keys=(*state.keys, state.pose)), f"{len(state.keys) + 1} cameras in the path")


def _told(state: State, message: str) -> State:
    return replace(state, message=message)


def _looking(side: str) -> Callable[[State], State]:
    return lambda state: replace(state, pose=poses.along_axis(state.pose, side))


def _turned(turn: float, rise: float) -> Callable[[State], State]:
    return lambda state: replace(state, pose=poses.orbited(state.pose, turn, rise))


def _nearer(factor: float) -> Callable[[State], State]:
    return lambda state: replace(state, pose=poses.zoomed(state.pose, factor))


ACTIONS: dict[str, Callable[[State], State]] = {
    "undo": _undone,
    "redo": _redone,
    "reset": _reset,
    "save": lambda state: state.wishing("save"),
    "screenshot": lambda state: state.wishing("screenshot"),
    "turntable": lambda state: state.wishing("turntable"),
    "film": lambda state: state.wishing("film"),
    "copy camera": lambda state: state.wishing("copy_camera"),
    "add camera": _keyed,
    "clear cameras": lambda state: _told(replace(state, keys=()), "the path is empty"),
    "home": lambda state: replace(state, pose=state.home),
    "focus": _focus,
    "play": _play,
    "next mode": _next_mode,
    "next slice": _next_slice,
    "next side": _next_side,
    "panel": lambda state: replace(state, panel=not state.panel),
    "quit": lambda state: replace(state, running=False),
    "zoom in": _nearer(KEY_ZOOM),
    "zoom out": _nearer(1.0 / KEY_ZOOM),
    "turn left": _turned(-KEY_TURN, 0.0),
    "turn right": _turned(KEY_TURN, 0.0),
    "rise": _turned(0.0, KEY_TURN),
    "sink": _turned(0.0, -KEY_TURN),
    **{side: _looking(side) for side in poses.AXES},
}

# The window system knows letters, arrows and a few others, no digits or signs.
KEYS: dict[str, Event] = {
    "Escape": Act("quit"),
    "Tab": Act("panel"),
    " ": Act("play"),
    "h": Act("home"),
    "f": Act("focus"),
    "m": Act("next mode"),
    "x": Act("next slice"),
    "r": Act("reset"),
    "u": Act("undo"),
    "y": Act("redo"),
    "z": Act("undo"),
    "p": Act("screenshot"),
    "k": Act("add camera"),
    "c": Act("copy camera"),
    "o": Act("save"),
    "v": Act("next side"),
    "t": Act("zoom in"),
    "g": Act("zoom out"),
    "Left": Act("turn left"),
    "Right": Act("turn right"),
    "Up": Act("rise"),
    "Down": Act("sink"),
}
