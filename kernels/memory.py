"""Large tensors without most of their page faults."""

import math

import numpy
import torch

# numpy asks the system for huge pages from 4 MiB on, PyTorch does not. Filling 128 MiB of fresh memory took 75 ms with
# small pages and 16 to 24 ms with huge ones.
HUGE = 2**22  # bytes

_NUMPY = {torch.float32: numpy.float32, torch.float64: numpy.float64}


def empty(*shape: int, like: torch.Tensor) -> torch.Tensor:
    """A tensor of any content, of the dtype (float32 or float64) and on the device of `like`."""
    if _small(shape, like):
        return torch.empty(shape, dtype=like.dtype, device=like.device)
    return torch.from_numpy(numpy.empty(shape, _NUMPY[like.dtype]))


def zeros(*shape: int, like: torch.Tensor) -> torch.Tensor:
    """A tensor of zeros, of the dtype (float32 or float64) and on the device of `like`."""
    if _small(shape, like):
        return torch.zeros(shape, dtype=like.dtype, device=like.device)
    return torch.from_numpy(numpy.zeros(shape, _NUMPY[like.dtype]))


def _small(shape: tuple[int, ...], like: torch.Tensor) -> bool:
    return like.device.type != "cpu" or math.prod(shape) * like.element_size() < HUGE
