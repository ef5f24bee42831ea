"""Volumes from files, signed distances or others with a surface at a level, as bricks."""

from __future__ import annotations

import math

import numpy
import torch
from safetensors import SafetensorError, safe_open

from ...kernels.program import Corner, check_node_values, sample_block_of
from ..files import LEVEL_KEY, SOLID_KEY, VOLUME, Solid, level_set_of, load_volume
from ..shapes import Bake
from .cache import kept
from .zero_set import sampled_zero_set

MOST_NODES = 2**29  # of a volume: 2 GB, 812 nodes along each side


def baked_volume(
    path: str, bounds: tuple[Corner, Corner], level: float | None = None, solid: Solid | None = None
) -> Bake:
    """The volume of a .npy or .safetensors file, its nodes spanning `bounds`, as bricks.

    Signed distances are taken as they are. Of other values (see `level_set_of`) the distance to their level set is
    sampled at the same nodes.

    Raises:
        ValueError: the file holds no volume with a surface; says why.
        OSError: the file cannot be read.
    """

    def bake() -> Bake:
        given = _volume(path)
        surface = level_set_of(given, level, solid)
        values = _floats(given)
        check_node_values(values)
        inner = surface.sign * (values - surface.level)
        if not bool((inner < 0.0).any()):
            raise ValueError(
                f"values: expected some {surface.solid} {surface.level:g}, inside the shape, got {values.min():g} to "
                f"{values.max():g}; where these are neither distances nor an occupancy give {LEVEL_KEY} and {SOLID_KEY}"
            )
        if surface.is_distance:
            return Bake(sample_block_of(values, *bounds), 0.0)
        axes = [torch.linspace(a, b, count) for a, b, count in zip(*bounds, values.shape, strict=True)]
        return sampled_zero_set(inner, axes)

    return kept(path, {"bounds": bounds, "level": level, "solid": solid}, bake)


def _volume(path: str) -> numpy.ndarray | torch.Tensor:
    """The numbers (X, Y, Z) of a volume file; sizes are looked at before memory is asked for."""
    given = load_volume(path) if path.endswith(VOLUME) else _only_tensor(path)
    count = math.prod(given.shape)
    if count > MOST_NODES:
        raise ValueError(f"{path}: expected at most {MOST_NODES} nodes, got {count}")
    return given


def _floats(given: numpy.ndarray | torch.Tensor) -> torch.Tensor:
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
