"""Meshes: the surface of a scene, a field or a volume as triangles."""

from .extract import mesh
from .report import MeshReport
from .result import MESHES, Mesh

__all__ = ["MESHES", "Mesh", "MeshReport", "mesh"]
