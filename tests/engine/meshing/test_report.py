"""Parts of meshes: as many as a union of sets finds, whatever the order of sides."""

from __future__ import annotations

import re

import pytest
import torch
from twins.meshes import cube, joined

from isofield.engine.meshing import Keep, Mesh
from isofield.engine.meshing.report import report_of
from isofield.kernels.triangles import part_numbers


def parts(sides: list[list[int]], count: int) -> int:
    """Parts of a graph by a union of sets."""
    above = list(range(count))

    def root(node: int) -> int:
        while above[node] != node:
            node = above[node]
        return node

    for a, b in sides:
        above[root(a)] = root(b)
    return sum(above[node] == node for node in range(count))


@pytest.mark.parametrize(("count", "sides"), [(1, 0), (5, 0), (50, 20), (400, 150), (400, 390), (3000, 2500)])
def test_parts_of_random_graphs(count: int, sides: int) -> None:
    generator = torch.Generator().manual_seed(count + sides)
    graph = torch.randint(count, (sides, 2), generator=generator)
    assert int(part_numbers(graph, count).max()) + 1 == parts(graph.tolist(), count)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_long_chain_is_one_part(reverse: bool) -> None:
    steps = torch.randperm(20_000, generator=torch.Generator().manual_seed(1))
    chain = torch.stack([steps[:-1], steps[1:]], dim=1)
    assert not part_numbers(chain.flip(0) if reverse else chain, len(steps)).any()


def cubes(*sides: float) -> Mesh:
    """Cubes beside each other."""
    corners, faces = cube()
    parts = [(side * corners + torch.tensor([4.0 * i, 0.0, 0.0]), faces) for i, side in enumerate(sides)]
    vertices, faces = joined(*parts)
    return Mesh(vertices, faces, torch.nn.functional.normalize(vertices, dim=1), vertices.clone())


def test_the_report_lists_pieces_by_area() -> None:
    report = cubes(0.1, 1.0, 0.5).report
    assert [piece.area / report.area for piece in report.pieces] == pytest.approx([1 / 1.26, 0.25 / 1.26, 0.01 / 1.26])
    assert [piece.centre for piece in report.pieces] == [
        pytest.approx((x, 0.0, 0.0), abs=1e-6) for x in (4.0, 8.0, 0.0)
    ]
    assert {piece.triangles for piece in report.pieces} == {report.triangles // 3}
    lines = str(report).splitlines()
    assert lines[0].startswith(f"{report.vertices} vertices, ")
    assert re.fullmatch(r"piece 1: 0.794 of the area, \d+ triangles about \(4, [-0-9.e]+, [-0-9.e]+\)", lines[1])
    assert len(lines) == 4
    assert str(cubes(1.0).report).count("\n") == 0
    assert str(cubes(*[1.0] * 11).report).splitlines()[-1] == "3 more: 0.273 of the area"


@pytest.mark.parametrize(("keep", "centres"), [("largest", [4.0]), (0.1, [4.0, 8.0]), (1e-9, [0.0, 4.0, 8.0])])
def test_small_pieces_are_left_out(keep: Keep, centres: list[float]) -> None:
    made = cubes(0.1, 1.0, 0.5).keeping(keep)
    assert sorted(round(piece.centre[0], 3) for piece in made.report.pieces) == centres
    assert made.report.watertight
    assert len(made.normals) == len(made.vertices)
    assert made.colours is not None
    assert torch.equal(made.colours, made.vertices)


def test_a_share_that_no_piece_has_is_refused() -> None:
    with pytest.raises(ValueError, match=r"keep: expected a share that a piece has, the largest has 0\.5, got 0\.6"):
        cubes(1.0, 1.0).keeping(0.6)
    for wrong in (0.0, 1.5, float("nan"), "smallest"):
        with pytest.raises(ValueError, match="keep: expected largest, or a share of the area above 0"):
            cubes(1.0).keeping(wrong)  # type: ignore[arg-type]
    nothing = cubes(1.0)
    nothing = Mesh(nothing.vertices[:0], nothing.faces[:0], nothing.normals[:0])
    assert len(nothing.keeping("largest").faces) == 0


def test_a_side_used_twice_in_one_direction_is_not_watertight() -> None:
    tetrahedron = torch.tensor([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]], dtype=torch.int32)
    vertices = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    closed = report_of(vertices, tetrahedron)
    assert (closed.watertight, closed.components, closed.genus) == (True, 1, 0)
    assert closed.volume == pytest.approx(1.0 / 6.0)
    for wrong in (tetrahedron[:3], torch.cat([tetrahedron, tetrahedron]), tetrahedron[[0, 1, 2, 2]]):
        assert not report_of(vertices, wrong).watertight
    turned = tetrahedron.clone()
    turned[0] = turned[0].flip(0)
    assert not report_of(vertices, turned).watertight
