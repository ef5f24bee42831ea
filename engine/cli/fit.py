"""`isofield fit`: fields from pictures and shapes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import OmitArgPrefixes, OmitSubcommandPrefixes, Positional, arg, subcommand

from ..fit.presets import PresetName
from ..fit.settings import FitSettings
from .usage import check_range, check_settings

if TYPE_CHECKING:
    import torch

    from ..fields import Field

STOPPED = 130
SNAPSHOT_SIDE = 256  # pixels of the longer side
PICTURE_SIDE = 2048  # of the picture that is written at the end
FPS = 12.0


@dataclass(frozen=True)
class FitOptions:
    """What all fits have in common."""

    field: PresetName = "hash_grid"
    """kind of field, in the sizes of the comparison"""
    output: Annotated[Path | None, arg(metavar="FOLDER")] = None
    """folder for field, picture, log and checkpoint; out/<name>-<field> if not given"""
    resume: bool = False
    """go on from the checkpoint that an interrupted run left in the folder"""
    device: Literal["cpu", "cuda"] = "cpu"
    """where to train"""
    view: bool = False
    """show the field in a window as it learns"""


@dataclass(frozen=True)
class FitImage:
    """Fit a field to a photo. Writes field.safetensors, picture.png, log.json, and progress.gif of the snapshots."""

    photo: Positional[Path]
    """picture to learn: PNG, JPEG and whatever Pillow reads"""
    options: OmitArgPrefixes[FitOptions] = field(default_factory=FitOptions)
    settings: OmitArgPrefixes[FitSettings] = field(default_factory=FitSettings)

    def run(self) -> int:
        """Fit and write; returns the exit status."""
        check_settings(self.settings)
        from ..fields import ImageField, sample_picture
        from ..files import write_image
        from ..fit import ImageSource, squared_error
        from ..images import read_pixels
        from .fitting import Fitting, psnr_over

        image = ImageField(read_pixels(self.photo))
        height, width, _ = image.pixels.shape
        fitting = Fitting(self.photo.stem, self.options, self.settings)
        learned = fitting.new_field(2, 3, meaning="colour", aspect=image.aspect)
        small, large = (_within(width, height, side) for side in (SNAPSHOT_SIDE, PICTURE_SIDE))

        def picture(field: Field) -> torch.Tensor:
            return sample_picture(field, *small)

        status = fitting.fit(learned, ImageSource(image.to(self.options.device)), squared_error, True, picture)
        if status == 0:
            write_image(fitting.folder / "picture.png", sample_picture(learned, *large))
            print(f"{fitting.folder}: PSNR {psnr_over(learned, image):.2f} dB over the photo", file=sys.stderr)
        return status


@dataclass(frozen=True)
class FitShape:
    """Fit a field to a scene's subject. Writes field.safetensors and log.json."""

    scene: Positional[str]
    """scene file (.toml), script (.py, which is run) or built-in name"""
    target: Literal["sdf", "occupancy"] = "sdf"
    """what is learned"""
    near: float = 0.5
    """part of the points that lie near the surface"""
    eikonal: float = 0.1
    """weight of the eikonal loss, for --target sdf"""
    normals: float = 0.0
    """weight of the loss on the gradient, for --target sdf"""
    options: OmitArgPrefixes[FitOptions] = field(default_factory=FitOptions)
    settings: OmitArgPrefixes[FitSettings] = field(default_factory=FitSettings)

    def run(self) -> int:
        """Fit and write; returns the exit status."""
        check_settings(self.settings)
        check_range("--near", self.near, 0.0, 1.0)
        check_range("--eikonal", self.eikonal, 0.0, 1e6)
        check_range("--normals", self.normals, 0.0, 1e6)
        from ..fields import ShapeField
        from ..fit import DistanceLoss, ShapeSource, squared_error
        from ..scene import load
        from .fitting import Fitting

        shape = ShapeField(load(self.scene), trainable=())
        of_distance = self.target == "sdf"
        meaning = "signed_distance" if of_distance else "occupancy"
        source = ShapeSource(shape, meaning, near=self.near, gradients=of_distance and self.normals > 0.0)
        fitting = Fitting(Path(self.scene).stem, self.options, self.settings)
        # Gradients are trained too, and those of ReLUs jump.
        rounded = {"activation": "softplus"} if of_distance and self.options.field not in ("siren", "grid") else {}
        learned = fitting.new_field(3, 1, meaning=meaning, bounds=source.bounds, **rounded)
        loss: Callable[..., Any] = DistanceLoss(self.eikonal, self.normals) if of_distance else squared_error
        return fitting.fit(learned, source, loss, not of_distance, None)


@dataclass(frozen=True)
class Fit:
    """Fit a field to a photo or a shape."""

    to: OmitSubcommandPrefixes[
        OmitArgPrefixes[Annotated[FitImage, subcommand("image")] | Annotated[FitShape, subcommand("shape")]]
    ]

    def run(self) -> int:
        """Fit and write; returns the exit status."""
        return self.to.run()


def _within(width: int, height: int, side: int) -> tuple[int, int]:
    """The size of a picture made smaller until its longer side is `side` at most."""
    scale = min(1.0, side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))
