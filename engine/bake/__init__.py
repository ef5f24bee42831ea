"""Volumes, fields and meshes sampled into bricks, which a scene program reads like any other shape."""

from typing import TYPE_CHECKING

from ...kernels.lazy import lazy

if TYPE_CHECKING:
    from .cache import Bake as Bake
    from .field import baked_field as baked_field, surface_field as surface_field
    from .mesh import baked_mesh as baked_mesh
    from .volume import baked_volume as baked_volume
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
