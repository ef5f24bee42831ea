"""Meshes from files, as bricks."""

from __future__ import annotations

from ...kernels import MeshTree
from ..files import Up
from ..program import vector
from ..shapes import Bake
from .cache import kept
from .sampling import sampled

FREE = 8  # voxels around a mesh


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
        return sampled(tree.distance, vector(low), vector(high), resolution + 2 * FREE, is_distance=True)

    return kept(path, {"resolution": resolution, "up": up}, bake)
