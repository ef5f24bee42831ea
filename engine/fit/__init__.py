"""Fitting: fields from pictures, shapes and whatever else gives batches, by one training loop.

Names are imported when they are first used: the command line reads the settings and shall not wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .loop import FitError, FitResult, fit
    from .losses import Batch, DistanceLoss, squared_error
    from .presets import PRESETS, Preset, make_field
    from .settings import FitSettings
    from .sources import ImageSource, ShapeSource, TorusSource

__all__ = [
    "PRESETS",
    "Batch",
    "DistanceLoss",
    "FitError",
    "FitResult",
    "FitSettings",
    "ImageSource",
    "Preset",
    "ShapeSource",
    "TorusSource",
    "fit",
    "make_field",
    "squared_error",
]

_HOMES = {
    "PRESETS": "presets",
    "Batch": "losses",
    "DistanceLoss": "losses",
    "FitError": "loop",
    "FitResult": "loop",
    "FitSettings": "settings",
    "ImageSource": "sources",
    "Preset": "presets",
    "ShapeSource": "sources",
    "TorusSource": "sources",
    "fit": "loop",
    "make_field": "presets",
    "squared_error": "losses",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value
