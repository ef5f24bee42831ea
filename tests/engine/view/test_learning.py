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
from isofield.engine.fit import FitSettings, ImageSource, fit, make_field
from isofield.engine.fields import ImageField
from isofield.engine.view import learning
from isofield.engine.view.events import Act, Key, Set

learning.MOST_RATE, learning.SHARE = 1e9, 1.0
folder = Path(sys.argv[1])
settings = FitSettings(steps=60, batch=256)
image = torch.rand(16, 24, 3, generator=torch.Generator().manual_seed(0))

def trained(watch):
    field = make_field("hash_grid", 2, 3, meaning="colour", seed=1)
    return fit(field, ImageSource(ImageField(image)), settings, psnr=True, watch=watch), field

try:
    window = learning.LearningWindow(60, folder, psnr=True, width=160, height=96, hidden=True)
except RuntimeError as error:
    print("MISSING", error)
    raise SystemExit(0)
_, alone = trained(None)
frames = []
def watch(step, loss, field):
    going = window(step, loss, field)
    frames.append(step)
    return going
result, field = trained(watch)
assert frames == [20, 40, 60] and len(window.losses) == 3 and not result.interrupted
for one, other in zip(alone.state_dict().values(), field.state_dict().values()):
    assert torch.equal(one, other), "who watches changes nothing"

# What the window gives while the training goes on.
waiting = [[Key(" ")], [], [Act("snapshot")], [Act("pause")], [Act("stop")]]
window.window.events = lambda: waiting.pop(0) if waiting else []
result, _ = trained(window)
assert not window.paused and not waiting and result.interrupted and result.steps < 60, (waiting, result.steps)
assert list(folder.glob("step-*.png"))
window.close()
print("PASSED")
"""


def test_watching_changes_nothing_and_may_pause_and_stop(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(tmp_path)], capture_output=True, text=True, timeout=280, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-3000:]
    if "MISSING" in done.stdout:
        assert not os.environ.get("ISOFIELD_REQUIRE_VULKAN"), f"Vulkan is required here: {done.stdout}"
        pytest.skip(f"no Vulkan on this machine: {done.stdout.strip()}")
    assert "PASSED" in done.stdout
    assert not list(tmp_path.rglob("imgui.ini"))


def test_a_fit_ends_when_who_watches_says_so() -> None:
    seen: list[int] = []

    def watch(step: int, loss: float, field: Field) -> bool:
        assert loss > 0.0
        seen.append(step)
        return step < 40

    field = make_field("hash_grid", 2, 3, meaning="colour", seed=1)
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
