"""Sphere tracing against hits worked out by hand: planes, balls, thin sheets, rays that miss or make no sense."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

import isofield as iso
from isofield.engine.shapes import Shape
from isofield.kernels import Hits, Program, sphere_trace

TOLERANCE = 1e-4


def program_of(*parts: Shape) -> Program:
    return iso.build_program(iso.Scene(show=parts[0], stage=parts[1:]))


def rays(*pairs: tuple[tuple[float, float, float], tuple[float, float, float]]) -> tuple[torch.Tensor, torch.Tensor]:
    origins, directions = torch.tensor(pairs, dtype=torch.float32).unbind(1)
    return origins.contiguous(), torch.nn.functional.normalize(directions, dim=-1)


def around(count: int, distance: float, seed: int = 0) -> torch.Tensor:
    """Points (count, 3) on a sphere of that radius."""
    points = torch.randn(count, 3, generator=torch.Generator().manual_seed(seed))
    return distance * torch.nn.functional.normalize(points, dim=-1)


def to_ball(origins: torch.Tensor, directions: torch.Tensor, radius: float) -> torch.Tensor:
    """Distance along rays (N, 3) to a ball about the origin, infinite on a miss, float64."""
    o, d = origins.double(), directions.double()
    along = (o * d).sum(-1)
    root = along**2 - (o * o).sum(-1) + radius**2
    near = -along - root.clamp(min=0.0).sqrt()
    return torch.where((root >= 0.0) & (near >= 0.0), near, math.inf)


def test_a_plane_is_met_where_geometry_says() -> None:
    program = program_of(iso.plane((1.0, -2.0, 2.0), 0.5))
    normal = torch.tensor([1.0, -2.0, 2.0]) / 3.0
    origins = around(500, 3.0)
    origins = origins[(origins @ normal) > 0.7]
    directions = torch.nn.functional.normalize(around(len(origins), 1.0, 1) - 1.2 * normal, dim=-1)
    cosine = -(directions @ normal)
    expected = ((origins @ normal) - 0.5) / cosine
    hits = sphere_trace(program, origins, directions)
    kept = cosine > 0.05
    assert bool(hits.hit[kept].all())
    # A value below the tolerance is a hit: along the ray that is at most tolerance / cosine early.
    early = (expected - hits.distance)[kept]
    assert early.min() >= -2e-5
    assert bool((early <= TOLERANCE / cosine[kept] + 2e-5).all())


def test_planes_of_the_outermost_union_are_met_exactly_and_take_no_step() -> None:
    """Two planes, turned and scaled, and a ball in the corner: each ray meets the nearest of the three."""
    walls = [iso.plane().rotate(20, (1, 2, 0)).scale(3.0).translate(0, 0, -1), iso.plane((1.0, 0.0, 0.0), -1.5)]
    program = program_of(iso.sphere(0.5), *walls)
    assert (program.planes, program.endless) == (2, False)
    origins = torch.tensor([0.0, 0.0, 2.5]).expand(2000, 3).contiguous()
    directions = around(2000, 1.0)
    hits = sphere_trace(program, origins, directions, tolerance=1e-5)
    turn = math.radians(20.0)
    axis = torch.tensor([1.0, 2.0, 0.0]) / math.sqrt(5.0)
    up = torch.tensor([0.0, 0.0, 1.0])
    first = up * math.cos(turn) + torch.linalg.cross(axis, up) * math.sin(turn)  # Rodrigues, the axis lies level
    expected = torch.stack([to_ball(origins, directions, 0.5)] + [
        torch.where(directions @ n < 0.0, ((origins @ n - o) / -(directions @ n)), math.inf).double()
        for n, o in ((first, -float(first[2])), (torch.tensor([1.0, 0.0, 0.0]), -1.5))
    ])  # fmt: skip
    nearest, which = expected.min(dim=0)
    assert torch.equal(hits.hit, nearest.isfinite())
    sure = nearest.isfinite() & (nearest < 100.0) & (expected.sort(dim=0).values[:2].diff(dim=0)[0] > 1e-2)
    sure &= (which > 0) | (((origins + nearest[:, None] * directions).float() * directions).sum(-1).abs() > 0.1)
    assert ((hits.distance - nearest) / nearest)[sure].abs().max() < 1e-4
    assert torch.equal(hits.shape[sure].long(), which[sure])


def test_planes_under_other_operators_are_marched() -> None:
    """A half-space that cuts, one that is blended, one that is rounded: none is a plane of the outermost union."""
    for shape in (
        iso.sphere(1.0) & iso.plane(),
        iso.sphere(1.0) - iso.plane(),
        iso.union(iso.sphere(0.5), iso.plane(), smooth=0.2),
        iso.plane().round(0.1),
    ):
        program = program_of(shape)
        assert program.planes == 0
        hits = sphere_trace(program, *rays(((0.1, 0.2, 4.0), (0, 0, -1))))
        at = torch.tensor([[0.1, 0.2, 4.0 - float(hits.distance[0])]])
        assert abs(float(iso.kernels.distance(program, at))) < 2e-4


def test_a_plane_met_squarely_is_met_exactly() -> None:
    hits = sphere_trace(program_of(iso.plane()), *rays(((0.3, 0.2, 5.0), (0, 0, -1)), ((0.0, 0.0, 0.25), (0, 0, -1))))
    assert hits.distance.tolist() == pytest.approx([5.0, 0.25], abs=1e-6)


@pytest.mark.parametrize("radius", [0.01, 0.5, 30.0])
def test_a_ball_is_met_where_geometry_says(radius: float) -> None:
    program = program_of(iso.sphere(radius))
    origins = around(3000, 3.0 * radius)
    directions = torch.nn.functional.normalize(1.2 * around(3000, radius, 1) - origins, dim=-1)
    tolerance = 1e-4 * radius
    hits = sphere_trace(program, origins, directions, tolerance=tolerance)
    outer, inner = to_ball(origins, directions, radius * 1.0002), to_ball(origins, directions, radius)
    assert bool(hits.hit[inner.isfinite()].all())
    assert not bool(hits.hit[~outer.isfinite()].any())
    # Between the ball and the one thicker by the tolerance.
    # At grazing rays rounding of a coordinate moves the hit without measure, so those are left out.
    square = ((origins.double() * directions).sum(-1) ** 2 - (origins.double() ** 2).sum(-1)) / radius**2 + 1.0
    sure = square > 0.05
    assert bool((hits.distance[sure] <= inner[sure] + 1e-5 * radius).all())
    assert bool((hits.distance[sure] >= outer[sure] - 1e-5 * radius).all())
    assert bool((hits.shape[hits.hit] == 0).all())
    assert bool((hits.shape[~hits.hit] == -1).all())
    assert bool(hits.distance[~hits.hit].isinf().all())


def test_rays_along_the_axes() -> None:
    for axis in range(3):
        for sign in (1.0, -1.0):
            origin, direction = torch.zeros(1, 3), torch.zeros(1, 3)
            origin[0, axis], direction[0, axis] = -2.0 * sign, sign
            hits = sphere_trace(program_of(iso.box((1.0, 1.5, 0.5))), origin, direction)
            assert hits.distance.tolist() == pytest.approx([2.0 - (0.5, 0.75, 0.25)[axis]], abs=1e-6)
            # Parallel to a face at a small distance from it: no hit, and an end.
            origin[0, (axis + 1) % 3] = 0.5 * (1.0, 1.5, 0.5)[(axis + 1) % 3] + 1e-3
            hits = sphere_trace(program_of(iso.box((1.0, 1.5, 0.5))), origin, direction)
            assert not bool(hits.hit[0])


def test_grazing_rays_end() -> None:
    program = program_of(iso.plane(), iso.sphere(0.5).translate(0, 0, 3))
    heights = torch.logspace(-7, -1, 200)
    origins = torch.stack([torch.zeros(200), torch.zeros(200), heights], dim=1)
    level = torch.tensor([[1.0, 0.0, 0.0]]).expand(200, 3)
    hits = sphere_trace(program, origins, level, far=1e5)
    assert bool((hits.steps <= 256).all())
    assert bool(hits.hit[heights < TOLERANCE].all())
    assert not bool(hits.hit[heights > 1.01 * TOLERANCE].any())


def test_rays_that_start_inside_hit_at_near() -> None:
    program = program_of(iso.sphere(1.0))
    hits = sphere_trace(
        program, *rays(((0, 0, 0), (1, 0, 0)), ((0.5, 0, 0), (0, 1, 0)), ((0, 0, -0.99), (0, 0, 1))), near=0.0
    )
    assert hits.distance.tolist() == [0.0, 0.0, 0.0]
    hits = sphere_trace(program, *rays(((-2, 0, 0), (1, 0, 0))), near=1.5)
    assert hits.distance.tolist() == [1.5]


def test_what_lies_behind_or_beyond_is_not_met() -> None:
    program = program_of(iso.sphere(0.5))
    pair = rays(((2, 0, 0), (1, 0, 0)), ((-2, 0, 0), (1, 0, 0)))
    assert sphere_trace(program, *pair).hit.tolist() == [False, True]
    assert sphere_trace(program, *pair, far=1.4).hit.tolist() == [False, False]
    assert sphere_trace(program, *pair, far=1.6).hit.tolist() == [False, True]
    assert sphere_trace(program, *pair, near=2.6).hit.tolist() == [False, False]
    assert sphere_trace(program, *pair, near=1.0).distance.tolist() == [math.inf, pytest.approx(1.5, abs=1e-4)]
    assert sphere_trace(program, *pair, near=1.0, far=1.0).hit.tolist() == [False, False]


def test_rays_without_sense_miss_and_trouble_nobody_else() -> None:
    program = program_of(iso.sphere(0.5))
    origins, directions = around(64, 2.0), -around(64, 1.0)
    expected = sphere_trace(program, origins, directions).distance
    assert expected.isfinite().all()
    bad = [3, 17, 18, 40]
    origins[3, 1] = directions[17, 1] = math.nan
    origins[18, 1], directions[40, 1] = math.inf, -math.inf
    origins[50, 0], directions[50] = math.nan, 7.0
    bad.append(50)
    hits = sphere_trace(program, origins, directions)
    assert not bool(hits.hit[bad].any())
    assert bool((hits.shape[bad] == -1).all())
    good = torch.ones(64, dtype=torch.bool)
    good[bad] = False
    assert torch.equal(hits.distance[good], expected[good])


@pytest.mark.parametrize("length", [0.9996, 0.9999, 1.0001, 1.0004])
def test_directions_that_are_nearly_unit_vectors_are_made_so(length: float) -> None:
    program = program_of(iso.sphere(0.5), iso.plane(offset=-0.6))
    origins, directions = around(500, 2.0), around(500, 1.0, 1)
    origins[:, 2] = origins[:, 2].abs()
    expected = sphere_trace(program, origins, directions)
    assert bool(expected.hit.any())
    kept = length * directions
    before = kept.clone()
    hits = sphere_trace(program, origins, kept)
    assert torch.equal(kept, before)
    assert float((hits.hit == expected.hit).float().mean()) > 0.99  # but for rays that graze
    both = hits.hit & expected.hit & (expected.distance < 50.0)
    assert float((hits.distance - expected.distance)[both].abs().quantile(0.99)) < 1e-4
    # The distance is one in scene units: where the unit direction leads it is on the surface.
    points = (origins + hits.distance[:, None] * directions)[both]
    assert float(iso.kernels.distance(program, points).abs().max()) < 1e-3


@pytest.mark.parametrize("length", [0.0, 1e-30, 0.5, 0.999, 1.001, 1.1, 2.0, 1e20, 3e38])
@pytest.mark.parametrize("as_array", [lambda t: t, lambda t: t.numpy()], ids=["tensor", "numpy"])
def test_other_directions_are_refused_and_the_first_is_named(length: float, as_array: Any) -> None:
    program = program_of(iso.sphere(0.5))
    origins, directions = around(12, 2.0).reshape(3, 4, 3), around(12, 1.0).reshape(3, 4, 3)
    directions[0, 1] = math.nan
    directions[1, 2] = directions[2, 0] = torch.tensor([0.0, 0.0, length])
    words = rf"directions\[1, 2\]: expected a unit vector, got one of length {length:g} \(2 of 12 .*divide"
    with pytest.raises(ValueError, match=words.replace("+", r"\+")):
        sphere_trace(program, as_array(origins), as_array(directions))
    if length == 1.1:
        with pytest.raises(ValueError, match=r"directions: expected a unit vector, got one of length 1\.1"):
            sphere_trace(program, as_array(origins[1, 2]), as_array(directions[1, 2]))
        with pytest.raises(ValueError, match=r"directions\[2\]: "):
            sphere_trace(program, as_array(origins[1]), as_array(directions[1]))


def test_no_rays_no_hits() -> None:
    hits = sphere_trace(program_of(iso.sphere(0.5)), torch.empty(0, 3), torch.empty(0, 3))
    assert [tuple(part.shape) for part in (hits.distance, hits.hit, hits.shape, hits.steps)] == [(0,)] * 4
    assert sphere_trace(program_of(iso.sphere(0.5)), torch.empty(2, 0, 3), torch.empty(2, 0, 3)).hit.shape == (2, 0)


@pytest.mark.parametrize("tilt", [0.0, 10.0, 45.0, 80.0, 89.0])
def test_nothing_steps_through_thin_sheets(tilt: float) -> None:
    """A sheet a thousandth thick, behind a ball that invites long steps; with no tolerance to speak of."""
    sheet = iso.box((4.0, 4.0, 1e-3)).rotate(tilt, (1, 0, 0))
    lures = [iso.sphere(0.2).translate(0.5 * i - 1.0, 0, 1.0) for i in range(5)]
    program = program_of(iso.union(sheet, *lures))
    grid = torch.linspace(-1.2, 1.2, 40)
    aims = torch.cartesian_prod(grid, grid, torch.zeros(1))
    turn = math.radians(tilt)
    aims = torch.stack([aims[:, 0], aims[:, 1] * math.cos(turn), aims[:, 1] * math.sin(turn)], dim=1)
    for seed in range(4):
        origins = around(len(aims), 3.0, seed)
        hits = sphere_trace(
            program, origins, torch.nn.functional.normalize(aims - origins, dim=1), tolerance=1e-5, maximum_steps=2000
        )
        ends = (aims - origins).norm(dim=1)
        normal = torch.tensor([0.0, -math.sin(turn), math.cos(turn)])
        steep = ((aims - origins) / ends[:, None] @ normal).abs() > 0.1
        assert bool(hits.hit[steep].all())
        assert bool((hits.distance <= ends + 1e-4)[steep].all())


def test_bounds_are_traced_as_safely_as_distances() -> None:
    """A twisted bar, a rippled ball and a gyroid: what the trace meets is the first change of sign along the ray."""
    parts = [
        iso.box((0.3, 0.6, 1.2)).twist(150),
        iso.sphere(0.4).wave(0.05, 0.25).translate(1.2, 0, 0),
        (iso.gyroid(0.4, 0.03) & iso.sphere(0.5)).translate(-1.2, 0, 0),
        iso.box((1.2, 0.2, 0.05)).bend(0.5).translate(0, 1.2, 0),
        iso.sphere(0.4).scale((1.0, 0.3, 1.5)).translate(0, -1.2, 0),
    ]
    program = program_of(iso.union(*parts))
    origins = around(1500, 4.0)
    directions = torch.nn.functional.normalize(around(1500, 1.2, 1) - origins, dim=1)
    hits = sphere_trace(program, origins, directions, far=8.0, tolerance=1e-5, maximum_steps=2000)
    at = torch.linspace(0.0, 8.0, 4000)
    path = origins[:, None] + at[:, None] * directions[:, None]
    inside = iso.kernels.distance(program, path) < 0.0
    first = torch.where(inside.any(dim=1), at[inside.int().argmax(dim=1)], math.inf)
    assert bool((hits.distance <= first + 1e-4).all())
    assert float((hits.hit == first.isfinite()).float().mean()) > 0.99
    both = hits.hit & first.isfinite()
    assert float(((first - hits.distance)[both] < 5e-3).float().mean()) > 0.98


def test_steps_are_counted_and_limited() -> None:
    program = program_of(iso.sphere(0.5), iso.plane(offset=-1.0))
    origins, directions = around(100, 3.0), -around(100, 1.0)
    origins[:, 2] = origins[:, 2].abs()
    hits = sphere_trace(program, origins, directions)
    assert hits.steps[hits.shape == 0].min() >= 1
    assert hits.steps[to_ball(origins, directions, 0.5).isinf()].max() == 0  # neither the ball nor the plane takes one
    assert sphere_trace(program, origins, directions, maximum_steps=1).steps.max() == 1


def test_over_relaxation_saves_steps_on_a_flat_approach() -> None:
    program = program_of(iso.box((1e3, 1e3, 2.0)).translate(0, 0, -1))  # a plane would take no step at all
    direction = math.radians(5.0)
    hits = sphere_trace(program, *rays(((0, 0, 1), (math.cos(direction), 0, -math.sin(direction)))))
    plain, height = 0, 1.0
    while height > TOLERANCE:
        height *= 1.0 - math.sin(direction)
        plain += 1
    assert int(hits.steps[0]) < 0.85 * plain


def test_a_pixels_footprint_is_a_tolerance_that_grows() -> None:
    program = program_of(iso.sphere(1.0), iso.cylinder(1.0).translate(0, 50, 0))  # endless: no ray is cut to the ball
    hits = sphere_trace(
        program, *rays(((-101, 0, 0), (1, 0, 0)), ((-101, 1.05, 0), (1, 0, 0))), tolerance=0.0, spread=1e-3
    )
    assert hits.hit.tolist() == [True, True]
    assert 99.8 <= float(hits.distance[0]) <= 100.0


def test_arrays_of_any_kind_and_shape() -> None:
    program = program_of(iso.sphere(0.5))
    origins = np.broadcast_to(np.float32([-2, 0, 0]), (3, 4, 3))
    directions = np.broadcast_to(np.float32([1, 0, 0]), (3, 4, 3))
    hits = sphere_trace(program, origins, directions)
    assert isinstance(hits, Hits)
    for part, kind in (
        (hits.distance, np.float32),
        (hits.hit, np.bool_),
        (hits.shape, np.int32),
        (hits.steps, np.int32),
    ):
        assert isinstance(part, np.ndarray)
        assert part.dtype == kind
        assert part.shape == (3, 4)
    assert np.allclose(hits.distance, 1.5, atol=1e-4)
    strided = torch.zeros(6, 3, 2)[..., 0] + torch.tensor([-2.0, 0.0, 0.0])
    ahead = torch.tensor([[1.0, 0.0, 0.0]]).expand(6, 3)
    assert torch.allclose(sphere_trace(program, strided, ahead).distance, torch.tensor(1.5), atol=1e-4)


def test_a_program_and_whole_steps_are_asked_for() -> None:
    with pytest.raises(TypeError, match="program"):
        sphere_trace(None, ONE, ONE)
    with pytest.raises(TypeError, match=r"maximum_steps: expected a whole number, got 1\.5"):
        sphere_trace(program_of(iso.sphere(0.5)), ONE, ONE, maximum_steps=1.5)


ONE = torch.zeros(1, 3)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        ((ONE.double(), ONE), {}, TypeError, "origins"),
        ((ONE, ONE.int()), {}, TypeError, "directions"),
        (
            (ONE, torch.zeros(2, 3)),
            {},
            ValueError,
            r"directions: expected the shape of origins, \(1, 3\), got \(2, 3\)",
        ),
        ((ONE, torch.zeros(1, 2)), {}, ValueError, "directions"),
        ((ONE.to("meta"), ONE), {}, ValueError, "origins.*meta"),
        ((ONE, ONE.to("meta")), {}, ValueError, "directions.*meta"),
        ((ONE, ONE), {"near": -1.0}, ValueError, "near"),
        ((ONE, ONE), {"near": 2.0, "far": 1.0}, ValueError, "near, far"),
        ((ONE, ONE), {"near": math.nan}, ValueError, "near"),
        ((ONE, ONE), {"far": math.nan}, ValueError, "far"),
        ((ONE, ONE), {"tolerance": -1.0}, ValueError, "tolerance"),
        ((ONE, ONE), {"tolerance": 0.0}, ValueError, "tolerance"),
        ((ONE, ONE), {"tolerance": math.nan}, ValueError, "tolerance"),
        ((ONE, ONE), {"spread": -0.1}, ValueError, "spread"),
        ((ONE, ONE), {"maximum_steps": 0}, ValueError, "maximum_steps"),
    ],
)
def test_arguments_without_sense_are_refused_by_name(
    arguments: Any, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        sphere_trace(program_of(iso.sphere(0.5)), *arguments, **options)
