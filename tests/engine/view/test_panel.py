"""Panels made from the classes of shapes: every number has a slider that gives a valid scene."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from isofield.engine.scene import Scene, SceneError, load, with_values
from isofield.engine.view.events import Edit, Set
from isofield.engine.view.inputs import apply
from isofield.engine.view.panel import Button, Control, Text, panels
from isofield.engine.view.state import State
from isofield.engine.view.values import names_in, values_of


@pytest.mark.parametrize("name", ["toy", "carved_box", "twenty_primitives", "gyroid_lamp", "twisted_towers", "gears"])
def test_both_ends_of_every_slider_are_valid(name: str) -> None:
    scene = load(name)
    refused: set[str] = set()
    for section in ("shapes", "materials", "lights"):
        for entry in names_in(scene, section):
            for value in values_of(scene, scene, section, entry, 1.0):
                assert value.low < value.high
                numbers = value.value if isinstance(value.value, tuple) else (value.value,)
                assert all(value.low <= number <= value.high for number in numbers), value
                if not isinstance(value.value, tuple):
                    for end in (value.low, value.high):
                        try:
                            with_values(scene, {value.name: int(end) if value.kind == "integer" else end})
                        except SceneError as error:  # what must fit another number, such as a rounding
                            refused |= {mistake.text for mistake in error.mistakes}
    assert [text for text in refused if "must be" not in text and "expected" not in text] == []


def test_names_that_are_used_twice_are_told_apart() -> None:
    scene = load("toy")
    twice = Scene.from_tables({"show": scene.show, "shapes": scene.shapes, "stage": [], "lights": {},
                               "materials": {**scene.materials, "knob": scene.materials["clay"]}})  # fmt: skip
    named = {value.name for value in values_of(twice, twice, "materials", "knob", 1.0)}
    assert "materials.knob.roughness" in named
    for value in values_of(twice, twice, "shapes", "knob", 1.0):
        with_values(twice, {value.name: value.value})


def test_ends_stay_while_a_value_is_dragged(state: State) -> None:
    before = {value.name: value for value in values_of(state.scene, state.base, "shapes", "knob", state.size)}
    dragged = apply(state, Edit("knob.radius", 1.1))
    now = {value.name: value for value in values_of(dragged.scene, dragged.base, "shapes", "knob", state.size)}
    assert now["knob.radius"].value == 1.1
    assert now["knob.radius"].high == before["knob.radius"].high


def other_value(control: Control) -> Any:
    middle = 0.25 * control.low + 0.75 * control.high
    values = {"tick": not control.value, "colour": (0.25, 0.5, 0.75), "integer": round(middle), "number": middle}
    return values[control.kind]


def test_every_widget_gives_an_event_that_does_something(state: State) -> None:
    for section in ("shapes", "materials", "lights", "camera"):
        shown = apply(apply(state, Set("section", section)), Set("slice", "z"))
        shown = replace(shown, animated=True, beside=shown.scene, duration=2.0)
        for panel in panels(shown, "status"):
            labels = [item.label for item in panel.items if not isinstance(item, Text)]
            assert len(labels) == len(set(labels)), "two widgets of one name are one to the window system"
            for item in panel.items:
                if isinstance(item, Text):
                    continue
                after = apply(shown, item.event if isinstance(item, Button) else item.event(other_value(item)))
                assert after.message != f"no action {item.label!r}"
                if isinstance(item, Control) and item.kind != "tick" and item.label != "choose":
                    assert after != shown, item.label


def test_colours_are_shown_as_srgb_and_set_as_linear(state: State) -> None:
    shown = apply(state, Set("section", "materials"))
    (colour,) = [item for panel in panels(shown) for item in panel.items if getattr(item, "kind", "") == "colour"]
    assert isinstance(colour, Control)
    assert colour.value == pytest.approx((0xC8 / 255, 0x6A / 255, 0x4A / 255), abs=1e-6)
    grey = apply(shown, colour.event((0.5, 0.5, 0.5))).scene.materials["clay"].base_color
    assert grey == pytest.approx((0.21404, 0.21404, 0.21404), abs=1e-5)


def test_errors_are_shown_also_without_panels(state: State) -> None:
    hidden = replace(state, panel=False)
    assert panels(hidden) == []
    (panel,) = panels(replace(hidden, error="shapes.knob.radius: expected a number"))
    assert panel.items[0].text == "shapes.knob.radius: expected a number"  # type: ignore[union-attr]
    assert panel.holds(0.5, 0.8)
    assert not panel.holds(0.5, 0.5)
