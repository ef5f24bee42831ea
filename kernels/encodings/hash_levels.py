"""The levels of a multiresolution hash encoding: their resolutions, and where their rows lie in the table."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, fields
from enum import IntEnum

import torch

from ..lanes import arguments

# Multipliers of the cell's coordinates in the spatial hash (Müller et al. 2022, equation 4).
PRIMES = (1, 2654435761, 805459861)

LARGEST_RESOLUTION = 2**24  # float32 counts no farther
LARGEST_FEATURES = 8  # a packet's features are held in registers


@dataclass(frozen=True)
class HashLevels:
    """Levels of a multiresolution hash encoding, coarse to fine (Müller et al. 2022, "Instant neural graphics
    primitives").

    Level l of L has N_l = ⌊base · (finest / base)^(l / (L - 1))⌋ cells along every axis of [0, 1]^D and N_l + 1 nodes.
    Where all (N_l + 1)^D nodes fit into `entries`, each has a row of its own, the last coordinate fastest; else node
    (i, j, k) has row (i ⊕ 2654435761 j ⊕ 805459861 k) mod entries, in 32 bits, and nodes share rows.

    Args:
        dimensions: D, 2 or 3.
        levels: L, at least 1.
        base, finest: cells along an axis of the coarsest and the finest level; equal if there is one level only.
        features: numbers a row has, 1 … 8.
        entries: the most rows a level may have, a power of two.

    Raises:
        TypeError: one of them is not an int.
        ValueError: one of them is out of its range, or the table has more than 2^31 - 1 numbers.

    Example: HashLevels(2, levels=2, base=3, finest=7, entries=16) has 16 rows of a dense level, as many as it has
    nodes, and 16 of a hashed one, shared by 64 nodes.
    """

    dimensions: int
    levels: int = 12
    base: int = 16
    finest: int = 512
    features: int = 2
    entries: int = 2**17

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) is not int:
                raise TypeError(f"{field.name}: expected an int, got {value!r}")
        expect("dimensions", self.dimensions in (2, 3), "2 or 3", self.dimensions)
        expect("levels", self.levels >= 1, "at least 1", self.levels)
        expect("base", self.base >= 1, "at least 1", self.base)
        low, high = self.base, self.base if self.levels == 1 else LARGEST_RESOLUTION
        span = f"{low}, as base, for one level" if self.levels == 1 else f"{low} (base) … 2^24"
        expect("finest", low <= self.finest <= high, span, self.finest)
        expect("features", 1 <= self.features <= LARGEST_FEATURES, f"1 … {LARGEST_FEATURES}", self.features)
        power = self.entries >= 1 and self.entries & (self.entries - 1) == 0
        expect("entries", power, "a power of two", self.entries)
        numbers = self.rows * self.features
        expect("entries", numbers <= arguments.LARGEST_COUNT, "a table of at most 2^31 - 1 numbers", numbers)

    @functools.cached_property
    def resolutions(self) -> tuple[int, ...]:
        """Cells along an axis, one number a level."""
        steps = max(self.levels - 1, 1)
        # The last power is `finest` itself, or it less a rounding error.
        exact = (self.base * (self.finest / self.base) ** (level / steps) for level in range(self.levels))
        return tuple(math.floor(cells + 1e-6) for cells in exact)

    @functools.cached_property
    def dense(self) -> tuple[bool, ...]:
        """Whether each node of a level has its own row, one answer a level."""
        return tuple((cells + 1) ** self.dimensions <= self.entries for cells in self.resolutions)

    @functools.cached_property
    def offsets(self) -> tuple[int, ...]:
        """Row of the table at which a level begins, one number a level, and then the number of all rows."""
        starts = [0]
        for cells, dense in zip(self.resolutions, self.dense, strict=True):
            starts.append(starts[-1] + ((cells + 1) ** self.dimensions if dense else self.entries))
        return tuple(starts)

    @property
    def rows(self) -> int:
        """Rows of the table."""
        return self.offsets[-1]

    def fade(self, active: float | None) -> tuple[float, ...]:
        """Factor of each level, 0 … 1, with `active` levels switched on, coarse to fine; None switches on all.

        Raises:
            TypeError, ValueError: `active` is no number, negative or NaN.
        """
        if active is None:
            return (1.0,) * self.levels
        if isinstance(active, bool) or not isinstance(active, (int, float)):
            raise TypeError(f"active: expected a number of levels or None, got {active!r}")
        expect("active", active >= 0, "at least 0", active)
        return tuple(float(min(max(active - level, 0.0), 1.0)) for level in range(self.levels))


def expect(name: str, good: bool, expected: str, got: object) -> None:
    """Refuse an argument.

    Raises:
        ValueError: not good.
    """
    if not good:
        raise ValueError(f"{name}: expected {expected}, got {got}")


class LevelColumn(IntEnum):
    """What kernels read of a level."""

    CELLS = 0  # along each axis
    FIRST_ROW = 1  # of the table
    IS_HASHED = 2  # 1 if nodes share rows
    MULTIPLIERS = 3  # of a node's coordinates: strides or primes, one an axis


@functools.lru_cache(maxsize=64)
def layout(levels: HashLevels, device: torch.device) -> torch.Tensor:
    """What kernels read of the levels: (L, 3 + D) int32, see LevelColumn."""
    rows = []
    for cells, dense, start in zip(levels.resolutions, levels.dense, levels.offsets[:-1], strict=True):
        strides = [(cells + 1) ** (levels.dimensions - 1 - axis) for axis in range(levels.dimensions)]
        primes = [prime - 2**32 if prime >= 2**31 else prime for prime in PRIMES[: levels.dimensions]]
        rows.append([cells, start, int(not dense), *(strides if dense else primes)])
    return torch.tensor(rows, dtype=torch.int32, device=device)
