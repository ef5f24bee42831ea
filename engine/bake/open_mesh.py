"""Bodies of open meshes: closed by a lid where their inside ends without a triangle, or shells.

At a lid the sign of the distance changes although no triangle is near: without a lid the value would jump from -d to d,
and rays that must not step over a jump would need hundreds of steps.
"""

from __future__ import annotations

from typing import Protocol

import torch

from ...kernels import MeshTree
from .sampling import Axes, cells_to_ask, nodes_of_cells

ROUNDING = 1.001  # by which two distances may exceed the way between their points


class Body(Protocol):
    """What has a signed distance (N,) at points (N, 3)."""

    def distance(self, points: torch.Tensor) -> torch.Tensor: ...


class OpenMesh:
    """A mesh that is not closed, and points on its lid, which count for the distance as triangles do.

    Args:
        tree: the mesh.
        axes: coordinates of the nodes of a grid around it. Where two neighbours lie on different sides and no triangle
            is between them, the lid has a point on the edge between them.

    Attributes:
        lid: (K, 3), those points.
    """

    def __init__(self, tree: MeshTree, axes: Axes) -> None:
        self.tree = tree
        self.lid = _lid_points(tree, axes)
        self._closed = tree if len(self.lid) == 0 else _with_points(tree, self.lid)

    def distance(self, points: torch.Tensor) -> torch.Tensor:
        """Distance (N,) to mesh and lid at points (N, 3), negative where the mesh's winding number is above a half."""
        distance: torch.Tensor = self._closed.distance(points, signed=False)
        return torch.where(self.tree.winding_number(points) > 0.5, -distance, distance)


class Shell:
    """What lies within half a thickness of a mesh's triangles."""

    def __init__(self, tree: MeshTree, thickness: float) -> None:
        self.tree, self.thickness = tree, thickness

    def distance(self, points: torch.Tensor) -> torch.Tensor:
        """Distance (N,) to the shell at points (N, 3), negative in it."""
        distance: torch.Tensor = self.tree.distance(points, signed=False)
        return distance - 0.5 * self.thickness


def body_of_mesh(tree: MeshTree, axes: Axes, is_open: bool, thickness: float | None = None) -> Body:
    """What a mesh stands for: with a thickness a shell; else itself, with a lid on the axes' nodes if it is open."""
    if thickness is not None:
        return Shell(tree, thickness)
    return OpenMesh(tree, axes) if is_open else tree


def _with_points(tree: MeshTree, points: torch.Tensor) -> MeshTree:
    """The mesh with points as faces without area."""
    numbers = len(tree.vertices) + torch.arange(len(points), dtype=torch.int32, device=tree.faces.device)
    faces = numbers[:, None].expand(-1, 3)
    return MeshTree(torch.cat([tree.vertices, points.to(tree.vertices)]), torch.cat([tree.faces, faces]))


def _lid_points(tree: MeshTree, axes: Axes) -> torch.Tensor:
    """Points (K, 3) at which the winding number passes through a half on edges that meet no triangle."""
    values = nodes_of_cells(tree.distance, axes, cells_to_ask(tree.distance, axes))
    found = [torch.empty(0, 3)]
    for axis, places in enumerate(axes):
        count = values.shape[axis] - 1
        start, end = values.narrow(axis, 0, count), values.narrow(axis, 1, count)
        side = float(places[1] - places[0])
        # Nodes that were not asked for are NaN, which is no distance from anything.
        is_lid = ((start < 0.0) != (end < 0.0)) & ((start - end).abs() > ROUNDING * side)
        numbers = is_lid.nonzero()
        one = torch.stack([places_[numbers[:, i]] for i, places_ in enumerate(axes)], dim=1)
        other = one.clone()
        other[:, axis] = places[numbers[:, axis] + 1]
        before, after = tree.winding_number(one), tree.winding_number(other)
        share = ((before - 0.5) / (before - after)).nan_to_num(0.5).clamp(0.0, 1.0)
        found.append(torch.lerp(one, other, share[:, None]))
    return torch.cat(found)
