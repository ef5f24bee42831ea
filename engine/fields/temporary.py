"""Stands in for a kernel that is on its way, by torch alone; removed when it is there."""

from __future__ import annotations

import math

import torch


def positional_encoding(points, octaves):  # type: ignore[no-untyped-def]
    f = 2 * math.pi * 2.0 ** torch.arange(octaves, dtype=points.dtype, device=points.device)
    p = (points[..., None] * f).flatten(-2)
    return torch.cat([p.sin(), p.cos()], -1)
