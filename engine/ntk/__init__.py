"""The neural tangent kernel: why some fields learn what others cannot."""

from typing import TYPE_CHECKING

from ...kernels.lazy import lazy

if TYPE_CHECKING:
    from .figures import FIGURES as FIGURES
    from .kernel import per_point as per_point, tangent_kernel as tangent_kernel
    from .line import LineReport as LineReport, line_points as line_points, line_report as line_report
    from .regression import KernelRegression as KernelRegression
    from .training import (
        Decay as Decay,
        Spectrum as Spectrum,
        decay as decay,
        predicted_decay as predicted_decay,
        spectrum as spectrum,
    )
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
