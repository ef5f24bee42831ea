"""Every scene that comes with the program loads, has no mistakes, and becomes a picture."""

from pathlib import Path

import pytest
import torch

from isofield.engine.cli import main
from isofield.engine.render import render, view_of
from isofield.engine.render.rays import pixel_size
from isofield.engine.scene import load, open_scene
from isofield.engine.shapes import KINDS
from isofield.kernels import distance
from isofield.kernels.film.rays import Film, camera_rays
from isofield.kernels.trace.sphere_tracing import trace_film

ROOT = Path(__file__).parent.parent
SCENES = ROOT / "scenes"
FILES = sorted(SCENES.glob("*.toml"))
SCRIPTS = sorted(path for path in SCENES.glob("*.py") if path.name != "__init__.py")
LEAST_CONTRAST = 0.04  # standard deviation of the brightness; that of a floor alone is below 0.02


def test_there_are_enough_scenes() -> None:
    assert len(FILES) >= 10
    assert len([path for path in SCRIPTS if not path.name.startswith("embed_")]) >= 4


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_has_no_mistakes(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(path)]) == 0
    assert "no mistakes" in capsys.readouterr().out


@pytest.mark.parametrize("path", FILES + SCRIPTS, ids=lambda path: path.name)
def test_a_scene_becomes_a_picture(path: Path) -> None:
    picture = render(load(str(path)), width=48, height=32, samples=1)
    assert picture.isfinite().all()
    assert picture.mean(dim=2).std() > LEAST_CONTRAST


@pytest.mark.parametrize("path", FILES + SCRIPTS, ids=lambda path: path.name)
def test_rays_end_on_the_surface(path: Path) -> None:
    """The fast way of a film, through tiles and beams, against the value of the whole program at each hit."""
    view = view_of(load(str(path)))
    film, camera = Film(48, 64), view.camera
    pixel, perspective = pixel_size(camera, film), camera.fov is not None
    rays = camera_rays(torch.tensor(camera.matrix()), pixel, film, (0.0, 0.0), perspective=perspective)
    tolerance = (1e-4, 0.1 * pixel) if perspective else (1e-4 + 0.1 * pixel, 0.0)
    _, met = trace_film(view.program, *rays, tolerance, 256)
    hit = met.distance.isfinite()
    assert hit.float().mean() > 0.05
    points = (rays[0] + met.distance[:, None] * rays[1])[hit]
    allowed = tolerance[0] + tolerance[1] * met.distance[hit] + 1e-5 * points.norm(dim=1)
    off = distance(view.program, points).abs() / allowed
    # Past an edge that a ray only grazes the value grows again.
    assert float((off > 2.0).float().mean()) < 0.005
    assert float(off.max()) < 8.0
    # Half way to the hit there is nothing yet.
    before = (rays[0] + 0.5 * met.distance[:, None] * rays[1])[hit]
    assert bool((distance(view.program, before) > 0.0).all())


def test_the_animation_moves_and_repeats() -> None:
    source = open_scene(str(SCENES / "cradle.py"))
    assert source.is_animated
    first, later, last = (render(source.at(time), width=48, height=32, samples=1) for time in (0.0, 1.0, 2.0))
    assert (later - first).abs().max() > 0.1
    assert (last - first).abs().max() < 0.02


def test_board_shows_every_kind() -> None:
    scene = load(str(SCENES / "board.py"))
    assert {f"shown_{kind}" for kind in KINDS} <= set(scene.shapes)


def test_toy_train_has_more_than_twenty_primitives() -> None:
    scene = load(str(SCENES / "twenty_primitives.toml"))
    kinds = {shape.kind for shape in scene.shapes.values() if "of" not in type(shape).model_fields}
    assert len(kinds) > 20


def test_city_has_as_many_shapes_as_asked() -> None:
    namespace: dict[str, object] = {"__name__": "city"}
    exec(compile((SCENES / "city.py").read_text(encoding="utf-8"), "city.py", "exec"), namespace)
    city = namespace["city"]
    assert callable(city)
    scene = city(1000)
    assert len(scene.shapes["city"].of) == 1000
    assert scene == city(1000)


def test_every_scene_is_in_the_gallery() -> None:
    page = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    shown = [path for path in FILES + SCRIPTS if not path.name.startswith("embed_")]
    missing = [path.name for path in shown if f"pictures/{path.stem}.png" not in page]
    assert not missing
    for path in shown:
        assert (ROOT / "docs" / "pictures" / f"{path.stem}.png").exists()
