"""Errors fall in training as the kernel's eigenvalues say."""

from __future__ import annotations

import math

import pytest
import torch

from isofield.engine.fields import MLP, Field, Grid, HybridGrid, Siren
from isofield.engine.fit import make_field
from isofield.engine.ntk import decay, line_points, line_report, predicted_decay, tangent_kernel
from isofield.engine.ntk.line import by_distance, by_frequency


def made(kind: type[Field], *sizes: int, **more: object) -> Field:
    """A new field in float64, the same every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return kind(*sizes, **more).double()


def scattered(count: int, dimensions: int = 2) -> torch.Tensor:
    return torch.rand(count, dimensions, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("speed", [0.1, 1.5])
def test_of_a_linear_model_the_prediction_is_exact(channels: int, speed: float) -> None:
    """Errors large or small: the kernel of a grid never changes."""
    field = Grid(2, channels, nodes=4).double()
    _, found = decay(field, scattered(24), 50, speed=speed, size=10.0)
    assert found.steps.tolist() == [0, 1, 2, 4, 8, 16, 32, 50]
    torch.testing.assert_close(found.predicted, found.measured, rtol=1e-9, atol=1e-9)
    assert bool((found.measured[0] - 1.0).abs().max() < 1e-12)
    assert float(found.measured[-1].abs().min()) < 0.1
    assert float(found.measured[-1].abs().max()) > 0.99  # more points than nodes: some errors stay


def test_of_a_wide_network_the_prediction_is_close_and_of_a_narrow_one_less() -> None:
    misses = []
    for width in (16, 512):
        field = made(Siren, 1, 1, width=width, layers=1, omega=6.0)
        _, found = decay(field, line_points(field, 16), 100)
        misses.append(float((found.predicted - found.measured).abs().max()))
        assert float(found.measured[-1].min()) < 0.1  # there is something to predict
    assert misses[1] < 0.03
    assert misses[1] < 0.5 * misses[0]


def test_small_errors_are_predicted_better_than_large_ones() -> None:
    field = made(Siren, 2, 1, width=32, layers=1)
    misses = []
    for size in (1.0, 1e-3):
        _, found = decay(field, line_points(field, 16), 100, size=size)
        misses.append(float((found.predicted - found.measured).abs().mean()))
    assert misses[1] < 0.1 * misses[0]


def test_prediction_is_exponential_for_a_small_rate() -> None:
    sizes, steps = torch.tensor([3.0, 1.0, 0.0], dtype=torch.float64), torch.tensor([0, 10, 1000])
    rate = 1e-3
    wanted = torch.exp(-rate * sizes[None] * steps[:, None] / 3.0)
    torch.testing.assert_close(predicted_decay(sizes, rate, steps), wanted, rtol=1e-3, atol=0.0)


def test_the_field_is_not_trained() -> None:
    field = made(MLP, 2, 1, width=8)
    before = [parameter.detach().clone() for parameter in field.parameters()]
    decay(field, scattered(4), 3)
    assert all(torch.equal(old, new) for old, new in zip(before, field.parameters(), strict=True))


def test_bad_arguments_of_decay() -> None:
    field, points = made(MLP, 2, 1, width=8), scattered(4)
    for more, problem in (
        ({"steps": 0}, "steps: expected at least 1, got 0"),
        ({"steps": 1, "speed": 2.0}, "speed: expected a number above 0 and below 2"),
        ({"steps": 1, "speed": math.nan}, "speed: expected"),
        ({"steps": 1, "size": 0.0}, "size: expected a number above 0"),
    ):
        with pytest.raises(ValueError, match=problem):
            decay(field, points, **more)
    with pytest.raises(ValueError, match=r"points: expected shape \(N, 2\)"):
        decay(field, points[:, :1], 1)


def test_a_field_that_does_not_move_is_an_error() -> None:
    field = made(MLP, 2, 1, width=8)
    with torch.no_grad():
        field.network[-1].bias.requires_grad_(False)
        for parameter in field.parameters():
            parameter.zero_()
    with pytest.raises(ValueError, match="field: expected derivatives other than 0"):
        decay(field, scattered(4), 1)


def test_training_that_runs_off_is_an_error() -> None:
    field = made(HybridGrid, 2, 1, nodes=2, features=2, layers=0)  # a product of parameters
    with pytest.raises(ValueError, match="training ran off to infinity at step"):
        decay(field, scattered(4), 200, speed=1.9, size=1e3)


def test_a_kernel_of_waves_answers_its_waves() -> None:
    """K = 3 · 1 + 2 · cos(2π 5 (t - t')): eigenvalues 3 N and, for sine and cosine, N."""
    turns = torch.arange(32, dtype=torch.float64) / 32
    kernel = 3.0 + 2.0 * (2.0 * math.pi * 5.0 * (turns[:, None] - turns)).cos()
    wanted = torch.zeros(16, dtype=torch.float64)
    wanted[0], wanted[5] = 96.0, 32.0
    torch.testing.assert_close(by_frequency(kernel), wanted, rtol=1e-12, atol=1e-9)
    by_hand = (3.0 + 2.0 * (2.0 * math.pi * 5.0 * turns).cos()) / 5.0
    torch.testing.assert_close(by_distance(kernel), by_hand)


def test_an_encoded_network_answers_fast_waves_that_a_plain_one_does_not() -> None:
    gains = {}
    for name in ("mlp", "encoded_mlp", "siren", "grid"):
        field = make_field(name, 2, 1, meaning="raw").double()
        kernel = tangent_kernel(field, line_points(field, 64))[:, 0, :, 0]
        found = by_frequency(kernel)
        gains[name] = float(found[16] / found[0])
    assert gains["mlp"] < 1e-3
    assert min(gains["encoded_mlp"], gains["siren"], gains["grid"]) > 3e-3


def test_the_line_is_the_diagonal_of_the_bounds() -> None:
    field = made(MLP, 2, 1, bounds=((-1.0, 10.0), (1.0, 12.0)))
    assert line_points(field, 2).tolist() == [[-0.5, 10.5], [0.5, 11.5]]


def test_report_of_a_field_of_several_channels() -> None:
    report = line_report("name", Grid(2, 3, nodes=5).double(), 16, 20)
    assert (report.points, report.channels, report.parameters) == (16, 3, 75)
    assert len(report.eigenvalues) == 48
    assert len(report.gain) == 8
    assert len(report.kernel) == len(report.regression) == 16
    assert report.directions == [0, 1, 3, 7, 15, 31]
    assert report.steps == [0, 1, 2, 4, 8, 16, 20]
    with pytest.raises(ValueError, match="points: expected at least 2, got 1"):
        line_report("name", Grid(2, 1), 1, 1)
