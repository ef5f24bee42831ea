"""Memory for results, without most of the page faults that large fresh tensors cost."""

import math
import weakref

import numpy
import torch

# Filling 128 MiB of fresh memory took 75 ms in pages of 4 KiB, and 16 to 24 ms in huge ones, for which numpy asks the
# system from 4 MiB on. So what is half as large or more is made as large, of which only what is used becomes memory.
HUGE = 2**22  # bytes

# Blocks of results that nobody holds any more are kept for the next ones: a frame's results are those of the last one's
# sizes, and the pages of a fresh block cost as much again as what is written into them.
KEPT_IN_ALL = 5 * 2**24  # bytes: a grid of 256³ numbers, and some smaller ones
ALIGNED = 64  # bytes: no register is stored across two lines of memory

SMALL = 2**14  # numbers; up to so many PyTorch is faster, and no other thread helps it

KEPT = 2**26  # bytes of a scratch tensor that is kept for the next use

_NUMPY = {torch.float32: numpy.float32, torch.float64: numpy.float64, torch.int32: numpy.int32}
_scratch: dict[tuple[str, torch.dtype, torch.device], torch.Tensor] = {}

# What nobody holds, by `id`, the blocks given back last at the end. One comes back in the midst of anything and in any
# thread, so no lock is taken: who pops a block has it.
_blocks: dict[int, numpy.ndarray] = {}


def empty(*shape: int, like: torch.Tensor, dtype: torch.dtype | None = None) -> torch.Tensor:
    """A tensor of any content, of `dtype` (float32, float64 or int32) or that of `like`, on the device of `like`."""
    kind = dtype or like.dtype
    if like.device.type != "cpu" or math.prod(shape) <= SMALL:
        return torch.empty(shape, dtype=kind, device=like.device)
    numbers = _NUMPY[kind]
    size = math.prod(shape) * numpy.dtype(numbers).itemsize
    block = _block(size)
    lent = numpy.ndarray(shape, numbers, buffer=block)
    # PyTorch holds `lent` as long as any tensor shares its memory.
    weakref.finalize(lent, _give_back, block).atexit = False
    return torch.from_numpy(lent)


def zeros(*shape: int, like: torch.Tensor) -> torch.Tensor:
    """A tensor of zeros, of the dtype (float32, float64 or int32) and on the device of `like`."""
    if like.device.type != "cpu" or math.prod(shape) <= SMALL:
        return torch.zeros(shape, dtype=like.dtype, device=like.device)
    result = empty(*shape, like=like)
    result.numpy().fill(0)  # PyTorch would wait for its other threads
    return result


def _block(size: int) -> numpy.ndarray:
    """A block of at least `size` bytes: the kept one that fits best, if no more than half of it is left over."""
    most = 2 * max(size, HUGE) if 2 * size >= HUGE else 2 * size
    while fitting := [block for block in list(_blocks.values()) if size <= block.nbytes <= most]:
        best = min(fitting, key=lambda block: block.nbytes)
        if _blocks.pop(id(best), None) is not None:
            return best
    room = max(size, HUGE) if 2 * size >= HUGE else size
    fresh = numpy.empty(room + ALIGNED, numpy.uint8)
    start = -fresh.ctypes.data % ALIGNED
    return fresh[start : start + room]


def _give_back(block: numpy.ndarray) -> None:
    if block.nbytes > KEPT_IN_ALL:
        return
    _blocks[id(block)] = block
    for key in list(_blocks):  # the oldest first
        if sum(kept.nbytes for kept in list(_blocks.values())) <= KEPT_IN_ALL:
            break
        _blocks.pop(key, None)


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
