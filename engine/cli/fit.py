"""`isofield fit`: fields from pictures, shapes, meshes and clouds of points."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from tyro.conf import OmitArgPrefixes, OmitSubcommandPrefixes, Positional, arg, subcommand

from ..files import MeshOptions, kind_of
from ..fit import FitSettings
from .exit_status import OK
from .fit_options import FitOptions
from .usage import check_mesh_options, check_range, check_settings, read_from, tell_notes

if TYPE_CHECKING:
    import torch

    from ..fields import Field, Placement

SNAPSHOT_SIDE = 256  # pixels of the longer side
PICTURE_SIDE = 2048  # of the picture that is written at the end


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
        from ..files import read_pixels, write_image
        from ..fit import ImageSource, squared_error
        from .fitting import Fitting, psnr_over

        image = ImageField(read_pixels(self.photo))
        height, width, _ = image.pixels.shape
        fitting = Fitting(self.photo.stem, self.options, self.settings)
        learned = fitting.new_field(2, 3, meaning="colour", aspect=image.aspect)
        small, large = (_within(width, height, side) for side in (SNAPSHOT_SIDE, PICTURE_SIDE))

        def picture(field: Field) -> torch.Tensor:
            return sample_picture(field, *small)

        def write_picture(field: Field) -> None:
            write_image(fitting.folder / "picture.png", sample_picture(field, *large))

        source = ImageSource(image.to(self.options.device))
        status = fitting.fit(learned, source, squared_error, psnr=True, picture=picture, write_more=write_picture)
        if status == OK:
            print(f"{fitting.folder}: PSNR {psnr_over(learned, image):.2f} dB over the photo", file=sys.stderr)
        return status


class _Target(NamedTuple):
    """What a field is fitted to: batches, how a mesh was moved for it, and how good the finished field is."""

    source: Any
    placement: Placement | None = None
    measure: Callable[[Field], dict[str, Any]] | None = None


@dataclass(frozen=True)
class FitShape:
    """Fit a field to a scene's subject or a mesh. Writes field.safetensors and log.json."""

    shape: Positional[str]
    """scene file (.toml), script (.py, which is run) or built-in name; or a mesh (.obj, .ply, .stl, .glb), which is
    moved into [-1, 1]³ and measured against the field"""
    mesh: OmitArgPrefixes[MeshOptions] = field(default_factory=MeshOptions)
    target: Literal["sdf", "occupancy"] = "sdf"
    """what is learned"""
    near: float = 0.5
    """part of the points that lie near the surface"""
    eikonal: float | None = None
    """weight of the eikonal loss, for --target sdf; if not given 0.1 for a scene, whose values may be bounds, and 0 for
    a mesh, whose distances are exact"""
    normals: float = 0.0
    """weight of the loss on the gradient, for --target sdf"""
    options: OmitArgPrefixes[FitOptions] = field(default_factory=FitOptions)
    settings: OmitArgPrefixes[FitSettings] = field(default_factory=FitSettings)

    def run(self) -> int:
        """Fit and write; returns the exit status."""
        check_settings(self.settings)
        check_range("--near", self.near, 0.0, 1.0)
        check_mesh_options(self.mesh, self.shape)
        check_range("--eikonal", self.eikonal or 0.0, 0.0, 1e6)
        check_range("--normals", self.normals, 0.0, 1e6)
        from ..fit import DistanceLoss, cross_entropy
        from .fitting import Fitting

        of_distance = self.target == "sdf"
        meaning = "signed_distance" if of_distance else "occupancy"
        gradients = of_distance and self.normals > 0.0
        is_mesh = kind_of(self.shape) == "mesh"
        eikonal = (0.0 if is_mesh else 0.1) if self.eikonal is None else self.eikonal
        target = (self._mesh if is_mesh else self._scene)(meaning, gradients)
        fitting = Fitting(Path(self.shape).stem, self.options, self.settings)
        rounded: dict[str, Any] = {}
        if self._is_smooth(eikonal):
            rounded = {"activation": "softplus"}
            if self.options.field == "hash_grid":
                rounded["smoothstep"] = True
        learned = fitting.new_field(3, 1, meaning=meaning, bounds=target.source.bounds, **rounded)
        learned.placement = target.placement
        loss: Callable[..., Any] = DistanceLoss(eikonal, self.normals) if of_distance else cross_entropy
        return fitting.fit(learned, target.source, loss, measure=target.measure)

    def _is_smooth(self, eikonal: float) -> bool:
        """Whether the field has continuous first derivatives.

        It has them where gradients are trained, which jump with ReLUs; and hash grids have them where they learn an
        occupancy: with kinks at all of its nodes one keeps specks in empty space.
        """
        if self.target == "occupancy":
            return self.options.field == "hash_grid"
        return self.options.field not in ("siren", "grid") and (eikonal > 0.0 or self.normals > 0.0)

    def _scene(self, meaning: str, gradients: bool) -> _Target:
        from ..fields import ShapeField
        from ..fit import ShapeSource
        from ..scene import load

        shape = ShapeField(load(self.shape), trainable=())
        return _Target(ShapeSource(shape, meaning, near=self.near, gradients=gradients))

    def _mesh(self, meaning: str, gradients: bool) -> _Target:
        from ..files import read_mesh
        from ..fit import MeshSource, agreement_with_mesh, body_of, placed_mesh

        read = read_mesh(self.shape, self.mesh.up)
        tell_notes(self.shape, read.notes)
        mesh, placement, bounds = placed_mesh(read)
        thickness = self.mesh.thickness
        surface, body = body_of(
            mesh, bounds, self.mesh.sign, None if thickness is None else thickness * placement.scale
        )
        if surface is not mesh and self.mesh.sign == "winding":
            tell_notes(self.shape, ["what is learned and measured has a lid where the mesh is open"])
        drawn = self.settings.steps * self.settings.batch
        source = MeshSource(
            surface, meaning, bounds=bounds, near=self.near, gradients=gradients, surface=body, count=drawn
        )
        return _Target(source, placement, lambda field: agreement_with_mesh(field, surface, body))


@dataclass(frozen=True)
class FitPoints:
    """Fit a signed distance to points on a surface. Writes field.safetensors and log.json.

    The points are moved into [-1, 1]³; normals are used if the file has them.
    """

    cloud: Positional[Path]
    """cloud of points: .ply, .npz or .xyz"""
    output: Annotated[Path | None, arg(metavar="FOLDER")] = None
    """folder for field, log and checkpoint; out/<name>-mlp if not given"""
    resume: bool = False
    """go on from the checkpoint that an interrupted run left in the folder"""
    device: Literal["cpu", "cuda"] = "cpu"
    """where to train"""
    settings: OmitArgPrefixes[FitSettings] = field(default_factory=lambda: FitSettings(steps=2000, batch=512))

    def run(self) -> int:
        """Fit and write; returns the exit status."""
        check_settings(self.settings)
        from ..files import read_cloud
        from ..fit import CloudLoss, CloudSource, agreement_with_cloud, ball_field, cleaned, placed_cloud
        from .fitting import Fitting

        with read_from(self.cloud, "cloud"):
            cloud, strays = cleaned(read_cloud(self.cloud))
        if strays:
            print(f"{self.cloud}: {strays} points far from all others are left out", file=sys.stderr)
        with read_from(self.cloud, "cloud"):
            cloud, placement, bounds = placed_cloud(cloud)
        options = FitOptions(field="mlp", output=self.output, resume=self.resume, device=self.device)
        fitting = Fitting(self.cloud.stem, options, self.settings)
        learned = ball_field(bounds, seed=self.settings.seed).to(self.device)
        learned.placement = placement
        source = CloudSource(cloud, bounds)
        return fitting.fit(
            learned, source, CloudLoss(), measure=lambda field: agreement_with_cloud(field, cloud.points)
        )


@dataclass(frozen=True)
class Fit:
    """Fit a field to a photo, a shape, a mesh or points."""

    to: OmitSubcommandPrefixes[
        OmitArgPrefixes[
            Annotated[FitImage, subcommand("image")]
            | Annotated[FitShape, subcommand("shape")]
            | Annotated[FitPoints, subcommand("points")]
        ]
    ]

    def run(self) -> int:
        """Fit and write; returns the exit status."""
        return self.to.run()


def _within(width: int, height: int, side: int) -> tuple[int, int]:
    """The size of a picture made smaller until its longer side is `side` at most."""
    scale = min(1.0, side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))
