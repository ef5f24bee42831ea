"""First and second derivatives of every formula stay finite at kinks: centre, axes, planes, surface."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from isofield.kernels.formulas import flat, periodic, solids, values, warps
from isofield.kernels.lanes.maths import TORCH

LEAVES = {
    solids.sphere: (0.5,),
    solids.ellipsoid: (0.5, 0.25, 0.5),
    solids.box: (0.5, 0.25, 0.5, 0.0),
    solids.box_frame: (0.5, 0.25, 0.5, 0.125),
    solids.torus: (0.5, 0.25),
    solids.capped_torus: (0.5, 0.25, math.sin(1.0), math.cos(1.0)),
    solids.link: (0.25, 0.5, 0.25),
    solids.capsule: (0.25, 0.25),
    solids.cylinder: (0.5, 0.25, 0.0),
    solids.capped_cone: (0.5, 0.5, 0.0),
    solids.plane: (0.0, 0.6, 0.8, 0.25),
    solids.octahedron: (0.5,),
    solids.pyramid: (0.5, 0.25),
    solids.prism: (0.25, 0.25, 0.5, 0.8, 0.6, -1.0),
    periodic.gyroid: (3.0, 0.2, 0.1),
    periodic.schwarz_p: (3.0, 0.2, 0.1),
    periodic.diamond: (3.0, 0.2, 0.1),
    periodic.neovius: (3.0, 0.2, 0.1),
    flat.circle: (0.5,),
    flat.rectangle: (0.5, 0.25, 0.0),
    flat.star: (2 * math.pi / 5, 0.5, 0.2, 0.15),
}
WARPS = {
    warps.mirror: (0.0, 0.6, 0.8, 0.0),
    warps.elongate: (0.25, 0.0, 0.5),
    warps.repeat: (0.5, 0.5, 0.5, 2.0, 2.0, 2.0, -1.0, -1.0, -1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0),
    warps.polar_repeat: (math.pi / 3, 1.0),
    warps.twist: (2.0,),
    warps.bend: (2.0,),
    warps.revolve: (0.5,),
}
VALUES = {
    values.offset: (0.1,),
    values.shell: (0.1,),
    values.extrude: (0.25,),
    values.wave: (0.1, 3.0, 0.7),
    values.bound: (0.8, 0.1, 0.3),
}


def awkward_points() -> torch.Tensor:
    """Every combination of coordinates that are zero, on a surface or edge of the shapes above, or beyond."""
    ticks = (-0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75)
    return torch.tensor(list(itertools.product(ticks, repeat=3)), dtype=torch.float64)


def check(value: torch.Tensor, *inputs: torch.Tensor) -> None:
    """The value and its first two derivatives by all inputs are finite."""
    assert torch.isfinite(value).all()
    first = torch.autograd.grad(value.sum(), inputs, create_graph=True, allow_unused=True)
    assert all(torch.isfinite(slope).all() for slope in first if slope is not None)
    # A squared length, as in an eikonal loss, so that every second derivative takes part.
    energy = sum((slope**2).sum() for slope in first if slope is not None and slope.requires_grad)
    if isinstance(energy, torch.Tensor):
        second = torch.autograd.grad(energy, inputs, allow_unused=True)
        assert all(torch.isfinite(bend).all() for bend in second if bend is not None)


def inputs(numbers: tuple[float, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    return awkward_points().requires_grad_(), torch.tensor(numbers, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("formula", LEAVES, ids=lambda formula: formula.__name__)
def test_leaf(formula) -> None:
    points, numbers = inputs(LEAVES[formula])
    check(formula(TORCH, *points.unbind(1), *numbers.unbind()), points, numbers)


def test_polygon() -> None:
    corners = (-0.5, -0.5, 0.5, -0.5, 0.5, 0.5, 0.0, 0.0, -0.5, 0.5)
    points, numbers = inputs(corners)
    check(flat.polygon(TORCH, *points.unbind(1), numbers, 0, 5), points, numbers)


@pytest.mark.parametrize("formula", WARPS, ids=lambda formula: formula.__name__)
def test_warp(formula) -> None:
    points, numbers = inputs(WARPS[formula])
    check(torch.cat(formula(TORCH, *points.unbind(1), *numbers.unbind())), points, numbers)


@pytest.mark.parametrize("formula", VALUES, ids=lambda formula: formula.__name__)
def test_value(formula) -> None:
    points, numbers = inputs(VALUES[formula])
    x, y, z = points.unbind(1)
    check(formula(TORCH, x, y, z, flat.circle(TORCH, x, y, z, 0.5), *numbers.unbind()), points, numbers)


def test_smooth_minimum() -> None:
    a = torch.tensor([0.0, 0.1, -0.1, 0.0, 0.5], dtype=torch.float64, requires_grad=True)
    b = torch.tensor([0.0, 0.0, 0.0, 0.2, 0.5], dtype=torch.float64, requires_grad=True)
    for support, quarter in ((0.0, 0.0), (0.2, 1.25)):
        check(values.smooth_minimum(TORCH, a, b, torch.tensor(support), torch.tensor(quarter)), a, b)


@pytest.mark.parametrize(
    "formula", [f for f in LEAVES if f is not solids.ellipsoid], ids=lambda formula: formula.__name__
)
def test_gradient_matches_differences(formula) -> None:
    """gradcheck by points and parameters, away from kinks."""
    points = (torch.rand(20, 3, dtype=torch.float64, generator=torch.manual_seed(5)) - 0.5) * 2
    numbers = torch.tensor(LEAVES[formula], dtype=torch.float64, requires_grad=True)
    points.requires_grad_()
    assert torch.autograd.gradcheck(lambda p, n: formula(TORCH, *p.unbind(1), *n.unbind()), (points, numbers))


def test_gradient_of_the_ellipsoid_at_its_surface() -> None:
    """The normal and, by the shape derivative, the semi-axes' gradients, where a ray would land."""
    axes = torch.tensor([1.0, 0.3, 0.05], dtype=torch.float64, requires_grad=True)
    direction = torch.nn.functional.normalize(
        torch.randn(500, 3, dtype=torch.float64, generator=torch.manual_seed(6)), dim=1
    )
    points = (direction * axes).detach().requires_grad_()
    value = solids.ellipsoid(TORCH, *points.unbind(1), *axes.unbind())
    to_points, to_axes = torch.autograd.grad(value.sum(), (points, axes))
    radii = axes.detach()
    normal = torch.nn.functional.normalize(direction / radii, dim=1)
    torch.testing.assert_close(to_points, normal, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(to_axes, -(normal * direction).sum(0), rtol=1e-6, atol=1e-6)
