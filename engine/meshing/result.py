"""A mesh, and how it is written to a file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..files import atomic_write, check_mesh_name
from .pieces import Keep, Pieces
from .ply import write_ply
from .report import MeshReport, report_of


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles on the surface of a field, on the CPU.

    Attributes:
        vertices: (V, 3) float32, scene units, counted from `origin`.
        faces: (F, 3) int32, counter-clockwise seen from outside.
        normals: (V, 3) float32, unit vectors outwards.
        colours: (V, 3) float32 linear RGB in [0, 1], None where nothing has a material.
        origin: 0, but for what was made of a model so far from it that float32 cannot hold its coordinates.
    """

    vertices: torch.Tensor
    faces: torch.Tensor
    normals: torch.Tensor
    colours: torch.Tensor | None = None
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)

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
        return Mesh(self.vertices[used], renumbered[faces.long()], self.normals[used], colours, self.origin)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the mesh: .ply (binary) and .glb with normals and colours, .obj with both as text, .stl with neither.

        Colours are sRGB but in .glb, which wants linear ones. A file holds at least one triangle. Vertices are written
        with the origin added: in double precision to .ply, as the node's place to .glb; .stl has no room for that.

        Raises:
            ValueError: another extension, a mesh without triangles, or .stl for a mesh far from the origin.
            OSError: the file cannot be written.
        """
        name, suffix = os.fspath(path), Path(path).suffix.lower()
        check_mesh_name("path", path)
        if len(self.faces) == 0:
            raise ValueError(f"{name}: expected a mesh with triangles to write, got one without")
        if suffix == ".stl" and any(self.origin):
            raise ValueError(
                f"{name}: a mesh about {self.origin} is too far from the origin for the float32 numbers of .stl; "
                "expected the name of a .ply, .obj or .glb file"
            )
        with atomic_write(path) as temporary:
            if suffix == ".ply":
                colours = None if self.colours is None else self._bytes(linear=False)
                write_ply(temporary, self._places(), self.faces.numpy(), self.normals.numpy(), colours)
            else:
                self._export(temporary, suffix)

    def _places(self) -> NDArray[np.floating]:
        """The vertices with the origin added; float64 if that is far away."""
        if not any(self.origin):
            return self.vertices.numpy()
        places: NDArray[np.float64] = self.vertices.double().numpy() + self.origin
        return places

    def _bytes(self, *, linear: bool) -> NDArray[np.uint8]:
        """The colours (V, 3), linear or sRGB."""
        assert self.colours is not None
        shown = self.colours.clamp(0.0, 1.0)
        if not linear:
            curved = 1.055 * shown.clamp(min=0.0031308) ** (1.0 / 2.4) - 0.055
            shown = torch.where(shown <= 0.0031308, 12.92 * shown, curved)
        eight_bits: NDArray[np.uint8] = (255.0 * shown + 0.5).byte().numpy()
        return eight_bits

    def _export(self, path: Path, suffix: str) -> None:
        """Write .obj, .stl and .glb by trimesh."""
        import trimesh

        colours = None
        if self.colours is not None:
            colours = np.full((len(self.colours), 4), 255, dtype=np.uint8)
            colours[:, :3] = self._bytes(linear=suffix == ".glb")
        made: Any = trimesh.Trimesh(
            self.vertices.numpy() if suffix == ".glb" else self._places(), self.faces.numpy(),
            vertex_normals=self.normals.numpy(), vertex_colors=colours, process=False, validate=False,
        )  # fmt: skip
        if suffix == ".glb" and any(self.origin):
            place = np.eye(4)
            place[:3, 3] = self.origin
            scene = trimesh.Scene()
            scene.add_geometry(made, transform=place)
            made = scene
        options: dict[str, Any] = {} if suffix == ".stl" else {"include_normals": True}
        made.export(str(path), file_type=suffix[1:], **options)
