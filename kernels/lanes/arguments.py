"""The one gate in front of every launch: what a caller hands over becomes tensors for a kernel, or an error."""

from collections.abc import Callable
from typing import Any

import numpy
import torch
from torch.utils.dlpack import from_dlpack

from .. import runtime

LARGEST_COUNT = 2**31 - 1  # Taichi indexes with int32

Given = Any  # a torch tensor, a numpy array, or anything that speaks DLPack


def vectors(name: str, given: Given, *, double: bool = False) -> tuple[torch.Tensor, Callable[[torch.Tensor], Any]]:
    """`given` as a tensor (…, 3), float32 (or float64 where `double` allows it), and how to hand results back.

    Results come back as numpy arrays if numpy arrays came in, else as tensors.

    Raises:
        TypeError: not an array, or of another dtype.
        ValueError: the last dimension is not 3, or there are too many elements for 32-bit indices.
    """
    tensor, restore = numbers(name, given, double=double)
    if tensor.ndim == 0 or tensor.shape[-1] != 3:
        raise ValueError(f"{name}: expected shape (…, 3), got {tuple(tensor.shape)}")
    return tensor, restore


def numbers(name: str, given: Given, *, double: bool = True) -> tuple[torch.Tensor, Callable[[torch.Tensor], Any]]:
    """`given` as a float32 tensor (or float64 where `double` allows it), and how to hand results back, as `vectors`.

    Raises:
        TypeError: not an array, or of another dtype.
        ValueError: there are too many elements for 32-bit indices.
    """
    tensor, restore = _tensor(name, given)
    allowed = (torch.float32, torch.float64) if double else (torch.float32,)
    if tensor.dtype not in allowed:
        raise TypeError(f"{name}: expected {' or '.join(map(str, allowed))}, got {tensor.dtype}")
    if tensor.numel() > LARGEST_COUNT:
        raise ValueError(f"{name}: expected at most 2^31 - 1 numbers, got {tensor.numel()}; split it")
    return tensor, restore


def whole_numbers(name: str, given: Given) -> tuple[torch.Tensor, Callable[[torch.Tensor], Any]]:
    """`given` as a tensor of whole numbers, and how to hand results back, as `vectors`.

    Raises:
        TypeError: not an array, or of another dtype.
    """
    tensor, restore = _tensor(name, given)
    if tensor.dtype == torch.bool or tensor.is_floating_point() or tensor.is_complex():
        raise TypeError(f"{name}: expected whole numbers, got {tensor.dtype}")
    return tensor, restore


def check_whole(name: str, given: Any) -> None:
    """Refuse what is no whole number.

    Raises:
        TypeError: says what came.
    """
    if isinstance(given, bool) or not isinstance(given, (int, numpy.integer)):
        raise TypeError(f"{name}: expected a whole number, got {given!r}")


def _tensor(name: str, given: Given) -> tuple[torch.Tensor, Callable[[torch.Tensor], Any]]:
    if isinstance(given, torch.Tensor):
        if given.layout != torch.strided:
            raise TypeError(f"{name}: expected a dense tensor, got layout {given.layout}; see Tensor.to_dense()")
        return given, _same
    if isinstance(given, numpy.ndarray):
        if given.dtype.kind not in "fiub":
            raise TypeError(f"{name}: expected an array of numbers, got dtype {given.dtype}")
        # from_numpy shares memory but refuses read-only and byte-swapped arrays; those are copied.
        native = numpy.require(given, dtype=given.dtype.newbyteorder("="), requirements="W")
        return torch.from_numpy(numpy.ascontiguousarray(native)), _to_numpy
    if hasattr(given, "__dlpack__"):
        return from_dlpack(given), _same
    raise TypeError(f"{name}: expected a torch tensor, numpy array or DLPack object, got {type(given).__name__}")


def ready(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """The tensor as a kernel takes it: (N, 3), detached, contiguous, on the backend's device."""
    runtime.check_device(**{name: tensor})
    return tensor.detach().reshape(-1, 3).contiguous()


def _same(tensor: torch.Tensor) -> torch.Tensor:
    return tensor


def _to_numpy(tensor: torch.Tensor) -> numpy.ndarray:
    return tensor.detach().cpu().numpy()
