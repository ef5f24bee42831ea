"""From input to state, without a window."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from isofield.engine.cli.view import read_inputs, write_inputs
from isofield.engine.scene import Scene, load
from isofield.engine.view.edits import at_time, reloaded
from isofield.engine.view.events import (
    Act,
    Click,
    Drag,
    Edit,
    Event,
    Key,
    Set,
    Settle,
    Tick,
    event_from_dict,
    event_to_dict,
)
from isofield.engine.view.inputs import ACTIONS, KEYS, apply, is_moving, with_picked
from isofield.engine.view.panel import panels
from isofield.engine.view.pose import SIDES, pose_of
from isofield.engine.view.settings import MODES
from isofield.engine.view.state import Picked, State, initial_state

EVENTS: list[Event] = [
    Drag("left", 0.25, -0.5), Click(0.5, 0.25), Key("w"), Key("w", down=False), Edit("body.size", [1.0, 2.0, 3.0]),
    Settle(), Set("mode", "depth"), Act("home"), Tick(0.5),
]  # fmt: skip


def after(state: State, events: Iterable[Event]) -> State:
    for event in events:
        state = apply(state, event)
    return state


@pytest.mark.parametrize("event", EVENTS, ids=str)
def test_an_event_survives_a_file(event: Event) -> None:
    assert event_from_dict(json.loads(json.dumps(event_to_dict(event)))) == event


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (3, "expected one of drag"),
        ({"event": "jump"}, "expected one of drag"),
        ({"event": ["drag"]}, "expected one of drag"),
        ({"event": "drag", "button": "left"}, "expected button, x, y, got button"),
        ({"event": "click", "x": "1", "y": 0}, "x: expected a number"),
        ({"event": "settle", "what": 1}, "expected nothing more"),
    ],
)
def test_what_is_no_event_is_named(table: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        event_from_dict(table)


def test_recorded_inputs_survive_a_file(tmp_path: Path) -> None:
    happened = list(enumerate(EVENTS))
    write_inputs(tmp_path / "inputs.json", happened)
    assert read_inputs(tmp_path / "inputs.json") == {frame: [event] for frame, event in happened}


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "not valid JSON"), ("{}", "expected a list"), ('[{"event": "settle"}]', "event 0: frame"),
     ('[{"frame": 0, "event": "go"}]', "event 0: event: expected one of")],
)  # fmt: skip
def test_a_wrong_file_of_inputs_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "inputs.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"inputs.json: {said}"):
        read_inputs(path)


def test_left_drags_orbit_right_drags_pan_middle_drags_zoom(state: State) -> None:
    orbit = apply(state, Drag("left", 0.1, 0.0)).pose
    assert orbit.distance == pytest.approx(state.pose.distance)
    assert orbit.target == state.pose.target
    assert orbit.eye != state.pose.eye
    pan = apply(state, Drag("right", 0.1, 0.0)).pose
    assert pan.axes[2] == pytest.approx(state.pose.axes[2])
    assert pan.target != state.pose.target
    # What is under the mouse goes with it: down and to the right, as the camera goes up and to the left.
    (right, up, _), moved = state.pose.axes, apply(state, Drag("right", 0.1, 0.2)).pose
    shift = [b - a for a, b in zip(state.pose.target, moved.target, strict=True)]
    assert (
        sum(a * b for a, b in zip(shift, right, strict=True)) < 0.0 < sum(a * b for a, b in zip(shift, up, strict=True))
    )
    assert apply(state, Drag("middle", 0.0, -0.5)).pose.distance < state.pose.distance


def test_shift_and_control_make_left_drags_pan_and_zoom(state: State) -> None:
    shifted = after(state, [Key("Shift"), Drag("left", 0.1, 0.0)])
    assert shifted.pose == apply(state, Drag("right", 0.1, 0.0)).pose
    controlled = after(state, [Key("Control"), Drag("left", 0.0, 0.2)])
    assert controlled.pose == apply(state, Drag("middle", 0.0, 0.2)).pose
    let_go = after(state, [Key("Shift"), Key("Shift", down=False), Drag("left", 0.1, 0.0)])
    assert let_go.pose == apply(state, Drag("left", 0.1, 0.0)).pose


def test_keys_that_are_held_fly(state: State) -> None:
    flying = apply(state, Key("w"))
    assert is_moving(flying)
    moved = apply(flying, Tick(0.5)).pose
    assert moved.eye != state.pose.eye
    stopped = apply(flying, Key("w", down=False))
    assert not is_moving(stopped)
    assert apply(stopped, Tick(0.5)).pose == state.pose


def test_a_slider_changes_the_scene_and_is_undone_in_one_step(state: State, toy: Scene) -> None:
    dragged = after(state, [Edit("knob.radius", 0.31), Edit("knob.radius", 0.35), Edit("knob.radius", 0.4), Settle()])
    assert dragged.scene.shapes["knob"].radius == 0.4  # type: ignore[attr-defined]
    assert dragged.base is toy
    again = after(dragged, [Edit("knob.radius", 0.2)])
    assert len(again.past) == 2
    undone = apply(again, Act("undo"))
    assert undone.scene == dragged.scene
    assert apply(undone, Act("redo")).scene == again.scene
    twice = apply(undone, Act("undo"))
    assert twice.scene == toy
    assert twice.edits == {}
    assert apply(twice, Act("undo")).message == "nothing to undo"
    assert apply(twice, Act("redo")).scene == dragged.scene


def test_what_is_edited_after_undo_forgets_the_future(state: State) -> None:
    undone = after(state, [Edit("knob.radius", 0.4), Act("undo"), Edit("sun.strength", 1.0)])
    assert apply(undone, Act("redo")).message == "nothing to redo"


def test_a_value_that_does_not_fit_is_told_and_changes_nothing(state: State) -> None:
    for edit in (Edit("knob.radius", -1.0), Edit("nobody.radius", 1.0)):
        refused = apply(state, edit)
        assert refused.scene is state.scene
        assert refused.message


def test_reset_undoes_all_edits_and_can_be_undone(state: State, toy: Scene) -> None:
    edited = after(state, [Edit("knob.radius", 0.4), Settle(), Edit("clay.roughness", 0.1), Drag("left", 0.3, 0.1)])
    reset = apply(edited, Act("reset"))
    assert reset.scene == toy
    assert reset.pose == state.home
    assert apply(reset, Act("undo")).scene == edited.scene


def test_a_reload_keeps_camera_and_edits_that_fit(state: State) -> None:
    edited = after(state, [Edit("knob.radius", 0.4), Drag("left", 0.3, 0.1)])
    broken = replace(edited, error="line 3: expected a number")
    base = apply(state, Edit("body.size", [2.0, 2.0, 2.0])).scene
    again = reloaded(broken, base)
    assert again.pose == edited.pose
    assert again.error == ""
    assert again.scene.shapes["knob"].radius == 0.4  # type: ignore[attr-defined]
    assert again.scene.shapes["body"].size == (2.0, 2.0, 2.0)  # type: ignore[attr-defined]
    other = reloaded(edited, load("carved_box"))
    assert other.edits == {}
    assert other.selected == "ball", "the first, where the one before is no more"


def test_time_goes_on_while_it_plays(state: State, toy: Scene) -> None:
    assert apply(state, Act("play")).message.startswith("only a script")
    playing = apply(replace(state, animated=True, duration=2.0), Key(" "))
    assert playing.playing
    assert apply(playing, Tick(0.5)).time == pytest.approx(0.5)
    assert apply(playing, Tick(2.5)).time == pytest.approx(0.5)
    assert apply(apply(playing, Act("play")), Tick(0.5)).time == 0.0
    assert apply(playing, Set("time", 1.25)).time == 1.25
    assert at_time(playing, toy).playing


def test_modes_go_round(state: State) -> None:
    seen = [state.mode]
    for _ in MODES:
        state = apply(state, Key("m"))
        seen.append(state.mode)
    assert seen[:-1] == list(MODES)
    assert seen[-1] == seen[0]
    assert apply(state, Set("mode", "x-ray")).message


def test_sides_go_round(state: State) -> None:
    seen = []
    for _ in range(7):
        state = apply(state, Key("v"))
        seen.append(state.pose)
    assert seen[0] == apply(state, Act("front")).pose
    assert seen[4].eye == pytest.approx(apply(state, Act("top")).pose.eye)
    assert seen[6].eye == pytest.approx(seen[0].eye)


def test_a_cut_opens_towards_the_camera(state: State) -> None:
    front = apply(apply(state, Act("front")), Set("slice", "y"))
    back = apply(apply(state, Act("back")), Set("slice", "y"))
    assert front.layers.normal == (0.0, -1.0, 0.0)
    assert back.layers.normal == (0.0, 1.0, 0.0)
    assert apply(front, Set("offset", 0.2)).layers.offset == 0.2
    assert apply(front, Set("slice", None)).layers.slice is None
    order = []
    for _ in range(4):
        state = apply(state, Key("x"))
        order.append(state.layers.slice)
    assert order == ["x", "y", "z", None]


def test_a_click_asks_what_is_there_and_the_panel_goes_to_it(state: State) -> None:
    clicked = apply(state, Click(0.25, 0.75))
    assert clicked.requests == ("pick",)
    assert clicked.cursor == (0.25, 0.75)
    picked = Picked("knob", "gold", (0.1, 0.0, 0.6), (0.0, 0.0, 1.0), 3.0)
    found = with_picked(apply(clicked, Set("section", "lights")), picked)
    assert (found.section, found.selected) == ("shapes", "knob")
    assert apply(found, Act("focus")).pose.target == (0.1, 0.0, 0.6)
    assert with_picked(found, None).picked is None
    assert apply(state, Act("focus")).pose == state.pose


def test_every_key_means_something_and_every_action_can_be_done(state: State) -> None:
    for name in KEYS:
        assert apply(state, Key(name, down=False)).pose == state.pose
        apply(state, Key(name))
    for name in ACTIONS:
        apply(state, Act(name))
    assert {event.name for event in KEYS.values() if isinstance(event, Act)} <= set(ACTIONS)
    assert set(SIDES) <= set(ACTIONS)
    assert not apply(state, Key("Escape")).running
    assert "no action" in apply(state, Act("explode")).message


def test_what_was_edited_before_the_file_changed_may_be_lost_but_breaks_nothing(state: State) -> None:
    edited = after(state, [Edit("knob.radius", 0.4), Settle(), Edit("knob.radius", 0.2)])
    other = reloaded(edited, load("carved_box"))
    undone = apply(other, Act("undo"))
    assert undone.scene == other.scene
    assert undone.message


@given(st.lists(st.sampled_from([Drag, Click, Key, Edit, Settle, Set, Act, Tick]), max_size=12), st.data())
def test_no_input_breaks_the_viewer(kinds: list[type[Event]], data: st.DataObject) -> None:
    scene = load("carved_box")
    assert scene.camera is not None
    state = initial_state(scene, pose_of(scene.camera, (0.0, 0.0, 0.0)), (0.0, 0.0, 0.0), 1.3)
    number = st.floats(-3.0, 3.0)
    anything = number | st.sampled_from([None, "x", "depth", "lights", "ball", [1.0, 2.0, 3.0], True, {}, float("nan")])
    for kind in kinds:
        if kind is Drag:
            event: Event = Drag(data.draw(st.sampled_from(["left", "middle", "right"])), data.draw(number), 0.3)
        elif kind is Click:
            event = Click(data.draw(number), data.draw(number))
        elif kind is Key:
            event = Key(
                data.draw(st.sampled_from([*KEYS, "w", "q", "Shift", "Control", "F9"])), data.draw(st.booleans())
            )
        elif kind is Edit:
            event = Edit(
                data.draw(st.sampled_from(["ball.radius", "sun.strength", "camera.fov", "x"])), data.draw(anything)
            )
        elif kind is Set:
            names = [
                "mode",
                "slice",
                "level",
                "offset",
                "flipped",
                "bounds",
                "split",
                "time",
                "fov",
                "section",
                "selected",
            ]
            event = Set(data.draw(st.sampled_from(names)), data.draw(anything))
        elif kind is Act:
            event = Act(data.draw(st.sampled_from([*ACTIONS, "nothing"])))
        else:
            event = kind(0.1) if kind is Tick else Settle()
        state = apply(state, event)
        panels(state)
        state.pose.camera().matrix()


def test_cameras_of_a_path_are_collected(state: State) -> None:
    two = after(state, [Act("add camera"), Drag("left", 0.2, 0.0), Key("k")])
    assert two.keys == (state.pose, two.pose)
    assert apply(two, Act("film")).requests == ("film",)
    assert apply(two, Act("clear cameras")).keys == ()
