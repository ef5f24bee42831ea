"""On surfaces, where formulas meet ties, a gradient is that of one side: on faces, edges, corners, axes, borders.

The oracle: among gradients at points all around, a hair away, one is the same. A gradient that is split between the
two sides of a tie is none of them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
import torch

from isofield.kernels.formulas import flat, solids, values
from isofield.kernels.lanes.maths import TORCH

HAIR = 1e-7
MOST = 97  # points of one shape

Field = Callable[[tuple[torch.Tensor, ...]], torch.Tensor]


def of(formula: Callable[..., torch.Tensor], *numbers: float) -> Field:
    parameters = torch.tensor(numbers, dtype=torch.float64).unbind()
    return lambda point: formula(TORCH, *point, *parameters)


# Sizes are multiples of 1/8, so that lattice points lie exactly on surfaces.
LEAVES = {
    "sphere": of(solids.sphere, 0.5),
    "box": of(solids.box, 0.5, 0.25, 0.5, 0.0),
    "rounded box": of(solids.box, 0.5, 0.5, 0.5, 0.25),
    "box frame": of(solids.box_frame, 0.5, 0.5, 0.5, 0.25),
    "torus": of(solids.torus, 0.5, 0.25),
    "capped torus": of(solids.capped_torus, 0.5, 0.25, 1.0, 0.0),
    "link": of(solids.link, 0.25, 0.25, 0.125),
    "capsule": of(solids.capsule, 0.25, 0.25),
    "cylinder": of(solids.cylinder, 0.5, 0.25, 0.0),
    "rounded cylinder": of(solids.cylinder, 0.5, 0.5, 0.25),
    "capped cone": of(solids.capped_cone, 0.5, 0.5, 0.25),
    "cone": of(solids.capped_cone, 0.5, 0.5, 0.0),
    "plane": of(solids.plane, 0.0, 0.0, 1.0, 0.25),
    "octahedron": of(solids.octahedron, 0.5),
    "pyramid": of(solids.pyramid, 0.5, 0.5),
    "hexagonal prism": of(solids.prism, 0.25, 0.5, 0.5, math.cos(math.pi / 6), 0.5, -1.0),
    "triangular prism": of(solids.prism, 0.5, 0.25, 0.5, 0.5, math.sin(math.pi / 3), 1.0),
    "circle": of(flat.circle, 0.5),
    "rectangle": of(flat.rectangle, 0.5, 0.25, 0.0),
    "star": of(flat.star, math.pi, 0.5, 0.0, 0.25),
}
SQUARE_WITH_A_NOTCH = [-0.5, -0.5, 0.5, -0.5, 0.5, 0.5, 0.0, 0.0, -0.5, 0.5]


def polygon(corners: list[float]) -> Field:
    vertices = torch.tensor(corners, dtype=torch.float64)
    return lambda p: flat.polygon(TORCH, *p, vertices, 0, len(corners) // 2)


LEAVES["polygon"] = polygon(SQUARE_WITH_A_NOTCH)
LEAVES["polygon, clockwise"] = polygon([-x if k % 2 == 0 else x for k, x in enumerate(SQUARE_WITH_A_NOTCH)])


def combined(combine: str, smooth: float) -> Field:
    """A box and a moved box, or a ball, whose faces and borders of blends meet lattice points."""
    quarter = 1.0 / (4.0 * smooth) if smooth else 0.0

    def value(p: tuple[torch.Tensor, ...]) -> torch.Tensor:
        a = solids.box(TORCH, *p, 0.5, 0.5, 0.5, 0.0)
        b = solids.box(TORCH, p[0] - 0.25, p[1], p[2] - 0.25, 0.5, 0.25, 0.5, 0.0)
        sign_a, sign_b, sign = {"union": (1, 1, 1), "intersection": (-1, -1, -1), "difference": (-1, 1, -1)}[combine]
        return sign * values.smooth_minimum(TORCH, sign_a * a, sign_b * b, smooth, quarter)

    return value


for combine, smooth in itertools.product(("union", "intersection", "difference"), (0.0, 0.25)):
    LEAVES[f"{combine}, smooth {smooth}"] = combined(combine, smooth)
LEAVES["shell"] = lambda p: values.shell(TORCH, *p, solids.box(TORCH, *p, 0.5, 0.5, 0.5, 0.0), 0.125)
LEAVES["extrusion"] = lambda p: values.extrude(TORCH, *p, flat.rectangle(TORCH, *p, 0.5, 0.25, 0.0), 0.5)


def gradient_of(field: Field, points: torch.Tensor) -> torch.Tensor:
    leaf = points.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(field(tuple(leaf.unbind(1))).sum(), leaf)
    return gradient


def lattice() -> torch.Tensor:
    ticks = torch.arange(-8, 9, dtype=torch.float64) / 8
    return torch.cartesian_prod(ticks, ticks, ticks)


def directions() -> torch.Tensor:
    """Along and between the axes, and many others, which meet every side of a crease."""
    regular = [way for way in itertools.product((-1.0, 0.0, 1.0), repeat=3) if any(way)]
    others = torch.randn(200, 3, dtype=torch.float64, generator=torch.manual_seed(3))
    return torch.nn.functional.normalize(torch.cat([torch.tensor(regular, dtype=torch.float64), others]), dim=1)


@pytest.mark.parametrize("name", LEAVES)
def test_a_gradient_on_the_surface_is_that_of_one_side(name: str) -> None:
    field, points = LEAVES[name], lattice()
    value = field(tuple(points.unbind(1)))
    points = points[value.abs() <= 1e-16]
    assert len(points) >= 4
    points = points[:: -(-len(points) // MOST)]
    gradients = gradient_of(field, points)
    around = points[:, None] + HAIR * directions()
    beside = gradient_of(field, around.reshape(-1, 3)).reshape(around.shape)
    apart = (beside - gradients[:, None]).norm(dim=2).amin(dim=1)
    worst = int(apart.argmax())
    assert float(apart[worst]) <= 1e-5, f"at {points[worst].tolist()}: {gradients[worst].tolist()}"
    if "smooth 0.25" not in name:
        torch.testing.assert_close(gradients.norm(dim=1), torch.ones(len(points), dtype=torch.float64))


def test_the_first_argument_wins() -> None:
    a, b = (torch.zeros(3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    for fold in (TORCH.min, TORCH.max):
        to_a, to_b = torch.autograd.grad(fold(a, b).sum(), (a, b), allow_unused=True)
        assert torch.equal(to_a, torch.ones_like(a))
        assert to_b is None or not bool(to_b.any())
    for held in (TORCH.clamp(a, 0.0, 1.0), TORCH.clamp(a, -1.0, 0.0), TORCH.abs(a)):
        assert torch.equal(torch.autograd.grad(held.sum(), a)[0], torch.ones_like(a))


@pytest.mark.parametrize("fold", [TORCH.min, TORCH.max], ids=["min", "max"])
def test_values_are_pytorchs(fold: Callable[..., torch.Tensor]) -> None:
    a = torch.tensor([1.0, 2.0, -1.0, 0.0, -0.0, math.inf, -math.inf])
    b = torch.tensor([2.0, 1.0, -1.0, -0.0, 0.0, 3.0, 3.0])
    assert torch.equal(fold(a, b), {TORCH.min: torch.minimum, TORCH.max: torch.maximum}[fold](a, b))
