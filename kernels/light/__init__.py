"""Light at the points that rays hit: normals, occlusion, shadows, and what surfaces send to the camera.

Light does not bounce here: occlusion and penumbrae are estimated from distances along one ray, the sky is reflected as
far as the occlusion leaves it.
"""

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
    from .coarse_pixels import coarse_rays as coarse_rays, without_planes as without_planes
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
    from .upsampling import shade_upsampled as shade_upsampled
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
