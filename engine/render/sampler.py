"""Where in a pixel the samples of a picture lie."""

from __future__ import annotations

from typing import NamedTuple


class SamplePlace(NamedTuple):
    """Where a sample of a pixel lies.

    Attributes:
        shift: to the right of and below the pixel's centre, pixels.
        jitter: in [0, 1), for all else that is sampled.
    """

    shift: tuple[float, float]
    jitter: float


def sample_place(sample: int, samples: int, seed: int) -> SamplePlace:
    """The place of a sample of a pixel; a single one lies at the centre with jitter 0.

    R3 sequence (M. Roberts 2018), turned by the seed.
    """
    if samples == 1:
        return SamplePlace((0.0, 0.0), 0.0)
    start = (seed * 0.5698402909980532) % 1.0
    x, y, z = ((start + (sample + 1) * a) % 1.0 for a in (0.8191725133961645, 0.6710436067037893, 0.5497004779019703))
    return SamplePlace((x - 0.5, y - 0.5), z)
