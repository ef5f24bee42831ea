"""Watching a field while it is trained."""

from __future__ import annotations

import math

import pytest
import torch

from isofield.engine.fields import Field, ImageField, ShapeField
from isofield.engine.fit import FitSettings, ImageSource, fit, make_field
from isofield.engine.scene import Scene, load
from isofield.engine.view.learning import Budget
from isofield.engine.view.learning_pictures import SIDE, Cut, field_picture, loss_curve, screen_of

SHARE = 0.05


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


@pytest.mark.parametrize("look", [0.001, 0.1, 1.5])
def test_looks_take_their_share_of_the_time_and_no_more(look: float) -> None:
    step = 0.2
    budget, now = Budget(SHARE, 5.0), 5.0
    for number in range(2000):
        now += step
        if budget.allows(now):
            budget.done(now, now + look)
            now += look
            assert number == 0 or budget.spent <= SHARE * (now - budget.start)
        if number == 0:
            assert budget.count == 1, "the first is at once"
    assert budget.count == 2000 if look == 0.001 else budget.spent > 0.9 * SHARE * (now - budget.start)


def test_a_pause_is_no_time_that_looks_may_take_of() -> None:
    budget = Budget(SHARE, 0.0)
    budget.done(0.0, 1.0)
    wanted = 2.0 / SHARE
    assert not budget.allows(wanted - 0.1)
    assert budget.allows(wanted + 0.1)
    budget.start += 10.0
    assert not budget.allows(wanted + 9.9)
    assert budget.allows(wanted + 10.1)


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


@pytest.mark.parametrize(("width", "height"), [(72, 50), (200, 40)])
def test_a_screen_holds_the_picture_beside_the_panel_and_the_curve_under_it(width: int, height: int) -> None:
    picture = torch.rand(3, 6, 3, generator=torch.Generator().manual_seed(0)) + 0.5
    screen = screen_of(picture, [1.0, 0.5], width, height, 20)
    assert screen.shape == (height, width, 3)
    assert bool((screen[:, :20] == screen[0, 0]).all())
    filled = (screen[:, 20:] >= 0.5).all(dim=2)
    rows, columns = filled.any(dim=1).nonzero(), filled.any(dim=0).nonzero()
    high, wide = int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1
    assert high == pytest.approx(0.5 * wide, abs=1)
    assert wide == width - 20 or high >= 0.78 * height - 1
    corner = screen[rows[0, 0], 20 + columns[0, 0]]
    assert torch.equal(corner, picture[0, 0])
    assert bool((screen[-8:].sum(dim=2) > 1.0).any()), "the curve ends at the bottom"


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
