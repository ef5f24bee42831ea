"""The neural tangent kernel: why some fields learn what others cannot."""

from .kernel import per_point, tangent_kernel
from .line import LineReport, line_points, line_report
from .regression import KernelRegression
from .training import Decay, Spectrum, decay, predicted_decay, spectrum

__all__ = [
    "Decay",
    "KernelRegression",
    "LineReport",
    "Spectrum",
    "decay",
    "line_points",
    "line_report",
    "per_point",
    "predicted_decay",
    "spectrum",
    "tangent_kernel",
]
