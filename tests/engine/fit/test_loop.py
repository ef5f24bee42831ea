"""The training loop: what it converges to, how it stops, and that stopping changes nothing."""

from __future__ import annotations

import json
import math
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from isofield.engine.fields import MLP, Field, FieldFileError, ImageField, Siren
from isofield.engine.fit import Batch, FitError, FitSettings, ImageSource, fit, squared_error
from isofield.engine.fit.status import psnr_of

SETTINGS = FitSettings(steps=120, batch=50, rate=1e-2, log_every=10, checkpoint_every=40)


class Linear:
    """Batches of all rows of one linear problem, y = x A + b + noise."""

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        self.points = torch.rand(200, 2, generator=generator)
        self.values = self.points @ torch.tensor([[1.0, -2.0], [0.5, 3.0]]) + 0.1
        self.values += 0.2 * torch.randn(200, 2, generator=generator)

    def __call__(self, count: int, generator: torch.Generator) -> Batch:
        chosen = torch.arange(count) % 200
        return Batch(self.points[chosen], self.values[chosen])

    def describe(self) -> dict[str, Any]:
        return {"linear": 1}


def photo() -> ImageSource:
    return ImageSource(ImageField(torch.randint(0, 256, (9, 8, 3), generator=torch.Generator().manual_seed(0)).byte()))


def field(seed: int = 0) -> Field:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Siren(2, 3, width=16, layers=1, meaning="colour")


class InterruptAt:
    """A loss that sends Ctrl-C in its k-th call."""

    def __init__(self, call: int) -> None:
        self.left = call

    def __call__(self, field: Field, batch: Batch) -> torch.Tensor:
        self.left -= len(batch.points) == SETTINGS.batch
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)
        return squared_error(field, batch)


def test_a_linear_problem_ends_at_its_least_squares() -> None:
    source = Linear()
    learned = MLP(2, 2, layers=0)
    result = fit(learned, source, FitSettings(steps=1500, batch=200, rate=5e-2))
    ones = torch.cat([source.points, torch.ones(200, 1)], dim=1)
    best = torch.linalg.lstsq(ones, source.values).solution
    (layer,) = learned.network
    assert torch.allclose(layer.weight.detach().T, best[:2], atol=1e-3)
    assert torch.allclose(layer.bias.detach(), best[2], atol=1e-3)
    least = float((ones @ best - source.values).square().mean())
    assert result.log[-1]["loss"] == pytest.approx(least, rel=1e-3)
    assert (result.steps, result.interrupted) == (1500, False)


def test_the_same_seed_gives_the_same_field() -> None:
    fields = [field(), field(), field()]
    for seed, learned in zip((1, 1, 2), fields, strict=True):
        fit(learned, photo(), replace(SETTINGS, seed=seed))
    first, again, other = (learned.state_dict() for learned in fields)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("batch", [50, 6000, 20000])
@pytest.mark.parametrize("stop", [1, 40, 77])
def test_a_resumed_run_is_the_run_that_never_stopped(batch: int, stop: int, tmp_path: Path) -> None:
    settings = replace(SETTINGS, batch=batch, clip=0.5)
    if batch > 50:
        settings, stop = replace(settings, steps=8), min(stop, 3)
    whole, halved = field(), field()
    wanted = fit(whole, photo(), settings, psnr=True)
    path = tmp_path / "a.safetensors"
    calls = 0

    def interrupting(field: Field, drawn: Batch) -> torch.Tensor:
        nonlocal calls
        calls += len(drawn.points) == batch
        if calls == stop:
            signal.raise_signal(signal.SIGINT)
        return squared_error(field, drawn)

    first = fit(halved, photo(), settings, loss=interrupting, psnr=True, checkpoint=path)
    assert (first.steps, first.interrupted) == (stop, True)
    fresh = field(5)
    second = fit(fresh, photo(), settings, psnr=True, checkpoint=path, resume=True)
    assert all(torch.equal(fresh.state_dict()[name], tensor) for name, tensor in whole.state_dict().items())
    kept = ("step", "loss", "psnr", "rate")
    assert [[entry[key] for key in kept] for entry in second.log] == [
        [pytest.approx(entry[key], rel=1e-12) for key in kept] for entry in wanted.log
    ]
    assert second.seconds >= first.seconds
    done = field(6)
    third = fit(done, photo(), settings, psnr=True, checkpoint=path, resume=True)  # nothing is left to do
    assert (third.steps, third.log, third.interrupted) == (second.steps, second.log, False)
    assert all(torch.equal(done.state_dict()[name], tensor) for name, tensor in whole.state_dict().items())


def test_ctrl_c_finishes_the_step_and_saves(tmp_path: Path) -> None:
    handler = signal.getsignal(signal.SIGINT)
    path = tmp_path / "a.safetensors"
    result = fit(field(), photo(), SETTINGS, loss=InterruptAt(7), checkpoint=path)
    assert (result.steps, result.interrupted) == (7, True)
    assert path.is_file()
    assert signal.getsignal(signal.SIGINT) is handler


def test_checkpoints_are_written_on_the_way_and_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    seen = []

    def looking(field: Field, batch: Batch) -> torch.Tensor:
        seen.append(path.exists())
        return squared_error(field, batch)

    fit(field(), photo(), SETTINGS, loss=looking, checkpoint=path)
    assert seen == [False] * 40 + [True] * 80
    assert list(tmp_path.iterdir()) == [path]


def test_nan_stops_with_the_step_named(tmp_path: Path) -> None:
    calls = 0

    def failing(field: Field, batch: Batch) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return squared_error(field, batch) * (math.nan if calls == 53 else 1.0)

    path = tmp_path / "a.safetensors"
    with pytest.raises(FitError, match=r"step 53: the loss is nan;.*a\.safetensors holds an earlier step"):
        fit(field(), photo(), SETTINGS, loss=failing, checkpoint=path)
    fresh = field()
    assert fit(fresh, photo(), SETTINGS, checkpoint=path, resume=True).steps == 120
    assert all(bool(parameter.isfinite().all()) for parameter in fresh.parameters())


def test_parameters_that_are_not_finite_are_never_saved(tmp_path: Path) -> None:
    def unseen(field: Field, batch: Batch) -> torch.Tensor:
        with torch.no_grad():
            next(field.parameters())[0, 0] = math.inf
        return 0.0 * squared_error(field, batch).nan_to_num(0.0, 0.0, 0.0)

    with pytest.raises(FitError, match="step 40: a parameter is not finite"):
        fit(field(), photo(), SETTINGS, loss=unseen, checkpoint=tmp_path / "a.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_clipping_shortens_the_gradient_and_keeps_its_direction() -> None:
    """The gradients are looked at: Adam's first step does not depend on their length."""
    free, clipped = field(), field()
    seen = {}
    for name, learned, clip in (("free", free, None), ("clipped", clipped, 0.01)):

        def keeping(field: Field, batch: Batch, name: str = name) -> torch.Tensor:
            seen[name] = field
            return squared_error(field, batch)

        fit(learned, photo(), replace(SETTINGS, steps=1, clip=clip), loss=keeping)
    long = torch.cat([parameter.grad.flatten() for parameter in seen["free"].parameters()])
    short = torch.cat([parameter.grad.flatten() for parameter in seen["clipped"].parameters()])
    assert float(long.norm()) > 0.02
    assert float(short.norm()) == pytest.approx(0.01, rel=1e-3)
    assert torch.allclose(short / short.norm(), long / long.norm(), atol=1e-6)


def test_the_rate_rises_and_falls() -> None:
    settings = FitSettings(steps=1000)
    rates = [settings.rate_at(step, 2.0) for step in range(1000)]
    assert max(rates) == pytest.approx(2.0, rel=1e-4)
    assert rates.index(max(rates)) in (199, 200)
    assert rates[0] == pytest.approx(2.0 / 25.0, rel=1e-2)
    assert 0.0 < rates[-1] < 1e-5
    assert sorted(rates[:199]) == rates[:199]
    assert sorted(rates[201:], reverse=True) == rates[201:]
    constant = FitSettings(steps=10, schedule="constant")
    assert [constant.rate_at(step, 2.0) for step in range(10)] == [2.0] * 10
    assert 0.0 < FitSettings(steps=1).rate_at(0, 2.0) <= 2.0


def test_the_log_says_how_it_went() -> None:
    losses = []

    def noting(field: Field, batch: Batch) -> torch.Tensor:
        loss = squared_error(field, batch)
        losses.append(float(loss.detach()))
        return loss

    result = fit(field(), photo(), replace(SETTINGS, steps=45), loss=noting, psnr=True)
    assert [entry["step"] for entry in result.log] == [10, 20, 30, 40, 45]
    means = [sum(losses[a:b]) / (b - a) for a, b in ((0, 10), (10, 20), (20, 30), (30, 40), (40, 45))]
    assert [entry["loss"] for entry in result.log] == pytest.approx(means)
    assert [entry["psnr"] for entry in result.log] == pytest.approx([-10 * math.log10(mean) for mean in means])
    json.dumps(result.log)


def test_snapshots_are_taken_at_both_ends_and_between() -> None:
    taken: list[int] = []
    settings = replace(SETTINGS, steps=50, snapshot_every=20)
    fit(field(), photo(), settings, snapshot=lambda step, field: taken.append(step))
    assert taken == [0, 20, 40, 50]
    taken.clear()
    fit(field(), photo(), replace(settings, snapshot_every=0), snapshot=lambda step, field: taken.append(step))
    assert taken == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"steps": 121}, r"settings\.steps was 120, is 121"),
        ({"rate": 2e-2, "seed": 3}, r"settings\.rate was 0\.01, is 0\.02; settings\.seed was 0, is 3"),
    ],
)
def test_another_configuration_is_told_key_by_key(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    fit(field(), photo(), SETTINGS, loss=InterruptAt(3), checkpoint=path)
    with pytest.raises(FieldFileError, match=rf"a\.safetensors: a run can only be resumed as it was started: {told}"):
        fit(field(), photo(), replace(SETTINGS, **changes), checkpoint=path, resume=True)
    assert path.exists()


def test_another_field_or_source_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    fit(field(), photo(), SETTINGS, loss=InterruptAt(3), checkpoint=path)
    with pytest.raises(FieldFileError, match=r'field\.kind was "siren", is "mlp"'):
        fit(MLP(2, 3, width=8, meaning="colour"), photo(), SETTINGS, checkpoint=path, resume=True)
    other = ImageSource(ImageField(torch.zeros(9, 8, 3, dtype=torch.uint8)))
    with pytest.raises(FieldFileError, match=r"source\.checksum was \d+, is \d+"):
        fit(field(), other, SETTINGS, checkpoint=path, resume=True)


def test_how_often_it_writes_may_change(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    fit(field(), photo(), SETTINGS, loss=InterruptAt(3), checkpoint=path)
    settings = replace(SETTINGS, checkpoint_every=7, log_every=3, snapshot_every=5)
    assert fit(field(), photo(), settings, checkpoint=path, resume=True).steps == 120


def test_what_is_no_checkpoint_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    field().save(path)
    with pytest.raises(FieldFileError, match=r"a\.safetensors: expected a checkpoint"):
        fit(field(), photo(), SETTINGS, checkpoint=path, resume=True)
    with pytest.raises(FileNotFoundError, match=r"b\.safetensors: cannot be read"):
        fit(field(), photo(), SETTINGS, checkpoint=tmp_path / "b.safetensors", resume=True)
    with pytest.raises(ValueError, match="resume: expected a checkpoint to go on from, got none"):
        fit(field(), photo(), SETTINGS, resume=True)


def test_a_field_without_parameters_is_refused() -> None:
    with pytest.raises(ValueError, match="field: expected one with parameters to train"):
        fit(ImageField(torch.zeros(2, 2, 3)), photo(), SETTINGS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 0), ("steps", -1), ("steps", 1.5), ("batch", 0), ("batch", 2**31), ("rate", 0.0), ("rate", math.nan),
        ("rate", math.inf), ("clip", -1.0), ("seed", -1), ("log_every", 0), ("checkpoint_every", 0),
        ("snapshot_every", -1), ("schedule", "linear"),
    ],
)  # fmt: skip
def test_settings_out_of_range_are_named(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: expected .*, got "):
        fit(field(), photo(), replace(SETTINGS, **{name: value}))


def test_a_batch_larger_than_memory_is_refused_before_it_is_drawn() -> None:
    with pytest.raises(
        ValueError, match=r"batch: 2000000000 points need about .* GiB, .* GiB are free; expected at most"
    ):
        fit(field(), photo(), replace(SETTINGS, batch=2_000_000_000))


@pytest.mark.parametrize(("error", "psnr"), [(1.0, 0.0), (0.1, 10.0), (1e-4, 40.0), (0.0, 100.0)])
def test_psnr(error: float, psnr: float) -> None:
    assert psnr_of(error) == pytest.approx(psnr)
