"""Parameters by name: replaced, and differentiated, against central differences and by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

import isofield as iso
from isofield.engine.build import build_program
from isofield.engine.fields.shape import named_parameters_of
from isofield.engine.shapes import Rotation, Shape
from isofield.kernels import distance


def carved() -> Shape:
    body = iso.box((1.0, 0.9, 0.6)).named("body")
    knob = iso.sphere(0.3).translate(0.1, 0.2, 0.4).named("knob")
    ring = iso.torus(0.4, 0.08).rotate(30, (1, 2, 0)).named("ring")
    return body.union(knob, smooth=0.15).named("both").difference(ring, smooth=0.05).named("cut")


# Scenes by name, and the parameters to which their derivatives are checked.
SHAPES: dict[str, tuple[Shape, str]] = {
    "carved": (
        carved(), "body.size knob.translate knob.radius ring.rotate.angle ring.rotate ring.tube both.smooth cut.smooth",
    ),
    "prism": (
        iso.star(5, 0.4, 0.2).named("star").extrude(0.3).scale(1.2).translate(0.1, 0.2, 0).named("prism"),
        "star.outer star.inner prism.height prism.scale prism.translate",
    ),
    "wheel": (
        iso.rounded_rectangle((0.3, 0.5), 0.1).named("tyre").revolve(0.6).named("wheel"),
        "tyre.size tyre.radius wheel.radius",
    ),
    "stretched": (iso.capsule(0.2, 0.8).scale((1.0, 1.5, 0.8)).named("stretched"), "stretched.scale stretched.radius"),
    "turned": (iso.cone(0.2, 0.5).rotate(20).rotate(30, (1, 0, 0)).named("turned"), "turned.rotate turned.height"),
    "rows": (
        iso.ellipsoid((0.2, 0.3, 0.25)).named("egg").repeat((0.5, 0.5, 0.5), (2, 1, 2)).named("rows"),
        "egg.size rows.spacing",
    ),
    "spokes": (
        iso.capped_cone(0.4, 0.1, 0.05).translate(0.5, 0, 0).named("spoke").polar_repeat(5),
        "spoke.translate spoke.top",
    ),
    "twisted": (iso.box((0.2, 0.3, 0.8)).named("bar").twist(60).named("twisted"), "twisted.rate"),
    "bent": (iso.box((1.0, 0.2, 0.1)).named("strip").bend(0.7).scale(1.2).named("bent"), "bent.radius bent.scale"),
    "waved": (iso.rounded_box(0.5, 0.1).wave(0.03, 0.4).named("waved"), "waved.amplitude waved.wavelength"),
    "mirrored": (
        iso.octahedron(0.3).named("gem").translate(0.3, 0, 0).mirror((1.0, 0.2, 0.0), 0.05).named("mirrored"),
        "mirrored.normal mirrored.offset gem.radius",
    ),
    "pulled": (
        iso.link(0.3, 0.3, 0.1).named("link").elongate(0.2, 0.1, 0.3).named("pulled"),
        "pulled.length link.length link.radius",
    ),
    "skin": (
        iso.capped_torus(0.4, 0.15, 200.0).named("arc").shell(0.05).named("skin").round(0.02).named("grown"),
        "arc.angle skin.thickness grown.distance",
    ),
    "sheet": (
        iso.gyroid(0.8, 0.1).named("sheet") & iso.plane((1, 1, 0), 0.2).named("side"),
        "sheet.cell sheet.thickness side.normal side.offset",
    ),
}  # fmt: skip
CASES = [(scene, name) for scene, (_, names) in SHAPES.items() for name in names.split()]


def toy() -> iso.Scene:
    """All of them side by side."""
    whole = [shape for name, (shape, _) in SHAPES.items() if name not in ("sheet", "bent")]
    bent = iso.box((1.0, 0.2, 0.1)).named("strip").bend(0.7).named("bent").translate(0, 0, 1.2)
    return iso.Scene(show=iso.union(*whole, bent, smooth=0.02).named("all"))


def near_and_far(count: int, seed: int = 0) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return 2.4 * torch.rand(count, 3, generator=random, dtype=torch.float64) - 1.2


def test_the_scenes_own_numbers_give_the_same_program() -> None:
    scene = toy()
    values = {name: torch.tensor(value, dtype=torch.float64) for name, value in named_parameters_of(scene).items()}
    points = near_and_far(2000)
    replaced = distance(build_program(scene, values), points)
    assert (replaced - distance(build_program(scene), points)).abs().max() < 1e-6
    floats = distance(build_program(scene, named_parameters_of(scene)), points.float())
    assert torch.equal(floats, distance(build_program(scene), points.float()))


@pytest.mark.parametrize(
    ("name", "value", "point", "expected"),
    [
        ("ball.radius", 0.8, (2.0, 0.0, 0.0), 1.2),
        ("ball.translate", (0.0, 1.0, 0.0), (0.0, 2.0, 0.0), 0.5),
        ("ball.scale", 3.0, (2.0, 0.0, 0.0), 0.5),
    ],
)
def test_a_replaced_number_is_as_if_written(name: str, value: Any, point: Any, expected: float) -> None:
    scene = iso.Scene(show=iso.sphere(0.5).translate(0.0, 0.0, 0.0).scale(1.0).named("ball"))
    for given in (value, torch.tensor(value)):
        got = distance(build_program(scene, {name: given}), torch.tensor([point]))
        assert got.tolist() == pytest.approx([expected], abs=1e-6)


def test_a_replaced_number_moves_balls_and_skips_along() -> None:
    """The bounding hierarchy is that of the new numbers: nothing is skipped at the old place."""
    row = [iso.sphere(0.1).translate(0.3 * i, 0, 0).named(f"b{i}") for i in range(30)]
    scene = iso.Scene(show=iso.union(*row))
    program = build_program(scene, {"b7.translate": (0.0, 50.0, 0.0), "b8.radius": 3.0})
    points = torch.tensor([[0.0, 50.5, 0.0], [2.4, 3.5, 0.0]])
    assert torch.allclose(distance(program, points), torch.tensor([0.4, 0.5]), atol=1e-4)
    assert program.sphere[3] > 24.0


@pytest.mark.parametrize(("shape", "name"), CASES)
def test_gradients_to_parameters_and_points_are_those_of_differences(shape: str, name: str) -> None:
    scene = iso.Scene(show=SHAPES[shape][0])
    given = scene.shapes[name.split(".")[0]].rotation if name.endswith(".rotate") else named_parameters_of(scene)[name]
    if isinstance(given, Rotation):
        given = given.quaternion()
    value = torch.tensor(given, dtype=torch.float64, requires_grad=True)
    points = near_and_far(60, seed=len(name)).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda value, points: distance(build_program(scene, {name: value}), points),
        (value, points), eps=1e-7, atol=1e-4, fast_mode=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "name"),
    [("twisted", "bar.size"), ("twisted", "twisted.rate"), ("bent", "strip.size"), ("bent", "bent.radius")],
)
def test_on_the_surface_of_a_twist_or_bend_gradients_are_those_of_differences(shape: str, name: str) -> None:
    """The factor that makes a warp's value a bound counts as a number; where the value is 0 that changes nothing."""
    bent = iso.box((1.0, 0.2, 0.1)).named("strip").bend(0.7).named("bent")
    scene = iso.Scene(show=bent if shape == "bent" else SHAPES[shape][0])
    value = torch.tensor(named_parameters_of(scene)[name], dtype=torch.float64, requires_grad=True)
    program = build_program(scene, {name: value.detach()})
    inner, outer = torch.zeros(200, 3, dtype=torch.float64), near_and_far(200)
    outer = outer / outer.norm(dim=1, keepdim=True)
    for _ in range(50):  # from the centre, which lies inside, to a unit sphere, which does not
        middle = 0.5 * (inner + outer)
        inside = (distance(program, middle) < 0.0)[:, None]
        inner, outer = torch.where(inside, middle, inner), torch.where(inside, outer, middle)
    assert distance(program, inner).abs().max() < 1e-12
    assert torch.autograd.gradcheck(
        lambda value: distance(build_program(scene, {name: value}), inner),
        (value,), eps=1e-7, atol=1e-4, fast_mode=True,
    )  # fmt: skip


@pytest.mark.parametrize(("shape", "name"), [("twisted", "bar.size"), ("bent", "strip.size")])
def test_off_the_surface_of_a_twist_or_bend_gradients_are_those_at_a_fixed_factor(shape: str, name: str) -> None:
    """A longer part far from the axis changes the factor, which is left out: checked where the factor stays."""
    scene = iso.Scene(show=SHAPES[shape][0])
    size = torch.tensor(named_parameters_of(scene)[name], dtype=torch.float64, requires_grad=True)
    points = near_and_far(300)
    value = distance(build_program(scene, {name: size}), points)
    (gradient,) = torch.autograd.grad(value.sum(), size)
    step, axis = 1e-6, 2 if shape == "twisted" else 1  # the extents that the factor does not depend on
    change = torch.zeros(3, dtype=torch.float64)
    change[axis] = step
    up, down = (distance(build_program(scene, {name: size.detach() + s * change}), points) for s in (1.0, -1.0))
    assert float(gradient[axis]) == pytest.approx(float((up - down).sum() / (2.0 * step)), rel=1e-4)
    # Along the others the value also shrinks or grows with the factor, by a share of itself.
    change = torch.zeros(3, dtype=torch.float64)
    change[0] = step
    up, down = (distance(build_program(scene, {name: size.detach() + s * change}), points) for s in (1.0, -1.0))
    left_out = float((up - down).sum() / (2.0 * step) - gradient[0])
    assert 1e-3 < abs(left_out) < float(value.detach().abs().sum())


def test_second_derivatives_are_those_of_differences() -> None:
    # Smooth everywhere at the points: a torus in a smooth union with a ball.
    scene = iso.Scene(show=iso.torus(0.5, 0.1).named("ring").union(iso.sphere(0.3).named("ball"), smooth=0.4))
    radius = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    points = (near_and_far(20) + 0.01).requires_grad_()
    assert torch.autograd.gradgradcheck(
        lambda radius, points: distance(build_program(scene, {"ball.radius": radius}), points), (radius, points)
    )


def test_second_derivatives_are_finite_everywhere() -> None:
    scene = toy()
    special = torch.cartesian_prod(*[torch.tensor([-0.5, -0.4, 0.0, 0.3, 0.45], dtype=torch.float64)] * 3)
    points = torch.cat([special, near_and_far(200)]).requires_grad_()
    values = {
        name: torch.tensor(v, dtype=torch.float64, requires_grad=True) for name, v in named_parameters_of(scene).items()
    }
    field = distance(build_program(scene, values), points)
    inputs = [points, *values.values()]
    first = torch.autograd.grad(field.sum(), inputs, create_graph=True, allow_unused=True)
    energy = sum((gradient**2).sum() for gradient in first if gradient is not None)
    second = torch.autograd.grad(energy, inputs, allow_unused=True)
    for gradient in (*first, *second):
        assert gradient is None or bool(torch.isfinite(gradient).all())


def test_gradients_in_float32_run_through_the_kernel() -> None:
    """A ball: d(distance)/d(radius) = -1, d/d(translate) = -(p - c)/|p - c|, d/d(scale) = -radius."""
    scene = iso.Scene(show=iso.sphere(0.5).scale(2.0).translate(0.1, 0.0, 0.0).named("ball"))
    values = {
        "ball.radius": torch.tensor(0.5, requires_grad=True),
        "ball.translate": torch.tensor([0.1, 0.0, 0.0], requires_grad=True),
        "ball.scale": torch.tensor(2.0, requires_grad=True),
    }
    points = torch.tensor([[3.1, 4.0, 0.0]], requires_grad=True)
    field = distance(build_program(scene, values), points)
    assert field.tolist() == pytest.approx([4.0])
    field.sum().backward()
    assert values["ball.radius"].grad == pytest.approx(-2.0)
    assert values["ball.scale"].grad == pytest.approx(-0.5)
    assert values["ball.translate"].grad.tolist() == pytest.approx([-0.6, -0.8, 0.0])
    assert points.grad.tolist() == [pytest.approx([0.6, 0.8, 0.0])]


def test_an_optimiser_finds_the_size_of_a_box() -> None:
    field = iso.ShapeField(iso.Scene(show=iso.box((1.0, 1.0, 1.0)).named("body")), trainable=["body.size"])
    goal = build_program(iso.Scene(show=iso.box((0.6, 1.4, 0.9))))
    points = near_and_far(400).float()
    wanted = distance(goal, points)
    optimiser = torch.optim.Adam(field.parameters(), lr=0.05)
    for _ in range(150):
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(field(points)[:, 0], wanted).backward()
        optimiser.step()
    (size,) = field.parameters()
    assert size.tolist() == pytest.approx([0.6, 1.4, 0.9], abs=0.01)


def test_a_field_names_what_it_can_train() -> None:
    scene = iso.Scene(show=iso.sphere(0.5).named("ball"))
    assert iso.ShapeField(scene).names == ["ball.radius"]
    with pytest.raises(ValueError, match=r"ball\.radius.*'ball\.size'"):
        iso.ShapeField(scene, trainable=["ball.size"])


def test_rotation_angles_are_degrees() -> None:
    scene = iso.Scene(show=iso.box((2.0, 0.2, 0.2)).rotate(0.0).named("bar"))
    angle = torch.tensor(90.0, requires_grad=True)
    program = build_program(scene, {"bar.rotate.angle": angle})
    points = torch.tensor([[0.0, 2.0, 0.0], [0.5, 0.5, 0.0]])
    field = distance(program, points)
    assert field.tolist() == pytest.approx([1.0, 0.4], abs=1e-6)
    field[1].backward()
    # The bar's side moves towards the point with the point's height, 0.5, times the angle in radians.
    assert float(angle.grad) == pytest.approx(0.5 * math.pi / 180.0, abs=1e-6)
