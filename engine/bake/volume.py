"""Volumes of signed distances from files, as bricks."""

from __future__ import annotations

import math

import numpy
import torch
from safetensors import SafetensorError, safe_open

from ...kernels.program import Corner, sample_block_of
from ..files import VOLUME, load_volume
from ..shapes import Bake
from .cache import kept

MOST_NODES = 2**29  # of a volume: 2 GB, 812 nodes along each side


def baked_volume(path: str, bounds: tuple[Corner, Corner]) -> Bake:
    """The volume of a .npy or .safetensors file, its nodes spanning `bounds`, as bricks.

    Raises:
        ValueError: the file holds no volume of signed distances; says why.
        OSError: the file cannot be read.
    """
    return kept(path, {"bounds": bounds}, lambda: Bake(sample_block_of(_volume(path), *bounds), 0.0))


def _volume(path: str) -> torch.Tensor:
    """The numbers (X, Y, Z) float32 of a volume file; sizes are looked at before memory is asked for."""
    given = load_volume(path) if path.endswith(VOLUME) else _only_tensor(path)
    count = math.prod(given.shape)
    if count > MOST_NODES:
        raise ValueError(f"{path}: expected at most {MOST_NODES} nodes, got {count}")
    if isinstance(given, torch.Tensor):
        return given.float()
    with numpy.errstate(over="ignore"):  # what overflows is refused as infinite
        return torch.from_numpy(numpy.array(given, dtype=numpy.float32, order="C"))


def _only_tensor(path: str) -> torch.Tensor:
    try:
        with safe_open(path, framework="pt", device="cpu") as tensors:
            names = list(tensors.keys())
            if len(names) != 1:
                raise ValueError(f"{path}: expected one tensor, got {len(names)}; a fitted field is a neural shape")
            tensor: torch.Tensor = tensors.get_tensor(names[0])
    except SafetensorError as error:
        raise ValueError(f"{path}: no whole .safetensors file: {error}") from None
    if tensor.ndim == 4 and tensor.shape[3] == 1:
        tensor = tensor[..., 0]
    if tensor.ndim != 3:
        raise ValueError(f"{path}: expected numbers of shape (X, Y, Z), got shape {tuple(tensor.shape)}")
    return tensor
