"""Interpolation on a grid in PyTorch's functions, all points at once."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor


def interpolate_twin(values: Tensor, points: Tensor, *, boundary: str = "border", align_corners: bool = True) -> Tensor:
    """Sum over the corners of a cell of a node's value times 1 - its distance from the point along every axis."""
    sizes = torch.tensor(values.shape[:-1], dtype=points.dtype)
    position = points * (sizes - 1) if align_corners else points * sizes - 0.5
    if boundary == "border":
        position = position.clamp(min=0).minimum(sizes - 1)
    low = position.detach().floor()
    result = torch.zeros(len(points), values.shape[-1], dtype=values.dtype)
    for corner in itertools.product((0, 1), repeat=points.shape[1]):
        node = low + torch.tensor(corner)
        weight = (1 - (position - node).abs()).prod(dim=1)
        inside = ((node >= 0) & (node < sizes)).all(dim=1)
        index = node.clamp(min=0).minimum(sizes - 1).long().unbind(dim=1)
        result = result + (weight * inside)[:, None] * values[index]
    return result
