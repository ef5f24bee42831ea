"""What is measured: shapes, scenes and rays, the same on every machine."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path

import torch

import isofield as iso
from isofield.scenes.city import city as gallery_city

SEED = 1
REACH = 1.2  # the mixed shapes stand in [-1.2, 1.2]³

TORUS = (1.0, 0.25)  # radius, radius of the tube
SPHERES = tuple((0.1 * k, 0.2, 0.3) for k in range(49))
SPHERE_RADIUS = 0.1

_photos = [Path(__file__).parents[1] / "docs" / "pictures" / "forest.png"]

_models: list[Path] = []
_clouds: list[Path] = []

TILE, PACKET = 16, 4  # pixels on a side, as the renderer orders its rays


def solids(size: float) -> list[iso.Shape]:
    """Every main solid once, each about `size` from its centre to its surface."""
    return [
        iso.sphere(size),
        iso.ellipsoid((2.2 * size, 1.6 * size, 1.2 * size)),
        iso.box((2.0 * size, 1.4 * size, 1.7 * size)),
        iso.rounded_box((1.8 * size, 1.8 * size, 1.2 * size), 0.2 * size),
        iso.box_frame((2.0 * size, 2.0 * size, 1.6 * size), 0.3 * size),
        iso.torus(size, 0.3 * size),
        iso.capped_torus(size, 0.3 * size, 120),
        iso.link(0.8 * size, 0.5 * size, 0.2 * size),
        iso.cylinder(0.8 * size, 2.0 * size),
        iso.rounded_cylinder(0.8 * size, 2.0 * size, 0.2 * size),
        iso.capped_cone(1.8 * size, size, 0.5 * size),
        iso.cone(size, 2.0 * size),
        iso.capsule(0.5 * size, 1.4 * size),
        iso.hexagonal_prism(size, 1.4 * size),
        iso.octahedron(1.2 * size),
        iso.pyramid(1.5 * size, 2.0 * size),
    ]


def mixed(count: int, size: float, reach: float = REACH) -> list[iso.Shape]:
    """`count` solids, the kinds in turn, each with its own rotation and translation within `reach`."""
    kinds = solids(size)
    numbers = random.Random(SEED)
    shapes = []
    for index in range(count):
        axis = (numbers.random(), numbers.random(), 1.0)
        place = (numbers.uniform(-reach, reach) for _ in range(3))
        shapes.append(kinds[index % len(kinds)].rotate(360.0 * numbers.random(), axis).translate(*place))
    return shapes


def smooth_64() -> iso.Scene:
    """64 mixed shapes in one smooth union."""
    return iso.Scene(show=iso.union(*mixed(64, 0.12), smooth=0.05))


def overlapping_64() -> iso.Scene:
    """64 mixed shapes, all of them overlapping in one wide smooth union: none can be left out anywhere."""
    return iso.Scene(show=iso.union(*mixed(64, 0.35, 0.45), smooth=0.5))


def torus() -> iso.Scene:
    """The torus of the plain PyTorch tracer."""
    return iso.Scene(show=iso.torus(*TORUS))


def torus_and_spheres() -> iso.Scene:
    """Its 50 primitives."""
    spheres = (iso.sphere(SPHERE_RADIUS).translate(*place) for place in SPHERES)
    return iso.Scene(show=iso.union(iso.torus(*TORUS), *spheres))


def city(count: int) -> iso.Scene:
    """The city of `count` shapes from the gallery."""
    return gallery_city(count)


def use_photos(paths: Sequence[str] | None) -> None:
    """Fit fields to these pictures from now on."""
    if paths:
        _photos[:] = map(Path, paths)


def photos() -> tuple[Path, ...]:
    """Pictures that fields are fitted to; one that was rendered here, unless others were named."""
    return tuple(_photos)


def use_models(meshes: Sequence[str] | None, clouds: Sequence[str] | None) -> None:
    """Fit fields to these files from now on."""
    _models[:] = map(Path, meshes or ())
    _clouds[:] = map(Path, clouds or ())


def models() -> tuple[Path, ...]:
    """Meshes that were named to be fitted to."""
    return tuple(_models)


def clouds() -> tuple[Path, ...]:
    """Clouds of points that were named to be fitted to."""
    return tuple(_clouds)


def bumpy_torus(sides: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Vertices and faces of a torus whose tube swells and shrinks, 2 sides² triangles of uneven sizes."""
    around = 2.0 * math.pi / sides * torch.arange(sides)
    u, v = torch.meshgrid(around, around, indexing="ij")
    tube = 0.3 + 0.05 * (7.0 * u).sin() * (5.0 * v).cos()
    ring = 0.7 + tube * v.cos()
    vertices = torch.stack([ring * u.cos(), ring * u.sin(), tube * v.sin()], dim=-1).reshape(-1, 3)
    i, j = torch.meshgrid(torch.arange(sides), torch.arange(sides), indexing="ij")
    below, right = (i + 1) % sides, (j + 1) % sides
    a, b, c, d = i * sides + j, below * sides + j, below * sides + right, i * sides + right
    faces = torch.stack([a, b, c, a, c, d], dim=-1).reshape(-1, 3)
    return vertices, faces.to(torch.int32)


def write_model(path: Path) -> Path:
    """The bumpy torus of 20 000 triangles as a file."""
    import trimesh

    vertices, faces = bumpy_torus(100)
    trimesh.Trimesh(vertices.numpy(), faces.numpy(), process=False).export(path)
    return path


def write_cloud(path: Path) -> Path:
    """10 000 points of the bumpy torus as a file."""
    import numpy as np

    np.savez(path, points=bumpy_torus(100)[0].numpy())
    return path


def device() -> str:
    """Where tensors lie for the backend that isofield chooses."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def rays(size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Origins and unit directions (size², 3) from (0, 0, -3) through a square of pixels, tile by tile."""
    place = (torch.arange(size, device=device()) + 0.5) / size * 2.0 - 1.0
    y, x = torch.meshgrid(place, place, indexing="ij")
    way = torch.stack([x, y, torch.full_like(x, 1.8)], dim=-1)
    way = way / way.norm(dim=-1, keepdim=True)
    tiles, packets = size // TILE, TILE // PACKET
    way = way.reshape(tiles, packets, PACKET, tiles, packets, PACKET, 3)
    way = way.permute(0, 3, 1, 4, 2, 5, 6).reshape(-1, 3).contiguous()
    start = torch.tensor([0.0, 0.0, -3.0], device=device()).expand_as(way).contiguous()
    return start, way
