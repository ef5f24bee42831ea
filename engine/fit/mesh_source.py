"""Batches from meshes: distance or occupancy at points on the surface, near it, and anywhere."""

from __future__ import annotations

import math
import zlib
from typing import Any

import torch

from ...kernels import MeshTree
from ..bake import Body, axes_of, body_of_mesh
from ..fields import Bounds, Meaning, Placement
from ..files import Sign, TriangleMesh
from ..meshing import mesh as mesh_of
from ..program import vector
from .losses import Batch
from .sources import NEAR

SHELL = 64.0  # thicknesses of a shell in a mesh's longest side, if none is given
LID_RESOLUTION = 160  # cells along the longest side of the bounds in which a lid is looked for
MARGIN = 0.1  # of a model's longest side, left free on each side of it
POOL = 2**22  # points that batches are drawn from, at most: with fewer a hash grid learns them by heart
ON_SURFACE = 1e-6  # distance, as a part of the diagonal, below which a face's normal is the gradient


def placed_mesh(mesh: TriangleMesh) -> tuple[TriangleMesh, Placement, Bounds]:
    """A mesh moved so that its longest side and the margin beside it fill [-1, 1], how it was, and bounds about it.

    Raises:
        ValueError: all its points are one, or it is too large for float32.
    """
    vertices = mesh.vertices.double() + torch.tensor(mesh.origin, dtype=torch.float64)
    used = vertices[torch.unique(mesh.faces.long())]
    low, high = used.amin(dim=0), used.amax(dim=0)
    longest = float((high - low).max())
    if not 1e-30 < longest < 1e30:
        raise ValueError(f"mesh: expected a longest side from 1e-30 to 1e30, got {longest:g}")
    x, y, z = (0.5 * (low + high)).tolist()
    placement = Placement((x, y, z), 2.0 / ((1.0 + 2.0 * MARGIN) * longest))
    half = (0.5 * (high - low) + MARGIN * longest) * placement.scale
    moved = TriangleMesh(placement.to_field(vertices).float(), mesh.faces, is_open=mesh.is_open)
    return moved, placement, (tuple((-half).tolist()), tuple(half.tolist()))


def surface_points(mesh: TriangleMesh, count: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """`count` points (N, 3) on a mesh, uniform by area, and the unit normals (N, 3) of their faces."""
    corners = mesh.vertices[mesh.faces.long()].double()
    normals = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    areas = normals.norm(dim=1)
    if not float(areas.sum()) > 0.0:
        raise ValueError("mesh: expected faces with an area, got none")
    ends = areas.cumsum(0)
    unit = torch.rand(count, 3, generator=generator, dtype=torch.float64)
    chosen = torch.searchsorted(ends, unit[:, 0] * ends[-1]).clamp_max(len(ends) - 1)
    root = unit[:, 1:2].sqrt()
    weights = torch.cat([1.0 - root, root * (1.0 - unit[:, 2:3]), root * unit[:, 2:3]], dim=1)
    points = (weights[:, :, None] * corners[chosen]).sum(dim=1)
    return points.float(), torch.nn.functional.normalize(normals[chosen], dim=1).float()


def body_of(
    mesh: TriangleMesh, bounds: Bounds, sign: Sign = "winding", thickness: float | None = None
) -> tuple[TriangleMesh, Body]:
    """The surface that a fit to a mesh has, as triangles and as a distance.

    Those of the mesh itself if it is closed. An open one is closed by a lid, and with sign none it is a shell: their
    triangles are made by marching cubes.

    Args:
        mesh: in the field's coordinates.
        bounds: of the field.
        sign, thickness: see `MeshOptions`; the thickness in the field's unit.
    """
    tree = MeshTree(mesh.vertices, mesh.faces)
    if sign == "winding" and not mesh.is_open:
        return mesh, tree
    if sign == "none" and thickness is None:
        thickness = max(b - a for a, b in zip(tree.low, tree.high, strict=True)) / SHELL
    axes = axes_of(vector(bounds[0]), vector(bounds[1]), LID_RESOLUTION)
    body = body_of_mesh(tree, axes, mesh.is_open, thickness)
    made = mesh_of(mesh, resolution=LID_RESOLUTION, bounds=bounds, sign=sign, thickness=thickness)
    return TriangleMesh(made.vertices, made.faces), body


class MeshSource:
    """Signed distance to a mesh or occupancy of its inside, at points drawn from a pool that is made once.

    Args:
        mesh: the surface, in the field's coordinates.
        target: what to give, signed distance, or occupancy: 1 inside and 0 outside.
        bounds: lower and upper corner of the points.
        near: part of the points that lie near the surface: with normally distributed offsets, of 0.2 % of the bounds'
            diagonal for one half and 1 % for the other; of signed distances a third lies on it. The others are uniform
            in the bounds.
        gradients: whether to give the distance's gradient too.
        surface: whose distance is learned, such as that of an open mesh with its lid; the mesh's if None.
        count: points in the pool, at most POOL; POOL if None. More than a fit draws in all are of no use.

    Raises:
        ValueError: an argument is out of its range, or the mesh has no area.
    """

    def __init__(
        self,
        mesh: TriangleMesh,
        target: Meaning | str,
        *,
        bounds: Bounds,
        near: float = 0.5,
        gradients: bool = False,
        surface: Body | None = None,
        count: int | None = None,
    ) -> None:
        if target not in (Meaning.SIGNED_DISTANCE, Meaning.OCCUPANCY):
            raise ValueError(f"target: expected signed_distance or occupancy, got {target!r}")
        if not 0.0 <= near <= 1.0:
            raise ValueError(f"near: expected a number from 0 to 1, got {near}")
        self.mesh, self.target, self.bounds, self.near = mesh, Meaning(target), bounds, near
        self.count = POOL if count is None else min(count, POOL)
        self.tree = MeshTree(mesh.vertices, mesh.faces)
        self.surface: Body = self.tree if surface is None else surface
        generator = torch.Generator().manual_seed(0)
        low, high = (torch.tensor(corner) for corner in bounds)
        close = round(near * self.count)
        points = low + torch.rand(self.count - close, 3, generator=generator) * (high - low)
        if close:
            on_surface, _ = surface_points(mesh, close, generator)
            kinds = NEAR if self.target is Meaning.OCCUPANCY else (0.0, *NEAR)  # it has no value on the surface
            widths = torch.tensor(kinds)[torch.arange(close) % len(kinds)] * math.dist(*bounds)
            offsets = widths[:, None] * torch.randn(close, 3, generator=generator)
            points = torch.cat([points, (on_surface + offsets).clamp(low, high)])
        leaf = points.requires_grad_(gradients)
        values = self.surface.distance(leaf)
        self.gradients: torch.Tensor | None = None
        if gradients:
            (slopes,) = torch.autograd.grad(values.sum(), leaf)
            self.gradients = torch.where(
                (values.abs() > ON_SURFACE * math.dist(*bounds))[:, None], slopes, self._normals(points)
            )
        self.points, self.values = points.detach(), values.detach()[:, None]
        if self.target is Meaning.OCCUPANCY:
            self.values, self.gradients = (self.values < 0.0).float(), None

    @torch.no_grad()
    def __call__(self, count: int, generator: torch.Generator) -> Batch:
        """`count` points of the pool, and distance or occupancy there (count, 1)."""
        chosen = torch.randint(self.count, (count,), generator=generator, device=generator.device)
        self._move(generator.device)
        gradients = None if self.gradients is None else self.gradients[chosen]
        return Batch(self.points[chosen], self.values[chosen], gradients)

    def describe(self) -> dict[str, Any]:
        """What tells this source from another, in types that JSON has."""
        numbers = zlib.crc32(self.mesh.faces.numpy().data, zlib.crc32(self.mesh.vertices.numpy().data))
        return {
            "mesh": [len(self.mesh.vertices), len(self.mesh.faces)],
            "checksum": numbers,
            "target": self.target,
            "bounds": [list(corner) for corner in self.bounds],
            "near": self.near,
            "count": self.count,
        }

    def _normals(self, points: torch.Tensor) -> torch.Tensor:
        """Unit normals (N, 3) of the faces that are closest to points (N, 3)."""
        corners = self.mesh.vertices[self.mesh.faces[self.tree.closest(points.detach()).faces.long()].long()]
        across = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        return torch.nn.functional.normalize(across, dim=1)

    def _move(self, device: torch.device) -> None:
        self.points, self.values = self.points.to(device), self.values.to(device)
        self.gradients = None if self.gradients is None else self.gradients.to(device)
