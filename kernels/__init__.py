"""Kernels: functions on tensors, and the device code behind them. Knows no scene, no module, no file, no window.

Names are imported when they are first used: torch and taichi take seconds, and who only reads a scene needs neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .encodings import positional_encoding, spherical_harmonics
    from .evaluate import distance, distance_and_gradient
    from .hash_encoding import hash_encode
    from .hash_levels import HashLevels
    from .interpolation import interpolate
    from .marching import marching_cubes
    from .program import Program
    from .runtime import start
    from .trace import Hits, sphere_trace
    from .triangles import MeshTree, mesh_distance

__all__ = [
    "HashLevels",
    "Hits",
    "MeshTree",
    "Program",
    "distance",
    "distance_and_gradient",
    "hash_encode",
    "interpolate",
    "marching_cubes",
    "mesh_distance",
    "positional_encoding",
    "sphere_trace",
    "spherical_harmonics",
    "start",
]

_HOMES = {
    "HashLevels": "hash_levels",
    "Hits": "trace",
    "MeshTree": "triangles",
    "Program": "program",
    "distance": "evaluate",
    "distance_and_gradient": "evaluate",
    "hash_encode": "hash_encoding",
    "interpolate": "interpolation",
    "marching_cubes": "marching",
    "mesh_distance": "triangles",
    "positional_encoding": "encodings",
    "sphere_trace": "trace",
    "spherical_harmonics": "encodings",
    "start": "runtime",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
