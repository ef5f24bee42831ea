"""Meshes of scenes, fields and volumes: what is closed, where it lies, what it looks like, what is refused."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy
import pytest
import torch
from meshes import defects

import isofield as iso
from isofield.engine.fields import MLP, Grid, Meaning, ShapeField, occupancy_of
from isofield.engine.fields.base import Placement
from isofield.engine.meshing import Mesh, mesh
from isofield.engine.meshing.extract import _projected
from isofield.engine.meshing.report import report_of
from isofield.engine.meshing.surfaces import FieldSurface

BOX = ((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0))


def ball_values(count: int = 24, radius: float = 0.6) -> torch.Tensor:
    line = torch.linspace(-1, 1, count)
    return torch.stack(torch.meshgrid(line, line, line, indexing="ij")).norm(dim=0) - radius


def test_the_carved_box_is_one_closed_part_with_five_handles() -> None:
    made = mesh(iso.load("carved_box"), resolution=64)
    assert defects(made.vertices, made.faces) == []
    assert (made.report.components, made.report.genus) == (1, 5)
    # Its stage, a floor, is no part of it.
    assert made.vertices.abs().max() < 0.76
    assert made.colours is not None
    assert torch.equal(made.colours.unique(dim=0), torch.tensor([iso.load("carved_box").materials["clay"].base_color]))


def test_resolution_counts_cells_along_the_longest_side_around_the_subject() -> None:
    made = mesh(iso.Scene(show=iso.box((2.0, 1.0, 0.5))), resolution=40)
    low, high = made.vertices.amin(dim=0), made.vertices.amax(dim=0)
    assert torch.allclose(high - low, torch.tensor([2.0, 1.0, 0.5]), atol=1e-5)
    assert torch.allclose(low + high, torch.zeros(3), atol=1e-5)
    steps = made.vertices[:, 0].unique().diff()
    assert steps.max() == pytest.approx(2.0 / 37.5, rel=1e-3)


def test_normals_are_the_gradient_and_agree_with_the_triangles() -> None:
    made = mesh(iso.Scene(show=iso.sphere(0.7)), resolution=32)
    assert torch.allclose(made.normals, torch.nn.functional.normalize(made.vertices, dim=1), atol=2e-3)
    a, b, c = made.vertices[made.faces.long()].unbind(dim=1)
    assert bool((torch.linalg.cross(b - a, c - a) * made.normals[made.faces[:, 0].long()]).sum(dim=1).gt(0).all())


def test_projection_puts_vertices_on_the_surface() -> None:
    scene = iso.Scene(show=iso.union(iso.sphere(0.5), iso.torus(0.6, 0.2), smooth=0.2))
    program = iso.build_program(scene)
    off = [
        iso.kernels.distance(program, mesh(scene, resolution=24, project=project).vertices).abs().max().item()
        for project in (False, True)
    ]
    assert off[0] > 1e-3
    assert off[1] < 1e-5


def test_projection_goes_no_farther_than_a_cell_and_nowhere_worse() -> None:
    def root(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Newton's step from x leads to -2 x."""
        x = points[:, :1]
        return (x.sign() * x.abs().pow(1 / 3))[:, 0], x.abs().pow(-2 / 3) / 3.0 * torch.eye(3)[0]

    def flat(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return points[:, 0] - 5.0, torch.tensor([[0.1, 0.0, 0.0]])

    for function, start, wanted in ((root, 0.1, 0.1), (flat, 0.0, 0.5)):
        surface: Any = SimpleNamespace(level=0.0, value_and_gradient=function)
        found = _projected(surface, torch.tensor([[start, 0.0, 0.0]]), 0.5)
        assert found[0].tolist() == pytest.approx([wanted, 0.0, 0.0])


def test_materials_colour_the_vertices() -> None:
    red, blue = iso.Material(base_color="#ff0000"), iso.Material(base_color="#0000ff")
    two = iso.union(
        iso.sphere(0.3).translate(-0.5, 0, 0).material(red), iso.box(0.4).translate(0.5, 0, 0).material(blue)
    )
    made = mesh(iso.Scene(show=two), resolution=32)
    assert made.colours is not None
    of_left = made.vertices[:, 0] < 0
    assert torch.equal(made.colours[of_left].unique(dim=0), torch.tensor([[1.0, 0.0, 0.0]]))
    assert torch.equal(made.colours[~of_left].unique(dim=0), torch.tensor([[0.0, 0.0, 1.0]]))


def test_a_level_grows_a_scene() -> None:
    made = mesh(iso.Scene(show=iso.sphere(0.5)), resolution=40, level=0.25)
    assert made.vertices.norm(dim=1).sub(0.75).abs().max() < 1e-3
    assert made.report.watertight


def test_a_subject_without_end_needs_bounds() -> None:
    scene = iso.Scene(show=iso.gyroid().scale(0.2))
    with pytest.raises(ValueError, match="bounds: expected corners to mesh within, because the subject has no end"):
        mesh(scene, resolution=32)
    made = mesh(scene, resolution=32, bounds=BOX)
    assert len(made.faces) > 1000
    assert not made.report.watertight
    assert made.vertices.abs().max() == 1.0


def test_a_field_of_signed_distance_and_its_occupancy_give_the_same_side() -> None:
    scene = iso.Scene(show=iso.sphere(0.5).translate(0.1, 0, 0), bounds=BOX)
    shape = ShapeField(scene)
    sparse = mesh(shape, resolution=32)
    dense = mesh(occupancy_of(shape, 20.0), resolution=32)
    for made in (sparse, dense):
        assert defects(made.vertices, made.faces) == []
        assert made.report.volume == pytest.approx(4 / 3 * math.pi * 0.125, rel=0.01)
        outwards = torch.nn.functional.normalize(made.vertices - torch.tensor([0.1, 0, 0]), dim=1)
        assert (made.normals * outwards).sum(dim=1).min() > 0.99
    assert torch.equal(sparse.faces.sort(dim=0).values, dense.faces.sort(dim=0).values)


def test_a_network_is_meshed_in_layers_as_at_once() -> None:
    torch.manual_seed(0)
    field = MLP(3, 1, meaning="signed_distance", bounds=BOX)
    middle = float(field(torch.zeros(1, 3)).detach())
    made = mesh(field, resolution=20, level=middle + 0.01)
    line = torch.linspace(-1, 1, 21)
    values = field(torch.cartesian_prod(line, line, line)).detach().reshape(21, 21, 21)
    vertices, faces = iso.kernels.marching_cubes(values, middle + 0.01)
    assert len(faces) == len(made.faces) > 0
    assert torch.allclose(vertices.sort(dim=0).values, made.vertices.sort(dim=0).values, atol=1e-4)


def test_a_field_that_was_fitted_to_a_moved_model_is_meshed_where_the_model_was() -> None:
    field = ShapeField(iso.Scene(show=iso.sphere(0.5), bounds=BOX))
    field.placement = Placement((3.0, 2.0, 1.0), 0.25)
    made = mesh(field, resolution=24)
    assert (made.vertices - torch.tensor([3.0, 2.0, 1.0])).norm(dim=1).sub(2.0).abs().max() < 0.01
    assert made.report.volume == pytest.approx(4 / 3 * math.pi * 8, rel=0.02)


def test_a_volume_has_its_own_resolution() -> None:
    values = ball_values()
    made = mesh(values.numpy().astype(numpy.float64), bounds=((0, 0, 0), (4, 4, 4)))
    vertices, faces = iso.kernels.marching_cubes(values, bounds=((0, 0, 0), (4, 4, 4)))
    assert torch.equal(made.vertices.unique(dim=0), vertices.unique(dim=0))
    outwards = torch.nn.functional.normalize(made.vertices - 2.0, dim=1)
    assert (made.normals * outwards).sum(dim=1).min() > 0.99
    assert (made.colours, len(made.faces)) == (None, len(faces))
    with pytest.raises(ValueError, match="resolution: expected none for a volume"):
        mesh(values, resolution=32)


def test_a_mesh_is_meshed_again() -> None:
    first = mesh(iso.Scene(show=iso.torus(0.6, 0.2)), resolution=40)
    again = mesh(iso.kernels.MeshTree(first.vertices, first.faces), resolution=30)
    assert defects(again.vertices, again.faces) == []
    assert (again.report.components, again.report.genus) == (1, 1)
    assert again.report.volume == pytest.approx(first.report.volume, rel=0.02)
    away = iso.kernels.distance(iso.build_program(iso.Scene(show=iso.torus(0.6, 0.2))), again.vertices)
    assert away.abs().max() < 0.02
    a, b, c = again.vertices[again.faces.long()].unbind(dim=1)
    towards = torch.nn.functional.normalize(torch.linalg.cross(b - a, c - a), dim=1)
    assert (towards * again.normals[again.faces[:, 0].long()]).sum(dim=1).mean() > 0.98


def test_a_mesh_grows_by_its_level() -> None:
    ball = mesh(iso.Scene(show=iso.sphere(0.5)), resolution=24)
    grown = mesh(iso.kernels.MeshTree(ball.vertices, ball.faces), resolution=24, level=0.3)
    assert grown.report.watertight
    assert grown.vertices.norm(dim=1).sub(0.8).abs().max() < 0.02


def test_a_density_is_larger_inside() -> None:
    field = occupancy_of(ShapeField(iso.Scene(show=iso.sphere(0.5), bounds=BOX)), 20.0)
    field.meaning = Meaning.DENSITY
    made = mesh(field, resolution=24, level=0.5)
    assert made.report.volume == pytest.approx(4 / 3 * math.pi * 0.125, rel=0.02)


def test_an_open_mesh_is_closed_where_its_winding_number_says() -> None:
    ball = mesh(iso.Scene(show=iso.sphere(0.7)), resolution=24)
    corners = ball.vertices[ball.faces.long()]
    bowl = iso.kernels.MeshTree(ball.vertices, ball.faces[corners[:, :, 2].amax(dim=1) < 0.3])
    again = mesh(bowl, resolution=24)
    assert defects(again.vertices, again.faces) == []
    assert again.vertices[:, 2].max() < 0.5


def test_values_that_are_not_finite_are_counted_once_each() -> None:
    values = ball_values()
    values[8, 8, 8] = torch.nan  # a node that eight bricks share
    values[3, 3, 3] = torch.inf
    with pytest.raises(ValueError, match="values: expected finite numbers, got 2 of 13824 that are not"):
        mesh(values)
    large = values.double().nan_to_num(posinf=1.0).numpy()
    large[3, 3, 3] = 1e300  # of float64, more than float32 holds
    with pytest.raises(ValueError, match="values: expected finite numbers, got 1 of 13824 that are not"):
        mesh(large)


@pytest.mark.parametrize("shape", [(1, 9, 9), (9, 1, 9), (9, 9, 1), (9, 9, 9)])
def test_one_layer_and_no_crossing_give_an_empty_mesh(shape: tuple[int, int, int]) -> None:
    made = mesh(torch.randn(shape) if 1 in shape else torch.ones(shape))
    assert (made.vertices.shape, made.faces.shape, made.normals.shape) == ((0, 3), (0, 3), (0, 3))
    assert (made.report.components, made.report.watertight) == (0, True)


def test_report_of_known_meshes() -> None:
    nested = mesh(iso.Scene(show=iso.sphere(0.8).shell(0.2)), resolution=48).report
    assert (nested.watertight, nested.components, nested.genus) == (True, 2, 0)
    assert nested.volume == pytest.approx(4 / 3 * math.pi * (0.9**3 - 0.7**3), rel=0.02)
    assert nested.area == pytest.approx(4 * math.pi * (0.9**2 + 0.7**2), rel=0.02)
    ring = mesh(iso.Scene(show=iso.torus(0.6, 0.2)), resolution=48).report
    assert (ring.components, ring.genus) == (1, 1)
    half = report_of(torch.eye(3), torch.tensor([[0, 1, 2]]))
    assert (half.watertight, half.genus, half.volume, half.components) == (False, None, None, 1)
    assert half.area == pytest.approx(math.sqrt(3) / 2)
    assert "not watertight" in str(half)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"resolution": 3}, ValueError, "resolution: expected 4 to 4096 cells, got 3"),
        ({"resolution": 64.0}, TypeError, "resolution: expected a whole number, got 64.0"),
        ({"level": math.nan}, ValueError, "level: expected a finite number, got nan"),
        ({"bounds": ((0, 0, 0), (1, 1, -1))}, ValueError, "bounds: expected finite corners"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, object], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        mesh(iso.Scene(show=iso.sphere(0.5)), **arguments)  # type: ignore[arg-type]


def test_wrong_sources_are_named() -> None:
    with pytest.raises(TypeError, match="source: expected a Scene, a Field, a TriangleMesh, a MeshTree or values"):
        mesh(iso.sphere(0.5))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="field: expected one of 3 dimensions and 1 channel, got 2 and 1"):
        mesh(Grid(2, 1, nodes=4))
    with pytest.raises(ValueError, match="level: expected a number for a density"):
        mesh(Grid(3, 1, nodes=4, meaning="density"))
    with pytest.raises(ValueError, match=r"values: expected shape \(X, Y, Z\)"):
        mesh(torch.ones(3, 3))


def test_a_mesh_that_is_empty_is_not_saved(tmp_path: object) -> None:
    empty = Mesh(torch.empty(0, 3), torch.empty(0, 3, dtype=torch.int32), torch.empty(0, 3))
    with pytest.raises(ValueError, match="expected a mesh with triangles to write"):
        empty.save(f"{tmp_path}/empty.ply")


def test_a_signed_distance_is_evaluated_near_its_surface_only(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    field = MLP(3, 1, width=16, layers=2, activation="softplus", meaning="signed_distance")
    field.bounds = ((-1.0,) * 3, (1.0,) * 3)
    last = field.network[-1]
    with torch.no_grad():  # steeper than a distance
        last.weight *= 6.0
        last.bias -= float(field(torch.zeros(1, 3)))
    asked = 0
    evaluate = MLP.evaluate

    def counted(self: MLP, points: torch.Tensor) -> torch.Tensor:
        nonlocal asked
        asked += len(points)
        return evaluate(self, points)

    monkeypatch.setattr(MLP, "evaluate", counted)
    found = mesh(field, resolution=128)
    assert asked < 0.35 * 129**3
    monkeypatch.setattr(FieldSurface, "_steepest", lambda self, bricks: math.inf)
    asked = 0
    dense = mesh(field, resolution=128)
    assert asked > 129**3
    assert len(found.faces) == len(dense.faces) > 1000
    order, wanted = (one.vertices[one.vertices[:, 0].argsort()] for one in (found, dense))
    assert (order[:, 0] - wanted[:, 0]).abs().max() < 1e-5
