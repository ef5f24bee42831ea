"""A mesh, and how it is written to a file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..files import atomic_write, check_mesh_name
from .pieces import Keep, Pieces
from .report import MeshReport, report_of


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles on the surface of a field, on the CPU.

    Attributes:
        vertices: (V, 3) float32, scene units.
        faces: (F, 3) int32, counter-clockwise seen from outside.
        normals: (V, 3) float32, unit vectors outwards.
        colours: (V, 3) float32 linear RGB in [0, 1], None where nothing has a material.
    """

    vertices: torch.Tensor
    faces: torch.Tensor
    normals: torch.Tensor
    colours: torch.Tensor | None = None

    @cached_property
    def report(self) -> MeshReport:
        """Whether it is closed, of how many parts, how large."""
        return report_of(self.vertices, self.faces)

    def keeping(self, keep: Keep) -> Mesh:
        """The mesh without its small pieces: with the largest, or with those that have a share of the area.

        Args:
            keep: "largest", or the least share of the whole area, above 0 and at most 1.

        Raises:
            ValueError: `keep` is neither, or no piece has that share.
        """
        if len(self.faces) == 0:
            return self
        pieces = Pieces(self.vertices, self.faces)
        used = pieces.kept(keep)[pieces.numbers]
        renumbered = used.cumsum(0).to(self.faces.dtype) - 1
        faces = self.faces[used[self.faces[:, 0].long()]]
        colours = None if self.colours is None else self.colours[used]
        return Mesh(self.vertices[used], renumbered[faces.long()], self.normals[used], colours)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the mesh: .ply (binary) and .glb with normals and colours, .obj with both as text, .stl with neither.

        Colours are sRGB but in .glb, which wants linear ones. A file holds at least one triangle.

        Raises:
            ValueError: another extension, or a mesh without triangles.
            OSError: the file cannot be written.
        """
        suffix = Path(path).suffix.lower()
        check_mesh_name("path", path)
        if len(self.faces) == 0:
            raise ValueError(f"{os.fspath(path)}: expected a mesh with triangles to write, got one without")
        made = self._trimesh(linear=suffix == ".glb")
        options: dict[str, Any] = {} if suffix == ".stl" else {"include_normals": True}
        if suffix == ".ply":
            options = {"vertex_normal": True}
        with atomic_write(path) as temporary:
            try:
                made.export(str(temporary), file_type=suffix[1:], **options)
            except OSError as error:
                raise OSError(
                    f"{os.fspath(path)}: cannot be written: {(error.strerror or str(error)).lower()}"
                ) from None

    def _trimesh(self, *, linear: bool) -> Any:
        import trimesh

        colours = None
        if self.colours is not None:
            shown = self.colours.clamp(0.0, 1.0)
            shown = (
                shown
                if linear
                else torch.where(
                    shown <= 0.0031308, 12.92 * shown, 1.055 * shown.clamp(min=0.0031308) ** (1.0 / 2.4) - 0.055
                )
            )
            colours = np.full((len(shown), 4), 255, dtype=np.uint8)
            colours[:, :3] = (255.0 * shown + 0.5).byte().numpy()
        return trimesh.Trimesh(
            self.vertices.numpy(), self.faces.numpy(), vertex_normals=self.normals.numpy(), vertex_colors=colours,
            process=False, validate=False,
        )  # fmt: skip
