"""Meshes: the surface of a scene, a field or a volume as triangles."""

from .extract import mesh
from .report import MeshReport
from .result import Mesh

__all__ = ["Mesh", "MeshReport", "mesh"]
