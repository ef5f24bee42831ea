"""Meshes by formula, and the distance to a mesh and its winding number, triangle by triangle."""

from __future__ import annotations

import math

import torch

Mesh = tuple[torch.Tensor, torch.Tensor]  # vertices (V, 3), faces (F, 3)


def cube(size: float = 1.0) -> Mesh:
    """A cube about the origin, two triangles to a side."""
    vertices = torch.cartesian_prod(*[torch.tensor([-0.5, 0.5])] * 3) * size
    sides = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    faces = [triangle for a, b, c, d in sides for triangle in ((a, b, c), (a, c, d))]
    return vertices, torch.tensor(faces, dtype=torch.int32)


def globe(rows: int, columns: int, radius: float = 1.0, bottom: float = math.pi) -> Mesh:
    """A sphere of rows from the north pole to the polar angle `bottom`, open below unless that is π."""
    polar = torch.linspace(0.0, bottom, rows + 1)[:, None].expand(-1, columns)
    around = (2.0 * math.pi / columns * torch.arange(columns)).expand(rows + 1, -1)
    place = torch.stack([polar.sin() * around.cos(), polar.sin() * around.sin(), polar.cos()], dim=-1)
    return radius * place.reshape(-1, 3), _strips(rows, columns, closed=False)


def torus(rows: int, columns: int, radius: float = 0.7, tube: float = 0.25) -> Mesh:
    """A torus about the z axis, of rows around the axis."""
    u = (2.0 * math.pi / rows * torch.arange(rows))[:, None].expand(-1, columns)
    v = (2.0 * math.pi / columns * torch.arange(columns)).expand(rows, -1)
    ring = radius + tube * v.cos()
    place = torch.stack([ring * u.cos(), ring * u.sin(), tube * v.sin()], dim=-1)
    return place.reshape(-1, 3), _strips(rows, columns, closed=True)


def joined(*meshes: Mesh) -> Mesh:
    """One mesh of several."""
    starts = torch.tensor([0, *(len(vertices) for vertices, _ in meshes)]).cumsum(0).tolist()
    faces = [faces + start for (_, faces), start in zip(meshes, starts, strict=False)]
    return torch.cat([vertices for vertices, _ in meshes]), torch.cat(faces)


def soup(count: int, size: float = 0.1, seed: int = 0) -> Mesh:
    """Triangles that have nothing to do with one another, in [-1, 1]³."""
    generator = torch.Generator().manual_seed(seed)
    centres = 2.0 * torch.rand(count, 1, 3, generator=generator) - 1.0
    corners = centres + size * torch.randn(count, 3, 3, generator=generator)
    return corners.reshape(-1, 3), torch.arange(3 * count, dtype=torch.int32).reshape(-1, 3)


def distance_twin(mesh: Mesh, points: torch.Tensor) -> torch.Tensor:
    """Unsigned distances (N) at points (N, 3): the least over all triangles of that to the plane or to an edge."""
    corners = mesh[0].double()[mesh[1].long()]
    p = points.double()[:, None]
    normal = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    sides, edges = [], []
    for k in range(3):
        start, edge = corners[:, k], corners[:, (k + 1) % 3] - corners[:, k]
        sides.append(((p - start) * torch.linalg.cross(normal, edge)).sum(-1))
        along = ((p - start) * edge).sum(-1) / edge.square().sum(-1).clamp_min(1e-300)
        edges.append((p - start - along.clamp(0.0, 1.0)[..., None] * edge).norm(dim=-1))
    height = ((p - corners[:, 0]) * normal).sum(-1).abs() / normal.norm(dim=-1).clamp_min(1e-300)
    inside = (torch.stack(sides) > 0.0).all(dim=0)
    return torch.where(inside, height, torch.stack(edges).amin(dim=0)).amin(dim=1)


def winding_twin(mesh: Mesh, points: torch.Tensor) -> torch.Tensor:
    """Winding numbers (N) at points (N, 3): the solid angles of all triangles (Van Oosterom and Strackee 1983)."""
    a, b, c = (mesh[0].double()[mesh[1].long()][:, k] - points.double()[:, None] for k in range(3))
    la, lb, lc = a.norm(dim=-1), b.norm(dim=-1), c.norm(dim=-1)
    volume = (a * torch.linalg.cross(b, c)).sum(-1)
    product = la * lb * lc + (a * b).sum(-1) * lc + (b * c).sum(-1) * la + (c * a).sum(-1) * lb
    return 2.0 * torch.atan2(volume, product).sum(dim=1) / (4.0 * math.pi)


def _strips(rows: int, columns: int, closed: bool) -> torch.Tensor:
    """Triangles between rows of vertices, which go round; the last row meets the first if `closed`."""
    i, j = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    below = (i + 1) % rows if closed else i + 1
    a, b = i * columns + j, below * columns + j
    c, d = below * columns + (j + 1) % columns, i * columns + (j + 1) % columns
    return torch.stack([a, b, c, a, c, d], dim=-1).reshape(-1, 3).to(torch.int32)
