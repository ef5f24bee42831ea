"""Parts of meshes: as many as a union of sets finds, whatever the order of sides."""

from __future__ import annotations

import pytest
import torch

from isofield.engine.meshing.report import _components, report_of


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
    assert _components(graph, count) == parts(graph.tolist(), count)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_long_chain_is_one_part(reverse: bool) -> None:
    steps = torch.randperm(20_000, generator=torch.Generator().manual_seed(1))
    chain = torch.stack([steps[:-1], steps[1:]], dim=1)
    assert _components(chain.flip(0) if reverse else chain, len(steps)) == 1


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
