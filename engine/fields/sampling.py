"""Fields at many points: pictures."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from .base import Field

CHUNK = 2**16  # points evaluated at a time


def picture_points(width: int, height: int, rows: range | None = None) -> torch.Tensor:
    """Points (rows · width, 2) of a picture's pixels, row by row, in [0, 1]²: corners aligned, x right, y down.

    Pixel k of n lies at k / (n - 1), so that a picture sampled at its own size comes out unchanged; a lone one at 0.5.
    """
    y = _places(height)[slice(None) if rows is None else slice(rows.start, rows.stop)]
    x = _places(width)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).reshape(-1, 2)


def sample_picture(field: Field, width: int, height: int) -> torch.Tensor:
    """The picture (height, width, C) of a field of two dimensions over its bounds, on the CPU, without gradients.

    Raises:
        ValueError: the field has not two dimensions.
    """
    if field.dimensions != 2:
        raise ValueError(f"field: expected one of 2 dimensions, got {field.dimensions}")
    picture = torch.empty(height, width, field.channels)
    for rows in _bands(width, height):
        points = at_bounds(field, picture_points(width, height, rows))
        picture[rows.start : rows.stop] = evaluated(field, points).reshape(len(rows), width, field.channels)
    return picture


@torch.no_grad()
def evaluated(field: Field, points: torch.Tensor) -> torch.Tensor:
    """Values (N, C) at any number of points (N, D), on the CPU, evaluated in chunks where and as the field is."""
    place = next(iter(field.state_dict().values()), points)
    to = place if place.is_floating_point() else points.to(place.device)
    return torch.cat([field(part.to(to)).cpu() for part in torch.split(points, CHUNK)])


def at_bounds(field: Field, unit: torch.Tensor) -> torch.Tensor:
    """Points (N, D) in the field's bounds at unit coordinates (N, D)."""
    low, high = (unit.new_tensor(corner) for corner in field.bounds)
    return low + unit * (high - low)


def _places(count: int) -> torch.Tensor:
    return torch.linspace(0.0, 1.0, count, dtype=torch.float64).float() if count > 1 else torch.tensor([0.5])


def _bands(width: int, height: int) -> Iterator[range]:
    """The rows of a picture in bands of about `CHUNK` pixels."""
    step = max(1, CHUNK // width)
    for top in range(0, height, step):
        yield range(top, min(top + step, height))
