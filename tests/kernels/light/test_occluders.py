"""Programs for what points see: nothing that hides the sky or a light is left out, and much of the rest is."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

import isofield as iso
from isofield.kernels.light import occluders
from isofield.kernels.light.lights import Lighting
from isofield.kernels.light.surface_visibility import visibility
from isofield.kernels.program.program import Program
from isofield.kernels.program.tiles import NOTHING, PART, one_tile

FOOTPRINT = (1e-4, 0.0)
SIDE = 150  # points along a side of the floor
REACH = 0.5


def balls(count: int = 150) -> tuple[torch.Tensor, torch.Tensor]:
    """Centres (N, 3) over a floor of 10 × 10, and radii (N)."""
    generator = torch.Generator().manual_seed(3)
    centres = torch.rand(count, 3, generator=generator) * torch.tensor([10.0, 10.0, 3.0])
    return centres, 0.1 + 0.2 * torch.rand(count, generator=generator)


def program_of(centres: torch.Tensor, radii: torch.Tensor) -> Program:
    parts = [iso.sphere(r).translate(*c) for c, r in zip(centres.tolist(), radii.tolist(), strict=True)]
    return iso.build_program(iso.Scene(show=iso.union(*parts), stage=[iso.plane(offset=-0.5)]))


def floor() -> torch.Tensor:
    """Points of the floor in squares of 16 × 16 and less, as neighbours in a picture lie together; no multiple of a
    group."""
    axis = torch.linspace(0.0, 10.0, SIDE)
    squares = [
        torch.cartesian_prod(x, y) for x in axis.split(16) for y in axis.split(16)
    ]  # fmt: skip
    flat = torch.cat(squares)[:-7]
    return torch.cat([flat, torch.full((len(flat), 1), -0.5)], dim=1)


def seen(
    program: Program, points: torch.Tensor, lights: list[list[float]], hit_kind: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Open sky and free lights at points of the floor."""
    up = torch.tensor([0.0, 0.0, 1.0]).expand(len(points), 3)
    lighting = Lighting(torch.tensor(lights).reshape(-1, 8), torch.zeros(9), REACH, 1.0)
    found = torch.full((len(points),), hit_kind, dtype=torch.int32)
    ones = torch.ones(len(points))
    return visibility(
        program, one_tile(program), lighting, (points + up).contiguous(), -up.contiguous(), ones, found, FOOTPRINT
    )[1:]  # fmt: skip


def sun(x: float, y: float, z: float, angle: float = 0.0) -> list[float]:
    length = math.sqrt(x * x + y * y + z * z)
    return [0.0, x / length, y / length, z / length, 1.0, 1.0, 1.0, math.tan(math.radians(angle) / 2.0)]


def lamp(x: float, y: float, z: float, radius: float = 0.0) -> list[float]:
    return [1.0, x, y, z, 1.0, 1.0, 1.0, radius]


LIGHTS = [sun(1, 2, 3), sun(-3, 1, 0.4), lamp(5, 5, 6), lamp(2, 9, 4)]


def clearance(points: torch.Tensor, light: list[float], centres: torch.Tensor, radii: torch.Tensor) -> torch.Tensor:
    """How far the way from each point to a light's middle stays from the balls (N), negative through one."""
    way = torch.tensor(light[1:4]) - (points if light[0] else 0.0)
    way = way.expand_as(points)
    length = way.norm(dim=1, keepdim=True)
    way, end = way / length, length if light[0] else torch.full_like(length, 1e6)
    along = ((centres[None] - points[:, None]) * way[:, None]).sum(dim=2).clamp_min(0.0).minimum(end)
    nearest = points[:, None] + along[:, :, None] * way[:, None]
    return ((centres[None] - nearest).norm(dim=2) - radii).amin(dim=1)


@pytest.mark.parametrize("light", LIGHTS)
def test_shadows_are_where_geometry_says(light: list[float]) -> None:
    centres, radii = balls()
    points = floor()
    free = seen(program_of(centres, radii), points, [light])[1][:, 0]
    margin = clearance(points, light, centres, radii)
    decided = margin.abs() > 0.01
    assert 0.05 < float((margin < 0.0).float().mean()) < 0.95
    assert torch.equal(free[decided] > 0.5, margin[decided] > 0.0)


@pytest.mark.parametrize(
    "lights", [[], LIGHTS, [sun(1, 1, 2, 5.0), sun(1, 0, 0.2, 20.0), sun(1, 0, 0.2, 40.0), lamp(5, 5, 2, 1.0)]]
)
def test_light_is_that_of_the_whole_program(lights: list[list[float]], monkeypatch: pytest.MonkeyPatch) -> None:
    program, points = program_of(*balls()), floor()
    sky, free = seen(program, points, lights)
    monkeypatch.setattr(occluders, "FEWEST_ROWS", 10**9)
    whole_sky, whole_free = seen(program, points, lights)
    assert torch.allclose(sky, whole_sky, atol=1e-5)
    # Without far parts steps are longer, so that the same penumbra is met at other places.
    apart = (free - whole_free).abs()
    assert free.shape == whole_free.shape == (len(points), len(lights))
    assert not len(lights) or float(apart.mean()) < 2e-3
    assert not len(lights) or float((apart > 0.1).float().mean()) < 2e-3


def test_most_of_the_scene_is_left_out() -> None:
    program, points = program_of(*balls()), floor()
    up = torch.tensor([0.0, 0.0, 1.0]).expand(len(points), 3).contiguous()
    lighting = Lighting(torch.tensor(LIGHTS), torch.zeros(9), REACH, 1.0)
    found = occluders.occluders_of(
        program, one_tile(program), lighting, points + up, -up, torch.ones(len(points)),
        torch.zeros(len(points), dtype=torch.int32), FOOTPRINT,
    )  # fmt: skip
    lengths = (found.ranges[:, 1] - found.ranges[:, 0]).reshape(1 + len(LIGHTS), found.groups)
    assert found.groups == -(-len(points) // occluders.GROUP_RAYS)
    assert (lengths.float().mean(dim=1) < 0.35 * len(program.rows)).all()


def test_groups_that_met_nothing_have_no_program() -> None:
    program, points = program_of(*balls()), floor()
    sky, free = seen(program, points, LIGHTS, hit_kind=NOTHING)
    assert sky.eq(1.0).all()
    assert free.eq(0.0).all()
    up = torch.tensor([0.0, 0.0, 1.0]).expand(len(points), 3).contiguous()
    lighting = Lighting(torch.tensor(LIGHTS), torch.zeros(9), REACH, 1.0)
    hit_kind = torch.full((len(points),), NOTHING, dtype=torch.int32)
    found = occluders.occluders_of(
        program,
        one_tile(program),
        lighting,
        points + up,
        -up,
        torch.full((len(points),), math.inf),
        hit_kind,
        FOOTPRINT,
    )
    assert torch.equal(found.ranges[:, 0], found.ranges[:, 1])


def slab(folder: Path) -> Program:
    """Balls over a sampled slab whose voxels are large against them; rays begin half a voxel off its surface."""
    axis = np.linspace(-8.0, 8.0, 9, dtype=np.float32)
    np.save(folder / "slab.npy", np.ascontiguousarray(np.broadcast_to(axis + 0.5, (9, 9, 9))))
    centres, _ = balls()
    parts = [iso.sphere(0.12).translate(x - 5.0, y - 5.0, 0.5 * z + 2.0) for x, y, z in centres.tolist()]
    ground = iso.sampled(str(folder / "slab.npy"), ((-8.0,) * 3, (8.0,) * 3))
    return iso.build_program(iso.Scene(show=iso.union(ground, *parts)))


def test_shadows_on_sampled_shapes_are_those_of_the_whole_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = slab(tmp_path)
    points = floor() - torch.tensor([5.0, 5.0, 0.0])
    up = torch.tensor([0.0, 0.0, 1.0]).expand(len(points), 3).contiguous()
    lighting = Lighting(torch.tensor([sun(1, 0, 1), sun(1, 1, 0.5), sun(0, 0, 1)]), torch.zeros(9), REACH, 1.0)
    sampling = program.sampling[:1].expand(len(points), 2).contiguous()
    hit_kind = torch.full((len(points),), PART, dtype=torch.int32)

    def free() -> torch.Tensor:
        return visibility(
            program, one_tile(program), lighting, points + up, -up, torch.ones(len(points)), hit_kind, FOOTPRINT, 0.0,
            sampling,
        )[2]  # fmt: skip

    found = free()
    monkeypatch.setattr(occluders, "FEWEST_ROWS", 10**9)
    exact = free()
    assert (exact < 0.5).float().mean() > 0.01
    assert ((found - exact).abs() > 0.1).float().mean() < 1e-3


@pytest.mark.parametrize("most", [occluders.MOST_ROWS, 100])
def test_what_would_be_copied_too_often_is_the_whole_program(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    program, points = program_of(*balls()), floor()
    monkeypatch.setattr(occluders, "MOST_ROWS", most)
    up = torch.tensor([0.0, 0.0, 1.0]).expand(len(points), 3).contiguous()
    lights = [sun(1, 2, 3), sun(1, 2, 3, 90.0), lamp(5, 5, 6)]
    found = occluders.occluders_of(
        program, one_tile(program), Lighting(torch.tensor(lights), torch.zeros(9), REACH, 1.0), points + up, -up,
        torch.ones(len(points)), torch.zeros(len(points), dtype=torch.int32), FOOTPRINT,
    )  # fmt: skip
    everything = torch.tensor(one_tile(program).whole_range)
    ranges = found.ranges.view(1 + len(lights), found.groups, 2)
    are_whole = ranges.eq(everything).all(dim=2).all(dim=1).tolist()
    assert are_whole == ([True] * 4 if most == 100 else [False, False, True, False])
