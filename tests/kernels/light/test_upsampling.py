"""Light that was found for few pixels, spread to all."""

from __future__ import annotations

import pytest
import torch

import isofield as iso
from isofield.kernels import Program
from isofield.kernels.film.development import develop
from isofield.kernels.film.rays import PACKET, TILE, Film
from isofield.kernels.light.coarse_pixels import coarse_film, coarse_rays
from isofield.kernels.light.lights import Lighting
from isofield.kernels.light.upsampling import shade_upsampled
from isofield.kernels.program.tiles import one_tile
from isofield.kernels.trace.ray_march import Intersections
from isofield.kernels.trace.surface import shared_shapes

DARK = torch.zeros(9)
SUN = torch.tensor([[0.0, 0.0, 0.0, 1.0, 1.0, 2.0, 3.0, 0.0]])  # straight from above


def in_order(picture: torch.Tensor, film: Film) -> torch.Tensor:
    """The values (height, width, …) of pixels in the order of a film's rays, zeros beyond its edges."""
    high, wide = film.padded
    padded = torch.zeros(high, wide, *picture.shape[2:], dtype=picture.dtype)
    padded[: film.height, : film.width] = picture
    parts = padded.reshape(high // TILE, TILE // PACKET, PACKET, wide // TILE, TILE // PACKET, PACKET, -1)
    return parts.permute(0, 3, 1, 4, 2, 5, 6).reshape(film.rays, *picture.shape[2:]).contiguous()


def pixels_of(values: torch.Tensor, film: Film) -> torch.Tensor:
    """The reverse, of the film's pixels only."""
    return develop(values[:, None].expand(-1, 3), film)[:, :, 0]


def met(distance: torch.Tensor, what: torch.Tensor, film: Film) -> Intersections:
    far, surface = in_order(distance, film), in_order(what.int(), film)
    return Intersections(far, torch.zeros(film.rays, dtype=torch.int32), surface)


def floors() -> Program:
    """Two planes that face upwards."""
    scene = iso.Scene(show=iso.plane(offset=-1.0) | iso.plane(offset=-2.0))
    program = iso.build_program(scene)
    assert program.planes == 2
    return program


def spread(
    coarse_met: Intersections,
    open_sky: torch.Tensor,
    free: torch.Tensor,
    film: Film,
    fine: Intersections,
    coarseness: int,
    sky: bool,
) -> torch.Tensor:
    """What a film (height, width) that looks down shows in one channel of matt floors, lit by a sun or a sky."""
    program = floors()
    tiles = one_tile(program)
    ways = torch.tensor([0.0, 0.0, -1.0]).expand(film.rays, 3).contiguous()
    lights, around = SUN.expand(free.shape[1], -1).contiguous(), torch.ones(9) if sky else DARK
    picture = shade_upsampled(
        program, Lighting(lights, around, 0.0, 1.0), film, tiles, shared_shapes(program, tiles),
        (torch.zeros(film.rays, 3), ways), fine, torch.zeros(film.rays, 8), torch.zeros(film.rays, 3), coarseness,
        coarse_met, (open_sky, free), 1.0, screen=False,
    )  # fmt: skip
    return picture[:, :, 0]


@pytest.mark.parametrize("coarseness", [1, 3, 5])
def test_the_middles_of_squares_are_pixels_of_the_film(coarseness: int) -> None:
    film = Film(37, 50)
    rows, columns = torch.meshgrid(torch.arange(37.0), torch.arange(50.0), indexing="ij")
    origins = in_order(torch.stack([rows, columns, rows * columns], dim=2), film)
    fine = met(rows + 100.0 * columns, (rows + columns).long(), film)
    starts, ways, found = coarse_rays(film, coarseness, origins, -origins, fine)
    coarse = coarse_film(film, coarseness)
    assert (coarse.height, coarse.width) == (-(-37 // coarseness), -(-50 // coarseness))
    j = (torch.arange(coarse.height) * coarseness + coarseness // 2).clamp(max=36)
    i = (torch.arange(coarse.width) * coarseness + coarseness // 2).clamp(max=49)
    assert torch.equal(pixels_of(found.distance, coarse), (rows + 100.0 * columns)[j][:, i])
    assert torch.equal(pixels_of(found.hit_kind.float(), coarse), (rows + columns)[j][:, i])
    assert torch.equal(pixels_of(starts[:, 2].contiguous(), coarse), (rows * columns)[j][:, i])
    assert torch.equal(ways, -starts)


@pytest.mark.parametrize("coarseness", [3, 5])
@pytest.mark.parametrize("sky", [False, True])
def test_on_one_surface_light_is_interpolated_bilinearly(coarseness: int, sky: bool) -> None:
    film = Film(30, 45)
    coarse = coarse_film(film, coarseness)
    one = torch.ones(coarse.height, coarse.width), torch.zeros(coarse.height, coarse.width)
    fine = met(torch.ones(film.height, film.width), torch.zeros(film.height, film.width), film)
    light = 0.5 * torch.rand(coarse.height, coarse.width, generator=torch.Generator().manual_seed(0))

    def lit(values: torch.Tensor) -> torch.Tensor:
        given = in_order(values, coarse)
        free = torch.zeros(coarse.rays, 0) if sky else torch.stack([0.0 * given, given], dim=1)
        return spread(met(*one, coarse), given, free, film, fine, coarseness, sky)

    scaled = torch.nn.functional.interpolate(light[None, None], scale_factor=coarseness, mode="bilinear")[0, 0]
    half = lit(torch.full_like(light, 0.5))
    assert half.min() > 0.05
    assert torch.allclose(lit(light), 2.0 * half * scaled[: film.height, : film.width], atol=1e-5)


@pytest.mark.parametrize("by", ["surface", "distance"])
def test_light_does_not_cross_an_outline(by: str) -> None:
    film, coarse = Film(33, 48), Film(11, 16)
    left = torch.arange(48)[None, :].expand(33, 48) < 20
    coarse_left = left[1::3, 1::3]

    def scene(mask: torch.Tensor, size: Film) -> Intersections:
        distance = torch.where(mask, 1.0, 1.0 if by == "surface" else 3.0)
        return met(distance, torch.where(mask, 0, 1 if by == "surface" else 0), size)

    free = in_order(coarse_left.float(), coarse)[:, None].contiguous()
    fine = scene(left, film)
    shown = spread(scene(coarse_left, coarse), free[:, 0].contiguous(), free, film, fine, 3, False)
    full = spread(scene(coarse_left, coarse), free[:, 0].contiguous(), torch.ones_like(free), film, fine, 3, False)
    # A pixel of the one side may lie in a coarse pixel of the other, but has some of its own around it.
    assert ((shown / full) - left.float()).abs().max() < (0.02 if by == "surface" else 0.1)


def test_rays_that_miss_see_the_sky() -> None:
    film, coarse = Film(16, 16), Film(6, 6)
    nothing = met(torch.full((16, 16), float("inf")), torch.full((16, 16), -2), film)
    few = met(torch.full((6, 6), float("inf")), torch.full((6, 6), -2), coarse)
    shown = spread(few, torch.ones(coarse.rays), torch.zeros(coarse.rays, 0), film, nothing, 3, True)
    assert torch.allclose(shown, torch.ones(16, 16))
