"""Pictures by geometry: where things appear, how far, which way they face; sizes, seeds, samples, bad arguments."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

import isofield as iso
from isofield.engine.build import build_program
from isofield.engine.render import render_view, view_of
from isofield.engine.render.rays import HIT_SHARE, pixel_size
from isofield.kernels.film.rays import Film

MODES = ("shaded", "normals", "depth", "steps", "shapes")

BALL = iso.sphere(0.5).named("ball").material(iso.Material(base_color="#c86a4a"))
FRONT = iso.Camera(eye=(0.0, -4.0, 0.0), target=(0.0, 0.0, 0.0), fov=30.0)
FLAT = iso.Camera(eye=(0.0, -4.0, 0.0), target=(0.0, 0.0, 0.0), width=2.0)


def ball(camera: iso.Camera | None = FRONT) -> iso.Scene:
    return iso.Scene(show=BALL, camera=camera)


def measured(scene: iso.Scene, mode: str, width: int = 64, height: int = 64, **options: Any) -> torch.Tensor:
    """Measured values, one number (or a vector) a pixel, of one ray each."""
    picture = iso.render(scene, width=width, height=height, mode=mode, samples=1, linear=True, **options)
    return picture if mode == "normals" else picture[..., 0]


def directions(camera: iso.Camera, width: int, height: int) -> torch.Tensor:
    """Unit directions (height, width, 3) through the centres of the pixels, from the definition of the camera."""
    matrix = torch.tensor(camera.matrix(), dtype=torch.float64)
    half = math.tan(math.radians(camera.fov or 0.0) / 2.0)
    y = half * (1.0 - 2.0 * (torch.arange(height, dtype=torch.float64) + 0.5) / height)
    x = half * (width / height) * (2.0 * (torch.arange(width, dtype=torch.float64) + 0.5) / width - 1.0)
    rows, columns = torch.meshgrid(y, x, indexing="ij")
    local = torch.stack([columns, rows, -torch.ones_like(rows)], dim=-1)
    return torch.nn.functional.normalize(local, dim=-1) @ matrix[:3, :3].T


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 37), (37, 1), (16, 16), (17, 15), (50, 33)])
def test_pictures_of_any_size(mode: str, width: int, height: int) -> None:
    picture = iso.render(ball(), width=width, height=height, mode=mode, samples=1)
    assert picture.shape == (height, width, 3)
    assert picture.dtype == torch.float32
    assert bool(((picture >= 0.0) & (picture <= 1.0)).all())


def test_depth_is_the_distance_along_the_ray() -> None:
    ways = directions(FRONT, 60, 45)
    eye = torch.tensor(FRONT.eye, dtype=torch.float64)
    along = -(ways @ eye)
    root = along**2 - 16.0 + 0.25
    expected = torch.where(root >= 0.0, along - root.clamp(min=0.0).sqrt(), math.inf)
    got = measured(ball(), "depth", 60, 45)
    sure = root.abs() > 0.02  # off the silhouette, which is a tenth of a pixel thick
    assert torch.equal(got.isfinite()[sure], expected.isfinite()[sure])
    both = sure & expected.isfinite()
    assert (got - expected)[both].abs().max() < 5e-3


def test_an_oblique_camera_sees_a_floor_where_it_is() -> None:
    camera = iso.Camera(eye=(1.0, -2.0, 1.5), target=(0.2, 0.1, 0.0), fov=50.0, up=(0.1, 0.0, 1.0))
    scene = iso.Scene(show=iso.plane().named("floor"), camera=camera)
    ways = directions(camera, 40, 30)
    expected = torch.where(ways[..., 2] < -1e-3, 1.5 / -ways[..., 2], math.inf)
    got = measured(scene, "depth", 40, 30)
    near = expected < 50.0
    # A hit is early by the tolerance, a share of the pixel at that distance, over the cosine at the floor.
    allowed = HIT_SHARE * pixel_size(camera, Film(30, 40)) * expected / -ways[..., 2] + 1e-4
    assert bool(((got <= expected + 1e-4) & (got >= expected - allowed))[near].all())


def test_rows_run_down_and_columns_to_the_right() -> None:
    parts = {"high": (0, 0, 0.5), "right": (0.5, 0, 0), "middle": (0, 0, 0)}
    shapes = [iso.sphere(0.1).translate(*map(float, at)).named(name) for name, at in parts.items()]
    view = view_of(iso.Scene(show=iso.union(*shapes), camera=FLAT))
    got = render_view(view, 64, 64, "shapes", 1, 0, True)[..., 0].long()
    names = view.program.names
    assert [names[got[row, column]] for row, column in ((16, 32), (32, 48), (32, 32))] == ["high", "right", "middle"]
    assert int(got[48, 32]) == -1
    assert int(got[32, 16]) == -1


def test_normals_are_those_of_a_ball() -> None:
    ways = directions(FRONT, 48, 48)
    depth = measured(ball(), "depth", 48, 48).double()
    points = torch.tensor(FRONT.eye, dtype=torch.float64) + depth[..., None] * ways
    normals = measured(ball(), "normals", 48, 48).double()
    hit = depth.isfinite()
    expected = torch.nn.functional.normalize(points, dim=-1)
    facing = -(expected * ways).sum(-1) > 0.2
    cosine = (normals * expected).sum(-1)[hit & facing]
    assert cosine.min() > math.cos(math.radians(1.5))
    assert (normals[hit].norm(dim=-1) - 1.0).abs().max() < 1e-5
    assert not bool(normals[~hit].any())
    shown = iso.render(ball(), width=48, height=48, mode="normals", samples=1)
    assert torch.allclose(shown[hit], 0.5 * normals[hit].float() + 0.5, atol=1e-6)


def test_a_perspective_silhouette_has_the_radius_of_the_tangent_cone() -> None:
    share = measured(ball(), "depth", 256, 256).isfinite().float().mean()
    radius = math.tan(math.asin(0.5 / 4.0)) / math.tan(math.radians(15.0)) * 128.0
    assert float(share) * 256**2 == pytest.approx(math.pi * radius**2, rel=0.01)


def test_an_orthographic_silhouette_does_not_depend_on_the_distance() -> None:
    for away in (2.0, 40.0):
        camera = iso.Camera(eye=(0.0, -away, 0.0), target=(0.0, 0.0, 0.0), width=2.0)
        depth = measured(ball(camera), "depth", 256, 128)
        assert float(depth.isfinite().sum()) * (2.0 / 256) ** 2 == pytest.approx(math.pi * 0.25, rel=0.01)
        assert float(depth.min()) == pytest.approx(away - 0.5, abs=2e-3)
    assert pixel_size(FLAT, Film(128, 256)) == 2.0 / 256


def test_a_picture_not_of_whole_tiles_is_cut_out_of_a_larger_one() -> None:
    scene = iso.Scene(show=BALL, stage=[iso.plane(offset=-0.5)])
    cameras = [iso.Camera(eye=(1.0, -4.0, 2.0), target=(0.0, 0.0, 0.0), width=0.05 * wide) for wide in (50, 64)]
    small = iso.render(scene, width=50, height=34, samples=1, camera=cameras[0])
    large = iso.render(scene, width=64, height=48, samples=1, camera=cameras[1])
    differs = (small - large[7:41, 7:57]).abs().amax(dim=-1) > 2e-2
    assert differs.float().mean() < 0.01


@pytest.mark.parametrize("camera", [FRONT, FLAT, iso.Camera(eye=(1.0, 2.0, 3.0), target=(0.1, 0.0, 0.0))])
def test_a_camera_by_its_matrix_is_the_same_camera(camera: iso.Camera) -> None:
    placed = iso.Camera(camera_to_world=camera.matrix(), fov=camera.fov, width=camera.width)
    scene = iso.Scene(show=BALL, stage=[iso.plane(offset=-0.5)])
    pictures = [iso.render(scene, width=40, height=30, samples=1, camera=c) for c in (camera, placed)]
    assert torch.allclose(*pictures, atol=1e-3)


def test_a_camera_given_takes_the_place_of_the_scenes() -> None:
    assert (
        measured(ball(FLAT), "depth", camera=FRONT).isfinite().sum() == measured(ball(FRONT), "depth").isfinite().sum()
    )


@pytest.mark.parametrize("size", [1e-2, 1.0, 300.0])
def test_a_scene_without_a_camera_is_framed(size: float) -> None:
    shape = iso.box((size, 0.5 * size, 2.0 * size)).translate(5.0 * size, -3.0 * size, 2.0 * size)
    hit = measured(iso.Scene(show=shape), "depth", 90, 90).isfinite()
    assert 0.05 < float(hit.float().mean()) < 0.8
    edge = torch.cat([hit[0], hit[-1], hit[:, 0], hit[:, -1]])
    assert not bool(edge.any())


def test_an_endless_scene_without_a_camera_is_framed_too() -> None:
    assert bool(iso.render(iso.Scene(show=iso.gyroid()), width=20, height=20, samples=1).isfinite().all())
    assert bool(measured(iso.Scene(show=iso.plane()), "depth").isfinite().any())


def test_steps_and_shapes_are_what_the_tracer_says() -> None:
    scene = iso.Scene(show=BALL, stage=[iso.plane(offset=-0.5).named("floor")], camera=FRONT)
    steps, shapes = measured(scene, "steps"), measured(scene, "shapes")
    assert bool((steps == steps.round()).all())
    assert 1.0 <= float(steps[32, 32]) < 40.0
    names = build_program(scene).names
    assert names[int(shapes[32, 32])] == "ball"
    assert names[int(shapes[60, 32])] == "floor"
    assert int(shapes[2, 2]) == -1
    picture = iso.render(scene, width=64, height=64, mode="shapes", samples=1)
    assert not torch.allclose(picture[32, 32], picture[60, 32], atol=0.1)
    assert picture[2, 2].tolist() == [0.0, 0.0, 0.0]


def test_depth_shows_the_nearest_brightest() -> None:
    scene = iso.Scene(show=BALL, stage=[iso.plane(offset=-0.5)], camera=FRONT)
    picture, depth = iso.render(scene, width=64, height=64, mode="depth", samples=1)[..., 0], measured(scene, "depth")
    assert float(picture[depth == depth.min()].min()) == pytest.approx(1.0, abs=1e-5)
    assert not bool(picture[depth.isinf()].any())
    order = depth[depth.isfinite()].argsort()
    assert bool((picture[depth.isfinite()][order].diff() <= 1e-6).all())


def test_nothing_in_sight_is_a_picture_too() -> None:
    away = iso.Camera(eye=(0.0, -4.0, 0.0), target=(0.0, -8.0, 0.0))
    for mode in MODES:
        assert bool(iso.render(ball(away), width=8, height=8, mode=mode).isfinite().all())
    assert not bool(iso.render(ball(away), width=8, height=8, mode="depth").any())


@pytest.mark.parametrize("mode", ["shaded", "depth", "normals"])
def test_the_same_seed_gives_the_same_bits(mode: str) -> None:
    options: dict[str, Any] = {"width": 50, "height": 40, "samples": 4, "mode": mode}
    first = iso.render(ball(), seed=3, **options)
    assert torch.equal(first, iso.render(ball(), seed=3, **options))
    assert not torch.equal(first, iso.render(ball(), seed=4, **options))


def test_one_sample_lies_in_the_middle_whatever_the_seed() -> None:
    one = iso.render(ball(), width=40, height=40, samples=1, seed=0)
    assert torch.equal(one, iso.render(ball(), width=40, height=40, samples=1, seed=9))


def test_samples_converge_and_smooth_the_edge() -> None:
    pictures = {n: iso.render(ball(), width=40, height=40, samples=n, seed=1, linear=True) for n in (1, 4, 16, 128)}
    errors = [float((pictures[n] - pictures[128]).square().mean()) for n in (1, 4, 16)]
    assert errors[0] > 3.0 * errors[1] > 6.0 * errors[2]


def test_samples_of_the_silhouette_cover_their_share() -> None:
    """A lamp before nothing: the mean of a picture is the area of the ball's disc, to the fourth digit."""
    lamp = iso.sphere(0.5).material(iso.Material(base_color=(0, 0, 0), roughness=1.0, emission=(1, 1, 1)))
    scene = iso.Scene(show=lamp, lights=[iso.Sky(strength=0.0)], camera=FLAT)
    picture = iso.render(scene, width=32, height=32, samples=64, linear=True)
    assert float(picture.mean()) == pytest.approx(math.pi * 0.25 / 4.0, rel=3e-3)


def test_a_view_is_made_once_and_drawn_often() -> None:
    view = view_of(ball())
    assert torch.equal(
        render_view(view, 20, 20, "shaded", 2, 0, False), iso.render(ball(), width=20, height=20, samples=2)
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"width": 0}, "width: expected 1 to 16384 pixels, got 0"),
        ({"width": -5}, "width"),
        ({"height": 16385}, "height"),
        ({"height": 10**6}, "height"),
        ({"mode": "pretty"}, "mode: expected one of shaded, normals, depth, steps, shapes, ambient, got 'pretty'"),
        ({"samples": 0}, "samples"),
        ({"samples": -1}, "samples"),
    ],
)
def test_arguments_without_sense_are_refused_by_name(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        iso.render(ball(), **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"width": 1.5}, "width: expected a whole number, got 1.5"),
        ({"height": "9"}, "height: expected a whole number, got '9'"),
        ({"samples": True}, "samples: expected a whole number, got True"),
        ({"camera": 3}, "camera: expected a Camera, got int"),
    ],
)
def test_arguments_of_another_kind_are_refused_by_name(options: dict[str, Any], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        iso.render(ball(), **options)


def test_a_shape_alone_is_no_scene() -> None:
    with pytest.raises(TypeError, match="scene: expected a Scene or a field, got Sphere; a shape is shown by"):
        iso.render(BALL)


def test_a_scene_shows_itself_in_a_notebook() -> None:
    assert iso.Scene(show=BALL)._repr_png_().startswith(b"\x89PNG")
