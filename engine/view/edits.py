"""Values of the scene that the user changes: undone, done again, kept when the file changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..scene import Scene, SceneError, with_values
from .events import Edit, Set
from .settings import with_setting
from .state import Edits, State
from .values import names_in


def reloaded(state: State, base: Scene) -> State:
    """The state with the scene of a file that has changed; edits that still fit stay, camera and settings too."""
    try:
        scene, edits = with_values(base, state.edits), state.edits
    except SceneError:
        scene, edits = base, {}
    state = replace(state, base=base, scene=scene, edits=edits, picked=None, error="", message="reloaded")
    if state.selected in names_in(scene, state.section):
        return state
    return with_setting(state, Set("section", state.section))


def at_time(state: State, base: Scene) -> State:
    """The state with the scene of a script at the state's time."""
    after = reloaded(state, base)
    return replace(after, picked=state.picked, message=state.message)


def edited(state: State, edit: Edit) -> State:
    """The state with one value of the scene changed."""
    edits = {**state.edits, edit.name: edit.value}
    try:
        scene = with_values(state.base, edits)
    except SceneError as error:
        return state.with_message(error.mistakes[0].text)
    # All changes of one value until the mouse is let go are one step to undo.
    past = state.past if state.touched == edit.name else (*state.past, state.edits)
    return replace(state, scene=scene, edits=edits, past=past, future=(), touched=edit.name, message="")


def _with_edits(state: State, edits: Edits, **more: Any) -> State:
    try:
        scene = with_values(state.base, edits)
    except SceneError as error:  # the file has changed since
        return state.with_message(error.mistakes[0].text)
    return replace(state, scene=scene, edits=edits, touched=None, message="", **more)


def undone(state: State) -> State:
    """The state before the last step."""
    if not state.past:
        return state.with_message("nothing to undo")
    return _with_edits(state, state.past[-1], past=state.past[:-1], future=(*state.future, state.edits))


def redone(state: State) -> State:
    """The state with the last step that was undone."""
    if not state.future:
        return state.with_message("nothing to redo")
    return _with_edits(state, state.future[-1], past=(*state.past, state.edits), future=state.future[:-1])


def reset(state: State) -> State:
    """The state as it was opened: no edits, the camera at home."""
    if not state.edits:
        return replace(state, pose=state.home)
    return _with_edits(state, {}, past=(*state.past, state.edits), future=(), pose=state.home)
