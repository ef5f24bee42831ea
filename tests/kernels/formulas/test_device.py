"""The formulas as device code over lanes against the same formulas in float64, and the device's own sine and angle."""

import math

import pytest
import torch

from isofield.kernels import runtime
from isofield.kernels.formulas import flat, periodic, solids
from isofield.kernels.lanes.maths import DEVICE, TORCH
from isofield.kernels.runtime import ti

WIDTH = 8


@pytest.fixture(scope="module", autouse=True)
def _runtime() -> None:
    runtime.start("cpu")


def on_lanes(formula, points: torch.Tensor, numbers: tuple[float, ...]) -> torch.Tensor:
    """The formula's value at points (3, N) float32, N a multiple of the width, by a kernel over packets."""
    Lanes = ti.types.vector(WIDTH, ti.f32)
    device = ti.func(formula)
    size = len(numbers)

    @ti.kernel
    def run(
        p: ti.types.ndarray(ti.f32, 2),
        parameters: ti.types.ndarray(ti.f32, 1),
        out: ti.types.ndarray(ti.f32, 1),
        packets: ti.i32,
    ):
        for i in range(packets):
            x = Lanes(0.0)
            y = Lanes(0.0)
            z = Lanes(0.0)
            for lane in ti.static(range(WIDTH)):
                x[lane] = p[0, i * WIDTH + lane]
                y[lane] = p[1, i * WIDTH + lane]
                z[lane] = p[2, i * WIDTH + lane]
            value = device(DEVICE, x, y, z, *[parameters[k] for k in ti.static(range(size))])
            for lane in ti.static(range(WIDTH)):
                out[i * WIDTH + lane] = value[lane]

    out = torch.empty(points.shape[1])
    with runtime.locked_runtime():
        run(points.contiguous(), torch.tensor([*numbers, 0.0]), out, points.shape[1] // WIDTH)
    return out


def sine(m, x, y, z):
    return m.sin(x)


def cosine(m, x, y, z):
    return m.cos(x)


def angle(m, x, y, z):
    return m.atan2(y, x)


@pytest.mark.parametrize(("formula", "exact"), [(sine, torch.sin), (cosine, torch.cos)])
@pytest.mark.parametrize("reach", [math.pi, 30.0, 1000.0])
def test_sine_and_cosine(formula, exact, reach: float) -> None:
    a = torch.linspace(-reach, reach, 1 << 16)
    steps = torch.arange(-4096, 4096) * (math.pi / 4) * reach / 1000 / math.pi  # multiples of π/4 and their like
    a = torch.cat([a, steps.clamp(-reach, reach)])
    error = (on_lanes(formula, a.expand(3, -1), ()).double() - exact(a.double())).abs()
    # The reduction works in float32, as the argument does: its error grows with the argument.
    assert (error / (1 + a.abs())).max() <= 2e-7


def test_angle() -> None:
    turn = torch.linspace(-math.pi, math.pi, 1 << 16)
    size = 10.0 ** (torch.rand(turn.shape, generator=torch.manual_seed(0)) * 24 - 12)
    y, x = turn.sin() * size, turn.cos() * size
    error = on_lanes(angle, torch.stack([x, y, x]), ()).double() - torch.atan2(y.double(), x.double())
    assert error.abs().max() <= 3e-7
    axes = torch.tensor([[0.0, 1, 0, -1, 0, 1, -1, 1], [0, 0, 1, 0, -1, 1, 1, -1], [0] * 8])
    expected = torch.tensor([0, 0, 0.5, 1, -0.5, 0.25, 0.75, -0.25]) * math.pi
    torch.testing.assert_close(on_lanes(angle, axes, ()), expected, rtol=0, atol=3e-7)


FORMULAS = [
    (solids.sphere, (0.5,)),
    (solids.ellipsoid, (0.8, 0.05, 0.3)),
    (solids.ellipsoid, (0.05, 1.0, 1.0)),
    (solids.ellipsoid, (0.5, 0.5, 0.5)),
    (solids.box, (0.5, 0.25, 0.7, 0.1)),
    (solids.box_frame, (0.5, 0.25, 0.7, 0.1)),
    (solids.torus, (0.5, 0.2)),
    (solids.capped_torus, (0.5, 0.2, math.sin(2.0), math.cos(2.0))),
    (solids.link, (0.25, 0.4, 0.1)),
    (solids.capsule, (0.3, 0.2)),
    (solids.cylinder, (0.5, 0.3, 0.1)),
    (solids.capped_cone, (0.5, 0.4, 0.0)),
    (solids.plane, (0.0, 0.6, 0.8, 0.25)),
    (solids.octahedron, (0.6,)),
    (solids.pyramid, (0.5, 0.4)),
    (solids.prism, (0.3, 0.52, 0.4, 0.866, 0.5, -1.0)),
    (solids.prism, (0.52, 0.3, 0.4, 0.5, 0.866, 1.0)),
    (periodic.gyroid, (8.0, 0.07, 0.05)),
    (periodic.schwarz_p, (8.0, 0.07, 0.05)),
    (periodic.diamond, (8.0, 0.1, 0.05)),
    (periodic.neovius, (8.0, 0.018, 0.02)),
    (flat.circle, (0.5,)),
    (flat.rectangle, (0.5, 0.3, 0.1)),
    (flat.star, (2 * math.pi / 5, 0.8, 0.32, 0.23)),
]


@pytest.mark.parametrize(("formula", "numbers"), FORMULAS, ids=lambda v: getattr(v, "__name__", ""))
def test_device_agrees_with_twin(formula, numbers: tuple[float, ...]) -> None:
    points = torch.rand(3, 1 << 14, generator=torch.manual_seed(1)) * 2.4 - 1.2
    points[:, :8] = 0.0
    points[0, 8:64] = 0.0
    points[2, 64:128] = 0.0
    exact = formula(TORCH, *points.double().unbind(), *torch.tensor(numbers).double().unbind())
    error = (on_lanes(formula, points, numbers).double() - exact).abs()
    assert error.max() <= 3e-6
