"""Memory for results, without most of the page faults that large fresh tensors cost."""

import math

import numpy
import torch

# On the CPU numpy allocates: from 4 MiB on it asks the system for huge pages, which PyTorch does not (filling 128 MiB
# of fresh memory took 75 ms with small pages and 16 to 24 ms with huge ones), and its zeros wait for no other thread.
# What is half as large or more is made as large, of which only what is used becomes memory.
HUGE = 2**22  # bytes

SMALL = 2**14  # numbers; up to so many PyTorch is faster, and no other thread helps it

KEPT = 2**26  # bytes of a scratch tensor that is kept for the next use

_NUMPY = {torch.float32: numpy.float32, torch.float64: numpy.float64, torch.int32: numpy.int32}
_scratch: dict[tuple[str, torch.dtype, torch.device], torch.Tensor] = {}


def empty(*shape: int, like: torch.Tensor) -> torch.Tensor:
    """A tensor of any content, of the dtype (float32, float64 or int32) and on the device of `like`."""
    if like.device.type != "cpu" or math.prod(shape) <= SMALL:
        return torch.empty(shape, dtype=like.dtype, device=like.device)
    return _shaped(numpy.empty(_numbers(shape, like), _NUMPY[like.dtype]), shape)


def zeros(*shape: int, like: torch.Tensor) -> torch.Tensor:
    """A tensor of zeros, of the dtype (float32, float64 or int32) and on the device of `like`."""
    if like.device.type != "cpu" or math.prod(shape) <= SMALL:
        return torch.zeros(shape, dtype=like.dtype, device=like.device)
    return _shaped(numpy.zeros(_numbers(shape, like), _NUMPY[like.dtype]), shape)


def _numbers(shape: tuple[int, ...], like: torch.Tensor) -> int:
    count = math.prod(shape)
    return max(count, HUGE // like.element_size()) if 2 * count * like.element_size() >= HUGE else count


def _shaped(numbers: numpy.ndarray, shape: tuple[int, ...]) -> torch.Tensor:
    return torch.from_numpy(numbers[: math.prod(shape)].reshape(shape))


def scratch(name: str, *shape: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """A tensor of any content for use under `runtime.lock`; the next call gives the same memory."""
    count = math.prod(shape)
    key = name, dtype, device
    kept = _scratch.get(key)
    if kept is None or kept.numel() < count:
        kept = torch.empty(count, dtype=dtype, device=device)
        if kept.nbytes <= KEPT:
            _scratch[key] = kept
    return kept[:count].view(shape)
