"""What states request, and pictures of states, without a window."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import imageio.v3 as imageio
import numpy
import pytest
import torch

import isofield as iso
from isofield.engine.files import PLAIN
from isofield.engine.render import render
from isofield.engine.scene import Scene, load
from isofield.engine.view.capture import render_command
from isofield.engine.view.events import Act, Click, Drag, Edit, Event, Set
from isofield.engine.view.inputs import apply
from isofield.engine.view.painter import LINE, Painter
from isofield.engine.view.panel import Panel
from isofield.engine.view.requests import Tools, fulfil
from isofield.engine.view.state import State
from isofield.engine.view.window import PanelPress

WIDTH, HEIGHT = 64, 48


def painter(samples: int = 2) -> Painter:
    return Painter(samples=samples, whole_passes=True)


def done(state: State, folder: Path, said: list[str] | None = None) -> State:
    """The state after what it requests is done, without a window."""
    told: list[str] = [] if said is None else said
    window: Any = SimpleNamespace(shape=(WIDTH, HEIGHT), hidden=True)
    return fulfil(state, Tools(painter(), window, "toy", PLAIN, "toy", folder, told.append))


def beside(state: State) -> State:
    """The state with a scene beside it in which the floor is called otherwise."""
    floor = iso.plane(offset=-0.3).named("ground")
    return replace(state, beside=Scene(show=floor))


@pytest.mark.parametrize(("x", "shape"), [(0.1, "floor"), (0.9, "ground")])
def test_a_click_looks_at_the_side_of_the_line_it_is_on(state: State, tmp_path: Path, x: float, shape: str) -> None:
    after = done(apply(beside(state), Click(x, 0.95)), tmp_path)
    assert after.picked is not None
    assert after.picked.shape == shape
    assert after.requests == ()


def test_what_is_saved_has_the_edits_and_the_camera(state: State, tmp_path: Path) -> None:
    for event in (Edit("knob.radius", 0.4), Drag("left", 0.2, 0.1), Act("save"), Act("save")):
        state = apply(state, event)
    done(state, tmp_path)
    for number in (1, 2):
        saved = load(tmp_path / f"toy-{number}.toml")
        assert saved.shapes["knob"].radius == 0.4  # type: ignore[attr-defined]
        assert saved.camera == state.pose.camera()


def test_a_screenshot_is_the_picture_at_rest(state: State, tmp_path: Path) -> None:
    said: list[str] = []
    done(apply(state, Act("screenshot")), tmp_path, said)
    wanted = render(state.scene, width=WIDTH, height=HEIGHT, samples=2, camera=state.pose.camera())
    written = imageio.imread(tmp_path / "toy-1.png").astype(float) / 255.0
    assert numpy.abs(written - wanted.numpy()).max() < 1.0 / 255.0
    assert any("isofield render toy" in line for line in said)


def test_a_scene_that_does_not_fit_is_told_and_the_next_is_drawn(state: State, tmp_path: Path) -> None:
    deep = iso.sphere(0.1)
    for _ in range(12):
        deep = deep.twist(10.0).repeat((1.0, 1.0, 1.0))
    unfit = apply(replace(state, scene=Scene(show=deep)), Click(0.5, 0.5))
    ours = painter()
    assert ours.paint(unfit, WIDTH, HEIGHT) is None
    assert ours.unfit
    assert ours.paint(state, WIDTH, HEIGHT) is not None
    assert ours.unfit == ""
    after = done(unfit, tmp_path)
    assert after.picked is None
    assert after.message


def test_two_scenes_are_parted_by_a_line(state: State) -> None:
    both = replace(beside(state), split=0.25)
    picture, left = painter().paint(both, WIDTH, HEIGHT), painter().paint(state, WIDTH, HEIGHT)
    assert both.beside is not None
    right = painter().paint(replace(state, scene=both.beside), WIDTH, HEIGHT)
    assert picture is not None
    assert left is not None
    assert right is not None
    assert torch.equal(picture[:, :15], left[:, :15])
    assert torch.equal(picture[:, 17:], right[:, 17:])
    assert torch.equal(picture[:, 15:17], torch.tensor(LINE).expand(HEIGHT, 2, 3))
    assert not torch.equal(left[:, 17:], right[:, 17:])


def test_the_command_says_all_that_is_not_as_usual(state: State) -> None:
    for event in (Set("mode", "normals"), Set("slice", "y"), Set("offset", 0.125), Set("flipped", True),
                  Set("level", 0.0625), Set("bounds", True), Edit("body.size", [1.5, 1.0, 0.5])):  # fmt: skip
        state = apply(state, event)
    command = render_command(replace(state, time=1.5), "toy", Path("a.png"), 64, 48, 3, "--more")
    for words in ("render toy --output a.png --width 64 --height 48 --samples 3", "--mode normals", "--time 1.5",
                  "--level 0.0625", "--cut y=0.125", "--flip", "--bounds", "--set body.size=1.5,1,0.5",
                  "--set camera.eye=", "--more"):  # fmt: skip
        assert words in command
    plain = render_command(replace(state, time=0.0, layers=type(state.layers)()), "toy", Path("a.png"), 64, 48, 3)
    assert not any(word in plain for word in ("--time", "--level", "--cut", "--flip", "--bounds"))


def test_a_panel_may_have_moved_unless_something_in_it_was_used() -> None:
    panel = Panel("view", (0.0, 0.0, 0.25, 1.0), ())
    size = (800, 600)
    assert PanelPress(panel, 0.1, 0.01).moves_panel(0.1, 0.01, *size), "its title folds it"
    assert PanelPress(panel, 0.1, 0.5).moves_panel(0.3, 0.5, *size)
    assert not PanelPress(panel, 0.1, 0.5, used=True).moves_panel(0.3, 0.5, *size)
    assert not PanelPress(panel, 0.1, 0.5).moves_panel(0.1, 0.5, *size)
    assert not PanelPress(panel, 0.245, 0.5).moves_panel(0.245, 0.7, *size), "what scrolls it"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_film_that_is_interrupted_keeps_its_frames_and_ends_the_viewer(
    number: signal.Signals, state: State, tmp_path: Path
) -> None:
    shown: list[int] = []

    def events() -> list[Event]:
        shown.append(1)
        if len(shown) == 2:
            signal.raise_signal(number)
        return []

    window: Any = SimpleNamespace(shape=(WIDTH, HEIGHT), hidden=True, events=events)
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        fulfil(apply(state, Act("turntable")), Tools(painter(), window, "toy", PLAIN, "toy", tmp_path, said.append))
    (film,) = tmp_path.iterdir()
    assert film.stat().st_size > 0
    assert f"wrote {film.name}" in said
    assert len(shown) in (2, 3)
