"""From shapes to what the machine runs: nodes with extents, lowered, ordered and written as rows.

Knows no scene and no kind of shape; a shape says itself what nodes it becomes.
"""

from typing import TYPE_CHECKING

from ...kernels.lazy import lazy

if TYPE_CHECKING:
    from . import extent as extent, numbers as numbers
    from .emit import Emitter as Emitter
    from .errors import BuildError as BuildError
    from .extent import (
        ENDLESS as ENDLESS,
        INFINITY as INFINITY,
        Extent as Extent,
        Vector as Vector,
        of_box as of_box,
        of_flat as of_flat,
    )
    from .frame import IDENTITY as IDENTITY, Frame as Frame
    from .lowering import (
        DEFAULT_MATERIAL as DEFAULT_MATERIAL,
        Lowering as Lowering,
        LoweringContext as LoweringContext,
        lower as lower,
    )
    from .numbers import as_float as as_float, vector as vector
    from .tree import (
        Fold as Fold,
        Leaf as Leaf,
        Node as Node,
        OnValue as OnValue,
        Warp as Warp,
        is_plane as is_plane,
        united as united,
    )
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
