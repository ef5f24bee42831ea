"""Shadows and ambient occlusion at points, against what geometry says of them."""

from __future__ import annotations

import math

import pytest
import torch

import isofield as iso
from isofield.kernels.light.ambient_occlusion import AMBIENT_TAPS, OCCLUSION_SCALE
from isofield.kernels.light.lights import Lighting
from isofield.kernels.light.surface_visibility import visibility
from isofield.kernels.program.program import Program
from isofield.kernels.program.tiles import NOTHING, PART, one_tile

FOOTPRINT = (1e-4, 0.0)


def look(
    program: Program, points: torch.Tensor, lights: list[list[float]], reach: float = 0.0, plane: int | None = None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Normals, open sky and free lights at points (N, 3) of a plane of the program, or of its parts."""
    count = len(points)
    up = torch.tensor([0.0, 0.0, 1.0]).expand(count, 3)
    lighting = Lighting(torch.tensor(lights).reshape(-1, 8), torch.zeros(9), reach, 1.0)
    hit_kind = torch.full((count,), PART if plane is None else plane, dtype=torch.int32)
    return visibility(
        program,
        one_tile(program),
        lighting,
        (points + up).contiguous(),
        -up.contiguous(),
        torch.ones(count),
        hit_kind,
        FOOTPRINT,
    )


def sun(x: float, y: float, z: float, angle: float = 0.0) -> list[float]:
    length = math.sqrt(x * x + y * y + z * z)
    return [0.0, x / length, y / length, z / length, 1.0, 1.0, 1.0, math.tan(math.radians(angle) / 2.0)]


def on_floor(xs: list[float]) -> torch.Tensor:
    return torch.tensor([[x, 0.0, 0.0] for x in xs])


def courtyard() -> Program:
    """A floor, a wall at x = 0 that looks along +x, and a small ball far away."""
    ball = iso.sphere(0.1).translate(50.0, 40.0, 50.0)
    program = iso.build_program(iso.Scene(show=ball, stage=[iso.plane(), iso.plane(normal=(1, 0, 0))]))
    assert program.planes == 2
    return program


def test_a_wall_that_is_a_plane_hides_what_is_behind_it() -> None:
    program, points = courtyard(), on_floor([0.01, 1.0, 30.0])
    free = look(program, points, [sun(-1, 0, 1), sun(1, 0, 1), sun(0, 1, 1)], plane=0)[2]
    assert torch.equal(free, torch.tensor([[0.0, 1.0, 1.0]] * 3))


def test_a_lamp_before_a_wall_is_seen_and_one_behind_it_is_not() -> None:
    program, points = courtyard(), on_floor([1.0, 2.0])
    lamps = [[1.0, x, 0.0, 1.0, 1.0, 1.0, 1.0, 1e-3] for x in (0.5, -0.5)]
    assert torch.equal(look(program, points, lamps, plane=0)[2], torch.tensor([[1.0, 0.0]] * 2))


def test_half_of_a_sun_on_the_edge_of_a_plane_is_free() -> None:
    # The sun's middle lies in the wall's plane as seen from any point at the wall.
    free = look(courtyard(), on_floor([0.0]), [sun(0, 1, 1, angle=10.0)], plane=0)[2]
    assert float(free) == pytest.approx(0.5, abs=0.02)


def occluded(heights: torch.Tensor, distances: torch.Tensor) -> torch.Tensor:
    """Open sky by the taps' heights (T,) and the distances found there (N, T), tap 1 first."""
    weights = 0.5 ** torch.arange(1.0, AMBIENT_TAPS + 1.0)
    missing = (heights - distances).clamp(min=0.0) / heights
    return (1.0 - OCCLUSION_SCALE * (missing * weights).sum(dim=1)).clamp(0.0, 1.0)


@pytest.mark.parametrize("gap", [0.02, 0.1, 0.3, 0.6, 0.9])
def test_occlusion_on_a_floor_below_a_ball_is_that_of_its_distances(gap: float) -> None:
    radius, reach = 0.5, 0.8
    ball = iso.sphere(radius).translate(0.0, 0.0, radius + gap)
    program = iso.build_program(iso.Scene(show=ball, stage=[iso.plane()]))
    points = on_floor([0.0, 0.2, 0.5, 0.9, 2.0])
    heights = reach * (torch.arange(1.0, AMBIENT_TAPS + 1.0) / AMBIENT_TAPS) ** 2
    taps = points[:, None] + heights[:, None] * torch.tensor([0.0, 0.0, 1.0])  # (N, T, 3)
    away = (taps - torch.tensor([0.0, 0.0, radius + gap])).norm(dim=2) - radius
    wanted = occluded(heights, torch.minimum(away, taps[..., 2]))
    found = look(program, points, [], reach, plane=0)[1]
    torch.testing.assert_close(found, wanted, atol=1.0 / 256.0, rtol=0.0)  # farther taps end the search


def test_a_step_of_two_planes_is_darkest_in_its_corner() -> None:
    reach, xs = 0.8, [0.0, 0.05, 0.2, 0.5, 1.0]
    heights = reach * (torch.arange(1.0, AMBIENT_TAPS + 1.0) / AMBIENT_TAPS) ** 2
    wanted = occluded(heights, torch.minimum(torch.tensor(xs)[:, None], heights))
    found = look(courtyard(), on_floor(xs), [], reach, plane=0)[1]
    torch.testing.assert_close(found, wanted, atol=1.0 / 256.0, rtol=0.0)
    assert bool((found.diff() >= 0.0).all())
    assert float(found[0]) == pytest.approx(0.5, abs=0.02)  # half of the sky lies behind the wall
    assert float(found[-1]) == 1.0


def test_little_sky_is_left_where_a_ball_touches_the_floor() -> None:
    ball = iso.sphere(0.5).translate(0.0, 0.0, 0.5)
    program = iso.build_program(iso.Scene(show=ball, stage=[iso.plane()]))
    assert float(look(program, on_floor([0.001]), [], 0.8, plane=0)[1]) < 0.05


def test_where_a_ray_missed_there_is_no_normal_an_open_sky_and_no_light() -> None:
    # Full packets of nothing but misses end early; 37 rays also leave one that is not full.
    points = on_floor([1.0] * 37)
    missed = look(courtyard(), points, [sun(1, 0, 1), sun(0, 1, 1)], reach=1.0, plane=NOTHING)
    expected = (torch.zeros(37, 3), torch.ones(37), torch.zeros(37, 2))
    assert all(torch.equal(found, wanted) for found, wanted in zip(missed, expected, strict=True))
