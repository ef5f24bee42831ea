"""Shapes from files: sampled volumes, fitted fields and meshes, baked into bricks when the scene is built."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from .. import hooks
from ..files import FIELD, MESHES, VOLUME, Sign, Solid, Up
from ..program import BuildError, Lowering, Node
from .base import Shape, register
from .model import Number, Positive, Vector3

if TYPE_CHECKING:
    from ...kernels.program import SampleBlock

Resolution = Annotated[
    int, Field(strict=True, ge=8, le=512, description="voxels along the longest side; the error falls with its square")
]


@dataclass(frozen=True)
class Bake:
    """SampleBlock, and by how much they are wrong.

    Attributes:
        bricks: for the program.
        error: the largest difference that was measured, scene units, between what the bricks interpolate and what was
            baked: at random points of the voxels that hold the surface, of a mesh also at its vertices and the middles
            of its faces; 0 for a volume of distances, which says no more than its nodes.
        bound: what no difference in these voxels exceeds, where true distances were sampled.
        notes: what there is to say of the file, a sentence each.
    """

    bricks: SampleBlock
    error: float
    bound: float | None = None
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        voxels = " x ".join(map(str, self.bricks.voxels))
        megabytes = self.bricks.data.nbytes / 1e6
        bound = "" if self.bound is None else f", at most {self.bound:.2g}"
        return (
            f"{voxels} voxels of {self.bricks.voxel:.3g}, {self.bricks.count} bricks, {megabytes:.1f} MB, "
            f"error {self.error:.2g}{bound}, slope {self.bricks.slopes[0]:.3g}"
        )


class FromFile(Shape):
    """What shapes from files share: the file, and that what it holds is baked."""

    outside: ClassVar[Literal["exact", "bound"]] = "bound"
    inside: ClassVar[Literal["exact", "bound"]] = "bound"
    endings: ClassVar[tuple[str, ...]] = ()

    file: Annotated[str, Field(max_length=4096)]

    @field_validator("file")
    @classmethod
    def _has_its_ending(cls, file: str) -> str:
        if os.path.splitext(file)[1].lower() not in cls.endings:
            *others, last = cls.endings
            wanted = f"{', '.join(others)} or {last}" if others else last
            raise ValueError(f"expected the name of a file that ends in {wanted}, got {file[:100]!r}")
        return file

    def bake(self) -> Bake:
        """The bricks, and their error.

        Raises:
            ValueError, OSError: the file does not hold what it should; says why.
        """
        bake: Bake = hooks.bake(self)
        return bake

    def lower(self, build: Lowering) -> Node:
        try:
            return build.samples(self.bake().bricks)
        except (OSError, ValueError) as error:
            raise BuildError(f"shapes.{build.name}.file: {error}") from None


@register
class Sampled(FromFile):
    """A volume of signed distances or an occupancy, values[i, j, k] at x_i, y_j, z_k; interpolated between the nodes.

    The nodes span `bounds`, the first and last on its faces; where the inside reaches a face, the shape is cut off
    there. Signed distances need not be true ones: they are divided by their steepest slope. Booleans and whole numbers
    of two values are an occupancy, 1 inside. Any other values need `level` and `solid`; of all but signed distances the
    distance to the level set is sampled.
    """

    source: ClassVar[str] = "trilinear interpolation over the steepest slope"
    endings: ClassVar[tuple[str, ...]] = (VOLUME, FIELD)

    kind: Literal["sampled"] = "sampled"
    file: Annotated[
        str,
        Field(
            max_length=4096,
            description="a .npy array (X, Y, Z) or a .safetensors file with one such tensor, from the scene's folder",
        ),
    ]
    bounds: Annotated[
        tuple[Vector3, Vector3], Field(description="lower and upper corner of the nodes, scene units")
    ] = ((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0))

    level: Annotated[
        Number | None, Field(description="value on the surface; 0 for signed distances, half-way for an occupancy")
    ] = None
    solid: Annotated[
        Solid | None,
        Field(description="the side of the level that is inside; below for signed distances, above for an occupancy"),
    ] = None

    @field_validator("bounds")
    @classmethod
    def _span_a_box(cls, bounds: tuple[Vector3, Vector3]) -> tuple[Vector3, Vector3]:
        if any(low >= high for low, high in zip(*bounds, strict=True)):
            raise ValueError("expected a lower and an upper corner, got one that is not lower on every axis")
        return bounds


@register
class Neural(FromFile):
    """A fitted field, a signed distance or an occupancy, in the bounds that it was fitted in."""

    source: ClassVar[str] = "trilinear interpolation of the network's values over the steepest slope"
    endings: ClassVar[tuple[str, ...]] = (FIELD,)

    kind: Literal["neural"] = "neural"
    file: Annotated[
        str,
        Field(max_length=4096, description="the .safetensors file of the field, from the scene's folder"),
    ]
    resolution: Resolution = 128


@register
class MeshFile(FromFile):
    """A mesh of triangles, sampled in voxels around its surface; inside is where the winding number is above a half.

    Where an open mesh's inside ends without a triangle, it has a lid. With `sign = "none"` it is a shell.
    """

    source: ClassVar[str] = "closest triangle; sign by the winding number (Barill et al. 2018); trilinear interpolation"
    endings: ClassVar[tuple[str, ...]] = MESHES

    kind: Literal["mesh"] = "mesh"
    file: Annotated[
        str,
        Field(max_length=4096, description="a .ply, .obj, .stl or .glb file, from the scene's folder"),
    ]
    resolution: Resolution = 128
    up: Annotated[Up, Field(description="the axis that points up in the file; y becomes the scene's z")] = "z"
    sign: Annotated[
        Sign, Field(description="inside by the winding number, or none: a shell around the triangles, for open meshes")
    ] = "winding"
    thickness: Annotated[
        Positive | None, Field(description="of the shell of sign none, scene units; two voxels if not given")
    ] = None
    centred: Annotated[
        bool, Field(description="whether the middle of the mesh's box is moved to the origin, as for one far from it")
    ] = False

    @model_validator(mode="after")
    def _only_shells_are_thick(self) -> MeshFile:
        if self.thickness is not None and self.sign != "none":
            raise ValueError('thickness: expected with sign = "none" only')
        return self
