"""Packets of points (lanes), the maths namespace that formulas are written against, constants, and checks of arguments.

Nothing here knows what a program is.
"""

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
    from . import arguments as arguments
    from .arguments import Array as Array, check_integer as check_integer
    from .constants import (
        FAR as FAR,
        LARGEST_COORDINATE as LARGEST_COORDINATE,
        LEAST_SCALE as LEAST_SCALE,
        NOTHING_KNOWN as NOTHING_KNOWN,
    )
    from .maths import DEVICE as DEVICE, TORCH as TORCH
    from .packets import (
        MOST_LANES as MOST_LANES,
        all_lanes as all_lanes,
        any_lane as any_lane,
        packet_functions as packet_functions,
        room_for_packets as room_for_packets,
    )
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
