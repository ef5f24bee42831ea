"""Rendering: from a scene, a field, a mesh or a volume to a picture.

`view_of` makes a `View` of any of them, and a view gives any number of pictures. The same seed gives the same picture.
"""

from typing import TYPE_CHECKING

from ...kernels.lazy import lazy

if TYPE_CHECKING:
    from .layers import AXES as AXES, Axis as Axis, Layers as Layers
    from .modes import Mode as Mode
    from .overlay import iso_colours as iso_colours, line_spacing as line_spacing
    from .picture import (
        mode_values as mode_values,
        render as render,
        render_view as render_view,
    )
    from .preview import preview_of as preview_of
    from .rays import (
        TracedRays as TracedRays,
        pixel_size as pixel_size,
        trace_rays as trace_rays,
        visibility_at_hits as visibility_at_hits,
    )
    from .sampler import sample_place as sample_place
    from .shots import (
        Overlay as Overlay,
        SampleSums as SampleSums,
        Shot as Shot,
        ViewCache as ViewCache,
        render_shot as render_shot,
    )
    from .sources import open_as_scene as open_as_scene
    from .views import View as View, view_of as view_of
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
