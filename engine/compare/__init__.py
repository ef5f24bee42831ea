"""Fields compared: the same target, steps and seed for each, and a report side by side."""

from typing import TYPE_CHECKING

from ...kernels.lazy import lazy

if TYPE_CHECKING:
    from .learn import compare as compare
    from .report import smaller_side as smaller_side, write_report as write_report
    from .targets import ImageTarget as ImageTarget
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
