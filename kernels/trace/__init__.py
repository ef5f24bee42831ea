"""Sphere tracing: where rays first meet a program's surface, and which shape and material they find there.

Marching is a search without gradients.
"""

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
    from .plane_geometry import (
        nearest_plane as nearest_plane,
        plane_distance as plane_distance,
        plane_slope as plane_slope,
    )
    from .ray_march import Intersections as Intersections, march as march
    from .sphere_tracing import Hits as Hits, sphere_trace as sphere_trace, trace_film as trace_film
    from .surface import shared_shapes as shared_shapes, surface_on as surface_on
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
