"""Kernels: functions on tensors, and the device code behind them. Knows no scene, no module, no file, no window.

Names are imported when they are first used: torch and taichi take seconds, and who only reads a scene needs neither.
Each folder is a room of one subject; `docs/architecture.md` says in which order rooms may import each other.
"""

from typing import TYPE_CHECKING

from .lazy import lazy

if TYPE_CHECKING:
    from .encodings import (
        HashLevels as HashLevels,
        hash_encode as hash_encode,
        positional_encoding as positional_encoding,
        spherical_harmonics as spherical_harmonics,
    )
    from .grids import interpolate as interpolate
    from .program import Program as Program, distance as distance, distance_and_gradient as distance_and_gradient
    from .runtime import start as start
    from .surfaces import marching_cubes as marching_cubes
    from .trace import Hits as Hits, sphere_trace as sphere_trace
    from .triangles import MeshTree as MeshTree, mesh_distance as mesh_distance
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
