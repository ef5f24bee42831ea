"""Values of the hash encoding: against interpolation by PyTorch, by hand, across cells, and for awkward inputs."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch.nn.functional import grid_sample
from twins.hash_encode import hash_encode_twin

from isofield.kernels import HashLevels, hash_encode

MIXED = {
    2: HashLevels(2, levels=4, base=3, finest=30, features=2, entries=2**7),
    3: HashLevels(3, levels=4, base=2, finest=20, features=2, entries=2**7),
}


def numbers(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def places(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 1) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-5), (torch.float64, 1e-12)])
@pytest.mark.parametrize(("dimensions", "features"), [(2, 1), (2, 8), (3, 3), (3, 2)])
def test_a_dense_level_is_grid_sample(dimensions: int, features: int, dtype: torch.dtype, tolerance: float) -> None:
    """Rows of a dense level are a grid in the order of `values[i, j, k]`; grid_sample takes the last axis as x."""
    levels = HashLevels(dimensions, levels=1, base=5, finest=5, features=features, entries=2**8)
    assert levels.dense == (True,)
    table = numbers(levels.rows, features, dtype=dtype)
    points = 1.4 * places(50, dimensions, dtype=dtype) - 0.2  # a part of them outside
    grid = table.T.reshape(1, features, *[6] * dimensions)
    at = (2.0 * points - 1.0).flip(-1).view(1, 50, *[1] * (dimensions - 1), dimensions)
    expected = grid_sample(grid, at, align_corners=True, padding_mode="border").view(features, 50).T
    torch.testing.assert_close(hash_encode(table, points, levels), expected, atol=tolerance, rtol=0.0)


@pytest.mark.parametrize("active", [None, 2.5])
@pytest.mark.parametrize("smoothstep", [False, True])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_dense_and_hashed_levels_like_the_twin(dimensions: int, smoothstep: bool, active: float | None) -> None:
    levels = MIXED[dimensions]
    assert set(levels.dense) == {True, False}
    table, points = numbers(levels.rows, 2), 1.4 * places(301, dimensions) - 0.2
    ours = hash_encode(table, points, levels, smoothstep=smoothstep, active=active)
    twin = hash_encode_twin(table, points, levels, smoothstep=smoothstep, active=active)
    assert ours.shape == (301, 8)
    torch.testing.assert_close(ours, twin, atol=1e-13, rtol=0.0)


def test_large_coordinates_hash_like_32_bits() -> None:
    """Products with the primes overflow 32 bits; at resolution 2^20 almost all do."""
    levels = HashLevels(3, levels=1, base=2**20, finest=2**20, features=2, entries=2**14)
    table, points = numbers(levels.rows, 2), places(2000, 3)
    torch.testing.assert_close(
        hash_encode(table, points, levels), hash_encode_twin(table, points, levels), atol=1e-9, rtol=0.0
    )


def test_a_hashed_node_by_hand() -> None:
    """Node (3, 5, 7) of 10 cells: 3 xor 5 · 2654435761 xor 7 · 805459861, its last four bits are 3 ^ 5 ^ 3 = 5."""
    levels = HashLevels(3, levels=1, base=10, finest=10, features=1, entries=16)
    table = torch.arange(16.0, dtype=torch.float64)[:, None]
    assert (3 ^ (5 * 1 & 15) ^ (7 * 5 & 15)) == 5  # the primes end in …0001 and …0101 in binary
    assert hash_encode(table, torch.tensor([[0.3, 0.5, 0.7]], dtype=torch.float64), levels).item() == pytest.approx(5.0)


def test_weights_sum_to_one() -> None:
    for levels, smoothstep in itertools.product(MIXED.values(), (False, True)):
        table = torch.full((levels.rows, 2), 3.0)
        got = hash_encode(table, places(100, levels.dimensions, dtype=torch.float32), levels, smoothstep=smoothstep)
        torch.testing.assert_close(got, torch.full((100, 8), 3.0), atol=1e-5, rtol=0.0)


@pytest.mark.parametrize("smoothstep", [False, True])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_continuous_across_cells(dimensions: int, smoothstep: bool) -> None:
    """On both sides of a cell's face, 1e-9 apart, the values differ by at most 1e-9 times the slope."""
    levels = MIXED[dimensions]
    table = numbers(levels.rows, 2)
    for axis, cells in itertools.product(range(dimensions), levels.resolutions):
        points = places(40, dimensions)
        points[:, axis] = torch.randint(1, cells, (40,), generator=torch.Generator().manual_seed(2)) / cells
        step = torch.zeros(dimensions, dtype=torch.float64)
        step[axis] = 5e-10
        sides = [hash_encode(table, points + sign * step, levels, smoothstep=smoothstep) for sign in (-1.0, 1.0)]
        assert float((sides[0] - sides[1]).abs().max()) <= 1e-9 * 2.0 * levels.finest * float(table.abs().max()) * 2.0


def test_active_is_exact_at_whole_numbers() -> None:
    levels = MIXED[3]
    table, points = numbers(levels.rows, 2), places(30, 3)
    everything = hash_encode(table, points, levels)
    assert torch.equal(hash_encode(table, points, levels, active=4), everything)
    for on in range(4):
        got = hash_encode(table, points, levels, active=on)
        assert torch.equal(got[:, : 2 * on], everything[:, : 2 * on])
        assert not got[:, 2 * on :].any()
    half = hash_encode(table, points, levels, active=1.5)
    assert torch.equal(half[:, 2:4], 0.5 * everything[:, 2:4])


def test_points_outside_are_moved_to_the_border() -> None:
    levels = MIXED[2]
    table = numbers(levels.rows, 2)
    outside = torch.tensor([[-0.5, 0.3], [1e30, -1e30], [float("inf"), 0.7], [0.2, 1.0000001]], dtype=torch.float64)
    assert torch.equal(hash_encode(table, outside, levels), hash_encode(table, outside.clamp(0.0, 1.0), levels))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_nan_makes_its_own_row_nan_and_no_other(dtype: torch.dtype) -> None:
    levels = MIXED[3]
    table, points = numbers(levels.rows, 2, dtype=dtype), places(9, 3, dtype=dtype)
    expected = hash_encode(table, points, levels)
    points[4, 1] = float("nan")
    points[8, 0] = float("nan")
    got = hash_encode(table, points, levels, active=3)
    assert got[[4, 8]].isnan().all()
    others = [0, 1, 2, 3, 5, 6, 7]
    assert torch.equal(got[others, :6], expected[others, :6])


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 513])
def test_any_number_of_points(count: int) -> None:
    levels = MIXED[3]
    table, points = numbers(levels.rows, 2), places(600, 3)[:count]
    got = hash_encode(table, points, levels)
    assert got.shape == (count, 8)
    assert got.is_contiguous()
    assert torch.equal(got, hash_encode(table, places(600, 3), levels)[:count])


def test_strided_inputs_are_read_right_and_left_alone() -> None:
    levels = MIXED[2]
    table, points = numbers(2, levels.rows).T, places(2, 77).T
    kept = table.clone(), points.clone()
    got = hash_encode(table, points, levels)
    assert torch.equal(got, hash_encode(table.contiguous(), points.contiguous(), levels))
    assert torch.equal(table, kept[0])
    assert torch.equal(points, kept[1])


TABLE, POINTS = torch.zeros(MIXED[3].rows, 2), torch.zeros(5, 3)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"levels": (16, 512)}, TypeError, "levels: expected HashLevels, got tuple"),
        ({"table": None}, TypeError, "table: expected a torch tensor, .* got NoneType"),
        ({"points": [[0.0, 0.0, 0.0]]}, TypeError, "points: expected a torch tensor, .* got list"),
        ({"table": TABLE.half()}, TypeError, "table: expected torch.float32 or torch.float64, got torch.float16"),
        ({"points": POINTS.double()}, TypeError, "points: expected the dtype of table, torch.float32, got .*float64"),
        ({"points": POINTS.long()}, TypeError, "points: expected torch.float32 or torch.float64, got torch.int64"),
        ({"table": TABLE[:-1]}, ValueError, rf"table: expected shape \({len(TABLE)}, 2\), got \({len(TABLE) - 1}, 2\)"),
        ({"table": TABLE[:, :1]}, ValueError, r"table: expected shape"),
        ({"points": POINTS[:, :2]}, ValueError, r"points: expected shape \(N, 3\), got \(5, 2\)"),
        ({"points": POINTS[0]}, ValueError, r"points: expected shape \(N, 3\), got \(3,\)"),
        ({"active": -1.0}, ValueError, "active: expected at least 0, got -1.0"),
        ({"points": torch.zeros(5, 3, device="meta")}, ValueError, "points: expected a tensor on 'cpu'"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_named(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    given = {"table": TABLE, "points": POINTS, "levels": MIXED[3], **arguments}
    with pytest.raises(error, match=message):
        hash_encode(**given)
