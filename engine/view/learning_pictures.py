"""Pictures of a field in training: the field itself or a cut through it, and the curve of its loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..fields import Field, evaluated, sample_picture
from ..render import iso_colours, line_spacing

SIDE = 224  # pixels of the longer side of what is evaluated
CURVE_HEIGHT, CURVE_COLOUR, CURVE_GROUND = 0.22, (0.95, 0.75, 0.2), (0.08, 0.08, 0.1)  # share of the height; sRGB
GROUND = 0.05  # sRGB


@dataclass(frozen=True)
class Cut:
    """Where a field of three dimensions is looked at: across an axis, at a share of its bounds."""

    axis: int = 1
    at: float = 0.5


def screen_of(picture: torch.Tensor, losses: Sequence[float], width: int, height: int, left: int) -> torch.Tensor:
    """A screen (height, width, 3): right of column `left` a picture as large as fits, the curve of losses under it."""
    screen = torch.full((height, width, 3), GROUND)
    bottom = round((1.0 - CURVE_HEIGHT) * height)
    scale = min((width - left) / picture.shape[1], bottom / picture.shape[0])
    high, wide = max(1, int(picture.shape[0] * scale)), max(1, int(picture.shape[1] * scale))
    rows = torch.arange(high) * picture.shape[0] // high
    columns = torch.arange(wide) * picture.shape[1] // wide
    x, y = left + (width - left - wide) // 2, (bottom - high) // 2
    screen[y : y + high, x : x + wide] = picture[rows[:, None], columns]
    screen[bottom:, left:] = loss_curve(losses, width - left, height - bottom)
    return screen


def field_picture(field: Field, cut: Cut) -> torch.Tensor:
    """A picture (height, width, 3), sRGB in [0, 1], of a field, or of a cut through one of three dimensions.

    Signed distances are lines, other single values greys.
    """
    if field.dimensions == 2:
        low, high = field.bounds
        aspect = getattr(field, "aspect", (high[0] - low[0]) / (high[1] - low[1]))
        width, height = (SIDE, round(SIDE / aspect)) if aspect >= 1.0 else (round(SIDE * aspect), SIDE)
        return _colours(sample_picture(field, max(1, width), max(1, height)))
    low, high = field.bounds
    across, up = [axis for axis in range(3) if axis != cut.axis]
    size = [high[axis] - low[axis] for axis in (across, up)]
    wide, tall = (max(1, round(SIDE * extent / max(size))) for extent in size)
    points = torch.empty(tall, wide, 3)
    points[..., cut.axis] = low[cut.axis] + cut.at * (high[cut.axis] - low[cut.axis])
    points[..., across] = torch.linspace(low[across], high[across], wide)[None, :]
    points[..., up] = torch.linspace(high[up], low[up], tall)[:, None]  # up is upwards in the picture
    values = evaluated(field, points.reshape(-1, 3)).reshape(tall, wide, field.channels)
    if field.meaning != "signed_distance":
        return _colours(values)
    flat = values[..., 0].reshape(-1)
    box = ((low[0], low[1], low[2]), (high[0], high[1], high[2]))
    pixel = torch.full_like(flat, max(size) / SIDE)
    return iso_colours(flat, line_spacing(box), pixel).reshape(tall, wide, 3)


def loss_curve(losses: Sequence[float], width: int, height: int) -> torch.Tensor:
    """The logarithms of losses from the first to the last as a curve in a picture (height, width, 3)."""
    picture = torch.tensor(CURVE_GROUND).repeat(height, width, 1)
    good = torch.tensor([loss for loss in losses if 0.0 < loss < math.inf], dtype=torch.float64).log()
    if len(good) < 2:
        return picture
    places = torch.linspace(0, len(good) - 1, width, dtype=torch.float64)
    below = places.long().clamp(max=len(good) - 2)
    values = torch.lerp(good[below], good[below + 1], places - below)
    share = (values - values.min()) / (values.max() - values.min()).clamp(min=1e-9)
    rows = (0.05 + 0.9 * (1.0 - share)) * (height - 1)
    # From a column's value to the next one's, so that the curve has no gaps.
    start, stop = rows, torch.cat([rows[1:], rows[-1:]])
    places = torch.arange(height)[:, None]
    on = (places >= torch.minimum(start, stop) - 0.8) & (places <= torch.maximum(start, stop) + 0.8)
    return torch.where(on[..., None], torch.tensor(CURVE_COLOUR), picture)


def _colours(values: torch.Tensor) -> torch.Tensor:
    """Values (height, width, C) as colours: three channels as they are, one as greys."""
    return (values[..., :3] if values.shape[-1] >= 3 else values[..., :1].expand(-1, -1, 3)).clamp(0.0, 1.0)
