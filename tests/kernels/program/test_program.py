"""Checks of a program's tensors: what the machine could stumble over is refused, by row; what is let in ends."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch

from isofield.kernels import Program, distance
from isofield.kernels.lanes.constants import NOTHING_KNOWN
from isofield.kernels.program.operations import OPERATION_NUMBERS, OPERATIONS, Column

BALL = [
    OPERATION_NUMBERS["sphere"],
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
]  # SET register 0 to a ball; factor, support, quarter, radius from 0 on
NUMBER_BLOCK = [1.0, 0.0, 0.0, 0.5]


def made(rows: Any, numbers: Any = NUMBER_BLOCK, names: tuple[str, ...] = ("ball",), **options: Any) -> Program:
    return Program(
        torch.tensor(rows, dtype=torch.int32).reshape(-1, len(Column)),
        torch.tensor(numbers, dtype=torch.float32),
        torch.zeros(len(names), 8),
        names,
        **options,
    )


def changed(**columns: int) -> list[int]:
    row = list(BALL)
    for name, value in columns.items():
        row[Column[name]] = value
    return row


def test_a_program_by_hand_runs() -> None:
    assert distance(made([BALL]), torch.tensor([[2.0, 0.0, 0.0]])).tolist() == [1.5]


def test_a_program_without_rows_is_empty_space() -> None:
    for dtype in (torch.float32, torch.float64):
        assert distance(made([], []), torch.zeros(2, 3, dtype=dtype)).tolist() == pytest.approx([NOTHING_KNOWN] * 2)


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ({"OPERATION": len(OPERATIONS)}, "operation"),
        ({"OPERATION": -1}, "operation"),
        ({"OPERATION": 2**31 - 1}, "operation"),
        ({"TARGET": 16}, "target"),
        ({"TARGET": -1}, "target"),
        ({"POINT": 8}, "point"),
        ({"POINT": -1}, "point"),
        ({"VALUE": 16}, "value"),
        ({"VALUE": -5}, "value"),
        ({"COMBINE": 6}, "combine"),
        ({"COMBINE": -1}, "combine"),
        ({"FRAME": 3}, "frame"),
        ({"FRAME": -1}, "frame"),
        ({"SHAPE": 1}, "shape"),
        ({"SHAPE": -2}, "shape"),
        ({"SKIP": -1}, "skip"),
        ({"SKIP": 4}, "skip"),
        ({"PARAMETERS": -1}, "parameters outside"),
        ({"PARAMETERS": 1}, "parameters outside"),
        ({"PARAMETERS": 2**31 - 1}, "parameters outside"),
        ({"PARAMETERS": -(2**31)}, "parameters outside"),
        ({"FRAME": 1}, "parameters outside"),
        ({"FRAME": 2}, "parameters outside"),
        ({"SKIP": 1}, "parameters outside"),  # its sphere would stand in front of the vector
        ({"OPERATION": OPERATION_NUMBERS["box"]}, "parameters outside"),
        ({"OPERATION": OPERATION_NUMBERS["polygon"], "DATA": 2}, "corners"),
        ({"OPERATION": OPERATION_NUMBERS["polygon"], "DATA": -1}, "corners"),
        ({"OPERATION": OPERATION_NUMBERS["polygon"], "DATA": 2**30}, "parameters outside"),
        ({"OPERATION": OPERATION_NUMBERS["twist"], "TARGET": 0}, "point register"),
        ({"OPERATION": OPERATION_NUMBERS["twist"], "TARGET": 8}, "point register"),
        ({"OPERATION": OPERATION_NUMBERS["skip"], "PARAMETERS": 5, "SKIP": 1}, "parameters outside"),
        ({"OPERATION": OPERATION_NUMBERS["skip"], "SKIP": 2}, "jump past the end"),
    ],
)
def test_a_bad_row_is_refused_by_its_number(columns: dict[str, int], what: str) -> None:
    with pytest.raises(ValueError, match=rf"rows: row 1 has .*{what}") as caught:
        made([BALL, changed(**columns), BALL])
    assert str(changed(**columns)) in str(caught.value)


def test_groups_nested_deeper_than_tiles_hold_are_refused() -> None:
    ball = [0.0, 0.0, 0.0, 1.0, 0.5]
    skip = changed(OPERATION=OPERATION_NUMBERS["skip"], DATA=1, PARAMETERS=5, SHAPE=-1)
    rows = [[*skip[:-1], 40 - at] for at in range(40)] + [changed(PARAMETERS=5)]
    with pytest.raises(ValueError, match=r"rows: row \d+ has .*nest"):
        made(rows, [*ball, *NUMBER_BLOCK])
    made([[*skip[:-1], 32 - at] for at in range(32)] + rows[-1:], [*ball, *NUMBER_BLOCK])
    rows = [[*skip[:-1], 1], [*skip[:-1], 1], rows[-1]]
    with pytest.raises(ValueError, match="rows: row 1 has a group that outlasts"):
        made(rows, [*ball, *NUMBER_BLOCK])


def test_a_register_that_was_never_written_reads_alike_in_machine_and_twin() -> None:
    rows = [changed(POINT=3), changed(OPERATION=OPERATION_NUMBERS["keep"], VALUE=7, COMBINE=1)]
    points = torch.ones(2, 3)
    assert distance(made(rows), points).tolist() == [-0.5, -0.5]
    assert distance(made(rows), points.double()).tolist() == [-0.5, -0.5]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"rows": torch.zeros(1, 10)}, TypeError, "rows: expected torch.int32"),
        ({"rows": torch.zeros(1, 10, dtype=torch.int64)}, TypeError, "rows: expected torch.int32"),
        ({"rows": torch.zeros(1, 9, dtype=torch.int32)}, ValueError, "rows: expected shape"),
        ({"rows": torch.zeros(10, dtype=torch.int32)}, ValueError, "rows: expected shape"),
        ({"rows": [BALL]}, TypeError, "rows: expected a tensor, got list"),
        ({"parameters": torch.zeros(4, dtype=torch.int32)}, TypeError, "parameters: expected torch.float32 or"),
        ({"parameters": torch.zeros(4, 1)}, ValueError, "parameters: expected shape"),
        ({"surfaces": torch.zeros(2, 8)}, ValueError, r"surfaces: expected shape \(1, 8\)"),
        ({"surfaces": torch.zeros(1, 7)}, ValueError, r"surfaces: expected shape \(1, 8\)"),
        ({"surfaces": torch.zeros(1, 8, dtype=torch.float64)}, TypeError, "surfaces: expected torch.float32"),
        ({"rows": torch.zeros(1, 10, dtype=torch.int32).expand(2**22 + 1, 10)}, ValueError, "at most 4194304"),
    ],
)
def test_a_bad_tensor_is_refused_by_name(change: dict[str, Any], error: type[Exception], words: str) -> None:
    good = {
        "rows": torch.tensor([BALL], dtype=torch.int32),
        "parameters": torch.tensor(NUMBER_BLOCK),
        "surfaces": torch.zeros(1, 8),
        "names": ("ball",),
    }
    with pytest.raises(error, match=words):
        Program(**(good | change))


def test_other_numbers_must_be_as_many() -> None:
    program = made([BALL])
    assert distance(program.with_parameters(torch.tensor([1.0, 0.0, 0.0, 2.0])), torch.zeros(1, 3)).tolist() == [-2.0]
    with pytest.raises(ValueError, match=r"parameters: expected shape \(4,\), got \(3,\)"):
        program.with_parameters(torch.zeros(3))


FUZZ = """
import sys
import numpy as np, torch
from isofield.kernels import Program, distance, sphere_trace
from isofield.kernels.program.operations import OPERATIONS
from isofield.kernels.film.rays import beams_of
from isofield.kernels.program.tiles import tiles_of
from isofield.kernels.trace import march

random = np.random.default_rng(0)
accepted = refused = 0
points = torch.tensor(random.normal(size=(32, 3)), dtype=torch.float32)
ahead = torch.nn.functional.normalize(points + 0.1, dim=1)
for turn in range(1200):
    count = int(random.integers(1, 9))
    wild = random.random() < 0.3
    high = np.array([len(OPERATIONS), 8, 8, 16, 6, 3, 60, 5, 3, 3])
    rows = random.integers(0, high, (count, 10))
    rows[:, 8] -= 1
    rows[:, 6] += 5
    rows[:, 9] = np.where(rows[:, 0] == 0, rows[:, 9] * (rows[:, 9] + np.arange(count) < count), rows[:, 9] % 2)
    rows[:, 1] = np.where(rows[:, 0] >= len(OPERATIONS) - 8, np.maximum(rows[:, 1], 1), rows[:, 1])
    if wild:
        for _ in range(2):
            rows[random.integers(count), random.integers(10)] = random.choice([-1, 2**31 - 1, -(2**31), 17, 60, 99])
    numbers = torch.tensor(random.normal(size=90) * 10.0 ** random.integers(-3, 4), dtype=torch.float32)
    if random.random() < 0.1:
        numbers[random.integers(90)] = random.choice([np.nan, np.inf, 0.0])
    try:
        program = Program(torch.tensor(rows, dtype=torch.int32), numbers, torch.rand(2, 8), ("a", "b"))
    except ValueError as error:
        assert str(error).startswith("rows: row "), error
        refused += 1
        continue
    accepted += 1
    distance(program, points)
    distance(program, points.double())
    sphere_trace(program, points, ahead, far=5.0, maximum_steps=20)
    march(program, tiles_of(program, beams_of(points, ahead, 4)), points, ahead, (0.0, 5.0), (1e-4, 0.0), 20)
print(accepted, refused)
assert accepted > 150 and refused > 150
"""


def test_random_rows_are_refused_or_run_and_end() -> None:
    done = subprocess.run([sys.executable, "-c", FUZZ], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr[-2000:])
