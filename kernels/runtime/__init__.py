"""Taichi's runtime: its start, kernels compiled and launched under one lock, memory for results, PyTorch's bridge.

The runtime belongs to the host program: it is joined if it runs, started at the first launch if not, and never reset.
A room above starts nothing and compiles nothing but through `run`.
"""

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
    from . import memory as memory
    from .front_end import ti as ti
    from .launcher import (
        check_device as check_device,
        in_vectors as in_vectors,
        locked_runtime as locked_runtime,
        per_lane_width as per_lane_width,
        run as run,
    )
    from .settings import pack_settings as pack_settings
    from .startup import (
        LANE_WIDTHS as LANE_WIDTHS,
        POINT_LANE_WIDTHS as POINT_LANE_WIDTHS,
        available_cores as available_cores,
        backend as backend,
        cache_folder as cache_folder,
        describe as describe,
        lane_width as lane_width,
        lock as lock,
        start as start,
    )
    from .torch_bridge import (
        Gradients as Gradients,
        bridge as bridge,
        derivative_of as derivative_of,
        under_torch_func as under_torch_func,
    )
    from .turns import GRAIN as GRAIN, deal as deal, first_turn as first_turn, next_turn as next_turn
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
