"""The tangent kernel equals the product of Jacobians, for every kind of field."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

import isofield as iso
from isofield.engine.fields import (
    MLP,
    Field,
    Grid,
    GroundPlan,
    HashGrid,
    HybridGrid,
    ImageField,
    Meaning,
    ShapeField,
    Siren,
    occupancy_of,
)
from isofield.engine.ntk import per_point, spectrum, tangent_kernel

BOX = ((-1.0, 0.5), (2.0, 1.5))


def ball() -> ShapeField:
    return ShapeField(iso.Scene(show=iso.sphere(0.5).named("ball")), trainable=["ball.radius"])


MAKERS: dict[str, Callable[[], Field]] = {
    "mlp": lambda: MLP(2, 3, width=5, meaning="colour", bounds=BOX),
    "encoded mlp": lambda: MLP(3, 1, octaves=2, width=5, meaning="occupancy"),
    "siren": lambda: Siren(2, 2, width=5, layers=1, omega=3.0),
    "grid": lambda: Grid(2, 3, nodes=3, meaning="colour", bounds=BOX),
    "grid 3D": lambda: Grid(3, 1, nodes=3),
    "hybrid grid": lambda: HybridGrid(2, 2, nodes=3, features=4, width=5, bounds=BOX),
    "ground plan": lambda: GroundPlan(3, 1, nodes=3, features=4, octaves=2, width=5, meaning="density"),
    "hash grid": lambda: HashGrid(2, 2, levels=2, base=3, finest=9, entries=16, width=5, bounds=BOX),
    "shape": ball,
    "occupancy": lambda: occupancy_of(ball(), 3.0),
}


def made(name: str, dtype: torch.dtype = torch.float64) -> Field:
    """A new field with parameters that are all different, the same every time."""
    generator = torch.Generator().manual_seed(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        field = MAKERS[name]()
    with torch.no_grad():
        for parameter in field.parameters():
            parameter.add_(0.2 * torch.rand(parameter.shape, generator=generator))
    return field.to(dtype)


def points_in(field: Field, count: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Random points in the field's bounds."""
    unit = torch.rand(count, field.dimensions, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    low, high = (unit.new_tensor(corner) for corner in field.bounds)
    return low + unit * (high - low)


def jacobian(field: Field, points: torch.Tensor) -> torch.Tensor:
    """∂f_c(x)/∂θ (N, C, P) by central differences of every parameter."""
    step, columns = 1e-6, []
    with torch.no_grad():
        for parameter in field.parameters():
            entries = parameter.view(-1)
            for index in range(parameter.numel()):
                kept = entries[index].item()
                values = []
                for sign in (1.0, -1.0):
                    entries[index] = kept + sign * step
                    values.append(field(points))
                entries[index] = kept
                columns.append((values[0] - values[1]) / (2.0 * step))
    return torch.stack(columns, dim=-1)


@pytest.mark.parametrize("name", MAKERS)
def test_kernel_is_the_product_of_jacobians(name: str) -> None:
    field = made(name)
    points, others = points_in(field, 4), points_in(field, 3, seed=1)
    left, right = jacobian(field, points), jacobian(field, others)
    wanted = torch.einsum("ncp,mdp->ncmd", left, right)
    kernel = tangent_kernel(field, points, others)
    assert kernel.shape == (4, field.channels, 3, field.channels)
    assert kernel.dtype == torch.float64
    assert not kernel.requires_grad
    assert float(wanted.abs().max()) > 0.0
    torch.testing.assert_close(kernel, wanted, rtol=1e-5, atol=1e-6 * float(wanted.abs().max()))


TABLES: dict[str, Callable[[], Field]] = {
    "grid": lambda: Grid(2, 3, nodes=20, meaning="colour", bounds=BOX),
    "grid 3D": lambda: Grid(3, 1, nodes=8),
    "hybrid grid": lambda: HybridGrid(2, 2, nodes=20, features=4, width=5),
    "ground plan": lambda: GroundPlan(3, 1, nodes=20, features=4, octaves=2, width=5, meaning="density"),
    "hash grid": lambda: HashGrid(2, 2, levels=3, base=5, finest=60, entries=512, width=5, bounds=BOX),
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("block", [None, 3])
def test_kernel_of_large_tables_is_the_product_of_whole_jacobians(name: str, block: int | None) -> None:
    field = TABLES[name]().double()
    with torch.no_grad():
        for parameter in field.parameters():
            parameter.add_(0.2 * torch.rand(parameter.shape, generator=torch.Generator().manual_seed(1)))
    points, others = points_in(field, 8), points_in(field, 5, seed=1)
    points[0], others[0] = (torch.tensor(corner, dtype=torch.float64) for corner in field.bounds)  # on nodes
    others[1:3] = points[2:4]
    parameters = list(field.parameters())

    def rows(points: torch.Tensor) -> torch.Tensor:
        found = [
            torch.autograd.grad(field(point[None])[0, channel], parameters)
            for point in points
            for channel in range(field.channels)
        ]
        return torch.stack([torch.cat([part.flatten() for part in row]) for row in found])

    left, right = rows(points), rows(others)
    shape = (8, field.channels, 5, field.channels)
    kernel = tangent_kernel(field, points, others, block=block)
    torch.testing.assert_close(kernel, (left @ right.T).reshape(shape), rtol=1e-12, atol=1e-12)
    own = tangent_kernel(field, points, block=block)
    torch.testing.assert_close(own.flatten(2).flatten(0, 1), left @ left.T, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("block", [None, 2])
def test_every_point_is_told_of(name: str, block: int | None) -> None:
    field = made(name)
    told = []

    def watch(what: str, parts: int) -> Callable[[int], None]:
        told.append([parts, 0])
        return lambda done: told[-1].__setitem__(1, told[-1][1] + done)

    tangent_kernel(field, points_in(field, 5), block=block, watch=watch)
    tangent_kernel(field, points_in(field, 5), points_in(field, 3, seed=1), block=block, watch=watch)
    assert told == ([[5, 5], [8, 8]] if block is None else [[9, 9], [14, 14]])


@pytest.mark.parametrize("name", MAKERS)
def test_kernel_in_float32_is_that_of_float64(name: str) -> None:
    exact, rounded = made(name), made(name, torch.float32)
    points = points_in(exact, 5)
    wanted = tangent_kernel(exact, points)
    torch.testing.assert_close(
        tangent_kernel(rounded, points.float()), wanted, rtol=1e-3, atol=1e-4 * float(wanted.abs().max())
    )


@pytest.mark.parametrize("name", MAKERS)
def test_kernel_is_symmetric_and_positive_semi_definite(name: str) -> None:
    field = made(name)
    kernel = tangent_kernel(field, points_in(field, 12))
    matrix = kernel.flatten(2).flatten(0, 1)
    assert torch.equal(matrix, matrix.T)
    sizes = torch.linalg.eigvalsh(matrix)
    assert float(sizes[0]) >= -1e-12 * float(sizes[-1])


@pytest.mark.parametrize("name", ["mlp", "hash grid"])
@pytest.mark.parametrize("block", [1, 3, 7, 100])
def test_blocks_change_nothing(name: str, block: int) -> None:
    field = made(name)
    points, others = points_in(field, 7), points_in(field, 5, seed=1)
    for given in (None, others):
        whole = tangent_kernel(field, points, given)
        parts = tangent_kernel(field, points, given, block=block)
        torch.testing.assert_close(parts, whole, rtol=1e-12, atol=1e-12 * float(whole.abs().max()))


def test_a_line_has_the_kernel_one_knows() -> None:
    """f(x) = a x + b: k(x, x') = x x' + 1."""
    field = MLP(1, 1, layers=0).double()
    points = torch.tensor([[0.0], [2.0], [-3.0]], dtype=torch.float64)
    wanted = torch.tensor([[1.0, 1.0, 1.0], [1.0, 5.0, -5.0], [1.0, -5.0, 10.0]], dtype=torch.float64)
    assert torch.equal(tangent_kernel(field, points)[:, 0, :, 0], wanted)


def test_channels_of_a_grid_have_the_same_kernel_and_none_between_them() -> None:
    field = Grid(2, 3, nodes=4).double()
    kernel = tangent_kernel(field, points_in(field, 6))
    alone = tangent_kernel(Grid(2, 1, nodes=4).double(), points_in(field, 6))[:, 0, :, 0]
    torch.testing.assert_close(kernel, torch.einsum("nm,cd->ncmd", alone, torch.eye(3, dtype=torch.float64)))
    torch.testing.assert_close(per_point(kernel), alone)


def test_frozen_parameters_do_not_count() -> None:
    field = made("mlp")
    points = points_in(field, 3)
    for name, parameter in field.named_parameters():
        parameter.requires_grad_(name == "network.4.bias")
    kernel = tangent_kernel(field, points)
    slope = torch.sigmoid(field.raw(field.unit(points))).detach()
    slope = slope * (1.0 - slope)  # of the sigmoid
    diagonal = torch.eye(3, dtype=torch.float64)
    torch.testing.assert_close(kernel, torch.einsum("nc,md,cd->ncmd", slope, slope, diagonal))


@pytest.mark.parametrize("name", ["mlp", "hash grid"])
def test_the_field_is_left_as_it_was(name: str) -> None:
    field = made(name)
    before = {key: value.clone() for key, value in field.state_dict().items()}
    with torch.no_grad():
        tangent_kernel(field, points_in(field, 3).requires_grad_())
    assert all(torch.equal(before[key], value) for key, value in field.state_dict().items())
    assert all(parameter.grad is None for parameter in field.parameters())


@pytest.mark.parametrize("name", ["mlp", "grid"])
def test_a_point_of_nan_is_nan_in_its_row_and_column(name: str) -> None:
    field = made(name)
    points = points_in(field, 3)
    points[1, 0] = math.nan
    kernel = per_point(tangent_kernel(field, points))
    assert bool(kernel[1].isnan().all())
    assert bool(kernel[:, 1].isnan().all())
    assert bool(kernel[[0, 2]][:, [0, 2]].isfinite().all())
    with pytest.raises(ValueError, match="kernel: expected finite numbers"):
        spectrum(tangent_kernel(field, points))


@pytest.mark.parametrize("name", ["mlp", "grid"])
def test_bad_points(name: str) -> None:
    field = made(name)
    points = points_in(field, 3)
    assert tangent_kernel(field, points[:1]).shape == (1, 3, 1, 3)
    for given, others, problem in (
        (points[:0], None, "points: expected at least one point, got none"),
        (points, points[:0], "others: expected at least one point, got none"),
        (points[:, :1], None, r"points: expected shape \(N, 2\), got"),
        (points[0], None, r"points: expected shape \(N, 2\), got"),
    ):
        with pytest.raises(ValueError, match=problem):
            tangent_kernel(field, given, others)
    with pytest.raises(TypeError, match=r"points: expected torch\.float64"):
        tangent_kernel(field, points.float())
    with pytest.raises(ValueError, match="block: expected at least 1, got 0"):
        tangent_kernel(field, points, block=0)


def test_a_field_without_parameters_is_an_error() -> None:
    image = ImageField(torch.zeros(2, 2, 3))
    assert image.meaning is Meaning.COLOUR
    with pytest.raises(ValueError, match="field: expected one with parameters that are trained, this image has none"):
        tangent_kernel(image, torch.rand(2, 2))


def test_spectrum_takes_a_kernel_apart() -> None:
    field = made("siren")
    kernel = tangent_kernel(field, points_in(field, 30))
    matrix = kernel.flatten(2).flatten(0, 1)
    found = spectrum(kernel)
    assert bool((found.eigenvalues.diff() <= 0.0).all())
    assert bool((found.eigenvalues >= 0.0).all())
    torch.testing.assert_close(found.directions @ found.eigenvalues.diag() @ found.directions.T, matrix)


def test_spectrum_wants_a_square_kernel() -> None:
    field = made("grid")
    with pytest.raises(ValueError, match=r"kernel: expected a square one, got \(3, 3, 2, 3\)"):
        spectrum(tangent_kernel(field, points_in(field, 3), points_in(field, 2)))
