"""What there is to say about a mesh: whether it is closed, how many parts and handles it has, how large it is."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .pieces import Piece, Pieces

CHUNK = 2**18  # triangles at a time
LISTED = 8  # pieces that are named one by one


@dataclass(frozen=True)
class MeshReport:
    """Measures of a mesh.

    Attributes:
        vertices, triangles: how many.
        watertight: whether every side of a triangle is one other triangle's too, run through the other way.
        components: pieces, and vertices in no face.
        genus: handles of all parts together, such as 1 for a torus; None if the mesh is not watertight.
        volume: enclosed, in cubic scene units, negative if the mesh is inside out; None if it is not watertight.
        area: in square scene units.
        pieces: those that have triangles, the largest area first.
    """

    vertices: int
    triangles: int
    watertight: bool
    components: int
    genus: int | None
    volume: float | None
    area: float
    pieces: tuple[Piece, ...]

    def __str__(self) -> str:
        closed = f"genus {self.genus}, volume {self.volume:.6g}" if self.watertight else "open"
        parts = f"{self.components} component{'' if self.components == 1 else 's'}"
        summary = (
            f"{self.vertices} vertices, {self.triangles} triangles, "
            f"{'watertight' if self.watertight else 'not watertight'}, {parts}, {closed}, area {self.area:.6g}"
        )
        return "\n".join([summary, *self._listed()])

    def _listed(self) -> list[str]:
        """A line for each of the largest pieces and one for the rest; none if all is one piece."""
        if len(self.pieces) < 2:
            return []
        whole = self.area or 1.0
        lines = [
            f"piece {number}: {piece.area / whole:.3g} of the area, {piece.triangles} triangles about "
            f"({', '.join(f'{value:.3g}' for value in piece.centre)})"
            for number, piece in enumerate(self.pieces[:LISTED], start=1)
        ]
        rest = self.pieces[LISTED:]
        if rest:
            lines.append(f"{len(rest)} more: {sum(piece.area for piece in rest) / whole:.3g} of the area")
        return lines


def report_of(vertices: torch.Tensor, faces: torch.Tensor) -> MeshReport:
    """Measures of a mesh of vertices (V, 3) and faces (F, 3); a mesh without faces is watertight and has no pieces."""
    sides = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).long()
    count = len(vertices)
    there, back = ((sides[:, i] * count + sides[:, 1 - i]).numpy() for i in range(2))
    for numbers in (there, back):
        numbers.sort()  # several times as fast as PyTorch's
    watertight = bool((there == back).all() and (there[1:] > there[:-1]).all())
    del there, back
    euler = count - len(sides) // 2 + len(faces)
    del sides
    pieces = Pieces(vertices, faces)
    return MeshReport(
        count,
        len(faces),
        watertight,
        len(pieces),
        len(pieces) - euler // 2 if watertight else None,
        _volume(vertices, faces) if watertight else None,
        float(pieces.area.sum()),
        pieces.largest_first(),
    )


def _volume(vertices: torch.Tensor, faces: torch.Tensor) -> float:
    """What closed triangles enclose; some at a time, in float64."""
    volume = 0.0
    for part in torch.split(faces, CHUNK):
        corners = vertices[part.long()].double()
        volume += float((corners[:, 0] * torch.linalg.cross(corners[:, 1], corners[:, 2])).sum()) / 6.0
    return volume
