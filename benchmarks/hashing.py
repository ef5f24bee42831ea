"""Multiresolution hash encoding against vectorised PyTorch: values, gradients, second derivatives, small batches."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from typing import Any

import inputs
import torch
from timing import FOLDER, Goal, Row, milliseconds, require, row
from torch import Tensor

from isofield.kernels import HashLevels, hash_encode

sys.path.append(str(FOLDER.parent / "tests"))
from twins.hash_encode import hash_encode_twin

SUBJECT = "hashing"
TOLERANCE = 2e-4  # relative to the largest number: a place in float32 is off by 512 · 6e-8 of a finest cell
PEER = "vectorised PyTorch"

Encoding = Callable[..., Tensor]
Results = tuple[Tensor, ...]


def rows(quick: bool) -> tuple[list[Row], dict[str, Any]]:
    """Milliseconds of a 3D encoding with 12 levels of 2 features and at most 2^17 rows, at random points."""
    levels = HashLevels(3, levels=12, base=16, finest=512, features=2, entries=2**17)
    large, times, peer_times = (2**14, 3, 1) if quick else (2**18, 9, 2)
    small = 2**12
    return [
        _against_pytorch("forward", values, levels, large, times, peer_times),
        _against_pytorch("both gradients", gradients, levels, large, times, peer_times, Goal("ratio", "at least", 8.0)),
        _against_pytorch("gradient to the points alone", point_gradient, levels, large, times, peer_times),
        _against_pytorch("second derivatives of an eikonal loss", eikonal, levels, large, times, peer_times),
        _against_pytorch("forward", values, levels, small, 3 * times, 3 * peer_times),
        _against_pytorch("both gradients", gradients, levels, small, 3 * times, 3 * peer_times),
        _against_pytorch("second derivatives of an eikonal loss", eikonal, levels, small, 3 * times, 3 * peer_times),
    ], {}  # fmt: skip


def values(encode: Encoding, levels: HashLevels, table: Tensor, points: Tensor, incoming: Tensor) -> Results:
    """The features, nothing recorded."""
    return (encode(table.detach(), points.detach(), levels),)


def gradients(encode: Encoding, levels: HashLevels, table: Tensor, points: Tensor, incoming: Tensor) -> Results:
    """Forward, and the gradients to table and points."""
    features = encode(table, points, levels)
    return torch.autograd.grad(features, (table, points), incoming)


def point_gradient(encode: Encoding, levels: HashLevels, table: Tensor, points: Tensor, incoming: Tensor) -> Results:
    """Forward, and the gradient to the points, as for normals."""
    features = encode(table, points, levels)
    return torch.autograd.grad(features, points, incoming)


def eikonal(encode: Encoding, levels: HashLevels, table: Tensor, points: Tensor, incoming: Tensor) -> Results:
    """Forward, the points' gradient, and a loss of its length down to table and points."""
    features = encode(table, points, levels)
    (slope,) = torch.autograd.grad(features, points, incoming, create_graph=True)
    return torch.autograd.grad(((slope.norm(dim=1) - 1.0) ** 2).mean(), (table, points))


def _against_pytorch(
    name: str,
    work: Callable[..., Results],
    levels: HashLevels,
    count: int,
    times: int,
    peer_times: int,
    goal: Goal | None = None,
) -> Row:
    generator = torch.Generator().manual_seed(inputs.SEED)
    table = torch.randn(levels.rows, levels.features, generator=generator).to(inputs.device()).requires_grad_()
    points = torch.rand(count, levels.dimensions, generator=generator).to(inputs.device()).requires_grad_()
    incoming = torch.randn(count, levels.levels * levels.features, generator=generator).to(inputs.device())

    def ours() -> Results:
        return work(hash_encode, levels, table, points, incoming)

    def peer() -> Results:
        return work(hash_encode_twin, levels, table, points, incoming)

    pairs = zip(ours(), peer(), strict=True)
    apart = max(float((mine - theirs).abs().max() / theirs.abs().max()) for mine, theirs in pairs)
    require(apart <= TOLERANCE, f"{name}: {apart:.1e} of the largest number apart")
    name = f"{name}, {count} points"
    theirs = statistics.median(milliseconds(peer, peer_times, warm_up=0))
    details = {"apart": apart}
    return row(SUBJECT, name, "ms", milliseconds(ours, times), peer=theirs, peer_name=PEER, goal=goal, details=details)
