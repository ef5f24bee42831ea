"""Rays and beams of a picture's pixels in the order of memory, and from values of rays to a picture for a screen.

No function here knows what the rays meet.
"""

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
    from .development import develop as develop, on_screen as on_screen
    from .rays import (
        PACKET as PACKET,
        TILE as TILE,
        BeamColumn as BeamColumn,
        Beams as Beams,
        Film as Film,
        beams_of as beams_of,
        camera_rays as camera_rays,
        packet_corner as packet_corner,
        pixel_in_packet as pixel_in_packet,
        place_of as place_of,
    )
    from .screen import screen_pixels as screen_pixels
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
