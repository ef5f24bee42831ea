"""From one state to the next: what every input does. Nothing here draws, reads or waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from . import pose as poses
from .edits import edited, redone, reset, undone
from .events import Act, Click, Drag, Edit, Event, Key, Set, Settle, Tick
from .pose import Pose
from .settings import with_next_mode, with_next_slice, with_setting
from .state import Picked, State

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
        return replace(state, cursor=(event.x, event.y)).requesting("pick")
    if isinstance(event, Key):
        return _key(state, event)
    if isinstance(event, Edit):
        return edited(state, event)
    if isinstance(event, Settle):
        return replace(state, touched=None)
    if isinstance(event, Set):
        return with_setting(state, event)
    if isinstance(event, Act):
        return ACTIONS[event.name](state) if event.name in ACTIONS else state.with_message(f"no action {event.name!r}")
    return _passed(state, event)


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


def _next_side(state: State) -> State:
    """The view after that of the side from which the camera looks, or the first."""
    sides = list(poses.SIDES)
    _, _, backwards = state.pose.axes
    facing = [sum(a * b for a, b in zip(poses.SIDES[side], backwards, strict=True)) for side in sides]
    nearest = max(range(len(sides)), key=facing.__getitem__)
    side = sides[(nearest + 1) % len(sides)] if facing[nearest] > 0.999 else sides[0]
    return replace(state, pose=poses.along_axis(state.pose, side))


def _play(state: State) -> State:
    if not state.animated:
        return state.with_message("only a script with scene(time) plays")
    return replace(state, playing=not state.playing)


def _focus(state: State) -> State:
    if state.picked is None:
        return state.with_message("click a surface first")
    return replace(state, pose=poses.focused(state.pose, state.picked.point))


def _keyed(state: State) -> State:
    return replace(state, keys=(*state.keys, state.pose)).with_message(f"{len(state.keys) + 1} cameras in the path")


def _looking(side: str) -> Callable[[State], State]:
    return lambda state: replace(state, pose=poses.along_axis(state.pose, side))


def _turned(turn: float, rise: float) -> Callable[[State], State]:
    return lambda state: replace(state, pose=poses.orbited(state.pose, turn, rise))


def _nearer(factor: float) -> Callable[[State], State]:
    return lambda state: replace(state, pose=poses.zoomed(state.pose, factor))


ACTIONS: dict[str, Callable[[State], State]] = {
    "undo": undone,
    "redo": redone,
    "reset": reset,
    "save": lambda state: state.requesting("save"),
    "screenshot": lambda state: state.requesting("screenshot"),
    "turntable": lambda state: state.requesting("turntable"),
    "film": lambda state: state.requesting("film"),
    "copy camera": lambda state: state.requesting("copy_camera"),
    "add camera": _keyed,
    "clear cameras": lambda state: replace(state, keys=()).with_message("the path is empty"),
    "home": lambda state: replace(state, pose=state.home),
    "focus": _focus,
    "play": _play,
    "next mode": with_next_mode,
    "next slice": with_next_slice,
    "next side": _next_side,
    "panel": lambda state: replace(state, panel=not state.panel),
    "quit": lambda state: replace(state, running=False),
    "zoom in": _nearer(KEY_ZOOM),
    "zoom out": _nearer(1.0 / KEY_ZOOM),
    "turn left": _turned(-KEY_TURN, 0.0),
    "turn right": _turned(KEY_TURN, 0.0),
    "rise": _turned(0.0, KEY_TURN),
    "sink": _turned(0.0, -KEY_TURN),
    **{side: _looking(side) for side in poses.SIDES},
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
