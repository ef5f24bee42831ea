"""Skips change nothing but the time: with and without them the same bits come out, and a skip can skip."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

import isofield as iso
from isofield.engine.build import build_program
from isofield.engine.shapes import Shape
from isofield.kernels import Program, distance
from isofield.kernels.program.operations import OPERATION_NUMBERS, SKIP, Column
from isofield.kernels.program.twin import distance_twin


def scattered(make: Callable[[float], Shape], count: int, size: float = 0.15, spread: float = 1.5) -> list[Shape]:
    """Copies of a shape all over a cube, of sizes around `size`."""
    random = torch.Generator().manual_seed(count)
    places = ((2.0 * torch.rand(count, 3, generator=random) - 1.0) * spread).tolist()
    sizes = (size * (0.5 + torch.rand(count, generator=random))).tolist()
    turns = (360.0 * torch.rand(count, generator=random)).tolist()
    return [
        make(radius).rotate(turn, (1.0, 1.0, 0.3)).translate(*place)
        for place, radius, turn in zip(places, sizes, turns, strict=True)
    ]


def mixed(count: int) -> list[Shape]:
    """Balls, boxes, rings and skins of them."""
    makers = (
        iso.sphere,
        iso.box,
        lambda r: iso.torus(r, 0.3 * r),
        lambda r: (iso.box(r) - iso.sphere(0.6 * r)).round(0.02),
    )
    return [shape for at, make in enumerate(makers) for shape in scattered(make, count // 4 + at)]


SCENES: dict[str, Callable[[], list[Shape]]] = {
    "400 in a union": lambda: [iso.union(*mixed(400))],
    "300 on a plane": lambda: [*mixed(300), iso.plane(offset=-0.5)],
    "80 in a smooth union": lambda: [iso.union(*mixed(80), smooth=0.1)],
    "60 in a smooth union with a plane": lambda: [iso.union(*mixed(60), iso.plane(), smooth=0.2)],
    "unions in unions": lambda: [
        iso.union(*(iso.union(*scattered(iso.box, 9 + i)).rotate(30 * i, (0, 1, 1)).scale(0.7) for i in range(8)))
    ],
    "smooth unions in a union": lambda: [
        iso.union(*(iso.union(*scattered(iso.sphere, 12 + i), smooth=0.05 * i) for i in range(6)))
    ],
    "200 cutters": lambda: [iso.difference(iso.box(2.5), *scattered(iso.sphere, 200))],
    "40 smooth cutters": lambda: [iso.difference(iso.box(2.5), *scattered(iso.sphere, 40), smooth=0.1)],
    "cutters that are cut": lambda: [
        iso.difference(iso.sphere(1.5), *(part - iso.sphere(0.8) for part in scattered(iso.box, 30, size=0.6)))
    ],
    "24 in an xor": lambda: [iso.xor(*scattered(iso.sphere, 24, size=0.5))],
    "12 in a smooth xor": lambda: [iso.xor(*scattered(iso.sphere, 12, size=0.5), smooth=0.1)],
    "an intersection of unions": lambda: [
        iso.union(*scattered(iso.sphere, 50, size=0.4)) & iso.union(*scattered(iso.box, 51, size=0.5))
    ],
    "repeats in unions": lambda: [
        iso.union(
            *scattered(iso.sphere, 20),
            iso.union(*scattered(iso.box, 7, size=0.1, spread=0.1)).repeat((0.6, 0.7, 0.8), (3, 2, 2)),
            iso.sphere(0.05).translate(0.5, 0, 0).polar_repeat(9).translate(0, 0, 0.7),
            smooth=0.05,
        )
    ],
    "endless repeats": lambda: [
        iso.union(*scattered(iso.box, 5, size=0.1, spread=0.15)).repeat((0.7, 0.8, 0.0)),
        *mixed(12),
    ],
    "warps of unions": lambda: [
        iso.union(*scattered(iso.box, 12, spread=0.4)).twist(60).translate(-1, 0, 0),
        iso.union(*scattered(iso.sphere, 12, spread=0.4)).shell(0.02).scale((1.0, 0.7, 1.3)).translate(1, 0, 0),
        iso.union(*scattered(iso.box, 12, size=0.1, spread=0.3)).bend(1.0).translate(0, 1, 0),
        iso.union(*scattered(iso.box, 12, spread=0.4)).mirror().wave(0.02, 0.3).translate(0, -1, 0),
        iso.union(*(iso.circle(0.1).translate(0.2 * i, 0.1 * i) for i in range(6))).extrude(0.2).translate(0, 0, 1),
    ],
}  # fmt: skip


def program_of(parts: list[Shape]) -> Program:
    return build_program(iso.Scene(show=parts[0], stage=parts[1:]))


def places() -> torch.Tensor:
    """Points whose packets lie close together, spread over the scene, and half in and half out of it."""
    random = torch.Generator().manual_seed(0)
    spread = 4.0 * torch.rand(1000, 3, generator=random) - 2.0
    centres = (4.0 * torch.rand(150, 1, 3, generator=random) - 2.0).expand(-1, 16, -1)
    clusters = (centres + 0.02 * torch.randn(150, 16, 3, generator=random)).reshape(-1, 3)
    far = 40.0 * torch.randn(160, 3, generator=random)
    return torch.cat([spread, clusters, far])


def without_skips(program: Program) -> Program:
    rows = program.rows.clone()
    rows[rows[:, Column.OPERATION] == SKIP, Column.SKIP] = 0
    return replace(program, rows=rows)


@pytest.mark.parametrize("name", SCENES)
def test_skips_change_no_bit(name: str) -> None:
    program = program_of(SCENES[name]())
    assert bool((program.rows[:, Column.OPERATION] == SKIP).any()) or "60 in" in name
    points = places()
    with_them = distance(program, points)
    assert torch.equal(with_them, distance(without_skips(program), points))
    twin = distance_twin(program, points.double())
    assert ((with_them - twin).abs() <= 1e-5 * points.norm(dim=1).clamp(min=1.0)).all()


def test_a_skip_jumps() -> None:
    """Rows behind a skip are poisoned: far away nobody notices, unless the skip is taken out."""
    near = iso.union(*(iso.sphere(0.1).translate(0.3 * i, 0, 0) for i in range(3)))
    far = iso.union(*(iso.sphere(0.1).translate(100.0 + 0.3 * i, 0, 0) for i in range(9)))
    program = program_of([near, far])
    numbers = program.parameters.clone()
    for row in program.rows.tolist():
        if row[Column.OPERATION] == OPERATION_NUMBERS["sphere"] and numbers[row[Column.PARAMETERS] - 5] > 50.0:
            numbers[row[Column.PARAMETERS]] = -1e6  # the factor of its value
    poisoned = program.with_parameters(numbers)
    points = torch.rand(64, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(distance(poisoned, points), distance(program, points))
    assert bool((distance(without_skips(poisoned), points) < -1e6).all())


def test_the_lane_that_needs_a_part_gets_it() -> None:
    """One point of a packet stands inside a part that all others are far from."""
    program = program_of([iso.union(*(iso.box(0.2).shell(0.02).translate(5.0 * i, 0, 0) for i in range(40)))])
    points = torch.zeros(640, 3)
    points[::16, 0] = 5.0 * torch.arange(40)
    assert torch.allclose(distance(program, points), torch.tensor(0.1 - 0.01), atol=1e-5)


def test_cost_grows_slower_than_the_number_of_shapes() -> None:
    """Rows that a point runs through on average, counted by the machine's rule, for balls in one sharp union."""
    few, many = (_rows_run(program_of(scattered(iso.sphere, count, size=0.02))) for count in (100, 3200))
    assert many < 8 * few  # for 32 times as many shapes


def _rows_run(program: Program) -> float:
    numbers, rows = program.parameters.tolist(), program.rows.tolist()
    points = (3.0 * torch.rand(50, 3, generator=torch.Generator().manual_seed(0)) - 1.5).tolist()
    run = 0
    for point in points:
        known, at = math.inf, 0
        while at < len(rows):
            run += 1
            block = rows[at][Column.PARAMETERS]
            # The cone under a ball's value is that value, but for the share that keeps rounding harmless.
            value = math.dist(point, numbers[block - 5 : block - 2]) - numbers[block - 1]
            if rows[at][Column.OPERATION] != SKIP:
                known = min(known, value)
            elif value >= known:
                at += rows[at][Column.SKIP]
            at += 1
    return run / len(points)
