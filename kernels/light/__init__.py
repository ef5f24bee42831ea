"""Light at the points that rays hit: normals, occlusion, shadows, and what surfaces send to the camera."""

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
    from .lights import (
        LIGHT_SIZE as LIGHT_SIZE,
        SKY_SIZE as SKY_SIZE,
        LightColumn as LightColumn,
        Lighting as Lighting,
        LightKind as LightKind,
        SkyColumn as SkyColumn,
    )
    from .shading import shade as shade
    from .surface_visibility import visibility as visibility
    from .upsampling import middles as middles, parts_only as parts_only, spread_picture as spread_picture
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
