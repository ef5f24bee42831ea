"""Tiles: a program per bundle of rays meets what the whole program meets, and is shorter."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

import isofield as iso
from isofield.engine.render.rays import pixel_size
from isofield.engine.shapes import Shape
from isofield.kernels import Program
from isofield.kernels.film.rays import PACKET, TILE, Film, beams_of, camera_rays
from isofield.kernels.program.tiles import Tiles, one_tile, tiles_of
from isofield.kernels.trace import march, trace_film

FILM = Film(96, 112)


def spots(count: int, seed: int = 0) -> list[tuple[float, float, float]]:
    random = torch.Generator().manual_seed(seed)
    return [tuple(place) for place in (3.0 * torch.rand(count, 3, generator=random) - 1.5).tolist()]


SCENES: dict[str, Callable[[], list[Shape]]] = {
    "300 balls": lambda: [iso.union(*(iso.sphere(0.05).translate(*at) for at in spots(300)))],
    "200 carved parts on a plane": lambda: [
        iso.union(*((iso.box(0.2) - iso.sphere(0.12)).rotate(50 * at[0]).translate(*at) for at in spots(200))),
        iso.plane(offset=-1.2),
    ],
    "a smooth union of 100": lambda: [iso.union(*(iso.sphere(0.15).translate(*at) for at in spots(100)), smooth=0.2)],
    "a smooth union and others": lambda: [
        iso.union(*(iso.sphere(0.15).translate(*at) for at in spots(30)), smooth=0.3),
        *(iso.torus(0.1, 0.03).translate(*at) for at in spots(60, 1)),
    ],
    "repeats and warps": lambda: [
        iso.sphere(0.05).repeat((0.3, 0.3, 0.3), (5, 5, 5)),
        *(iso.box((0.1, 0.1, 0.5)).twist(200).translate(*at) for at in spots(40)),
        *(iso.sphere(0.1).scale((1.0, 0.3, 2.0)).translate(*at) for at in spots(40, 2)),
    ],
    "one that cannot be split": lambda: [
        iso.difference(iso.box(2.5), *(iso.sphere(0.4).translate(*at) for at in spots(60)))
    ],
    "one ball": lambda: [iso.sphere(1.0)],
}

CAMERAS = {
    "perspective": iso.Camera(eye=(3.0, -4.0, 2.0), target=(0, 0, 0), fov=40.0),
    "orthographic": iso.Camera(eye=(3.0, -4.0, 2.0), target=(0, 0, 0), width=4.0),
    "within": iso.Camera(eye=(0.1, 0.05, 0.0), target=(1, 0.2, 0.1), fov=90.0),
    "wide": iso.Camera(eye=(0.0, -2.0, 0.0), target=(0, 0, 0), fov=170.0),
}


def rays_of(camera: iso.Camera) -> tuple[torch.Tensor, torch.Tensor]:
    matrix = torch.tensor(camera.matrix(), dtype=torch.float32)
    return camera_rays(matrix, pixel_size(camera, FILM), FILM, (0.0, 0.0), perspective=camera.fov is not None)


def marched(program: Program, tiles: Tiles, rays: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    return march(program, tiles, *rays, (0.0, math.inf), (1e-4, 0.0), 512).distance


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("scene", SCENES)
def test_tiles_meet_what_the_whole_program_meets(scene: str, camera: str) -> None:
    parts = SCENES[scene]()
    program = iso.build_program(iso.Scene(show=parts[0], stage=parts[1:]))
    rays = rays_of(CAMERAS[camera])
    alone = marched(program, one_tile(program), rays)
    tiled = trace_film(program, *rays, (1e-4, 0.0), 512)[1].distance
    assert alone.isfinite().float().mean() > 0.001
    # Fewer shapes make longer steps, so a ray that grazes within the tolerance may end on the other side of it.
    differs = (alone.isfinite() != tiled.isfinite()) | ((alone - tiled).abs() > 2e-3)
    assert differs.float().mean() <= 1e-3
    points = torch.where(alone.isfinite(), alone, tiled)
    at = rays[0] + points[:, None] * rays[1]
    assert not bool((iso.kernels.distance(program, at[differs]).abs() > 3e-4).any())


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("side", [PACKET, TILE])
def test_a_beam_holds_its_rays(side: int, camera: str) -> None:
    origins, directions = rays_of(CAMERAS[camera])
    beams = beams_of(origins, directions, side)
    assert beams.rays == side * side
    groups = (len(beams.origins), beams.rays, 3)
    at = torch.tensor([0.0, 0.5, 3.0, 40.0])[:, None, None, None]
    away = origins.reshape(groups) + at * directions.reshape(groups)
    away = (away - beams.origins[:, None] - at * beams.directions[:, None]).norm(dim=-1)  # (4, groups, rays)
    wide = (beams.cones[:, 0] + at[..., 0, 0] * beams.cones[:, 1])[..., None]
    assert bool((away <= wide * 1.0001 + 1e-5).all())
    assert float((away.amax(dim=2) / wide[..., 0].clamp(min=1e-9))[1:].median()) > 0.6


@pytest.mark.parametrize("camera", ["perspective", "orthographic"])
def test_tiles_are_far_shorter_than_the_program(camera: str) -> None:
    parts = SCENES["300 balls"]()
    program = iso.build_program(iso.Scene(show=parts[0]))
    tiles = tiles_of(program, beams_of(*rays_of(CAMERAS[camera]), TILE))
    lengths = tiles.ranges[:, 1] - tiles.ranges[:, 0]
    assert len(lengths) == FILM.rays // (TILE * TILE)
    assert lengths.float().mean() < 0.2 * len(program.rows)
    assert tiles.whole_range == (int(lengths.sum()), len(tiles.rows))
    assert torch.equal(tiles.rows[tiles.whole_range[0] :], program.rows)


def test_a_tile_that_sees_nothing_is_empty_and_meets_nothing() -> None:
    program = iso.build_program(
        iso.Scene(show=iso.union(*(iso.sphere(0.1).translate(0, 0, 3.0 * i) for i in range(9))))
    )
    origins = torch.tensor([[10.0, 0.0, 0.0]]).repeat(256, 1)
    directions = torch.tensor([[1.0, 0.0, 0.0]]).repeat(256, 1)
    tiles = tiles_of(program, beams_of(origins, directions, TILE))
    assert tiles.ranges.tolist() == [[0, 0]]
    assert not bool(marched(program, tiles, (origins, directions)).isfinite().any())


def test_film_holds_whole_tiles_and_every_pixel_once() -> None:
    film = Film(33, 50)
    assert film.padded == (48, 64)
    assert film.rays == 48 * 64
    camera = iso.Camera(eye=(0, 0, 5), target=(0, 0, 0), up=(0, 1, 0), width=50.0)
    origins, directions = camera_rays(torch.tensor(camera.matrix()), 1.0, film, (0.0, 0.0), perspective=False)
    assert torch.allclose(directions, torch.tensor([0.0, 0.0, -1.0]))
    # Pixels are 1 wide: centres at half-integers about the middle, rows downwards; padding continues the grid.
    columns = (origins[:, 0] + 25.0 - 0.5).round().long()
    rows = (16.5 - origins[:, 1] - 0.5).round().long()
    assert sorted(set(zip(rows.tolist(), columns.tolist(), strict=True))) == [
        (r, c) for r in range(48) for c in range(64)
    ]
    # A tile is 16 × 16 pixels, a packet in it 4 × 4.
    assert rows[:256].max() == 15
    assert columns[:256].max() == 15
    assert rows[:16].max() == 3
    assert columns[:16].max() == 3
