"""`program_distance` within a host's own kernel gives what `distance` does."""

import math

import pytest
import torch

import isofield as iso
from isofield.kernels import Program, distance
from isofield.kernels.program import program_distance
from isofield.kernels.runtime import ti


@ti.kernel
def evaluate(
    rows: ti.types.ndarray(ti.i32, 2),
    parameters: ti.types.ndarray(ti.f32, 1),
    points: ti.types.ndarray(ti.f32, 2),
    values: ti.types.ndarray(ti.f32, 1),
    row_count: ti.i32,
):
    for i in range(values.shape[0]):
        point = ti.Vector([points[i, 0], points[i, 1], points[i, 2]])
        values[i] = program_distance(rows, row_count, parameters, point)


@pytest.mark.parametrize(
    "shape", [iso.sphere(0.5), iso.box(1.0).scale(1e-3) | iso.torus()], ids=["ball", "small parts"]
)
def test_points_of_every_size(shape: iso.Shape) -> None:
    program: Program = iso.build_program(iso.Scene(shape))
    points = torch.tensor(
        [[0.0, 0.0, 1.0], [0.1, 0.2, 0.3], [3e8, 0.0, 0.0], [3e20, 4e20, 0.0], [0.0, 0.0, 1e38], [math.inf, 0.0, 0.0],
         [0.0, math.nan, 0.0], [0.0, 0.0, -math.inf]]
    )  # fmt: skip
    found = torch.empty(len(points))
    evaluate(program.rows, program.numbers, points, found, len(program.rows))
    assert torch.allclose(found, distance(program, points), rtol=1e-6, equal_nan=True)
    assert found.isnan().tolist() == [False] * 5 + [True] * 3
