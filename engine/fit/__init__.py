"""Fitting: fields from pictures, shapes and whatever else gives batches, by one training loop.

Names are imported when they are first used: the command line reads the settings and shall not wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cloud_source import CloudLoss, CloudSource, ball_field, cleaned, placed_cloud
    from .loop import FitError, FitResult, fit
    from .losses import Batch, DistanceLoss, squared_error
    from .mesh_source import MeshSource, placed
    from .presets import PRESETS, Preset, make_field
    from .settings import FitSettings
    from .sources import ImageSource, ShapeSource, TorusSource

__all__ = [
    "PRESETS",
    "Batch",
    "CloudLoss",
    "CloudSource",
    "DistanceLoss",
    "FitError",
    "FitResult",
    "FitSettings",
    "ImageSource",
    "MeshSource",
    "Preset",
    "ShapeSource",
    "TorusSource",
    "ball_field",
    "cleaned",
    "fit",
    "make_field",
    "placed",
    "placed_cloud",
    "squared_error",
]

_HOMES = {
    "PRESETS": "presets",
    "Batch": "losses",
    "CloudLoss": "cloud_source",
    "CloudSource": "cloud_source",
    "DistanceLoss": "losses",
    "FitError": "loop",
    "FitResult": "loop",
    "FitSettings": "settings",
    "ImageSource": "sources",
    "MeshSource": "mesh_source",
    "Preset": "presets",
    "ShapeSource": "sources",
    "TorusSource": "sources",
    "ball_field": "cloud_source",
    "cleaned": "cloud_source",
    "fit": "loop",
    "make_field": "presets",
    "placed": "mesh_source",
    "placed_cloud": "cloud_source",
    "squared_error": "losses",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value
