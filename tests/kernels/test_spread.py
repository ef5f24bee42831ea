"""Light that was found for few pixels, spread to all."""

from __future__ import annotations

import pytest
import torch

from isofield.kernels.develop import develop
from isofield.kernels.rays import PACKET, TILE, Film
from isofield.kernels.spread import spread
from isofield.kernels.trace import Met


def in_order(picture: torch.Tensor, film: Film) -> torch.Tensor:
    """The values (height, width) of pixels in the order of a film's rays, zeros beyond its edges."""
    high, wide = film.padded
    padded = torch.zeros(high, wide, dtype=picture.dtype)
    padded[: film.height, : film.width] = picture
    parts = padded.reshape(high // TILE, TILE // PACKET, PACKET, wide // TILE, TILE // PACKET, PACKET)
    return parts.permute(0, 3, 1, 4, 2, 5).reshape(-1)


def pixels_of(values: torch.Tensor, film: Film) -> torch.Tensor:
    """The reverse, of the film's pixels only."""
    return develop(values[:, None].expand(-1, 3), film)[:, :, 0]


def met(distance: torch.Tensor, what: torch.Tensor, film: Film) -> Met:
    far, surface = in_order(distance, film), in_order(what.int(), film)
    return Met(far, torch.zeros(film.rays, dtype=torch.int32), surface)


@pytest.mark.parametrize("coarseness", [2, 3])
def test_on_one_surface_light_is_interpolated_bilinearly(coarseness: int) -> None:
    film = Film(30, 42)
    coarse = Film(-(-30 // coarseness), -(-42 // coarseness))
    one = torch.ones(coarse.height, coarse.width), torch.zeros(coarse.height, coarse.width)
    fine = torch.ones(film.height, film.width), torch.zeros(film.height, film.width)
    light = torch.rand(coarse.height, coarse.width, generator=torch.Generator().manual_seed(0))
    lights = torch.stack([in_order(1.0 - light, coarse), in_order(light, coarse)], dim=1)
    open_sky, free = spread(
        coarse, met(*one, coarse), in_order(light, coarse), lights, film, met(*fine, film), coarseness
    )
    scaled = torch.nn.functional.interpolate(light[None, None], scale_factor=coarseness, mode="bilinear")[0, 0]
    wanted = scaled[: film.height, : film.width]
    assert torch.allclose(pixels_of(open_sky, film), wanted, atol=1e-5)
    assert torch.allclose(pixels_of(free[:, 1].contiguous(), film), wanted, atol=1e-5)
    assert torch.allclose(pixels_of(free[:, 0].contiguous(), film), 1.0 - wanted, atol=1e-5)


@pytest.mark.parametrize("by", ["surface", "distance"])
def test_light_does_not_cross_an_outline(by: str) -> None:
    film, coarse = Film(32, 48), Film(16, 24)
    left = torch.arange(48)[None, :].expand(32, 48) < 21
    coarse_left = left[::2, ::2]

    def scene(mask: torch.Tensor, size: Film) -> Met:
        distance = torch.where(mask, 1.0, 1.0 if by == "surface" else 3.0)
        return met(distance, torch.where(mask, 0, 1 if by == "surface" else 0), size)

    light = coarse_left.float()
    open_sky, free = spread(
        coarse, scene(coarse_left, coarse), in_order(light, coarse), in_order(light, coarse)[:, None].contiguous(),
        film, scene(left, film), 2,
    )  # fmt: skip
    # A pixel of the one side may lie in a coarse pixel of the other, but has some of its own around it.
    off = (pixels_of(open_sky, film) - left.float()).abs()
    assert off.max() < (0.02 if by == "surface" else 0.1)
    assert torch.allclose(open_sky, free[:, 0])


def test_rays_that_miss_and_films_without_lights_are_fine() -> None:
    film, coarse = Film(16, 16), Film(8, 8)
    nothing = torch.full((16, 16), float("inf")), torch.full((16, 16), -2)
    few = torch.full((8, 8), float("inf")), torch.full((8, 8), -2)
    open_sky, free = spread(
        coarse, met(*few, coarse), torch.ones(coarse.rays), torch.zeros(coarse.rays, 0), film, met(*nothing, film), 2
    )
    assert torch.equal(open_sky, torch.ones(film.rays))
    assert free.shape == (film.rays, 0)
