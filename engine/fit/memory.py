"""Whether a batch fits in memory, found before it is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import torch

SAMPLE = 64  # items that are tried
HEADROOM = 2.0  # beside what is kept for the backward pass, its gradients and what is freed on the way


def check_batch(loss: Callable[[int], torch.Tensor], batch: int, device: torch.device) -> None:
    """Refuse a batch that needs more memory than is free.

    Args:
        loss: the loss of a batch of so many items.
        batch: items.
        device: where they are.

    Raises:
        ValueError: it needs more; says how many items would fit.
    """
    if batch <= 2 * SAMPLE:
        return
    each = HEADROOM * (_kept(loss, 2 * SAMPLE) - _kept(loss, SAMPLE)) / SAMPLE
    free = free_memory(device)
    if each * batch > free:
        raise ValueError(
            f"batch: {batch} points need about {each * batch / 2**30:.1f} GiB, {free / 2**30:.1f} GiB are free; "
            f"expected at most {int(free / each)}"
        )


def free_memory(device: torch.device) -> float:
    """Bytes that can still be had on a device; infinity where nobody tells."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(float(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        pass
    try:
        return float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return float("inf")


def _kept(loss: Callable[[int], torch.Tensor], count: int) -> int:
    """Bytes that are kept for the backward pass of a batch of `count`."""
    total = 0

    def count_bytes(tensor: torch.Tensor) -> torch.Tensor:
        nonlocal total
        total += tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(count_bytes, lambda tensor: tensor):
        loss(count)
    return total
