"""What a window makes of the mouse, the keys and its panels, over a window system that only remembers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from isofield.engine.view import window as windows
from isofield.engine.view.events import Click, Drag, Event, Key, Settle
from isofield.engine.view.panel import Panel, Text
from isofield.engine.view.window import Window

PANEL = Panel("view", (0.0, 0.0, 0.25, 1.0), (Text("words"),))


class Remembering:
    """The window system: what has happened to it, and the names under which panels were begun."""

    def __init__(self, *_: object, **__: object) -> None:
        self.running, self.at = True, (0.5, 0.5)
        self.waiting: dict[str, list[str]] = {"press": [], "release": []}
        self.begun: list[str] = []

    def get_window_shape(self) -> tuple[int, int]:
        return 800, 400

    def get_cursor_pos(self) -> tuple[float, float]:
        return self.at[0], 1.0 - self.at[1]

    def get_events(self, kind: str) -> list[SimpleNamespace]:
        found, self.waiting[kind] = self.waiting[kind], []
        return [SimpleNamespace(key=key) for key in found]

    def get_canvas(self) -> Any:
        return SimpleNamespace(canvas=SimpleNamespace(set_image=lambda image: None))

    def get_gui(self) -> Any:
        return SimpleNamespace(
            begin=lambda title, *place: self.begun.append(title), end=lambda: None, text=lambda line, colour: None
        )

    def destroy(self) -> None:
        """Nothing to destroy."""


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Any:
    ui = SimpleNamespace(Window=Remembering, PRESS="press", RELEASE="release")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(windows, "ti", SimpleNamespace(ui=ui))
    monkeypatch.setattr(windows, "get_field_info", lambda image: image)
    made = Window("a window", 800, 400)
    yield made
    made.close()


def does(window: Any, at: tuple[float, float], press: str = "", release: str = "") -> list[Event]:
    """The events of a frame in which the mouse goes to a place, and a key or button is pressed or let go."""
    system = window._window
    system.at = at
    system.waiting = {"press": [press] if press else [], "release": [release] if release else []}
    found: list[Event] = window.events()
    window.draw(torch.zeros(4, 8, 3), [PANEL])
    return found


def test_a_press_and_a_move_are_a_drag_and_a_press_alone_a_click(window: Any) -> None:
    assert does(window, (0.5, 0.5)) == []
    assert does(window, (0.5, 0.5), press="LMB") == []
    (drag,) = does(window, (0.6, 0.75))
    assert isinstance(drag, Drag)
    assert (drag.button, drag.x, drag.y) == ("left", pytest.approx(0.2), pytest.approx(0.25))
    assert does(window, (0.6, 0.75), release="LMB") == [Settle()]
    assert does(window, (0.7, 0.75)) == [], "no button is down"
    does(window, (0.7, 0.75), press="LMB")
    assert does(window, (0.7, 0.75), release="LMB") == [Settle(), Click(0.7, 0.75)]
    does(window, (0.7, 0.75), press="RMB")
    assert [event.button for event in does(window, (0.8, 0.75)) if isinstance(event, Drag)] == ["right"]
    assert does(window, (0.8, 0.75), release="RMB") == []
    assert does(window, (0.8, 0.75), press="w") == [Key("w")]
    assert does(window, (0.8, 0.75), release="w") == [Key("w", down=False)]


def test_a_press_on_a_panel_is_none_on_the_picture_and_a_drag_of_it_brings_it_back(window: Any) -> None:
    does(window, (0.1, 0.01))
    before = window._window.begun[-1]
    assert does(window, (0.1, 0.01), press="LMB") == []
    assert does(window, (0.5, 0.5)) == []
    assert window._window.begun[-1] == before
    assert does(window, (0.5, 0.5), release="LMB") == [Settle()]
    assert window._window.begun[-1] != before, "made again in its place"


def test_it_knows_when_it_was_used_and_when_a_button_was_down(window: Any) -> None:
    does(window, (0.5, 0.5))
    assert not window.used
    does(window, (0.6, 0.5))
    assert window.used
    assert window.touched < 0.0, "a move is no touch"
    does(window, (0.6, 0.5), press="LMB")
    pressed = window.touched
    assert pressed > 0.0
    does(window, (0.6, 0.5))
    assert window.touched > pressed, "while it is held"
    does(window, (0.6, 0.5), release="LMB")
    released = window.touched
    does(window, (0.6, 0.5))
    assert window.touched == released
