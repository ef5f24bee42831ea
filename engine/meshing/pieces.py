"""The pieces of a mesh: what hangs together, how large each is, and which are kept."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch

from ...kernels.triangles import part_numbers

CHUNK = 2**18  # triangles at a time

Keep = Literal["largest"] | float  # the largest piece, or all that have this share of the area


class Piece(NamedTuple):
    """Triangles that hang together by shared vertices.

    Attributes:
        triangles: how many.
        area: in square scene units.
        centre: of the area.
    """

    triangles: int
    area: float
    centre: tuple[float, float, float]


class Pieces:
    """The pieces of a mesh of vertices (V, 3) and faces (F, 3).

    Attributes:
        numbers: (V,) int64, which piece each vertex belongs to; one in no face is a piece of its own.
        triangles: (P,) int64 of each piece.
        area: (P,) float64 of each piece.
    """

    def __init__(self, vertices: torch.Tensor, faces: torch.Tensor) -> None:
        # Two sides of a triangle tell that it hangs together.
        self.numbers = part_numbers(torch.cat([faces[:, [0, 1]], faces[:, [1, 2]]]).long(), len(vertices))
        count = int(self.numbers.max()) + 1 if len(vertices) else 0
        self.triangles = torch.zeros(count, dtype=torch.int64)
        self.area, self._moment = (torch.zeros(count, *more, dtype=torch.float64) for more in ((), (3,)))
        for part in torch.split(faces, CHUNK):
            corners = vertices[part.long()].double()
            area = 0.5 * torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).norm(dim=1)
            own = self.numbers[part[:, 0].long()]
            self.triangles += torch.bincount(own, minlength=count)
            self.area.index_add_(0, own, area)
            self._moment.index_add_(0, own, area[:, None] * corners.mean(dim=1))

    def __len__(self) -> int:
        return len(self.area)

    def largest_first(self) -> tuple[Piece, ...]:
        """The pieces that have triangles, in the order of their areas."""
        centre = self._moment / self.area.clamp(min=torch.finfo(torch.float64).tiny)[:, None]
        order = torch.argsort(self.area, descending=True, stable=True)
        order = order[self.triangles[order] > 0]
        numbers = (values[order].tolist() for values in (self.triangles, self.area, centre))
        return tuple(Piece(triangles, area, (x, y, z)) for triangles, area, (x, y, z) in zip(*numbers, strict=True))

    def kept(self, keep: Keep) -> torch.Tensor:
        """Which pieces (P,) are kept: the largest, or those with a share `keep` of the area, above 0 and at most 1.

        Raises:
            ValueError: it is neither, or no piece has that share.
        """
        if keep == "largest":
            return torch.arange(len(self)) == self.area.argmax()
        if isinstance(keep, str) or not 0.0 < keep <= 1.0:
            raise ValueError(f"keep: expected largest, or a share of the area above 0 and at most 1, got {keep!r}")
        share = self.area / self.area.sum()
        if not bool((share >= keep).any()):
            raise ValueError(
                f"keep: expected a share that a piece has, the largest has {share.max():.3g}, got {keep:g}"
            )
        return share >= keep
