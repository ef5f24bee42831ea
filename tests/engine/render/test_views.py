"""Whatever can be looked at becomes a view in one place."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import isofield as iso
from isofield.engine.fields import Grid
from isofield.engine.files import MeshOptions
from isofield.engine.program import BuildError
from isofield.engine.render import View, render_view, view_of
from isofield.engine.render.sources import scene_of_field
from isofield.engine.render.views import relit
from isofield.engine.scene import load, with_values

TOY = Path(__file__).parents[3] / "scenes" / "toy.toml"
GEM = Path(__file__).parents[3] / "scenes" / "gem.obj"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ISOFIELD_CACHE", str(tmp_path))


def small(view: View) -> torch.Tensor:
    return render_view(view, 40, 30, "shaded", 1, 0, False)


def ball() -> Grid:
    """A grid of distances to a ball."""
    field = Grid(3, 1, nodes=17, meaning="signed_distance", bounds=((-1.0,) * 3, (1.0,) * 3))
    line = torch.linspace(-1.0, 1.0, 17)
    points = torch.stack(torch.meshgrid(line, line, line, indexing="ij"), dim=-1)
    with torch.no_grad():
        field.values.copy_(points.norm(dim=-1, keepdim=True) - 0.6)
    return field


@pytest.mark.parametrize("subject", ["toy", str(TOY), TOY])
def test_a_scene_is_the_same_by_its_name_its_file_and_itself(subject: str | Path) -> None:
    assert torch.equal(small(view_of(subject)), small(view_of(load("toy"))))


def test_a_mesh_is_turned_by_its_axis() -> None:
    upright, lying = view_of(GEM), view_of(GEM, options=MeshOptions(up="y"))
    assert not torch.equal(small(upright), small(lying))


def test_a_field_is_traced_by_its_network_unless_it_is_told_otherwise() -> None:
    ball().save("ball.safetensors")
    for subject in (ball(), "ball.safetensors", Path("ball.safetensors")):
        assert view_of(subject).network is not None
        assert view_of(subject, direct=False).network is None
    scene = scene_of_field(ball())
    assert view_of(scene).network is None
    assert torch.equal(small(view_of(scene, direct=True)), small(view_of(ball())))
    assert torch.equal(small(view_of(scene)), small(view_of("ball.safetensors", direct=False)))


@pytest.mark.parametrize("shape", [iso.sphere(1e6), iso.sphere(1.0).translate(0.0, -1e6, 0.0)])
def test_a_subject_that_no_camera_can_frame_is_refused(shape: iso.Shape) -> None:
    with pytest.raises(
        BuildError, match=r"scene: the subject, 1.* needs a camera within 1e\+06.*give the scene a camera"
    ):
        view_of(iso.Scene(shape))
    assert view_of(iso.Scene(shape, camera=iso.Camera(eye=(0.0, -9e5, 9e5), target=(0.0, 0.0, 0.0)))).program.names


def test_other_light_is_the_same_whether_or_not_the_program_is_kept() -> None:
    scene = load("toy")
    dim = with_values(scene, {"sun.strength": 0.25})
    view = view_of(scene)
    assert relit(view, dim).program is view.program
    assert torch.equal(small(relit(view, dim)), small(view_of(dim)))
