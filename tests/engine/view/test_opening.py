"""Everything that can be looked at is opened by the viewer, whose window is one that only has a size here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from isofield.engine.fields import Grid
from isofield.engine.files import MeshOptions
from isofield.engine.render import render
from isofield.engine.render.sources import open_as_scene
from isofield.engine.scene import load
from isofield.engine.view import viewer as viewers
from isofield.engine.view.events import Act, Drag, Event
from isofield.engine.view.panel import Panel
from isofield.engine.view.viewer import Viewer

SCENES = Path(__file__).parents[3] / "scenes"
WIDTH, HEIGHT = 64, 48


class Unseen:
    """What a viewer asks of a window."""

    hidden = True
    shape = (WIDTH, HEIGHT)

    def __init__(self, title: str, width: int, height: int, *, hidden: bool) -> None:
        self.panels: Sequence[Panel] = ()

    def draw(self, picture: torch.Tensor, panels: Sequence[Panel]) -> list[Event]:
        assert bool(picture.isfinite().all())
        self.panels = panels
        return []

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture(autouse=True)
def _unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewers, "Window", Unseen)


def opened(source: str | Path, **more: Any) -> Viewer:
    return Viewer(str(source), WIDTH, HEIGHT, hidden=True, samples=1, say=lambda line: None, **more)


def write_ball(path: str) -> None:
    """A grid of distances to a ball."""
    field = Grid(3, 1, nodes=17, meaning="signed_distance", bounds=((-1.0,) * 3, (1.0,) * 3))
    line = torch.linspace(-1.0, 1.0, 17)
    points = torch.stack(torch.meshgrid(line, line, line, indexing="ij"), dim=-1)
    with torch.no_grad():
        field.values.copy_(points.norm(dim=-1, keepdim=True) - 0.6)
    field.save(path)


@pytest.mark.parametrize(
    "name", ["toy", "carved_box.toml", "mug.py", "cradle.py", "ball.safetensors", "gem.obj", "jack.npy"]
)
def test_every_kind_of_source_is_shown_moved_and_saved(name: str, tmp_path: Path) -> None:
    source = name if "." not in name else str(SCENES / name)
    if name.endswith(".safetensors"):
        source = str(tmp_path / name)
        write_ball(source)
    viewer = opened(source, folder=tmp_path)
    viewer.step([], 0.0)
    scene = open_as_scene(source).at(0.0)
    first = viewer.picture
    if not name.endswith(".safetensors"):  # at rest a network is traced itself
        assert torch.equal(first, render(scene, width=WIDTH, height=HEIGHT, samples=1))
    assert first.std() > 0.02
    assert len(viewer.window.panels) == 2  # type: ignore[attr-defined]
    viewer.step([Drag("left", 0.3, 0.1)], 0.0)
    assert not torch.equal(viewer.picture, first)
    viewer.step([Act("save")], 0.0)
    (saved,) = tmp_path.glob("*.toml")
    again = load(saved)
    assert again.camera == viewer.state.pose.camera()
    assert list(again.shapes) == list(viewer.state.scene.shapes)
    turned = render(again, width=WIDTH, height=HEIGHT, samples=1)
    if not name.endswith(".safetensors"):
        assert (turned - viewer.picture).abs().max() < 1e-5, "what is saved is what is seen"


def write_tall(path: Path, up: str) -> None:
    """A box 1 wide, 1 deep and 3 high."""
    corners = [(x, y, z) for x in (0.0, 1.0) for y in (0.0, 1.0) for z in (0.0, 3.0)]
    faces = ["1 2 4 3", "5 7 8 6", "1 5 6 2", "3 4 8 7", "1 3 7 5", "2 6 8 4"]
    placed = corners if up == "z" else [(x, z, -y) for x, y, z in corners]
    lines = [*("v " + " ".join(map(str, corner)) for corner in placed), *(f"f {face}" for face in faces)]
    path.write_text("\n".join(lines) + "\n")


def test_a_model_with_y_up_stands_and_is_made_again_standing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_tall(Path("upright.obj"), "z")
    write_tall(Path("lying.obj"), "y")
    upright = opened("upright.obj")
    said: list[str] = []
    standing = Viewer(
        "lying.obj",
        WIDTH,
        HEIGHT,
        hidden=True,
        samples=1,
        options=MeshOptions(up="y"),
        beside="lying.obj",
        say=said.append,
    )
    for viewer in (upright, standing):
        viewer.step([], 0.0)
    assert standing.state.beside == standing.state.scene
    assert standing.state.size == pytest.approx(upright.state.size)
    assert standing.state.pose.eye == pytest.approx(upright.state.pose.eye, abs=1e-5)
    left = slice(0, WIDTH // 2 - 2)
    assert (standing.picture - upright.picture)[:, left].abs().max() < 0.02

    # The file is written again: it is read with y up again.
    write_tall(Path("lying.obj"), "y")
    standing.step([], 0.0)
    assert standing.state.message == "reloaded"
    assert standing.state.scene == standing.state.beside
    standing.state = replace(standing.state, beside=None)
    standing.step([Act("screenshot"), Act("save")], 0.0)
    assert any(" --up y" in line for line in said)
    assert load("lying-1.toml").shapes["mesh"].up == "y"  # type: ignore[attr-defined]
