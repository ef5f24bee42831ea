"""Watching a field while it is trained."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from isofield.engine.fields import Field, ImageField, ShapeField
from isofield.engine.fit import FitSettings, ImageSource, fit, make_field
from isofield.engine.scene import Scene, load
from isofield.engine.view.learning import SIDE, Cut, field_picture, loss_curve

WATCHED = """
import sys
from pathlib import Path
import torch
from isofield.engine.fit import make_field
from isofield.engine.view import learning
from isofield.engine.view.events import Act, Key, Set

folder = Path(sys.argv[1])
field = make_field("mlp", 3, 1, meaning="signed_distance", seed=1)
try:
    window = learning.LearningWindow(60, folder, psnr=False, width=160, height=96, hidden=True)
except RuntimeError as error:
    print("MISSING", error)
    raise SystemExit(0)
assert window(20, 0.5, field) and window.spent > 0.0
spent = window.spent
assert window(40, 0.25, field) and window.spent == spent, "it looks again when it may"
assert window.losses == [(20, 0.5), (40, 0.25)]

# What the window gives: a pause that lasts until it is ended, meanwhile a snapshot and another cut.
learning.SHARE, learning.MOST_RATE = 1e9, 1e9
waiting = [[Key(" ")], [], [Act("snapshot"), Set("axis", 2)], [Set("at", 0.25)], [Act("pause")], [Act("stop")]]
window.window.events = lambda: waiting.pop(0)
assert window(60, 0.125, field) and len(waiting) == 1 and not window.paused
assert window.cut == learning.Cut(2, 0.25)
assert list(folder.glob("step-60-1.png"))
assert not window(80, 0.1, field), "stop"
window.close()
assert not window(100, 0.1, field)
print("PASSED")
"""


def test_a_window_looks_pauses_and_stops(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(tmp_path)], capture_output=True, text=True, timeout=280, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-3000:]
    if "MISSING" in done.stdout:
        assert not os.environ.get("ISOFIELD_REQUIRE_VULKAN"), f"Vulkan is required here: {done.stdout}"
        pytest.skip(f"no Vulkan on this machine: {done.stdout.strip()}")
    assert "PASSED" in done.stdout
    assert not list(tmp_path.rglob("imgui.ini"))


def test_watching_changes_nothing() -> None:
    image = ImageField(torch.rand(8, 8, 3, generator=torch.Generator().manual_seed(0)))

    def trained(watched: bool) -> list[torch.Tensor]:
        field = make_field("mlp", 2, 3, meaning="colour", seed=1)
        settings = FitSettings(steps=40, batch=64)
        watch = (lambda step, loss, field: bool(field_picture(field, Cut()).isfinite().all())) if watched else None
        fit(field, ImageSource(image), settings, watch=watch)
        return [parameter.detach() for parameter in field.parameters()]

    for one, other in zip(trained(False), trained(True), strict=True):
        assert torch.equal(one, other)


def test_a_fit_ends_when_who_watches_says_so() -> None:
    seen: list[int] = []

    def watch(step: int, loss: float, field: Field) -> bool:
        assert loss > 0.0
        seen.append(step)
        return step < 40

    field = make_field("mlp", 2, 3, meaning="colour", seed=1)
    source = ImageSource(ImageField(torch.rand(8, 8, 3)))
    result = fit(field, source, FitSettings(steps=100, batch=64), watch=watch)
    assert seen == [20, 40]
    assert result.steps == 40
    assert result.interrupted


def test_a_picture_of_a_picture_is_that_picture() -> None:
    image = torch.rand(3, 6, 3, generator=torch.Generator().manual_seed(0))
    picture = field_picture(ImageField(image), Cut())
    assert picture.shape == (SIDE // 2, SIDE, 3)
    assert torch.allclose(picture[0, 0], image[0, 0], atol=1e-5)
    assert torch.allclose(picture[-1, -1], image[-1, -1], atol=1e-5)


def test_a_cut_through_a_ball_is_a_disc() -> None:
    ball = load("carved_box").shapes["ball"]
    field = ShapeField(Scene(show=ball, bounds=((-2.0, -2.0, -2.0), (2.0, 2.0, 2.0))), trainable=())
    for axis in range(3):
        picture = field_picture(field, Cut(axis, 0.5))
        blue = picture[..., 2] > picture[..., 0] + 0.1  # inside
        assert float(blue.float().mean()) == pytest.approx(math.pi / 16.0, abs=0.02)
        beside = field_picture(field, Cut(axis, 0.95))
        assert not bool((beside[..., 2] > beside[..., 0] + 0.1).any())


def test_a_curve_falls_from_the_upper_left_to_the_lower_right() -> None:
    curve = loss_curve([math.exp(-0.1 * step) for step in range(50)], 60, 40)
    bright = (curve.sum(dim=2) > 1.0).float()
    assert bright.sum(dim=0).min() >= 1, "no gaps"
    rows = (bright * torch.arange(40.0)[:, None]).sum(dim=0) / bright.sum(dim=0)
    assert bool((rows.diff() >= 0.0).all())
    assert rows[0] < 5
    assert rows[-1] > 34
    assert loss_curve([1.0], 10, 8).std() < 0.1
    assert bool(torch.isfinite(loss_curve([1.0, math.nan, 0.0, 1.0], 10, 8)).all())
