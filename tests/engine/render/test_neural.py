"""Learned surfaces: traced by the network, by its bricks, and against the surface that the network is known to have."""

from __future__ import annotations

import math
from pathlib import Path

import imageio.v3 as imageio
import pytest
import torch

import isofield as iso
from isofield.engine.bake import cache
from isofield.engine.cli import main
from isofield.engine.fields import MLP, Field, ShapeField
from isofield.engine.render import render, view_of
from isofield.engine.render.ray_cone import RayCone
from isofield.engine.render.rays import pixel_size
from isofield.engine.render.sources import scene_of_field
from isofield.engine.scene import Camera
from isofield.kernels.film.rays import Film, camera_rays
from isofield.kernels.trace.sphere_tracing import trace_film

SIZE = {"width": 64, "height": 48, "samples": 1}
RADIUS = 0.6


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "cache" / "taichi")
    monkeypatch.setattr("isofield.engine.render.sources.runtime.cache_folder", lambda: tmp_path / "cache" / "taichi")


def octahedron(scale: float = 1.0, meaning: str = "signed_distance") -> MLP:
    """A network of ReLUs that is scale · (|x| + |y| + |z| - RADIUS), of opposite sign before a sigmoid."""
    field = MLP(3, 1, width=6, layers=1, meaning=meaning, bounds=((-1.0,) * 3, (1.0,) * 3))
    first, _, last = field.network
    with torch.no_grad():
        # Unit coordinates u = (x + 1) / 2, so x = 2 u - 1.
        first.weight.copy_(torch.cat([2.0 * torch.eye(3), -2.0 * torch.eye(3)]))
        first.bias.copy_(torch.tensor([-1.0, -1.0, -1.0, 1.0, 1.0, 1.0]))
        sign = 1.0 if meaning == "signed_distance" else -1.0
        last.weight.fill_(sign * scale)
        last.bias.fill_(-sign * scale * RADIUS)
    return field


def seen(field: Field, camera: Camera, film: Film) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rays of a film, the distances at which they meet the field's network, infinite else, and its normals there."""
    view = view_of(scene_of_field(field, resolution=32), camera, direct=True)
    assert view.network is not None
    rays = camera_rays(torch.tensor(camera.matrix()), pixel_size(camera, film), film, (0.0, 0.0), perspective=True)
    _, near = trace_film(view.program, *rays, (view.network.margin, 1e-4), 256)
    met, normals = view.network.trace(view.program, *rays, near, RayCone(1e-6, 1e-4))
    return *rays, torch.where(met.hit_kind == -1, met.distance, torch.inf), normals


def octahedron_hits(origins: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
    """Distances to the octahedron: the last of the entries into its eight half-spaces, if before the first exit."""
    normals = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 3).double()
    above = origins.double() @ normals.T - RADIUS
    sinking = -(directions.double() @ normals.T)
    there = above / sinking
    entry = torch.where(sinking > 0.0, there, -torch.inf).amax(dim=1)
    exit_ = torch.where(sinking < 0.0, there, torch.inf).amin(dim=1)
    return torch.where(entry < exit_, entry, torch.inf)


CAMERA = Camera(eye=(1.5, -2.2, 1.1), target=(0.0, 0.0, 0.0), fov=35.0)


@pytest.mark.parametrize("scale", [1.0, 0.3])
def test_rays_end_on_the_zero_set_of_the_network(scale: float) -> None:
    origins, directions, found, normals = seen(octahedron(scale), CAMERA, Film(48, 64))
    wanted = octahedron_hits(origins, directions).float()
    differing = (found.isfinite() != wanted.isfinite()).float().mean()
    assert differing < 0.004  # rays that graze an edge
    both = found.isfinite() & wanted.isfinite()
    assert both.sum() > 300
    assert (found - wanted)[both].abs().quantile(0.99) < 2e-3
    points = (origins + wanted[:, None] * directions)[both]
    away_from_edges = points.abs().amin(dim=1) > 0.01
    outward = points.sign() / math.sqrt(3.0)
    torch.testing.assert_close(normals[both][away_from_edges], outward[away_from_edges], atol=1e-4, rtol=0)


def test_occupancies_are_bracketed() -> None:
    origins, directions, found, normals = seen(octahedron(40.0, "occupancy"), CAMERA, Film(48, 64))
    wanted = octahedron_hits(origins, directions).float()
    assert (found.isfinite() != wanted.isfinite()).float().mean() < 0.01
    both = found.isfinite() & wanted.isfinite()
    assert both.sum() > 300
    assert (found - wanted)[both].abs().quantile(0.99) < 2e-3
    assert ((normals * directions)[both].sum(dim=1) < 1e-3).float().mean() > 0.99


def test_network_is_asked_a_few_times_a_ray() -> None:
    steps = render(octahedron(), mode="steps", linear=True, **SIZE)[..., 0]
    asked = steps[steps > 0]
    assert asked.mean() < 8.0


@pytest.mark.parametrize("mode", ["shaded", "normals", "depth"])
def test_network_and_bricks_make_the_same_picture(mode: str) -> None:
    field = ShapeField(iso.Scene(iso.torus(0.5, 0.2).rotate(50, (1, 0, 0))), trainable=())
    direct, baked = (render(field, mode=mode, baked=baked, **SIZE) for baked in (False, True))
    difference = (direct - baked).abs().amax(dim=2)
    assert direct.std() > 0.05
    assert difference.mean() < 0.005
    assert (difference > 0.05).float().mean() < 0.02  # a silhouette half a voxel farther in or out


def test_field_is_shown_as_the_shape_it_is() -> None:
    """A field that is a shape looks as the shape does."""
    shape = iso.torus(0.5, 0.2)
    scene = scene_of_field(ShapeField(iso.Scene(shape), trainable=()))
    analytic = iso.Scene(
        shape.material(scene.materials["clay"]), stage=[scene.shapes["floor"]], materials=scene.materials
    )
    view = view_of(scene, direct=True)
    learned = render(scene, camera=view.camera, **SIZE)
    difference = (learned - render(analytic, camera=view.camera, **SIZE)).abs().amax(dim=2)
    assert (difference > 0.05).float().mean() < 0.02


def test_a_subject_that_is_moved_is_not_traced_directly() -> None:
    scene = scene_of_field(octahedron())
    moved = scene.model_copy(update={"shapes": {**scene.shapes, "field": scene.shapes["field"].scale(2.0)}})
    with pytest.raises(ValueError, match="expected to show a neural shape that is not moved, got 'field'"):
        view_of(moved, direct=True)


def test_fields_without_a_surface_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"shapes\.field\.file: .*|expected a field that means signed_distance"):
        render(MLP(3, 3, meaning="colour"), **SIZE)


def test_command_renders_a_field(tmp_path: Path) -> None:
    octahedron().save(tmp_path / "field.safetensors")
    options = ["--width", "32", "--height", "24", "--samples", "1"]
    for extra in ([], ["--baked"], ["--turntable", "2"]):
        output = tmp_path / ("turn.gif" if "--turntable" in extra else "out.png")
        arguments = ["render", str(tmp_path / "field.safetensors"), "--output", str(output), *options, *extra]
        assert main(arguments) == 0
        assert imageio.imread(output).std() > 5


def test_command_says_what_is_wrong_with_a_field(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "none.safetensors")
    assert main(["render", missing, "--output", str(tmp_path / "out.png")]) == 1
    assert "none.safetensors: cannot be read: no such file" in capsys.readouterr().err
    assert main(["render", "carved_box", "--baked", "--output", str(tmp_path / "out.png")]) == 2
    assert "--baked: expected a field" in capsys.readouterr().err
