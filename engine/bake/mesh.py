"""Meshes from files, as bricks."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING

import torch

from ...kernels import MeshTree
from ..shapes import Bake, MeshFile
from .cache import kept
from .open_mesh import OpenMesh, body_of_mesh
from .sampling import Axes, axes_of, sampled_at

if TYPE_CHECKING:
    from ..files import TriangleMesh

FREE = 8  # voxels around a mesh
THICKNESS = 2.0  # of a shell, voxels, if none is given
THINNEST = 1.75  # of a shell, voxels: a thinner one has holes where no node lies in it
PROBES = 2**16  # vertices and middles of faces at which the error is measured, of each at most
LID = 'it is closed by a lid where its winding number is a half; with sign = "none" there is none'


class FarMeshError(ValueError):
    """A mesh that stands where float32 cannot hold its shape."""


def baked_mesh(shape: MeshFile) -> Bake:
    """The mesh of a model file, sampled at `resolution` voxels along its longest side, as bricks.

    Inside is where the generalised winding number is above a half; a shell has nothing inside of its triangles. Around
    the mesh FREE voxels are added: beyond the bounds a value is only a bound.

    Raises:
        FarMeshError: the mesh is too far from the origin for the shape, which is not centred.
        ValueError: the file holds no mesh with an inside, or the shell is too thin; says why.
        OSError: the file cannot be read.
    """
    asked = shape.model_dump(include={"resolution", "up", "sign", "thickness", "centred"})
    return kept(shape.file, asked, lambda: _baked(shape))


def _baked(shape: MeshFile) -> Bake:
    from ..files import read_mesh  # brings trimesh, which nothing else here needs

    mesh = read_mesh(shape.file, shape.up)
    tree = MeshTree(_placed(mesh, shape.centred), mesh.faces)
    longest = max(b - a for a, b in zip(tree.low, tree.high, strict=True))
    voxel = longest / shape.resolution
    corners = tree.vertices[tree.faces[:PROBES].long()]
    probes = torch.cat([tree.vertices[torch.unique(tree.faces)][:PROBES], corners.mean(dim=1)])
    thickness = _thickness(shape, voxel)
    axes = _axes(tree, voxel, 0.5 * (thickness or 0.0))
    body = body_of_mesh(tree, axes, mesh.is_open, thickness)
    bake = replace(sampled_at(body.distance, axes, True, probes), notes=mesh.notes)
    if isinstance(body, OpenMesh) and len(body.lid):
        # Between points of the lid the sign changes a little away from 0: half a diagonal bounds nothing there.
        return replace(bake, bound=None, notes=(*mesh.notes, LID))
    return bake


def _thickness(shape: MeshFile, voxel: float) -> float | None:
    """That of the shell, None for what is none."""
    if shape.sign != "none":
        return None
    thickness = THICKNESS * voxel if shape.thickness is None else shape.thickness
    if thickness < THINNEST * voxel:
        raise ValueError(
            f"thickness: expected at least {THINNEST * voxel:.3g}, {THINNEST:g} voxels of this resolution, got "
            f"{thickness:.3g}"
        )
    return thickness


def _placed(mesh: TriangleMesh, centred: bool) -> torch.Tensor:
    """The vertices where they are to stand."""
    if not centred:
        if any(mesh.origin):
            raise FarMeshError(
                f"expected a mesh that float32 can hold where it stands, about {mesh.origin}; with centred = true its "
                "middle is put at the origin"
            )
        return mesh.vertices
    used = mesh.vertices[torch.unique(mesh.faces.long())]
    return mesh.vertices - 0.5 * (used.amin(dim=0) + used.amax(dim=0))


def _axes(tree: MeshTree, voxel: float, half: float = 0.0) -> Axes:
    """Nodes of voxels about a mesh that is made thicker by `half`."""
    free = FREE * voxel + half
    low, high = ([at + sign * free for at in corner] for corner, sign in ((tree.low, -1.0), (tree.high, 1.0)))
    longest = max(b - a for a, b in zip(low, high, strict=True))
    x, y, z = low
    u, v, w = high
    return axes_of((x, y, z), (u, v, w), ceil(longest / voxel - 1e-6))
