"""Light by hand: what emits, what a sun and a lamp do to paper, shadows, the open sky."""

from __future__ import annotations

import math

import pytest
import torch

import isofield as iso
from isofield.engine.shapes import Shape

DARK = iso.Sky(strength=0.0)
PAPER = iso.Material(base_color=(0.8, 0.8, 0.8), roughness=1.0)
ABOVE = iso.Camera(eye=(0.0, 0.0, 10.0), target=(0.0, 0.0, 0.0), up=(0.0, 1.0, 0.0), width=8.0)


def linear(scene: iso.Scene, size: int = 32, **options: object) -> torch.Tensor:
    return iso.render(scene, width=size, height=size, samples=1, linear=True, **options)


def floor(
    *lights: iso.Sun | iso.Sky | iso.PointLight, with_: tuple[Shape, ...] = (), camera: iso.Camera = ABOVE
) -> torch.Tensor:
    """The floor from above, 32 × 32 pixels of a quarter of a unit."""
    scene = iso.Scene(show=iso.plane().material(PAPER), stage=with_, lights=lights, camera=camera)
    return linear(scene)[..., 0]


def at(picture: torch.Tensor, x: float, y: float) -> float:
    """The floor at (x, y)."""
    return float(picture[int((4.0 - y) * 4.0), int((x + 4.0) * 4.0)])


def test_within_a_closed_lamp_everything_glows_alike() -> None:
    """The furnace: a camera within a skin that emits 1 and reflects nothing sees 1 in every direction."""
    lamp = iso.Material(base_color=(0, 0, 0), roughness=1.0, emission=(1.0, 1.0, 1.0))
    for lens in ({"fov": 120.0}, {"width": 3.0}):
        camera = iso.Camera(eye=(0.2, 0.1, -0.3), target=(1.0, 0.7, 0.4), **lens)
        scene = iso.Scene(show=iso.sphere(5.0).shell(0.1).material(lamp), lights=[DARK], camera=camera)
        assert torch.equal(linear(scene), torch.ones(32, 32, 3))


def test_emission_is_added_to_what_is_reflected() -> None:
    glowing = iso.Material(base_color=(0.8, 0.8, 0.8), roughness=1.0, emission=(0.0, 2.0, 5.0))
    pictures = [
        linear(iso.Scene(show=iso.plane().material(m), lights=[iso.Sun(angle=0.0)], camera=ABOVE))
        for m in (PAPER, glowing)
    ]
    assert torch.allclose(pictures[1] - pictures[0], torch.tensor([0.0, 2.0, 5.0]), atol=1e-5)


def test_paper_under_a_sun_is_as_bright_as_the_sun_is_strong() -> None:
    picture = floor(iso.Sun(direction=(0, 0, 1), strength=3.0, angle=0.0))
    # The sheen of the paper takes from its matt light about as much as it adds.
    assert torch.allclose(picture, torch.tensor(3.0 * 0.8), atol=5e-3)


@pytest.mark.parametrize("tilt", [0.0, 30.0, 60.0, 80.0])
def test_a_slanted_sun_lights_by_its_cosine(tilt: float) -> None:
    slant = (math.sin(math.radians(tilt)), 0.0, math.cos(math.radians(tilt)))
    picture = floor(iso.Sun(direction=slant, strength=1.0, angle=0.0))
    assert float(picture.mean()) == pytest.approx(0.8 * math.cos(math.radians(tilt)), abs=0.02)
    assert float(picture.std()) < 1e-3


def test_a_sun_from_below_lights_nothing() -> None:
    assert float(floor(iso.Sun(direction=(0, 0.5, -1), angle=0.0)).abs().max()) < 1e-6


def test_suns_add_up_and_are_coloured() -> None:
    sun = iso.Sun(direction=(0, 0, 1), strength=1.0, angle=0.0)
    assert torch.allclose(floor(sun, sun), 2.0 * floor(sun), atol=1e-4)
    scene = iso.Scene(
        show=iso.plane().material(PAPER), camera=ABOVE,
        lights=[iso.Sun(direction=(0, 0, 1), color=(1.0, 0.5, 0.0), strength=1.0, angle=0.0)],
    )  # fmt: skip
    assert linear(scene)[16, 16].tolist() == pytest.approx([0.8, 0.4, 0.0], abs=2e-3)


def test_a_lamp_falls_off_with_the_square_of_the_distance() -> None:
    brightness = [
        at(floor(iso.PointLight(position=(0.125, 0.125, height), strength=1.0)), 0.1, 0.1) for height in (1.0, 2.0, 4.0)
    ]
    assert brightness == pytest.approx([0.8, 0.8 / 4.0, 0.8 / 16.0], rel=0.02)
    wide = floor(iso.PointLight(position=(0.125, 0.125, 1.0), strength=1.0))
    # At distance √2 of the foot the way is √3 and the cosine 1/√3: 3^(-3/2) of the middle.
    away = math.sqrt(2.0)
    assert at(wide, 0.125 + away, 0.125) == pytest.approx(0.8 * (away**2 + 1.0) ** -1.5, rel=0.15)


BALL = (iso.sphere(0.5).translate(0, 0, 1.5).material(PAPER),)


def test_a_point_under_something_is_dark() -> None:
    # The sun stands at 45° over -x, so the ball's shadow lies around x = +1.5.
    hard = floor(iso.Sun(direction=(-1, 0, 1), strength=1.0, angle=0.0), with_=BALL)
    assert at(hard, 1.6, 0.1) < 1e-3
    lit = 0.8 * math.sqrt(0.5)
    for x, y in ((3.0, 0.1), (1.6, 1.2), (1.6, -1.2), (-2.0, 0.1)):
        assert at(hard, x, y) == pytest.approx(lit, abs=0.03)
    # Its area: a disc of radius 1/2 seen from the sun, cast at 45°.
    shadow = (hard < 0.3) & (torch.arange(32)[None, :] > 18)
    assert float(shadow.sum()) / 16.0 == pytest.approx(math.pi * 0.25 * math.sqrt(2.0), rel=0.15)


def test_a_larger_sun_softens_the_edge_but_not_the_middle() -> None:
    pictures = []
    for angle in (0.0, 5.0, 20.0):
        sun = iso.Sun(direction=(-1, 0, 1), strength=1.0, angle=angle)
        scene = iso.Scene(show=iso.plane().material(PAPER), stage=BALL, lights=[sun], camera=ABOVE)
        pictures.append(linear(scene, 128)[64, 72:, 0])  # a line through the middle of the shadow
    between = [int(((line > 0.1) & (line < 0.5)).sum()) for line in pictures]
    assert between[0] <= 2 < between[1] < between[2]
    assert [float(line[16]) for line in pictures] == pytest.approx([0.0, 0.0, 0.0], abs=0.05)
    assert [float(line[50]) for line in pictures] == pytest.approx([0.8 * math.sqrt(0.5)] * 3, abs=0.03)


def test_a_lamp_casts_shadows_only_on_what_lies_behind() -> None:
    wall = iso.box((0.2, 2.0, 1.0)).translate(1.0, 0, 0.5)
    picture = floor(iso.PointLight(position=(0.0, 0.0, 0.5), strength=1.0), with_=(wall,))
    assert at(picture, 2.5, 0.1) < 1e-3
    assert at(picture, -2.5, 0.1) > 0.01
    # A lamp before the wall: nothing beyond the lamp hides it.
    beyond = floor(
        iso.PointLight(position=(0.5, 0.0, 0.5), strength=1.0), with_=(iso.sphere(0.2).translate(-1.0, 0, 1.5),)
    )
    assert at(beyond, 1.5, 0.1) > 0.05


def test_shadows_of_many_parts_are_those_of_each() -> None:
    """A hundred balls in a hierarchy against the same balls alone: skips and tiles throw the same shadow."""
    balls = [iso.sphere(0.15).translate(0.7 * i - 3.0, 0.7 * j - 3.0, 1.0) for i in range(10) for j in range(10)]
    sun = iso.Sun(direction=(-0.5, 0.2, 1), strength=1.0, angle=0.0)
    together = floor(sun, with_=(iso.union(*balls),))
    dark = together < 0.2
    share = math.pi * 0.15**2 / 0.49 * math.sqrt(1.0 + 0.29)
    seen = (dark.float().mean(), share)
    assert seen[0] == pytest.approx(seen[1], rel=0.35)


def test_open_paper_under_an_even_sky_is_as_bright_as_the_sky() -> None:
    picture = floor(iso.Sky(zenith=(1, 1, 1), horizon=(1, 1, 1), strength=2.0))
    # Nothing hides the sky.
    assert float(picture.std()) < 1e-4
    assert float(picture.mean()) == pytest.approx(1.6, abs=0.05)


def test_a_corner_sees_less_of_the_sky() -> None:
    wall = iso.box((1.0, 8.0, 3.0)).translate(-2.0, 0, 0)
    lights = [iso.Sky(zenith=(1, 1, 1), horizon=(1, 1, 1))]
    scene = iso.Scene(show=wall, stage=[iso.plane().material(PAPER)], lights=lights, camera=ABOVE)
    picture = linear(scene)[..., 0]
    assert at(picture, -1.4, 0.1) < 0.9 * at(picture, 3.5, 0.1)
    row = picture[16, 11:]
    assert bool((row.diff() > -0.02).all())  # brighter and brighter away from the wall


def test_where_nothing_is_the_sky_is_seen() -> None:
    up = iso.Camera(eye=(0.0, 0.0, 5.0), target=(0.0, 0.0, 9.0), up=(0.0, 1.0, 0.0), fov=1.0)
    level = iso.Camera(eye=(0.0, 0.0, 5.0), target=(0.0, 1.0, 5.0), fov=1.0)
    sky = iso.Sky(zenith=(0.1, 0.2, 0.9), horizon=(0.8, 0.7, 0.6), strength=2.0)
    for camera, colour in ((up, (0.2, 0.4, 1.8)), (level, (1.6, 1.4, 1.2))):
        scene = iso.Scene(show=iso.sphere(0.5), lights=[sky], camera=camera)
        assert torch.allclose(linear(scene, 3)[1, 1], torch.tensor(colour), atol=0.15)


def test_a_metal_mirrors_in_its_colour() -> None:
    """A mirror that faces the camera shows the zenith in its own colour."""
    gold = iso.Material(base_color=(1.0, 0.7, 0.3), roughness=0.02, metallic=1.0)
    scene = iso.Scene(
        show=iso.plane().material(gold),
        camera=ABOVE,
        lights=[iso.Sky(zenith=(1, 1, 1), horizon=(0, 0, 0), strength=1.0)],
    )
    assert linear(scene)[16, 16].tolist() == pytest.approx([1.0, 0.7, 0.3], abs=0.06)


def test_reflection_never_makes_more_light_than_there_is() -> None:
    """The furnace with a ball in it, under an even sky of 1."""
    for roughness in (0.0, 0.3, 1.0):
        for metallic in (0.0, 1.0):
            white = iso.Material(base_color=(1, 1, 1), roughness=roughness, metallic=metallic)
            camera = iso.Camera(eye=(0.0, -3.0, 2.0), target=(0.0, 0.0, 0.0), fov=30.0)
            lights = [iso.Sky(zenith=(1, 1, 1), horizon=(1, 1, 1))]
            picture = linear(iso.Scene(show=iso.sphere(0.5).material(white), lights=lights, camera=camera))
            assert float(picture.max()) < 1.0 + 1e-5
            assert float(picture.min()) > 0.0


def test_screens_get_srgb_between_0_and_1_and_linear_what_is_there() -> None:
    lamp = iso.Material(base_color=(0, 0, 0), emission=(30.0, 30.0, 30.0))
    scene = iso.Scene(show=iso.plane().material(lamp), lights=[DARK], camera=ABOVE)
    assert float(linear(scene).min()) == pytest.approx(30.0)
    screen = iso.render(scene, width=8, height=8)
    assert 0.95 < float(screen.min()) <= float(screen.max()) <= 1.0


def test_the_exposure_follows_the_lights() -> None:
    scenes = [
        iso.Scene(
            show=iso.sphere(0.5),
            stage=[iso.plane(offset=-0.5)],
            lights=[iso.Sun(strength=s), iso.Sky(strength=0.4 * s)],
        )
        for s in (2.0, 20.0)
    ]
    pictures = [iso.render(scene, width=32, height=32, samples=1) for scene in scenes]
    assert torch.allclose(*pictures, atol=0.02)
