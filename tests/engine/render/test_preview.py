"""Pictures made while something moves: the same as others but for their light."""

from __future__ import annotations

import pytest
import torch

import isofield as iso
from isofield.engine.render import render, view_of
from isofield.engine.render.preview import preview_of
from isofield.engine.render.rays import trace_rays
from isofield.engine.scene import Camera, Scene, load
from isofield.kernels.film.rays import Film
from isofield.kernels.program.tiles import one_tile
from isofield.kernels.trace.surface import shared_shapes, surface_on


def of_many_materials() -> Scene:
    red = iso.sphere(0.8).translate(-0.5, 0, 0).material("red")
    blue = iso.box(0.9).translate(0.5, 0, 0).material("blue")
    materials = {
        "red": iso.Material(base_color=(0.8, 0.1, 0.1), roughness=0.2),
        "blue": iso.Material(base_color=(0.1, 0.2, 0.9), metallic=1.0),
    }
    camera = Camera(eye=(1.0, -4.0, 1.5), target=(0, 0, 0), fov=35)
    return Scene(show=red.union(blue, smooth=0.3), materials=materials, camera=camera)


@pytest.mark.parametrize("name", ["toy", "carved_box", "many", "chess"])
def test_with_light_for_every_pixel_it_is_the_picture_itself(name: str) -> None:
    scene = of_many_materials() if name == "many" else load(name)
    wanted = render(scene, width=75, height=51, samples=1)
    film = Film(51, 75)
    view = view_of(scene)
    off = (preview_of(view, trace_rays(view, film, (0.0, 0.0)), film, 1) - wanted).abs()
    assert off.max() < 2e-3
    assert off.mean() < 1e-5


def test_tiles_of_one_material_are_told_from_others() -> None:
    scene = of_many_materials()
    for name, several in (("many", True), ("carved_box", False)):
        view = view_of(scene if name == "many" else load(name))
        program, tiles = view.program, one_tile(view.program)
        (shape,) = shared_shapes(program, tiles).tolist()
        assert (shape < 0) == several
        if several:
            continue
        rays = trace_rays(view, Film(48, 64), (0.0, 0.0))
        numbers, materials = surface_on(
            program, rays.tiles, rays.origins, rays.directions, rays.met.distance, rays.met.hit_kind
        )
        on_parts = rays.met.hit_kind == -1
        assert on_parts.any()
        assert torch.allclose(materials[on_parts], program.surfaces[shape], atol=1e-6)
        assert (numbers[on_parts] >= 0).all()
