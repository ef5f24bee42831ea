"""`distance` and `distance_and_gradient`: what goes in and comes out, awkward tensors, derivatives."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import isofield as iso
from isofield.engine.fields import ShapeField
from isofield.kernels import Program, distance, distance_and_gradient, sphere_trace


@pytest.fixture(scope="module")
def program() -> Program:
    """A ball of radius 0.5 about the origin and the half-space below z = -2."""
    return iso.build_program(iso.Scene(show=iso.sphere(0.5), stage=[iso.plane(offset=-2.0)]))


def truth(points: Any) -> np.ndarray:
    """The scene's distance by hand."""
    p = np.asarray(points, dtype=np.float64)
    return np.minimum(np.linalg.norm(p, axis=-1) - 0.5, p[..., 2] + 2.0)


def some(*shape: int) -> torch.Tensor:
    return 4.0 * torch.rand(*shape, 3, generator=torch.Generator().manual_seed(0)) - 2.0


@pytest.mark.parametrize("shape", [(), (1,), (15,), (16,), (17,), (5, 4, 3), (0,), (4, 0, 2)])
def test_any_leading_shape(program: Program, shape: tuple[int, ...]) -> None:
    points = some(*shape)
    value = distance(program, points)
    assert value.shape == shape
    assert value.dtype == torch.float32
    assert np.allclose(value, truth(points), atol=1e-6)
    value, gradient = distance_and_gradient(program, points)
    assert value.shape == shape
    assert gradient.shape == (*shape, 3)


def test_gradients_by_differences_are_those_of_the_formula(program: Program) -> None:
    points = some(2000)
    value, gradient = distance_and_gradient(program, points)
    assert np.allclose(value, truth(points), atol=1e-6)
    ball, floor = points.norm(dim=1) - 0.5, points[:, 2] + 2.0
    expected = torch.where(
        (ball < floor)[:, None], points / points.norm(dim=1, keepdim=True), torch.tensor([0.0, 0.0, 1.0])
    )
    away = ((ball - floor).abs() > 0.02) & (points.norm(dim=1) > 0.1)  # from the seam and the centre
    assert (gradient - expected)[away].abs().max() < 2e-3
    assert not gradient.requires_grad


def test_numpy_in_numpy_out(program: Program) -> None:
    points = some(7, 3).numpy()
    value = distance(program, points)
    assert isinstance(value, np.ndarray)
    assert value.shape == (7, 3)
    value, gradient = distance_and_gradient(program, points)
    assert isinstance(value, np.ndarray)
    assert isinstance(gradient, np.ndarray)


@pytest.mark.parametrize(
    "view",
    [
        lambda p: p[::2, ::-1],
        lambda p: np.asfortranarray(p),
        lambda p: np.broadcast_to(p[:1], (9, *p.shape[1:])),
        lambda p: p.astype(">f4"),
        lambda p: np.frombuffer(p.tobytes(), np.float32).reshape(p.shape),  # read-only
    ],
    ids=["strided", "column-major", "broadcast", "big-endian", "read-only"],
)
def test_numpy_arrays_of_any_layout(program: Program, view: Any) -> None:
    points = view(some(8, 5).numpy())
    before = points.copy()
    assert np.allclose(distance(program, points), truth(points), atol=1e-6)
    assert np.array_equal(points, before)


@pytest.mark.parametrize(
    "view",
    [
        lambda p: p.transpose(0, 1),
        lambda p: p[:, ::3],
        lambda p: p[:1].expand(6, -1, -1),
        lambda p: torch.cat([p, p], dim=-1)[..., 1:4],
        lambda p: p[3, 2],
    ],
    ids=["transposed", "strided", "expanded", "offset", "one point"],
)
def test_tensors_of_any_layout(program: Program, view: Any) -> None:
    points = view(some(8, 5))
    assert np.allclose(distance(program, points), truth(points), atol=1e-6)
    assert np.allclose(distance_and_gradient(program, points)[0], truth(points), atol=1e-6)


class Speaker:
    """An array of a library of its own, that speaks DLPack."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()


def test_dlpack_in_tensor_out(program: Program) -> None:
    points = some(9).numpy()
    value = distance(program, Speaker(points))
    assert isinstance(value, torch.Tensor)
    assert np.allclose(value, truth(points), atol=1e-6)


def test_float64_runs_in_float64(program: Program) -> None:
    points = some(50).double()
    value = distance(program, points)
    assert value.dtype == torch.float64
    assert np.abs(value.numpy() - truth(points)).max() < 1e-7  # the program's numbers are float32
    assert distance(program, points.numpy()).dtype == np.float64
    assert torch.equal(distance(program, points[:0]), points[:0, 0])


@pytest.mark.parametrize(
    "dtype", [torch.bool, torch.int32, torch.int64, torch.uint8, torch.float16, torch.bfloat16, torch.complex64]
)
def test_other_types_are_refused_by_name(program: Program, dtype: torch.dtype) -> None:
    points = torch.zeros(4, 3, dtype=dtype)
    with pytest.raises(TypeError, match=f"points.*{dtype}"):
        distance(program, points)
    with pytest.raises(TypeError, match="points"):
        distance_and_gradient(program, points)


@pytest.mark.parametrize(
    "points",
    [np.zeros((2, 3), dtype=int), np.zeros((2, 3), dtype=bool), np.zeros((2, 3), np.float16), np.array([["a"] * 3]),
     np.array([[None] * 3]), [[0.0, 0.0, 0.0]], None, "points", 1.0],
)  # fmt: skip
def test_what_is_no_array_of_floats_is_refused_by_name(program: Program, points: Any) -> None:
    with pytest.raises(TypeError, match="points"):
        distance(program, points)


def test_double_gradients_by_differences_are_refused(program: Program) -> None:
    with pytest.raises(TypeError, match=r"points: expected torch\.float32, got torch\.float64"):
        distance_and_gradient(program, some(3).double())


@pytest.mark.parametrize("shape", [(3, 2), (3, 4), (3, 1), (0,), ()])
def test_another_last_dimension_is_refused(program: Program, shape: tuple[int, ...]) -> None:
    for call in (distance, distance_and_gradient):
        with pytest.raises(ValueError, match=r"points: expected shape \(…, 3\), got"):
            call(program, torch.zeros(shape))


def test_more_numbers_than_indices_are_refused_without_being_touched(program: Program) -> None:
    points = torch.zeros(1, 3).expand(2**30, 3)  # no memory behind it
    with pytest.raises(ValueError, match=r"points: expected at most 2\^31 - 1"):
        distance(program, points)


def test_a_tensor_elsewhere_is_refused_with_the_remedy(program: Program) -> None:
    for call in (distance, distance_and_gradient):
        with pytest.raises(ValueError, match=r"points: expected a tensor on 'cpu'.*'meta'.*\.to\('cpu'\)"):
            call(program, torch.zeros(4, 3, device="meta"))


def test_nan_points_give_nan_and_trouble_nobody_else(program: Program) -> None:
    points = some(64)
    points[5, 0] = points[20, 1] = points[40, 2] = math.nan
    points[41] = math.nan
    value, gradient = distance_and_gradient(program, points)
    bad = points.isnan().any(dim=1)
    assert bool(value[bad].isnan().all())
    assert bool(gradient[bad].isnan().all())
    assert np.allclose(value[~bad], truth(points[~bad]), atol=1e-6)
    assert torch.equal(distance(program, points).isnan(), bad)
    assert torch.equal(distance(program, points.double()).isnan(), bad)


@pytest.mark.parametrize(
    "shape", [iso.box(1.0), iso.box(1.0) - iso.sphere(0.4), iso.sphere(0.1).repeat((0.5, 0.5, 0.5))]
)
def test_nan_points_stay_nan_where_maxima_would_lose_them(shape: Any) -> None:
    points = some(32)
    points[::3, 1] = math.nan
    assert torch.equal(distance(iso.build_program(iso.Scene(show=shape)), points).isnan(), points.isnan().any(dim=1))


def test_infinite_points_give_nan_and_trouble_nobody_else(program: Program) -> None:
    points = some(64)
    points[3, 0], points[17, 1], points[33, 2] = math.inf, -math.inf, math.inf
    points[40] = torch.tensor([math.inf, -math.inf, math.nan])
    finite = points.isfinite().all(dim=1)
    for value in (
        distance(program, points),
        distance(program, points.double()),
        *distance_and_gradient(program, points),
    ):
        assert torch.equal(value.reshape(64, -1).isnan().all(dim=1), ~finite)
        assert bool(value[finite].isfinite().all())
    assert np.allclose(distance(program, points)[finite], truth(points[finite]), atol=1e-6)


def test_points_without_a_place_leave_the_gradients_of_others_alone() -> None:
    field = ShapeField(iso.Scene(iso.box(1.0).named("body")), ["body.size"])
    points = torch.tensor([[1.0, 0.0, 0.0], [math.nan, 0.0, 0.0], [0.0, math.inf, 0.0]])
    torch.nan_to_num(field(points)).sum().backward()
    assert field.named_values()["body.size"].grad.tolist() == [-0.5, 0.0, 0.0]


@pytest.mark.parametrize("size", [1e4, 1e6, 3e8, 1e12, 7e14, 1e18, 2e19, 1e25, 1e38])
def test_huge_points_keep_their_relative_precision(program: Program, size: float) -> None:
    points = size * torch.tensor(
        [[1.0, 0.0, 0.0], [0.3, -0.4, 0.0], [0.6, 0.0, 0.8], [-1.0, 1.0, 1.0], [0.0, 0.1, -1.0]]
    )
    expected = truth(points) / size
    for found in (distance(program, points), distance(program, points.double())):
        assert np.allclose(found / size, expected, rtol=0, atol=1e-6)
    value, gradient = distance_and_gradient(program, points)
    assert np.allclose(value / size, expected, rtol=0, atol=1e-6)
    assert np.allclose(gradient.norm(dim=1), 1.0, atol=1e-3)


def test_parts_that_do_not_end_are_met_far_away() -> None:
    points = torch.tensor([[3e17, 0.0, -1.5], [0.0, 0.0, 1e18]])
    for program in (
        iso.build_program(iso.Scene(iso.plane(offset=-2.0))),
        iso.build_program(iso.Scene(iso.cylinder(0.5))),
    ):
        for found in (distance(program, points), distance(program, points.double())):
            assert np.allclose(found, [0.5, 1e18] if program.planes else [3e17, -0.5], rtol=1e-6)


def test_small_shapes_and_ones_far_off_the_origin_are_seen_from_afar() -> None:
    small = iso.ellipsoid((1.0, 1e-3, 1e-3)) | iso.union(iso.box(1e-6).scale(1e-3)).scale(1e-3)
    wide = iso.union(iso.sphere(1e6).translate(1e6, 0.0, 0.0), iso.box(1.0).translate(0.0, -1e6, 0.0))
    ways = torch.nn.functional.normalize(torch.randn(64, 3, generator=torch.Generator().manual_seed(0)), dim=1)
    points = (ways * torch.logspace(9, 37, 29)[:, None, None]).reshape(-1, 3)
    away = points.double().norm(dim=1)
    for reach, shape in ((1.0, small), (3e6, wide)):
        program = iso.build_program(iso.Scene(shape))
        for found in (distance(program, points), distance(program, points.double())):
            error = (found.double() - away).abs() / away
            assert bool((error <= 2e-6 + reach / away).all())


RISKY = """
import numpy as np, torch
import isofield as iso
from isofield.kernels import distance, distance_and_gradient, sphere_trace
program = iso.build_program(iso.Scene(show=iso.sphere(0.5)))
for points in (
    torch.empty(0, 3), torch.empty(3)[None][:0], torch.full((40, 3), float("nan")), torch.full((40, 3), 3.4e38),
    torch.full((40, 3), -float("inf")), torch.full((40, 3), 1e-45), np.empty((0, 5, 3), np.float32),
    torch.zeros(1, 3).expand(1000, 3), torch.zeros(3, 1000).T, torch.zeros(1, 3)[:, [0, 0, 0]],
):
    distance(program, points)
    distance_and_gradient(program, points)
    sphere_trace(program, points, np.broadcast_to(np.float32([1, 0, 0]), tuple(points.shape)))
for bad in (torch.zeros(3, 3).to_sparse(), torch.quantize_per_tensor(torch.zeros(3, 3), 0.1, 0, torch.quint8),
            torch.zeros(3, 3, dtype=torch.float8_e5m2), torch.nested.nested_tensor([torch.zeros(2, 3)])):
    try:
        distance(program, bad)
    except (TypeError, ValueError, RuntimeError, NotImplementedError) as error:
        print(type(error).__name__)
print("ENDED")
"""


def test_risky_tensors_end_in_results_or_errors() -> None:
    done = subprocess.run([sys.executable, "-c", RISKY], capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.endswith("ENDED\n")


@pytest.mark.parametrize("function", [distance, distance_and_gradient])
def test_what_is_no_program_is_refused_by_name(function: Callable[..., Any]) -> None:
    for given in (None, iso.sphere(1.0), iso.Scene(show=iso.sphere(1.0))):
        with pytest.raises(TypeError, match=f"program: expected .*build_program.*, got {type(given).__name__}"):
            function(given, torch.zeros(1, 3))


def test_a_sparse_tensor_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"points: expected a dense tensor, got .*sparse"):
        distance(iso.build_program(iso.Scene(show=iso.sphere(1.0))), torch.eye(3).to_sparse())


def hits_of(scene: Any) -> tuple[Program, torch.Tensor]:
    """A program, and where a grid of rays from above and aslant meets it, as traced, faces met head-on among them."""
    program = iso.build_program(scene)
    across = torch.linspace(-0.9, 0.9, 61)
    u, v = (axis.flatten() for axis in torch.meshgrid(across, across, indexing="ij"))
    starts = [torch.stack([u, v, torch.full_like(u, 3.0)], 1), torch.stack([torch.full_like(u, 3.0), u, v], 1)]
    ways = [torch.tensor([0.0, 0.0, -1.0]).expand(len(u), 3), torch.tensor([-1.0, 0.0, 0.0]).expand(len(u), 3)]
    origins, directions = torch.cat(starts), torch.cat(ways)
    hits = sphere_trace(program, origins, directions, tolerance=1e-6)
    return program, (origins + hits.distance[:, None] * directions)[hits.hit]


hole = iso.cylinder(0.5)
CARVED = (iso.sphere(1) & iso.box(1.5)) - hole - hole.rotate(90, (1, 0, 0)) - hole.rotate(90, (0, 1, 0))


@pytest.mark.parametrize(
    "shape", [iso.box((1.0, 0.5, 1.5)), iso.cylinder(0.5), CARVED], ids=["box", "cylinder", "carved"]
)
def test_gradients_at_traced_hits_have_length_1(shape: Any) -> None:
    scene = iso.Scene(shape)
    program, points = hits_of(scene)
    assert len(points) > 1000
    ones = torch.ones(len(points))
    points.requires_grad_()
    value = distance(program, points)
    assert float((value.abs() < 1e-7).float().mean()) > 0.1, "no hit lies on a tie"
    torch.testing.assert_close(torch.autograd.grad(value.sum(), points)[0].norm(dim=1), ones, rtol=0, atol=1e-3)
    field = ShapeField(scene, trainable=())
    found = torch.autograd.grad(field(points).sum(), points)[0]
    torch.testing.assert_close(found.norm(dim=1), ones, rtol=0, atol=1e-3)
    # Differences reach over 2e-3: only where the surface is as good as flat within that.
    probes = points.detach()[:, None] + 4e-3 * torch.randn(len(points), 32, 3, generator=torch.manual_seed(1)).sign()
    normals = torch.autograd.grad(distance(program, probes.requires_grad_()).sum(), probes)[0]
    smooth = ((normals * found[:, None]).sum(dim=2) > 0.999).all(dim=1)
    assert float(smooth.float().mean()) > 0.5
    differences = distance_and_gradient(program, points.detach())[1].norm(dim=1)
    torch.testing.assert_close(differences[smooth], ones[smooth], rtol=0, atol=1e-3)
