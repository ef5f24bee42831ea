"""Pictures for a window, without one: what they are equal to, and what is made anew for them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from isofield.engine.render import render
from isofield.engine.render.layers import Layers, layered
from isofield.engine.render.overlay import box_of, iso_colours, line_spacing
from isofield.engine.render.shots import Shot, ViewCache, render_shot
from isofield.engine.scene import Camera, Scene, load, with_values
from isofield.engine.view.pick import pick
from isofield.engine.view.progressive import Refinement, moving_picture
from isofield.kernels.runtime.front_end import impl

WIDTH, HEIGHT = 72, 56  # not whole tiles
PLAIN = Layers()


def shot_of(scene: Scene, views: ViewCache | None = None, layers: Layers = PLAIN, **more: Any) -> Shot:
    assert scene.camera is not None
    return replace((views or ViewCache()).shot(scene, scene.camera, "shaded", layers), **more)


def compiled() -> int:
    """Variants of kernels that Taichi has compiled in this process."""
    return sum(len(kernel.compiled_kernels) for kernel in impl.get_runtime().kernels)


@pytest.mark.parametrize("mode", ["shaded", "normals", "depth", "steps", "shapes", "ambient"])
@pytest.mark.parametrize("rows", [1, 100])
def test_the_first_picture_at_rest_is_that_of_render(toy: Scene, mode: Any, rows: int) -> None:
    refinement = Refinement([shot_of(toy, mode=mode)], WIDTH, HEIGHT, samples=3)
    while not refinement.step(rows):
        pass
    assert refinement.passes == 1
    assert torch.equal(refinement.pictures[0], render(toy, width=WIDTH, height=HEIGHT, samples=1, mode=mode))


def test_the_last_picture_at_rest_is_that_of_render(toy: Scene) -> None:
    refinement = Refinement([shot_of(toy)], WIDTH, HEIGHT, samples=3)
    new = 0
    while not refinement.done:
        new += refinement.step(2)
    assert new == 3  # the first, and those of two and three samples
    wanted = render(toy, width=WIDTH, height=HEIGHT, samples=3)
    assert (refinement.pictures[0] - wanted).abs().max() < 1e-5
    assert (render_shot(shot_of(toy), WIDTH, HEIGHT, 3) - wanted).abs().max() < 1e-5


def test_a_moving_picture_differs_in_its_light_only(toy: Scene) -> None:
    shot = shot_of(toy)
    whole = moving_picture(shot, 160, 96, 1)
    assert torch.equal(whole, render(toy, width=160, height=96, samples=1))
    for light, allowed in ((2, 0.01), (4, 0.02)):
        off = (moving_picture(shot, 160, 96, light) - whole).abs().amax(dim=2)
        assert 0.0 < off.mean() < allowed
        assert off.quantile(0.9) < 0.03
    normals = replace(shot, mode="normals")
    assert torch.equal(moving_picture(normals, 160, 96, 4), moving_picture(normals, 160, 96, 1))


def test_only_what_changed_is_made_anew_and_nothing_is_compiled(toy: Scene) -> None:
    views = ViewCache()
    first = shot_of(toy, views)
    moving_picture(first, WIDTH, HEIGHT, 2)
    before, built = compiled(), views.built
    turned = views.shot(toy, toy.camera.orbit(20.0), "shaded", PLAIN)  # type: ignore[union-attr]
    assert turned.view.program is first.view.program
    lit = with_values(toy, {"sun.strength": 0.5})
    dimmed = shot_of(lit, views)
    assert dimmed.view.program is first.view.program
    assert views.built == built
    for scene in (lit, with_values(toy, {"knob.radius": 0.4}), with_values(toy, {"clay.roughness": 0.1})):
        picture = moving_picture(shot_of(scene, views), WIDTH, HEIGHT, 2)
        fresh = moving_picture(shot_of(scene), WIDTH, HEIGHT, 2)
        assert torch.equal(picture, fresh)
    assert views.built == built + 2
    assert compiled() == before


def test_while_it_moves_bricks_stand_for_a_network(toy: Scene) -> None:
    class Network:
        margin = 0.0

        def trace(self, *_: object) -> None:
            raise AssertionError("asked while it moves")

    shot = shot_of(toy)
    asked = replace(shot, view=replace(shot.view, network=Network()))  # type: ignore[arg-type]
    assert torch.equal(moving_picture(asked, WIDTH, HEIGHT, 1), moving_picture(shot, WIDTH, HEIGHT, 1))
    with pytest.raises(AssertionError, match="asked"):
        render_shot(asked, WIDTH, HEIGHT, 1)


def test_a_level_moves_the_surface_and_a_cut_takes_away_what_is_beyond() -> None:
    scene = Scene(show=load("carved_box").shapes["ball"], camera=Camera(eye=(0, -6, 0), target=(0, 0, 0), fov=30))
    grown = shot_of(scene, layers=Layers(level=0.25))
    assert pick(grown, 100, 100, 0.5, 0.5).point == pytest.approx((0.0, -1.25, 0.0), abs=1e-2)  # type: ignore[union-attr]
    cut = shot_of(scene, layers=Layers(slice="y", offset=0.5, flipped=True))
    found = pick(cut, 100, 100, 0.5, 0.5)
    assert found is not None
    assert found.point == pytest.approx((0.0, 0.5, 0.0), abs=1e-2)
    assert found.normal == pytest.approx((0.0, -1.0, 0.0), abs=1e-3)
    assert layered(scene, PLAIN) is scene


def test_the_colours_of_a_cut_tell_the_sign(toy: Scene) -> None:
    scene = Scene(show=load("carved_box").shapes["ball"], camera=Camera(eye=(0, -6, 0), target=(0, 0, 0), fov=30))
    shot = shot_of(scene, layers=Layers(slice="y", offset=0.0, flipped=True))
    picture = render_shot(shot, 96, 96, 1)
    red, _, blue = picture[48, 48]
    assert blue > red + 0.2  # inside
    red, _, blue = picture[20, 20]  # within the bounds, outside of the ball
    assert red > blue + 0.2
    assert torch.allclose(picture[2, 2], render(scene, width=96, height=96, samples=1)[2, 2])


def test_lines_of_a_cut_lie_where_the_distance_is_a_multiple() -> None:
    values = torch.tensor([0.0, 0.2, 0.25, -0.2, -0.25])
    white, line, plain, inner_line, inner = iso_colours(values, 0.1, torch.full((5,), 1e-3))
    assert torch.equal(white, torch.ones(3))
    assert line.sum() < plain.sum()
    assert inner_line.sum() < inner.sum()
    box = ((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0))
    assert line_spacing(box) == pytest.approx(0.1)


def test_bounds_are_drawn_where_nothing_hides_them() -> None:
    box = ((-0.5, -0.5, -0.5), (0.5, 0.5, 0.5))
    ball = load("carved_box").shapes["ball"]
    scene = Scene(show=ball, bounds=box, camera=Camera(eye=(0, -6, 0), target=(0, 0, 0), fov=30))
    shot = shot_of(scene, layers=Layers(bounds=True))
    assert box_of(scene, shot.view.program) == box
    assert torch.equal(render_shot(shot, 80, 80, 1), render(scene, width=80, height=80, samples=1)), (
        "inside of the ball"
    )
    far = scene.model_copy(update={"bounds": ((-1.4, -1.4, -1.4), (1.4, 1.4, 1.4))})
    with_box = render_shot(shot_of(far, layers=Layers(bounds=True)), 80, 80, 1)
    changed = (with_box != render(scene, width=80, height=80, samples=1)).any(dim=2)
    assert 80 < int(changed.sum()) < 1500


def test_pick_finds_shape_point_and_normal(toy: Scene) -> None:
    found = pick(shot_of(toy), 320, 180, 0.1, 0.95)
    assert found is not None
    assert found.shape == "floor"
    assert found.material == "chalk"
    assert found.point[2] == pytest.approx(-0.3, abs=1e-3)
    assert found.normal == pytest.approx((0.0, 0.0, 1.0), abs=1e-6)
    assert toy.camera is not None
    assert toy.camera.eye is not None
    away = torch.tensor(found.point) - torch.tensor(toy.camera.eye)
    assert found.distance == pytest.approx(float(away.norm()), rel=1e-5)
    right, up, backwards = (away @ torch.tensor(toy.camera.matrix())[:3, axis].float() for axis in range(3))
    half = math.tan(math.radians(35.0 if toy.camera.fov is None else toy.camera.fov) / 2.0)
    at = right / -backwards / half * 9 / 16, up / -backwards / half
    assert (float(at[0]), float(at[1])) == pytest.approx((2 * 0.1 - 1, 1 - 2 * 0.95), abs=1e-4), "where it was clicked"
    nothing = Scene(show=load("carved_box").shapes["ball"], camera=Camera(eye=(0, -6, 0), target=(0, 0, 0)))
    assert pick(shot_of(nothing), 320, 180, 0.02, 0.02) is None
