"""Order of evaluation: trees of every form against a plain recursive evaluation, and the machine's limits by name."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
import torch

import isofield as iso
from isofield.engine.build import build_program
from isofield.engine.program import BuildError
from isofield.engine.shapes import Shape
from isofield.kernels import Program, distance, sphere_trace
from isofield.kernels.program.operations import (
    CLEAR,
    FIRST_WARP,
    OPERATION_NUMBERS,
    SKIP,
    VALUE_REGISTERS,
    Column,
    Combine,
)
from isofield.kernels.program.twin import distance_twin

# A tree as nested tuples: ("ball", x, y, z, radius) or (operation, smooth, part, part, …).
Tree = tuple

RANDOM = np.random.default_rng(0)


def ball() -> Tree:
    return ("ball", *RANDOM.uniform(-0.8, 0.8, 3), RANDOM.uniform(0.3, 0.7))


def shape_of(tree: Tree) -> Shape:
    if tree[0] == "ball":
        return iso.sphere(float(tree[4])).translate(*map(float, tree[1:4]))
    return getattr(iso, tree[0])(*map(shape_of, tree[2:]), smooth=tree[1])


def value_of(tree: Tree, points: np.ndarray) -> np.ndarray:
    """The tree's value by its definition: parts folded in the order written."""
    if tree[0] == "ball":
        return np.linalg.norm(points - np.array(tree[1:4]), axis=1) - tree[4]
    smooth = tree[1]

    def least(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        if smooth == 0.0:
            return np.minimum(a, b)
        return np.minimum(a, b) - np.maximum(smooth - np.abs(a - b), 0.0) ** 2 / (4.0 * smooth)

    fold = {
        "union": least,
        "intersection": lambda a, b: -least(-a, -b),
        "difference": lambda a, b: -least(-a, b),
        "xor": lambda a, b: -least(-least(a, b), -least(-a, -b)),
    }[tree[0]]
    return reduce(fold, (value_of(part, points) for part in tree[2:]))


def check(tree: Tree) -> None:
    points = RANDOM.uniform(-1.5, 1.5, (500, 3)).astype(np.float32)
    program = build_program(iso.Scene(show=shape_of(tree)))
    assert np.abs(distance(program, points) - value_of(tree, points.astype(float))).max() < 1e-5


OPERATIONS = ("union", "intersection", "difference", "xor")


def test_the_fold_of_this_file_is_the_sharp_one_and_a_blend() -> None:
    centre = np.zeros((1, 3))
    a, b = ("ball", 0.0, 0.0, 0.0, 0.5), ("ball", 1.0, 0.0, 0.0, 0.5)
    assert value_of(("union", 0.0, a, b), centre) == -0.5
    assert value_of(("difference", 0.0, a, b), centre) == -0.5
    middle = np.array([[0.5, 0.0, 0.0]])
    assert np.isclose(value_of(("union", 0.2, a, b), middle), -0.05)  # both 0, so a quarter of the radius


@pytest.mark.parametrize("smooth", [0.0, 0.1])
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("count", [1, 2, 3, 5, 12])
def test_parts_are_folded_in_the_order_written(operation: str, count: int, smooth: float) -> None:
    check((operation, smooth, *(ball() for _ in range(count))))


@pytest.mark.parametrize("smooth", [0.0, 0.1])
@pytest.mark.parametrize("side", ["left", "right"])
def test_deep_trees_need_few_registers(side: str, smooth: float) -> None:
    tree = ball()
    for level in range(100):
        parts = (tree, ball()) if side == "left" else (ball(), tree)
        tree = (("union", "difference", "intersection", "union")[level % 4], smooth, *parts)
    check(tree)


@pytest.mark.parametrize("smooth", [0.0, 0.05])
@pytest.mark.parametrize("first", range(4))
def test_balanced_trees_of_128_leaves(first: int, smooth: float) -> None:
    layer = [ball() for _ in range(128)]
    level = first
    while len(layer) > 1:
        layer = [(OPERATIONS[level % 4], smooth, a, b) for a, b in zip(layer[::2], layer[1::2], strict=True)]
        level += 1
    check(layer[0])


def test_heavy_parts_anywhere_in_a_fold() -> None:
    """The part that needs most registers stands first, second, last, and is a cutter."""
    heavy = ball()
    for _ in range(5):
        heavy = ("xor", 0.0, heavy, ("intersection", 0.05, ball(), ball()))
    for operation in OPERATIONS:
        for smooth in (0.0, 0.1):
            for place in range(4):
                parts = [ball() for _ in range(4)]
                parts[place] = heavy
                check((operation, smooth, *parts))


def third(levels: int) -> Shape:
    """Each level a smooth fold whose third part, which cannot come first, is the next level."""
    shape: Shape = iso.sphere(0.3)
    for _ in range(levels):
        shape = iso.union(iso.box(0.2), iso.box(0.3), shape, smooth=0.1)
    return shape


def test_more_registers_than_there_are_is_an_error_that_names_the_limit() -> None:
    build_program(iso.Scene(show=third(VALUE_REGISTERS - 2)))
    with pytest.raises(BuildError, match=f"{VALUE_REGISTERS} value registers"):
        build_program(iso.Scene(show=third(VALUE_REGISTERS + 2)))


def test_more_warps_than_there_are_point_registers_is_an_error_that_names_the_limit() -> None:
    shape: Shape = iso.sphere(0.3)
    for _ in range(7):
        shape = shape.elongate(0.1)
    program = build_program(iso.Scene(show=shape))
    # Seven times pulled apart by 0.1 along x.
    points = torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert torch.allclose(distance(program, points), torch.tensor([2.0 - 0.35 - 0.3, 0.7]), atol=1e-5)
    with pytest.raises(BuildError, match="deeper than 7"):
        build_program(iso.Scene(show=shape.elongate(0.1)))


def test_scenes_deeper_than_the_limit_are_refused() -> None:
    shape: Shape = iso.sphere(0.3)
    for _ in range(1001):
        shape = shape.round(0.0)
    with pytest.raises(BuildError, match="1000 deep"):
        build_program(iso.Scene(show=shape))


def test_shapes_used_by_shapes_used_count_every_time() -> None:
    shape: Shape = iso.sphere(0.3)
    for level in range(21):
        shape = iso.union(shape, shape, smooth=0.1 + level)
    with pytest.raises(BuildError, match="1000000 shapes"):
        build_program(iso.Scene(show=shape))


def read_before_written(program: Program) -> list[int]:
    """Rows that read a value register in which nothing has been put yet by this evaluation.

    Register 0 starts with the limit, which only a sharp union may read.
    """
    written: set[int] = set()
    found = []
    sharp = program.parameters[program.rows[:, Column.PARAMETERS].long() + 1] == 0.0
    for index, row in enumerate(program.rows.tolist()):
        operation, target, value, combine = (
            row[i] for i in (Column.OPERATION, Column.TARGET, Column.VALUE, Column.COMBINE)
        )
        if operation >= FIRST_WARP:
            continue
        reads = {value} if operation == SKIP or operation >= OPERATION_NUMBERS["keep"] else set()
        if operation not in (SKIP, CLEAR) and combine != Combine.SET:
            reads.add(target)
        limited = combine == Combine.UNION and bool(sharp[index])
        if any(register not in written and not (register == 0 and limited) for register in reads):
            found.append(index)
        # A union that has read the limit holds it still: only others of its kind may follow.
        if operation != SKIP and not (target == 0 and limited and 0 not in written):
            written.add(target)
    return found


PLANES = [iso.plane(normal).named(name) for name, normal in {"x": (1, 0, 0), "y": (0, 1, 0), "z": (0, 0, 1)}.items()]
ENDLESS = {
    "intersection": (PLANES[0] | PLANES[1]) & PLANES[2],
    "difference": iso.union(*PLANES[:2], smooth=0.1) - PLANES[2],
    "xor": iso.xor(PLANES[0] | PLANES[1], PLANES[2]),
    "shell": (PLANES[0] | PLANES[1]).shell(0.1),
}


@pytest.mark.parametrize("kind", ENDLESS)
@pytest.mark.parametrize("alone", [True, False])
def test_no_row_reads_what_an_earlier_evaluation_left(kind: str, alone: bool) -> None:
    """A marching ray evaluates again and again in the same registers; an endless part stands behind no skip."""
    stage = [] if alone else [ENDLESS[kind]]
    program = build_program(iso.Scene(show=ENDLESS[kind] if alone else iso.sphere(0.3), stage=stage))
    assert read_before_written(program) == []
    random = torch.Generator().manual_seed(0)
    origins = 4.0 * torch.rand(500, 3, generator=random) + torch.tensor([0.5, 0.5, 0.5])
    directions = torch.nn.functional.normalize(torch.randn(500, 3, generator=random) - 1.0, dim=1)
    hits = sphere_trace(program, origins, directions)
    met = hits.hit & (hits.distance < 100.0) & (hits.distance > 0.0)
    assert int(met.sum()) > 100
    assert distance_twin(program, (origins + hits.distance[:, None] * directions)[met]).abs().max() < 1e-3
