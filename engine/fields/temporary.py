"""Stands in for kernels that are on their way, by torch alone; removed when they are there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch


def interpolate(values, points, *, boundary="border", align_corners=True):  # type: ignore[no-untyped-def]
    d = points.shape[1]
    grid = (2 * points - 1).flip(-1).reshape(1, *[1] * (d - 1), -1, d)
    v = values.movedim(-1, 0)[None]
    out = torch.nn.functional.grid_sample(v, grid, mode="bilinear", padding_mode=boundary, align_corners=align_corners)
    out = out.reshape(values.shape[-1], -1).T
    return torch.where(points.isnan().any(1, keepdim=True), math.nan, out)


def positional_encoding(points, octaves):  # type: ignore[no-untyped-def]
    f = 2 * math.pi * 2.0 ** torch.arange(octaves, dtype=points.dtype, device=points.device)
    p = (points[..., None] * f).flatten(-2)
    return torch.cat([p.sin(), p.cos()], -1)


@dataclass(frozen=True)
class HashLevels:
    dimensions: int
    levels: int = 12
    base: int = 16
    finest: int = 512
    features: int = 2
    entries: int = 2**17

    @property
    def resolutions(self) -> list[int]:
        if self.levels == 1:
            return [self.base]
        b = (self.finest / self.base) ** (1 / (self.levels - 1))
        return [int(math.floor(self.base * b**k + 1e-6)) for k in range(self.levels)]

    @property
    def sizes(self) -> list[int]:
        return [min((r + 1) ** self.dimensions, self.entries) for r in self.resolutions]

    @property
    def rows(self) -> int:
        return sum(self.sizes)


def hash_encode(table, points, levels, *, smoothstep=False, active=None):  # type: ignore[no-untyped-def]
    out, offset = [], 0
    primes = (1, 2654435761, 805459861)
    d = points.shape[1]
    x = points.clamp(0, 1)
    for r, size in zip(levels.resolutions, levels.sizes, strict=True):
        p = x * r
        i = p.detach().nan_to_num(0).floor().clamp(max=r - 1)
        w = p - i
        if smoothstep:
            w = w * w * (3 - 2 * w)
        i = i.long()
        acc = 0
        for corner in range(2**d):
            bits = [(corner >> k) & 1 for k in range(d)]
            c = [i[:, k] + bits[k] for k in range(d)]
            if (r + 1) ** d <= size:
                idx = sum(c[k] * (r + 1) ** k for k in range(d))
            else:
                idx = c[0] * primes[0]
                for k in range(1, d):
                    idx = idx ^ (c[k] * primes[k])
                idx = idx % size
            weight = 1
            for k in range(d):
                weight = weight * (w[:, k] if bits[k] else 1 - w[:, k])
            acc = acc + weight[:, None] * table[offset + idx]
        out.append(acc)
        offset += size
    return torch.cat(out, 1)
