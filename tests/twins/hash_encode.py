"""The hash encoding in PyTorch's functions, all points and corners of a level at once."""

from __future__ import annotations

import itertools

import torch

from isofield.kernels import HashLevels

PRIMES = (1, 2654435761, 805459861)


def hash_encode_twin(
    table: torch.Tensor,
    points: torch.Tensor,
    levels: HashLevels,
    *,
    smoothstep: bool = False,
    active: float | None = None,
) -> torch.Tensor:
    """(N, L·F), differentiable any number of times; the formula and the arguments are those of `hash_encode`."""
    size = levels.dimensions
    corners = torch.tensor(list(itertools.product((0, 1), repeat=size)), device=points.device)  # (2^D, D)
    features, start = [], 0
    for level, cells in enumerate(levels.resolutions):
        place = points.clamp(0.0, 1.0) * cells
        cell = place.detach().nan_to_num(0.0).floor().long().clamp(0, cells - 1)
        f = place - cell
        w = f * f * (3.0 - 2.0 * f) if smoothstep else f
        dense = (cells + 1) ** size <= levels.entries
        length = (cells + 1) ** size if dense else levels.entries
        weights = points.new_ones(())
        rows = corners.new_zeros(())
        for d in range(size):
            weights = weights * torch.where(corners[:, d] == 1, w[:, d, None], 1.0 - w[:, d, None])  # (N, 2^D)
            node = cell[:, d, None] + corners[:, d]
            rows = rows * (cells + 1) + node if dense else rows ^ node * PRIMES[d] & 0xFFFFFFFF
        rows = rows % length
        values = table[start : start + length].index_select(0, rows.flatten()).view(*rows.shape, -1)
        on = 1.0 if active is None else min(max(active - level, 0.0), 1.0)
        features.append(on * (weights[..., None] * values).sum(dim=1))
        start += length
    return torch.cat(features, dim=1)
