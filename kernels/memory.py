"""Memory for results, without most of the page faults that large fresh tensors cost."""

import math

import numpy
import torch

# On the CPU numpy allocates: from 4 MiB on it asks the system for huge pages, which PyTorch does not (filling 128 MiB
# of fresh memory took 75 ms with small pages and 16 to 24 ms with huge ones), and its zeros wait for no other thread.

KEPT = 2**26  # bytes of a scratch tensor that is kept for the next use

_NUMPY = {torch.float32: numpy.float32, torch.float64: numpy.float64}
_scratch: dict[tuple[str, torch.dtype, torch.device], torch.Tensor] = {}


def empty(*shape: int, like: torch.Tensor) -> torch.Tensor:
    """A tensor of any content, of the dtype (float32 or float64) and on the device of `like`."""
    if like.device.type != "cpu":
        return torch.empty(shape, dtype=like.dtype, device=like.device)
    return torch.from_numpy(numpy.empty(shape, _NUMPY[like.dtype]))


def zeros(*shape: int, like: torch.Tensor) -> torch.Tensor:
    """A tensor of zeros, of the dtype (float32 or float64) and on the device of `like`."""
    if like.device.type != "cpu":
        return torch.zeros(shape, dtype=like.dtype, device=like.device)
    return torch.from_numpy(numpy.zeros(shape, _NUMPY[like.dtype]))


def scratch(name: str, *shape: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """A tensor of any content for use within one `runtime.launch()`; the next call gives the same memory."""
    count = math.prod(shape)
    key = name, dtype, device
    kept = _scratch.get(key)
    if kept is None or kept.numel() < count:
        kept = torch.empty(count, dtype=dtype, device=device)
        if kept.nbytes <= KEPT:
            _scratch[key] = kept
    return kept[:count].view(shape)
