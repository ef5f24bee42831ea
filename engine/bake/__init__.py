"""Volumes, fields and meshes sampled into bricks, which a scene program reads like any other shape.

A bake says by how much it is wrong; it is kept in the cache folder and made again when its file has changed.
"""

from typing import TYPE_CHECKING

from ...kernels.lazy import lazy

if TYPE_CHECKING:
    from .baking import baked as baked
    from .field import surface_field as surface_field
    from .mesh import FarMeshError as FarMeshError
    from .open_mesh import Body as Body, OpenMesh as OpenMesh, body_of_mesh as body_of_mesh
    from .sampling import axes_of as axes_of
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
