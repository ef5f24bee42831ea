"""Baking: volumes, fields and meshes from files become bricks, which the scene's machine reads as it reads a sphere.

What has been baked is kept in the user's cache folder under a hash of the file's content and of all that was asked for,
so that the next start finds it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy
import torch
from safetensors import SafetensorError, safe_open

from ...kernels import MeshTree
from ...kernels.formulas import BRICK
from ...kernels.program import Corner, SampleBlock, sample_block_of
from ...kernels.runtime import cache_folder
from ..fields import Field, FieldFileError, Meaning, load_field, reading, write_tensors
from ..files import VOLUME, Up, load_volume
from ..program import vector

VERSION = 1  # of what is baked: another one is baked anew
KEPT = 16  # bakes that a process holds on to
CHUNK = 2**16  # points a field is asked for at once
FREE = 8  # voxels around a mesh
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

    bricks: SampleBlock
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
    return _kept(path, {"bounds": bounds}, lambda: Bake(sample_block_of(_volume(path), *bounds), 0.0))


def baked_field(path: str, resolution: int) -> Bake:
    """The field of a .safetensors file, sampled at `resolution` voxels along its longest side, as bricks.

    Raises:
        ValueError: the file holds no field with an inside, or one whose values have none; says why.
        OSError: the file cannot be read.
    """

    def bake() -> Bake:
        field = surface_field(load_field(path))
        low, high = ((corner[0], corner[1], corner[2]) for corner in field.bounds)
        if field.meaning is Meaning.SIGNED_DISTANCE:
            return _sampled(_values_of(field), low, high, resolution)
        return _sampled_occupancy(_values_of(field), low, high, resolution)

    return _kept(path, {"resolution": resolution}, bake)


def baked_mesh(path: str, resolution: int, up: Up = "z") -> Bake:
    """The mesh of a model file with the axis `up` up, sampled at `resolution` voxels along its longest side, as bricks.

    Inside is where the generalised winding number is above a half. Around the mesh FREE voxels are added: beyond the
    bounds a value is only a bound.

    Raises:
        ValueError: the file holds no mesh with an inside; says why.
        OSError: the file cannot be read.
    """

    def bake() -> Bake:
        from ..files import read_mesh  # brings trimesh, which nothing else here needs

        mesh = read_mesh(path, up)
        tree = MeshTree(mesh.vertices, mesh.faces)
        free = FREE / resolution * max(b - a for a, b in zip(tree.low, tree.high, strict=True))
        low, high = (tree.low[i] - free for i in range(3)), (tree.high[i] + free for i in range(3))
        return _sampled(tree.distance, vector(low), vector(high), resolution + 2 * FREE, is_distance=True)

    return _kept(path, {"resolution": resolution, "up": up}, bake)


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


def _values_of(field: Field) -> Values:
    """The values of a field of one channel as a function of points (N, 3) float32, a chunk at a time."""
    own = next(field.parameters(), torch.empty(0))

    def values(points: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            found = [field(part.to(own))[:, 0].float().cpu() for part in torch.split(points, CHUNK)]
        return torch.cat(found) if found else points.new_zeros(0)

    return values


def _sampled(values: Values, low: Corner, high: Corner, resolution: int, is_distance: bool = False) -> Bake:
    """Bricks of a signed distance, sampled on a grid of nearly cubic voxels that spans a box.

    With `is_distance` the values are true distances, so that only nodes near the surface need to be asked for.
    """
    axes = _axes(low, high, resolution)
    grid = _near_surface(values, axes) if is_distance else _everywhere(values, axes)
    bricks = sample_block_of(grid, low, high)
    return Bake(bricks, _error(bricks, values, grid, axes))


def _sampled_occupancy(values: Values, low: Corner, high: Corner, resolution: int) -> Bake:
    """Bricks of the distance to the surface on which an occupancy is a half, whose values themselves are no distances.

    The distance is that to the triangles of the occupancy sampled on the same grid; what is asked outside the grid's
    box counts as empty.
    """
    from ...kernels import marching_cubes  # few fields are occupancies

    axes = _axes(low, high, resolution)
    # Between nodes the logit of a network's sigmoid is nearer to a straight line than the sigmoid.
    logits = torch.logit(_everywhere(values, axes), eps=1e-6)
    grid = torch.nn.functional.pad(-logits, (1, 1, 1, 1, 1, 1), value=20.0)
    side = [axis[1] - axis[0] for axis in axes]
    outer = [[float(axis[end] + sign * step) for axis, step in zip(axes, side, strict=True)] for end, sign in ENDS]
    vertices, faces = marching_cubes(grid, bounds=outer)
    if not len(faces):
        raise ValueError("values: expected an occupancy above 0.5 somewhere, inside the shape")
    tree = MeshTree(vertices, faces)
    return _sampled(tree.distance, low, high, resolution, is_distance=True)


ENDS = ((0, -1.0), (-1, 1.0))  # of an axis: which node, and which way is outward


def _axes(low: Corner, high: Corner, resolution: int) -> list[torch.Tensor]:
    """Coordinates of the nodes along each axis."""
    side = max(b - a for a, b in zip(low, high, strict=True)) / resolution
    voxels = [max(round((b - a) / side), 1) for a, b in zip(low, high, strict=True)]
    return [torch.linspace(a, b, n + 1) for a, b, n in zip(low, high, voxels, strict=True)]


def _everywhere(values: Values, axes: list[torch.Tensor]) -> torch.Tensor:
    """The values (X, Y, Z) at all nodes."""
    shape = (1, len(axes[1]), len(axes[2]))
    return torch.cat([values(torch.cartesian_prod(x[None], axes[1], axes[2])).reshape(shape) for x in axes[0]])


def _near_surface(values: Values, axes: list[torch.Tensor]) -> torch.Tensor:
    """The same for true distances; where cells of BRICK³ voxels are far from the surface, interpolated in them."""
    coarse = [torch.unique_consecutive(torch.cat([axis[::BRICK], axis[-1:]])) for axis in axes]
    at_corners = _everywhere(values, coarse)
    blocks = at_corners.unfold(0, 2, 1).unfold(1, 2, 1).unfold(2, 2, 1)
    diagonal = sum(float(axis[: BRICK + 1][-1] - axis[0]) ** 2 for axis in axes) ** 0.5
    # A cell with surface, or beside one that has: a corner is within a diagonal of it.
    near = blocks.abs().amin(dim=(3, 4, 5)) <= diagonal
    cells = [((torch.arange(len(axis)) - 1).clamp(min=0) // BRICK) for axis in axes]
    grid = _interpolated(at_corners, coarse, axes)
    asked = near[cells[0]][:, cells[1]][:, :, cells[2]]
    places = asked.nonzero()
    grid[asked] = values(torch.stack([axis[places[:, i]] for i, axis in enumerate(axes)], dim=1))
    return grid


def _interpolated(values: torch.Tensor, coarse: list[torch.Tensor], axes: list[torch.Tensor]) -> torch.Tensor:
    """Values at the nodes of coarse axes, trilinear at those of finer ones."""
    for i, (few, many) in enumerate(zip(coarse, axes, strict=True)):
        after = torch.searchsorted(few, many).clamp(1, len(few) - 1)
        part = (many - few[after - 1]) / (few[after] - few[after - 1])
        shape = [-1 if axis == i else 1 for axis in range(3)]
        values = torch.lerp(values.index_select(i, after - 1), values.index_select(i, after), part.reshape(shape))
    return values


def _error(bricks: SampleBlock, values: Values, grid: torch.Tensor, axes: list[torch.Tensor]) -> float:
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
    given = load_volume(path) if path.endswith(VOLUME) else _only_tensor(path)
    count = math.prod(given.shape)
    if count > MOST_NODES:
        raise ValueError(f"{path}: expected at most {MOST_NODES} nodes, got {count}")
    if isinstance(given, torch.Tensor):
        return given.float()
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


_bakes: dict[tuple[Any, ...], Bake] = {}


def _kept(path: str, asked: dict[str, Any], bake: Callable[[], Bake]) -> Bake:
    """The bake of a file, from this process, else from the cache folder, else made and put there."""
    try:
        status = os.stat(path)
        with open(path, "rb"):
            pass
    except OSError as error:
        raise type(error)(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from None
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
    numbers = {field.name: getattr(bake.bricks, field.name) for field in fields(SampleBlock) if field.name != "data"}
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
            return Bake(SampleBlock(tensors.get_tensor("data"), **numbers), error)
    except (FieldFileError, OSError, KeyError, TypeError):
        return None
