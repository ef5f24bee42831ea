"""Rendering: from a scene, a field, a mesh or a volume to a picture."""

from typing import TYPE_CHECKING

from ...kernels.lazy import lazy

if TYPE_CHECKING:
    from .layers import AXES as AXES, Axis as Axis, Layers as Layers
    from .modes import Mode as Mode
    from .overlay import iso_colours as iso_colours, line_spacing as line_spacing
    from .picture import (
        Cast as Cast,
        View as View,
        cast as cast,
        jittered as jittered,
        pixel_size as pixel_size,
        render as render,
        render_view as render_view,
        seen_of as seen_of,
        view_of as view_of,
        what_is_visible as what_is_visible,
    )
    from .preview import preview_of as preview_of
    from .shots import Overlay as Overlay, Shot as Shot, Sums as Sums, Views as Views, still as still
    from .sources import open_source as open_source
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
