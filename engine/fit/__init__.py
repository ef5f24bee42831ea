"""Fitting: fields from pictures, shapes, meshes and point clouds, by one training loop.

A fit that was interrupted goes on from its checkpoint as if it had not been; the same seed gives the same field.
"""

from typing import TYPE_CHECKING

from ...kernels.lazy import lazy

if TYPE_CHECKING:
    from .agreement import agreement_with_cloud as agreement_with_cloud, agreement_with_mesh as agreement_with_mesh
    from .cloud_source import (
        CloudLoss as CloudLoss,
        CloudSource as CloudSource,
        ball_field as ball_field,
        cleaned as cleaned,
        placed_cloud as placed_cloud,
    )
    from .loop import FitError as FitError, FitResult as FitResult, fit as fit
    from .losses import (
        Batch as Batch,
        DistanceLoss as DistanceLoss,
        cross_entropy as cross_entropy,
        squared_error as squared_error,
    )
    from .mesh_source import MeshSource as MeshSource, body_of as body_of, placed_mesh as placed_mesh
    from .presets import PRESETS as PRESETS, Preset as Preset, PresetName as PresetName, make_field as make_field
    from .settings import FitSettings as FitSettings
    from .sources import ImageSource as ImageSource, ShapeSource as ShapeSource, TorusSource as TorusSource
    from .status import psnr_of as psnr_of
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
