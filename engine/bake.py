"""Baking: volumes, fields and meshes from files become bricks, which the scene's machine reads as it reads a sphere.

What has been baked is kept in the user's cache folder under a hash of the file's content and of all that was asked for,
so that the next start finds it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy
import torch
from safetensors import SafetensorError, safe_open

from ..kernels.bricks import Bricks, Corner, bricks_of
from ..kernels.runtime import cache_folder
from .fields import Field, FieldFileError, Meaning, load_field
from .fields.store import reading, write_tensors

VERSION = 1  # of what is baked: another one is baked anew
KEPT = 16  # bakes that a process holds on to
CHUNK = 2**16  # points a field is asked for at once
PROBES = 20_000  # points at which the error is measured
MOST_NODES = 2**29  # of a volume: 2 GB, 812 nodes along each side

Values = Callable[[torch.Tensor], torch.Tensor]  # points (N, 3) to signed distances (N,)


@dataclass(frozen=True)
class Bake:
    """Bricks, and by how much they are wrong.

    Attributes:
        bricks: for the program.
        error: the largest difference, scene units, between what the bricks interpolate and what was baked, at random
            points of the voxels that hold the surface; 0 for a volume of distances, which says no more than its nodes.
    """

    bricks: Bricks
    error: float

    def __str__(self) -> str:
        voxels = " x ".join(map(str, self.bricks.voxels))
        megabytes = self.bricks.data.nbytes / 1e6
        return (
            f"{voxels} voxels of {self.bricks.voxel:.3g}, {self.bricks.count} bricks, {megabytes:.1f} MB, "
            f"error {self.error:.2g}, slope {self.bricks.slopes[0]:.3g}"
        )


def baked_volume(path: str, bounds: tuple[Corner, Corner]) -> Bake:
    """The volume of a .npy or .safetensors file, its nodes spanning `bounds`, as bricks.

    Raises:
        ValueError: the file holds no volume of signed distances; says why.
        OSError: the file cannot be read.
    """
    return _kept(path, {"bounds": bounds}, lambda: Bake(bricks_of(_volume(path), *bounds), 0.0))


def baked_field(path: str, resolution: int) -> Bake:
    """The field of a .safetensors file, sampled at `resolution` voxels along its longest side, as bricks.

    Raises:
        ValueError: the file holds no field with an inside, or one whose values have none; says why.
        OSError: the file cannot be read.
    """

    def bake() -> Bake:
        field = surface_field(load_field(path))
        low, high = ((corner[0], corner[1], corner[2]) for corner in field.bounds)
        return _sampled(distance_of(field), low, high, resolution)

    return _kept(path, {"resolution": resolution}, bake)


def surface_field(field: Field) -> Field:
    """The field, which must have a surface in space.

    Raises:
        ValueError: it does not.
    """
    if field.dimensions != 3:
        raise ValueError(f"expected a field in space, got one of {field.dimensions} dimensions")
    if field.meaning not in (Meaning.SIGNED_DISTANCE, Meaning.OCCUPANCY):
        raise ValueError(f"expected a field that means signed_distance or occupancy, got {field.meaning}")
    return field


def distance_of(field: Field) -> Values:
    """The values of a signed distance as a function of points (N, 3) float32, a chunk at a time."""
    own = next(field.parameters(), torch.empty(0))

    def values(points: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            found = [field(part.to(own))[:, 0].float() for part in torch.split(points, CHUNK)]
        return torch.cat(found) if found else points.new_zeros(0)

    return values


def _sampled(values: Values, low: Corner, high: Corner, resolution: int) -> Bake:
    """Bricks of a signed distance, sampled on a grid of nearly cubic voxels that spans a box."""
    side = max(b - a for a, b in zip(low, high, strict=True)) / resolution
    voxels = [max(round((b - a) / side), 1) for a, b in zip(low, high, strict=True)]
    axes = [torch.linspace(a, b, n + 1) for a, b, n in zip(low, high, voxels, strict=True)]
    slabs = [
        values(torch.cartesian_prod(x[None], axes[1], axes[2])).reshape(1, len(axes[1]), len(axes[2])) for x in axes[0]
    ]
    grid = torch.cat(slabs)
    bricks = bricks_of(grid, low, high)
    return Bake(bricks, _error(bricks, values, grid, axes))


def _error(bricks: Bricks, values: Values, grid: torch.Tensor, axes: list[torch.Tensor]) -> float:
    """The largest difference at random points of the voxels with a change of sign."""
    corners = grid.unfold(0, 2, 1).unfold(1, 2, 1).unfold(2, 2, 1)
    voxels = ((corners.amin(dim=(3, 4, 5)) < 0.0) & (corners.amax(dim=(3, 4, 5)) >= 0.0)).nonzero()
    if len(voxels) == 0:
        return 0.0
    random = torch.Generator().manual_seed(0)
    chosen = voxels[torch.randint(len(voxels), (PROBES,), generator=random)]
    start = torch.stack([axis[chosen[:, i]] for i, axis in enumerate(axes)], dim=1)
    stop = torch.stack([axis[chosen[:, i] + 1] for i, axis in enumerate(axes)], dim=1)
    points = torch.lerp(start, stop, torch.rand(PROBES, 3, generator=random))
    found = bricks.value(points)
    whole = torch.where(found > 0.0, found * bricks.slopes[0], found * bricks.slopes[1])
    return float((whole - values(points)).abs().max())


def _volume(path: str) -> torch.Tensor:
    """The numbers (X, Y, Z) float32 of a volume file; sizes are looked at before memory is asked for."""
    given = _npy(path) if path.endswith(".npy") else _only_tensor(path)
    if given.ndim == 4 and given.shape[3] == 1:
        given = given[..., 0]
    if given.ndim != 3:
        raise ValueError(f"{path}: expected a volume of 3 axes, got shape {tuple(given.shape)}")
    if given.numel() > MOST_NODES:
        raise ValueError(f"{path}: expected at most {MOST_NODES} nodes, got {given.numel()}")
    return given.float()


def _npy(path: str) -> torch.Tensor:
    try:
        array = numpy.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path}: no whole .npy file of numbers: {error}") from None
    if not isinstance(array, numpy.ndarray) or array.dtype.kind not in "fiu":
        raise ValueError(f"{path}: expected an array of numbers, got {getattr(array, 'dtype', type(array).__name__)}")
    if array.size > MOST_NODES:
        raise ValueError(f"{path}: expected at most {MOST_NODES} nodes, got {array.size}")
    return torch.from_numpy(numpy.array(array, dtype=numpy.float32, order="C"))


def _only_tensor(path: str) -> torch.Tensor:
    try:
        with safe_open(path, framework="pt", device="cpu") as tensors:
            names = list(tensors.keys())
            if len(names) != 1:
                raise ValueError(f"{path}: expected one tensor, got {len(names)}; a fitted field is a neural shape")
            return tensors.get_tensor(names[0])  # type: ignore[no-any-return]
    except SafetensorError as error:
        raise ValueError(f"{path}: no whole .safetensors file: {error}") from None


_bakes: dict[tuple[Any, ...], Bake] = {}


def _kept(path: str, asked: dict[str, Any], bake: Callable[[], Bake]) -> Bake:
    """The bake of a file, from this process, else from the cache folder, else made and put there."""
    status = os.stat(path)
    key = (os.path.realpath(path), status.st_mtime_ns, status.st_size, json.dumps(asked))
    if key not in _bakes:
        with open(path, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        name = hashlib.sha256(json.dumps([VERSION, content, Path(path).suffix, asked]).encode()).hexdigest()[:32]
        place = cache_folder().parent / "bakes" / f"{name}.safetensors"
        found = _read(place)
        if found is None:
            found = bake()
            with contextlib.suppress(OSError):  # a cache that cannot be written is none
                place.parent.mkdir(parents=True, exist_ok=True)
                _write(place, found)
        while len(_bakes) >= KEPT:
            del _bakes[next(iter(_bakes))]
        _bakes[key] = found
    return _bakes[key]


def _write(place: Path, bake: Bake) -> None:
    numbers = {field.name: getattr(bake.bricks, field.name) for field in fields(Bricks) if field.name != "data"}
    write_tensors(place, {"data": bake.bricks.data}, {"format": "isofield-bake", "error": bake.error, **numbers})


def _read(place: Path) -> Bake | None:
    """A bake from the cache folder; None if there is none, or none that is whole."""
    try:
        with reading(place) as (header, tensors):
            del header["format"]
            error = header.pop("error")
            numbers: dict[str, Any] = {
                name: tuple(value) if isinstance(value, list) else value for name, value in header.items()
            }
            return Bake(Bricks(tensors.get_tensor("data"), **numbers), error)
    except (FieldFileError, OSError, KeyError, TypeError):
        return None
