"""Resolutions, rows and arguments of the hash encoding's levels."""

from __future__ import annotations

from typing import Any

import pytest

from isofield.kernels import HashLevels


def test_resolutions_grow_geometrically() -> None:
    """Doubling from 16 to 512, each level of twice the cells."""
    assert HashLevels(3, levels=6, base=16, finest=512).resolutions == (16, 32, 64, 128, 256, 512)


@pytest.mark.parametrize("levels", [2, 3, 7, 16, 31])
@pytest.mark.parametrize(("base", "finest"), [(1, 1), (3, 10), (16, 512), (16, 2048), (7, 524287)])
def test_first_and_last_resolution_are_those_asked_for(levels: int, base: int, finest: int) -> None:
    found = HashLevels(2, levels=levels, base=base, finest=finest).resolutions
    assert (found[0], found[-1]) == (base, finest)
    assert list(found) == sorted(found)


def test_rows_of_dense_and_hashed_levels() -> None:
    """3, 4, 7 cells: 4² and 5² nodes fit into 32 rows, 8² do not."""
    levels = HashLevels(2, levels=3, base=3, finest=7, entries=32)
    assert levels.resolutions == (3, 4, 7)
    assert levels.dense == (True, True, False)
    assert levels.offsets == (0, 16, 41, 73)
    assert levels.rows == 73


def test_a_level_that_just_fits_is_dense() -> None:
    assert HashLevels(3, levels=1, base=3, finest=3, entries=64).dense == (True,)
    assert HashLevels(3, levels=1, base=4, finest=4, entries=64).dense == (False,)


def test_fade_switches_levels_on_in_turn() -> None:
    levels = HashLevels(2, levels=4)
    assert levels.fade(None) == (1.0, 1.0, 1.0, 1.0)
    assert levels.fade(0) == (0.0, 0.0, 0.0, 0.0)
    assert levels.fade(2.25) == (1.0, 1.0, 0.25, 0.0)
    assert levels.fade(100.0) == (1.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dimensions": 4}, r"dimensions: expected 2 or 3, got 4"),
        ({"levels": 0}, r"levels: expected at least 1, got 0"),
        ({"base": 0}, r"base: expected at least 1, got 0"),
        ({"base": 16, "finest": 8}, r"finest: expected 16 \(base\) … 2\^24, got 8"),
        ({"finest": 2**25}, r"finest: expected 16 \(base\) … 2\^24"),
        ({"levels": 1}, r"finest: expected 16, as base, for one level, got 512"),
        ({"features": 0}, r"features: expected 1 … 8, got 0"),
        ({"features": 9}, r"features: expected 1 … 8, got 9"),
        ({"entries": 1000}, r"entries: expected a power of two, got 1000"),
        ({"entries": 0}, r"entries: expected a power of two, got 0"),
        ({"entries": -8}, r"entries: expected a power of two, got -8"),
        ({"finest": 2**20, "entries": 2**30}, r"entries: expected a table of at most 2\^31 - 1 numbers"),
    ],
)
def test_values_out_of_range(arguments: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HashLevels(**{"dimensions": 3, **arguments})


@pytest.mark.parametrize("wrong", [2.0, True, "3", None])
def test_not_an_int(wrong: Any) -> None:
    with pytest.raises(TypeError, match="levels: expected an int, got"):
        HashLevels(2, levels=wrong)


@pytest.mark.parametrize(("wrong", "error"), [(-0.5, ValueError), (float("nan"), ValueError), ("1", TypeError)])
def test_active_must_be_a_number_of_levels(wrong: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="active: expected"):
        HashLevels(2).fade(wrong)
