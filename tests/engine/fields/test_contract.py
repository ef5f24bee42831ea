"""What every field promises, of every kind."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import isofield as iso
from isofield.engine.fields import (
    KINDS,
    MLP,
    Field,
    Grid,
    GroundPlan,
    HashGrid,
    HybridGrid,
    ImageField,
    LearnedField,
    Meaning,
    ShapeField,
    Siren,
    load_field,
    occupancy_of,
)

BOX = ((-1.0, 0.5), (2.0, 1.5))
CUBE = ((-1.0, 0.5, 0.0), (2.0, 1.5, 0.25))


def picture(height: int = 5, width: int = 7) -> torch.Tensor:
    """Random 8-bit pixels."""
    return torch.randint(0, 256, (height, width, 3), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def ball() -> ShapeField:
    return ShapeField(iso.Scene(show=iso.sphere(0.5).named("ball")), trainable=["ball.radius"])


MAKERS: dict[str, Callable[[], Field]] = {
    "mlp": lambda: MLP(2, 3, width=8, meaning="colour", bounds=BOX),
    "mlp encoded": lambda: MLP(3, 1, octaves=2, width=8, meaning="occupancy", bounds=CUBE),
    "mlp one dimension": lambda: MLP(1, 2, octaves=1, width=8),
    "mlp softplus": lambda: MLP(3, 1, width=8, activation="softplus", meaning="signed_distance", bounds=CUBE),
    "siren": lambda: Siren(2, 3, width=8, layers=1, meaning="colour", bounds=BOX),
    "siren density": lambda: Siren(3, 1, width=8, layers=1, meaning="density", bounds=CUBE),
    "grid": lambda: with_values(Grid(2, 3, nodes=4, meaning="colour", bounds=BOX)),
    "grid of one node": lambda: with_values(Grid(2, 3, nodes=1)),
    "grid 3D": lambda: with_values(Grid(3, 1, nodes=4, meaning="signed_distance", bounds=CUBE)),
    "hybrid grid": lambda: HybridGrid(2, 3, nodes=4, features=6, width=8, meaning="colour", bounds=BOX),
    "hybrid grid 3D": lambda: HybridGrid(3, 5, nodes=3, features=6, width=8, activation="softplus", bounds=CUBE),
    "ground plan": lambda: GroundPlan(3, 1, nodes=4, features=6, octaves=2, width=8, meaning="occupancy", bounds=CUBE),
    "hash grid": lambda: with_values(HashGrid(2, 3, levels=3, base=3, finest=20, entries=64, width=8, bounds=BOX)),
    "hash grid 3D": lambda: with_values(
        HashGrid(3, 1, levels=3, base=2, finest=9, entries=64, width=8, activation="softplus", smoothstep=True,
                 meaning="signed_distance", bounds=CUBE)
    ),
    "image": lambda: ImageField(picture()),
    "image of floats": lambda: ImageField(picture().float() / 255.0),
    "image of one pixel": lambda: ImageField(picture(1, 1)),
    "image of one row": lambda: ImageField(picture(1, 5)),
    "shape": ball,
    "occupancy": lambda: occupancy_of(ball(), 10.0),
}  # fmt: skip


def with_values(field: Field) -> Field:
    """The field with parameters that are all different: some begin at 0."""
    with torch.no_grad():
        for parameter in field.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return field


def made(name: str) -> Field:
    """A new field, the same every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return MAKERS[name]()


def some_points(field: Field, count: int = 40, outside: float = 0.2) -> torch.Tensor:
    """Random points in the field's bounds and a little outside."""
    unit = torch.rand(count, field.dimensions, generator=torch.Generator().manual_seed(2))
    low, high = torch.tensor(field.bounds)
    return low + ((1 + 2 * outside) * unit - outside) * (high - low)


# Whose second derivatives to points say something: the others are linear in pieces.
CURVED = {"mlp softplus", "siren", "siren density", "hybrid grid 3D", "hash grid 3D", "shape", "occupancy"}


@pytest.fixture(params=MAKERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def field(name: str) -> Field:
    return made(name)


def test_every_kind_is_looked_at() -> None:
    assert {made(name).kind for name in MAKERS} == set(KINDS)


def test_says_what_it_is(field: Field) -> None:
    assert isinstance(field.meaning, Meaning)
    low, high = field.bounds
    assert len(low) == len(high) == field.dimensions
    assert all(isinstance(number, float) for number in (*low, *high))
    assert all(bottom < top for bottom, top in zip(low, high, strict=True))


def test_values_have_the_points_dtype_and_device(field: Field) -> None:
    values = field(some_points(field))
    assert values.shape == (40, field.channels)
    assert (values.dtype, values.device.type) == (torch.float32, "cpu")
    double = field.double()(some_points(field).double())
    assert double.dtype == torch.float64
    assert torch.allclose(values.double(), double, atol=2e-5)


def test_values_keep_what_the_meaning_allows(field: Field) -> None:
    values = field(some_points(field, 500)).detach()
    assert bool(values.isfinite().all())
    if field.meaning is Meaning.OCCUPANCY or (field.meaning is Meaning.COLOUR and field.kind != "siren"):
        assert float(values.min()) >= 0.0
        assert float(values.max()) <= 1.0
    if field.meaning is Meaning.DENSITY:
        assert float(values.min()) >= 0.0


def test_a_point_alone_has_the_value_it_has_among_others(field: Field) -> None:
    points = some_points(field)
    one_by_one = torch.cat([field(point[None]) for point in points])
    assert torch.allclose(one_by_one, field(points), atol=1e-5)


def test_no_points_no_values(field: Field) -> None:
    points = some_points(field, 0).requires_grad_()
    values = field(points)
    assert values.shape == (0, field.channels)
    values.sum().backward()
    assert points.grad is not None
    assert points.grad.shape == points.shape


def test_a_nan_stays_in_its_row(field: Field) -> None:
    points = some_points(field)
    wanted = field(points)
    points[3, -1] = math.nan
    points[5] = math.nan
    values = field(points)
    assert bool(values[3].isnan().all())
    assert bool(values[5].isnan().all())
    others = [row for row in range(40) if row not in (3, 5)]
    assert torch.allclose(values[others], wanted[others], atol=1e-6)


def test_infinite_points_do_no_harm(field: Field) -> None:
    points = some_points(field)
    points[0], points[1], points[2] = math.inf, -math.inf, 1e30
    assert bool(field(points)[3:].isfinite().all())


def test_strided_points(field: Field) -> None:
    points = some_points(field)
    assert torch.equal(field(points.T.contiguous().T), field(points))
    assert torch.equal(field(points.flip(0)[::2]), field(points.flip(0)[::2].contiguous()))


def test_points_of_another_shape_are_refused(field: Field) -> None:
    count = field.dimensions
    for shape in ((count,), (4, count + 1), (2, 2, count), ()):
        with pytest.raises(ValueError, match=rf"points: expected shape \(N, {count}\), got"):
            field(torch.zeros(shape))


def test_points_that_are_no_floats_are_refused(field: Field) -> None:
    with pytest.raises(TypeError, match=r"points: expected .*float.*, got torch\.int64"):
        field(torch.zeros(4, field.dimensions, dtype=torch.long))
    with pytest.raises(TypeError, match="points: expected a tensor, got list"):
        field([[0.0] * field.dimensions])


def test_points_on_another_device_are_refused(field: Field) -> None:
    if not list(field.parameters()):
        pytest.skip("a field without parameters is on no device")
    with pytest.raises(ValueError, match="points: expected a tensor on cpu"):
        field(torch.zeros(4, field.dimensions, device="meta"))


def test_it_counts_its_parameters(field: Field) -> None:
    assert field.parameter_count == sum(parameter.numel() for parameter in field.parameters())


def test_gradients_are_finite_differences(field: Field) -> None:
    field = field.double()
    points = some_points(field, 6, outside=0.0).double().requires_grad_()
    assert torch.autograd.gradcheck(field, (points,), eps=1e-6, atol=1e-5, rtol=1e-4)


def test_gradients_of_parameters_are_finite_differences(field: Field) -> None:
    field = field.double()
    points = some_points(field, 6, outside=0.0).double()
    names, values = zip(*field.named_parameters(), strict=True) if list(field.parameters()) else ((), ())

    def of_parameters(*replaced: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(field, dict(zip(names, replaced, strict=True)), (points,))

    if values:
        assert torch.autograd.gradcheck(of_parameters, values, eps=1e-6, atol=1e-5, rtol=1e-4, fast_mode=True)


def test_torch_func_gives_the_derivatives_at_each_point(field: Field) -> None:
    """vmap over points of jacrev to the parameters and of grad to the points, against a pass for each number."""
    field = field.double()
    points = some_points(field, 4, outside=0.0).double()
    parameters = dict(field.named_parameters())

    def at(parameters: dict[str, torch.Tensor], point: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(field, parameters, (point[None],))[0]

    def squares(point: torch.Tensor) -> torch.Tensor:
        return field(point[None]).square().sum()

    slopes = torch.func.vmap(torch.func.grad(squares))(points)
    torch.testing.assert_close(slopes, torch.stack([torch.autograd.functional.jacobian(squares, p) for p in points]))
    if parameters:
        jacobians = torch.func.vmap(torch.func.jacrev(at), (None, 0))(parameters, points)
        for index, point in enumerate(points):
            for channel, value in enumerate(field(point[None])[0]):
                expected = torch.autograd.grad(value, list(parameters.values()), retain_graph=True)
                found = [jacobian[index, channel] for jacobian in jacobians.values()]
                torch.testing.assert_close(found, list(expected))


def test_a_point_touches_as_few_numbers_as_it_says(field: Field) -> None:
    parameters = dict(field.named_parameters())
    assert field.touched.keys() <= parameters.keys()
    for name, most in field.touched.items():
        for point in some_points(field, 8).split(1):
            for value in field(point)[0]:
                (found,) = torch.autograd.grad(value, parameters[name], retain_graph=True)
                assert 0 < int(found.count_nonzero()) <= most


def test_losses_on_the_gradient_reach_the_parameters(name: str, field: Field) -> None:
    """What an eikonal loss needs: the derivative of |∇f|² to the parameters, against differences along a direction."""
    field = field.double()
    if not list(field.parameters()):
        pytest.skip("it has no parameters")
    points = some_points(field, 6, outside=0.0).double().requires_grad_()

    def loss() -> torch.Tensor:
        (slope,) = torch.autograd.grad(field(points).sum(), points, create_graph=True)
        return slope.square().sum()

    wanted = torch.autograd.grad(loss(), list(field.parameters()), allow_unused=True)
    generator = torch.Generator().manual_seed(3)
    ways = [torch.randn(parameter.shape, generator=generator, dtype=torch.float64) for parameter in field.parameters()]
    along = sum((g * w).sum() for g, w in zip(wanted, ways, strict=True) if g is not None)
    ends = []
    for step in (1e-6, -2e-6):
        with torch.no_grad():
            for parameter, way in zip(field.parameters(), ways, strict=True):
                parameter.add_(step * way)
        ends.append(float(loss().detach()))
    assert float(along) == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", sorted(CURVED))
def test_second_derivatives_are_finite_differences(name: str) -> None:
    field = made(name).double()
    points = some_points(field, 6, outside=0.0).double().requires_grad_()

    def slope(points: torch.Tensor) -> torch.Tensor:
        (found,) = torch.autograd.grad(field(points).sum(), points, create_graph=True)
        return found

    assert torch.autograd.gradcheck(slope, (points,), eps=1e-6, atol=1e-4, rtol=1e-3)
    (curved,) = torch.autograd.grad(slope(points)[:, 0].sum(), points)
    assert float(curved.abs().max()) > 1e-3


def test_a_file_keeps_every_argument_of_its_kind(field: Field) -> None:
    if not isinstance(field, LearnedField):
        pytest.skip("it is made of something else than numbers")
    arguments = inspect.signature(type(field)).parameters.values()
    own = {argument.name for argument in arguments if argument.kind is not argument.VAR_KEYWORD}
    assert set(field.configuration()) == own


def test_saved_and_loaded_it_is_the_same_bit_by_bit(field: Field, tmp_path: Path) -> None:
    field.save(tmp_path / "a.safetensors")
    again = load_field(tmp_path / "a.safetensors")
    assert type(again) is type(field)
    assert again.configuration() == field.configuration()
    assert (again.meaning, again.bounds, again.aspect) == (field.meaning, field.bounds, field.aspect)
    assert again.parameter_count == field.parameter_count
    points = some_points(field)
    assert torch.equal(again(points), field(points))
    state, wanted = again.state_dict(), field.state_dict()
    assert state.keys() == wanted.keys()
    assert all(torch.equal(state[key], wanted[key]) for key in wanted)


def test_float64_is_kept(field: Field, tmp_path: Path) -> None:
    field.double().save(tmp_path / "a.safetensors")
    points = some_points(field).double()
    assert torch.equal(load_field(tmp_path / "a.safetensors")(points), field(points))
