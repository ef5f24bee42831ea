"""The one gate in front of every launch: what a caller hands over becomes tensors for a kernel, or an error.

An error names the argument, what was expected of it, and what came.
"""

import math
from collections.abc import Callable
from types import EllipsisType
from typing import Any

import numpy
import torch
from torch.utils.dlpack import from_dlpack

from .. import runtime

LARGEST_COUNT = 2**31 - 1  # Taichi indexes with int32

# A torch tensor, a numpy array, anything that speaks DLPack, or a `ti.ndarray`. Only torch tensors carry gradients. A
# `ti.ndarray` is copied: its memory ends with the host's runtime, which a tensor of PyTorch's may outlive.
Array = Any

# Sizes along the axes: a number, or a letter for any size; `...` in front stands for any number of axes.
Shape = tuple[int | str | EllipsisType, ...]

Restore = Callable[[torch.Tensor], Any]


def floats(
    name: str, given: Array, *shapes: Shape, double: bool = True, may_be_empty: bool = True
) -> tuple[torch.Tensor, Restore]:
    """`given` as a float32 tensor (or float64 where `double` allows it) of one of the shapes, and how to hand results
    back: as numpy arrays if a numpy array came in, else as tensors.

    Raises:
        TypeError: not an array, or of another dtype.
        ValueError: of another shape, without elements where it may not be empty, or with too many for 32-bit indices.
    """
    tensor, restore = _tensor(name, given)
    dtypes = (torch.float32, torch.float64) if double else (torch.float32,)
    check_tensor(name, tensor, dtypes, *shapes, may_be_empty=may_be_empty)
    if tensor.numel() > LARGEST_COUNT:
        raise ValueError(f"{name}: expected at most 2^31 - 1 numbers, got {tensor.numel()}; split it")
    return tensor, restore


def integers(name: str, given: Array, *shapes: Shape) -> torch.Tensor:
    """`given` as a tensor of whole numbers, of any such dtype, of one of the shapes.

    Raises:
        TypeError: not an array, or of another dtype.
        ValueError: of another shape.
    """
    tensor, _ = _tensor(name, given)
    if tensor.dtype == torch.bool or tensor.is_floating_point() or tensor.is_complex():
        raise TypeError(f"{name}: expected whole numbers, got {tensor.dtype}")
    check_tensor(name, tensor, (tensor.dtype,), *shapes)
    return tensor


def check_tensor(
    name: str, tensor: torch.Tensor, dtypes: tuple[torch.dtype, ...], *shapes: Shape, may_be_empty: bool = True
) -> None:
    """Refuse what is no torch tensor of one of the dtypes and one of the shapes; without shapes any will do.

    Raises:
        TypeError: no tensor, or of another dtype.
        ValueError: of another shape, or without elements where it may not be empty.
    """
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"{name}: expected a tensor, got {type(tensor).__name__}")
    if tensor.dtype not in dtypes:
        raise TypeError(f"{name}: expected {' or '.join(map(str, dtypes))}, got {tensor.dtype}")
    sizes = tuple(tensor.shape)
    fits = not shapes or any(_fits(sizes, shape) for shape in shapes)
    empty = not may_be_empty and 0 in sizes
    if not fits or empty:
        wanted = " or ".join(map(_written, shapes)) + (", none of them 0" if empty else "")
        raise ValueError(f"{name}: expected shape {wanted}, got {sizes}")


def check_same_dtype(name: str, tensor: torch.Tensor, other_name: str, other: torch.Tensor) -> None:
    """Refuse a tensor of another dtype than the other's.

    Raises:
        TypeError: says which they are.
    """
    if tensor.dtype != other.dtype:
        raise TypeError(f"{name}: expected the dtype of {other_name}, {other.dtype}, got {tensor.dtype}")


def check_integer(name: str, given: Any, lowest: float = -math.inf, highest: float = math.inf) -> None:
    """Refuse what is no whole number, or not from `lowest` to `highest`.

    Raises:
        TypeError, ValueError: says what came.
    """
    if isinstance(given, bool) or not isinstance(given, (int, numpy.integer)):
        raise TypeError(f"{name}: expected a whole number, got {given!r}")
    if not lowest <= given <= highest:
        span = f"from {lowest} to {highest}" if highest < math.inf else f"of at least {lowest}"
        raise ValueError(f"{name}: expected a whole number {span}, got {given}")


def for_kernel(name: str, points: torch.Tensor) -> torch.Tensor:
    """Checked points (…, 3) as a kernel takes them: (N, 3), detached, contiguous, on the backend's device.

    Raises:
        ValueError: they are on another device.
    """
    runtime.check_device(**{name: points})
    return points.detach().reshape(-1, 3).contiguous()


def _fits(sizes: tuple[int, ...], shape: Shape) -> bool:
    if shape[:1] == (...,):
        shape = shape[1:]
        sizes = sizes[max(len(sizes) - len(shape), 0) :]
    return len(sizes) == len(shape) and all(
        want == size for want, size in zip(shape, sizes, strict=True) if not isinstance(want, str)
    )


def _written(shape: Shape) -> str:
    sizes = ["…" if size is ... else str(size) for size in shape]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


def _tensor(name: str, given: Array) -> tuple[torch.Tensor, Restore]:
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
    if isinstance(given, runtime.ti.Ndarray):
        with runtime.locked_runtime():  # Taichi copies by a kernel of its own
            copy = torch.from_numpy(given.to_numpy())
        return copy.to("cuda" if runtime.backend() == "cuda" else "cpu"), _same
    raise TypeError(
        f"{name}: expected a torch tensor, numpy array, DLPack object or ti.ndarray, got {type(given).__name__}"
    )


def _same(tensor: torch.Tensor) -> torch.Tensor:
    return tensor


def _to_numpy(tensor: torch.Tensor) -> numpy.ndarray:
    return tensor.detach().cpu().numpy()
