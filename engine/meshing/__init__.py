"""Meshes: the surface of a scene, a field or a volume as triangles.

Only what is near the surface is evaluated, and a mesh tells what is wrong with it in its report.
"""

from typing import TYPE_CHECKING

from ...kernels.lazy import lazy

if TYPE_CHECKING:
    from .extract import mesh as mesh
    from .pieces import Keep as Keep, Piece as Piece
    from .report import MeshReport as MeshReport, report_of as report_of
    from .result import Mesh as Mesh
    from .surfaces import ProgressCallback as ProgressCallback
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
