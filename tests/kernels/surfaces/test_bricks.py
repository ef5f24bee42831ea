"""Marching cubes by bricks: the mesh of the whole volume, from few of its values."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from meshes import defects
from torch import Tensor

import isofield as iso
from isofield.kernels import Program, distance, marching_cubes
from isofield.kernels.program.evaluate import distance_and_gradient_by_tiles, normals_by_tiles
from isofield.kernels.program.tiles import one_tile_with_planes
from isofield.kernels.surfaces import bounded_search, program_bricks, surface_following
from isofield.kernels.surfaces.bounded_search import add_bounded, all_bricks
from isofield.kernels.surfaces.brick_kernels import NODES, SIDE
from isofield.kernels.surfaces.bricks import Bricks
from isofield.kernels.surfaces.program_bricks import add_program, is_lipschitz, vertex_tiles
from isofield.kernels.surfaces.program_values import brick_values
from isofield.kernels.surfaces.surface_following import add_followed

BOUNDS = ((-1.1, -1.0, -0.9), (1.0, 1.2, 1.1))


def bricks_of(values: Tensor) -> tuple[Tensor, Tensor]:
    """All bricks of a volume (B, 3) and the values at their nodes (B, 9³)."""
    sides = [-(-nodes // SIDE) for nodes in values.shape]
    x, y, z = (
        (SIDE * torch.arange(side)[:, None] + torch.arange(SIDE + 1)).clamp(max=nodes - 1)
        for side, nodes in zip(sides, values.shape, strict=True)
    )
    parts = values[x][:, :, y][:, :, :, :, z].permute(0, 2, 4, 1, 3, 5).reshape(-1, NODES)
    return torch.cartesian_prod(*(torch.arange(side, dtype=torch.int32) for side in sides)), parts.contiguous()


def sorted_mesh(vertices: Tensor, faces: Tensor) -> tuple[Tensor, Tensor]:
    """The mesh with its vertices in the order of their coordinates, and its faces in that of their vertices."""
    ordered, number = vertices.unique(dim=0, return_inverse=True)
    assert len(ordered) == len(vertices)
    faces = number[faces.long()]
    first = faces.argmin(dim=1, keepdim=True)
    turned = faces.gather(1, (first + torch.arange(3)) % 3)
    return ordered, turned.unique(dim=0)


def assert_same(one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> None:
    first, second = sorted_mesh(*one), sorted_mesh(*other)
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


@pytest.mark.parametrize("shape", [(9, 9, 9), (8, 8, 8), (17, 20, 13), (2, 3, 40), (26, 18, 25)])
@pytest.mark.parametrize("kind", ["normal", "whole"])
def test_bricks_give_the_mesh_of_the_volume(kind: str, shape: tuple[int, int, int]) -> None:
    random = torch.Generator().manual_seed(2)
    values = torch.randn(shape, generator=random)
    values = values.round() if kind == "whole" else values
    bricks = Bricks(shape, BOUNDS)
    coordinates, parts = bricks_of(values)
    order = torch.randperm(len(parts), generator=random)
    for some in order.split(3):
        bricks.add(coordinates[some], parts[some])
    assert_same(bricks.mesh(), marching_cubes(values, bounds=BOUNDS))


def test_layers_give_the_mesh_of_the_volume() -> None:
    values = torch.nn.functional.pad(torch.randn(15, 17, 20), (1,) * 6, value=1.0)
    bricks = Bricks((17, 19, 22), BOUNDS, level=0.2)
    for layer in range(bricks.brick_counts[0]):
        bricks.add_layer(layer, values[SIDE * layer : SIDE * layer + SIDE + 1])
    found = bricks.mesh()
    assert defects(*found) == []
    assert_same(found, marching_cubes(values, 0.2, bounds=BOUNDS))


def test_no_bricks_and_bricks_without_surface_give_an_empty_mesh() -> None:
    bricks = Bricks((9, 9, 9), None)
    bricks.add(torch.zeros(1, 3, dtype=torch.int32), -torch.ones(1, NODES))
    vertices, faces = bricks.mesh()
    assert (vertices.shape, faces.shape) == ((0, 3), (0, 3))


def balls(count: int) -> iso.Shape:
    random = torch.Generator().manual_seed(4)
    places = (1.6 * torch.rand(count, 3, generator=random) - 0.8).tolist()
    return iso.union(
        *(
            (iso.sphere(0.1) if n % 2 else iso.box(0.15) - iso.sphere(0.09)).rotate(31 * n).translate(*at)
            for n, at in enumerate(places)
        )
    )


SCENES: dict[str, Callable[[], iso.Shape]] = {
    "a ball": lambda: iso.sphere(0.8),
    "many parts": lambda: balls(60),
    "a smooth union": lambda: iso.union(
        *(iso.sphere(0.3).translate(0.4 * n - 0.8, 0, 0) for n in range(5)), smooth=0.2
    ),
    "a stretched one": lambda: iso.union(iso.sphere(0.5).scale((1.2, 0.3, 1.0)), iso.torus(0.6, 0.1)),
    "a plane": lambda: iso.union(iso.plane(offset=-0.2), iso.sphere(0.3)),
    "a twist": lambda: iso.union(iso.box((0.3, 0.5, 1.2)).twist(90), iso.box((1.0, 0.2, 0.3)).bend(30)),
    "the inside of nothing": lambda: iso.sphere(3.0),
}


def program_of(shape: iso.Shape) -> Program:
    return iso.build_program(iso.Scene(show=shape))


@pytest.mark.parametrize("level", [0.0, 0.07])
@pytest.mark.parametrize("name", SCENES)
def test_a_program_gives_the_mesh_of_all_its_values(name: str, level: float) -> None:
    program = program_of(SCENES[name]())
    assert is_lipschitz(program) == (name != "a twist")
    whole, few = (Bricks((57, 60, 49), BOUNDS, level) for _ in range(2))
    add_program(whole, program, everywhere=True)
    add_program(few, program, everywhere=level != 0.0 and not is_lipschitz(program))
    assert_same(few.mesh(), whole.mesh())


def test_the_values_of_all_bricks_are_the_distance() -> None:
    program = program_of(SCENES["a stretched one"]())
    bricks = Bricks((20, 18, 25), BOUNDS)
    add_program(bricks, program, everywhere=True)
    values = distance(program, torch.cartesian_prod(*bricks.coordinates.split([20, 18, 25]))).reshape(20, 18, 25)
    found, wanted = sorted_mesh(*bricks.mesh()), sorted_mesh(*marching_cubes(values, bounds=BOUNDS))
    assert torch.allclose(found[0], wanted[0], atol=1e-6)
    assert torch.equal(found[1], wanted[1])


def test_only_bricks_near_the_surface_are_evaluated() -> None:
    shares: list[float] = []
    bricks = Bricks((257, 257, 257), ((-1, -1, -1), (1, 1, 1)))
    met = []
    add = bricks.add

    def counted(some: Tensor, values: Tensor) -> None:
        met.append(some)
        add(some, values)

    bricks.add = counted  # type: ignore[method-assign]
    add_program(bricks, program_of(iso.sphere(0.8)), shares.append)
    # Bricks within half a diagonal of the surface: 2 · 0.5 √3 · 4 π (0.8 · 128 / 8)² of 32³.
    assert sum(map(len, met)) < 1.25 * 3**0.5 * 4 * 3.1416 * 12.8**2
    assert shares[-1] == 1.0
    vertices, faces = bricks.mesh()
    assert defects(vertices, faces) == []
    assert vertices.norm(dim=1).sub(0.8).abs().max() < 2e-5


def specks(count: int) -> Program:
    """Balls much smaller than bricks: many of these hold but one, in a corner."""
    places = (2.0 * torch.rand(count, 3, generator=torch.Generator().manual_seed(4)) - 1.0).tolist()
    return program_of(iso.union(*(iso.sphere(0.02).translate(*at) for at in places)))


def test_a_brick_has_a_program_that_tells_its_values_near_the_surface() -> None:
    program = specks(400)
    bricks = Bricks((80, 80, 80), BOUNDS, level=0.01)
    batch = all_bricks(bricks)
    tiles = program_bricks._tiles(bricks, program, batch)
    found, wanted = (
        brick_values(bricks, program, rows, batch, True)[:, :NODES].clone()
        for rows in (tiles, one_tile_with_planes(program))
    )
    near = (wanted - bricks.level).abs() < 2.3 / 79
    assert int(near.sum()) > 5000
    assert torch.equal(found[near], wanted[near])
    assert len(tiles.rows) < len(batch) * len(program.rows) / 10


def test_vertices_come_with_programs_that_tell_their_distance() -> None:
    program = specks(400)
    bricks = Bricks((80, 80, 80), BOUNDS)
    add_program(bricks, program)
    vertices, _ = bricks.mesh()
    away = torch.nn.functional.normalize(torch.randn(vertices.shape, generator=torch.Generator().manual_seed(1)), dim=1)
    seen = torch.zeros(len(vertices), dtype=torch.bool)
    for numbers, tiles in vertex_tiles(bricks, program, 0.1):
        points = vertices[numbers] + 0.1 * away[numbers]
        values, gradients = distance_and_gradient_by_tiles(program, tiles, points)
        wanted = iso.kernels.distance_and_gradient(program, points)
        assert torch.equal(values, wanted[0])
        assert torch.equal(gradients, wanted[1])
        assert len(tiles.rows) < len(tiles.ranges) * len(program.rows) / 3
        seen[numbers] = True
    assert len(vertices) > 1000
    assert int((~seen).sum()) == len(vertices) - int(bricks.first_vertices[-1])


@pytest.mark.parametrize("name", ["a ball", "many parts", "a twist"])
def test_nodes_away_from_the_surface_are_on_the_side_of_their_values(name: str) -> None:
    program = program_of(SCENES[name]())
    bricks = Bricks((57, 60, 49), BOUNDS)
    found = all_bricks(bricks)
    values, few = (
        brick_values(bricks, program, one_tile_with_planes(program), found, everywhere)[:, :NODES].clone()
        for everywhere in (True, False)
    )
    assert torch.equal(few < 0.0, values < 0.0)
    evaluated = few == values
    inside, known = (found.reshape(-1, SIDE + 1, SIDE + 1, SIDE + 1) for found in (values < 0.0, evaluated))
    for axis in (1, 2, 3):
        crossed = inside.diff(dim=axis)
        assert bool(known.narrow(axis, 0, SIDE)[crossed].all() and known.narrow(axis, 1, SIDE)[crossed].all())
    assert 0.02 < float(evaluated.float().mean()) < 0.5


def test_normals_are_the_unit_gradients_and_upwards_where_there_is_none() -> None:
    program = program_of(iso.sphere(0.5).translate(0.1, 0.2, 0))
    points = torch.randn(1000, 3, generator=torch.Generator().manual_seed(3))
    points[17] = torch.tensor([0.1, 0.2, 0.0])
    points[5, 1] = torch.nan
    normals = normals_by_tiles(program, one_tile_with_planes(program), points)
    wanted = torch.nn.functional.normalize(points - points[17], dim=1)
    wanted[17] = torch.tensor([0.0, 0.0, 1.0])
    assert torch.allclose(normals, wanted, atol=2e-3, equal_nan=True)


@pytest.mark.parametrize("slope", [1.0, torch.inf])
@pytest.mark.parametrize("shape", [(33, 40, 26), (9, 9, 9), (2, 17, 8)])
def test_a_bounded_function_is_asked_once_at_each_node_near_its_surface(
    slope: float, shape: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def values(points: Tensor) -> Tensor:
        # A shell and a ball beside it: some layers hold nothing.
        return torch.minimum((points.norm(dim=1) - 0.2).abs(), (points - 0.8).norm(dim=1)) - 0.1

    asked = []

    def recorded(points: Tensor) -> Tensor:
        asked.append(points)
        return values(points)

    near_bricks, near_cubes = bounded_search.near_bricks, bounded_search.near_cubes
    monkeypatch.setattr(bounded_search, "near_bricks", lambda bricks, _, slope: near_bricks(bricks, values, slope))
    monkeypatch.setattr(
        bounded_search, "near_cubes", lambda bricks, batch, _, slope: near_cubes(bricks, batch, values, slope)
    )
    bricks, whole = Bricks(shape, BOUNDS), Bricks(shape, BOUNDS)
    add_bounded(bricks, recorded, slope)
    nodes = torch.cartesian_prod(*whole.coordinates.split(list(shape)))
    points = torch.cat(asked)
    assert len(points.unique(dim=0)) == len(points)
    assert len(points) == len(nodes) if slope > 1.0 else len(points) <= len(nodes)
    coordinates, parts = bricks_of(values(nodes).reshape(shape))
    whole.add(coordinates, parts)
    assert_same(bricks.mesh(), whole.mesh())


def gyroid(points: Tensor) -> Tensor:
    x, y, z = (7.0 * points).unbind(dim=1)
    return x.sin() * y.cos() + y.sin() * z.cos() + z.sin() * x.cos()


@pytest.mark.parametrize("coarse", [64, 17, 5])
@pytest.mark.parametrize("shape", [(33, 40, 26), (2, 17, 8), (41, 9, 9), (1, 9, 9)])
def test_a_surface_that_is_seen_is_followed_to_its_ends(
    coarse: int, shape: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surface_following, "COARSE", coarse)
    bricks, whole, done = Bricks(shape, BOUNDS, 0.1), Bricks(shape, BOUNDS, 0.1), []
    add_followed(bricks, gyroid, done.append)
    whole.add(*bricks_of(gyroid(torch.cartesian_prod(*whole.coordinates.split(list(shape)))).reshape(shape)))
    assert_same(bricks.mesh(), whole.mesh())
    assert torch.equal(bricks.brick_numbers < -1, whole.brick_numbers < -1)  # bricks that are inside as a whole
    assert done == sorted(done)
    assert done[-1] == 1.0


def test_only_what_hangs_together_with_what_is_seen_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thin ring that one node of the coarse grid lies in, through bricks without any, and a speck between nodes."""
    monkeypatch.setattr(surface_following, "COARSE", 8)
    bounds, shape = ((0.0,) * 3, (64.0,) * 3), (65, 65, 65)

    def ring(points: Tensor) -> Tensor:
        x, y, z = (points - torch.tensor([32.0, 32.0, 35.7])).unbind(dim=1)
        return ((x * x + y * y).sqrt() - 18.6).square().add(z * z).sqrt() - 1.5

    def seen(points: Tensor) -> Tensor:
        return torch.minimum(ring(points), (points - torch.tensor([48.0, 40.0, 32.0])).norm(dim=1) - 4.0)

    def all_of_it(points: Tensor) -> Tensor:
        return torch.minimum(seen(points), (points - 4.0).norm(dim=1) - 1.6)

    bricks, whole, asked = Bricks(shape, bounds), Bricks(shape, bounds), 0

    def counted(points: Tensor) -> Tensor:
        nonlocal asked
        asked += len(points)
        return all_of_it(points)

    add_followed(bricks, counted)
    nodes = torch.cartesian_prod(*whole.coordinates.split(list(shape)))
    whole.add(*bricks_of(seen(nodes).reshape(shape)))
    assert_same(bricks.mesh(), whole.mesh())
    coarse = (nodes % 8.0 == 0.0).all(dim=1)
    assert 0 < int((seen(nodes[coarse]) < 0.0).sum()) < 10  # of the ball alone
    assert bool((ring(nodes[coarse]) > 0.0).all())
    assert asked < 0.4 * len(nodes)


def test_values_are_not_taken_for_those_of_a_layer_that_was_left_out() -> None:
    """Two balls of one brick each, with a layer of bricks between them that nothing crosses."""

    def balls(points: Tensor) -> Tensor:
        return torch.stack([(points - torch.tensor([x, 4.0, 4.0])).norm(dim=1) - 3.7 for x in (4.0, 19.8)]).amin(dim=0)

    bricks = Bricks((25, 9, 9), ((0.0,) * 3, (24.0, 8.0, 8.0)))
    add_followed(bricks, balls)
    values = balls(torch.cartesian_prod(*bricks.coordinates.split([25, 9, 9]))).reshape(25, 9, 9)
    assert_same(bricks.mesh(), marching_cubes(values, bounds=((0.0,) * 3, (24.0, 8.0, 8.0))))
    assert bricks.crossed.tolist() == [[0, 0, 0], [2, 0, 0]]


def test_a_mesh_is_closed_although_last_digits_differ_from_batch_to_batch() -> None:
    """Balls that each fill a brick and touch its six faces in one node, on either side by chance."""
    random = torch.Generator().manual_seed(0)

    def values(points: Tensor) -> Tensor:
        centre = torch.where(points < 20.0, 12.0, 28.0)
        return (points - centre).norm(dim=1) - 4.0 + 1e-6 * torch.randn(len(points), generator=random)

    bricks = Bricks((41, 41, 41), ((0.0,) * 3, (40.0,) * 3))
    add_followed(bricks, values)
    vertices, faces = bricks.mesh()
    assert defects(vertices, faces) == []
    assert len(bricks.crossed) > 8
    assert vertices.amax(dim=0) == pytest.approx([32.0, 32.0, 32.0], abs=1e-2)
