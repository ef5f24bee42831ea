"""What there is to say about a mesh: whether it is closed, how many parts and handles it has, how large it is."""

from __future__ import annotations

from dataclasses import dataclass

import torch

CHUNK = 2**18  # triangles at a time


@dataclass(frozen=True)
class MeshReport:
    """Measures of a mesh.

    Attributes:
        vertices, triangles: how many.
        watertight: whether every side of a triangle is one other triangle's too, run through the other way.
        components: parts that hang together.
        genus: handles of all parts together, such as 1 for a torus; None if the mesh is not watertight.
        volume: enclosed, in cubic scene units, negative if the mesh is inside out; None if it is not watertight.
        area: in square scene units.
    """

    vertices: int
    triangles: int
    watertight: bool
    components: int
    genus: int | None
    volume: float | None
    area: float

    def __str__(self) -> str:
        closed = f"genus {self.genus}, volume {self.volume:.6g}" if self.watertight else "open"
        parts = f"{self.components} component{'' if self.components == 1 else 's'}"
        return (
            f"{self.vertices} vertices, {self.triangles} triangles, "
            f"{'watertight' if self.watertight else 'not watertight'}, {parts}, {closed}, area {self.area:.6g}"
        )


def report_of(vertices: torch.Tensor, faces: torch.Tensor) -> MeshReport:
    """Measures of a mesh of vertices (V, 3) and faces (F, 3); a mesh without faces is watertight and has no parts."""
    sides = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).long()
    count = len(vertices)
    there = (sides[:, 0] * count + sides[:, 1]).sort().values
    back = (sides[:, 1] * count + sides[:, 0]).sort().values
    watertight = bool(torch.equal(there, back) and (there.diff() > 0).all())
    del there, back
    components = _components(sides[: 2 * len(faces)], count)  # two sides of a triangle tell that it hangs together
    euler = count - len(sides) // 2 + len(faces)
    volume, area = _volume_and_area(vertices, faces)
    return MeshReport(
        count,
        len(faces),
        watertight,
        components,
        components - euler // 2 if watertight else None,
        volume if watertight else None,
        area,
    )


def _volume_and_area(vertices: torch.Tensor, faces: torch.Tensor) -> tuple[float, float]:
    """What the triangles enclose, if they are closed, and their area; some at a time, in float64."""
    volume = area = 0.0
    for part in torch.split(faces, CHUNK):
        corners = vertices[part.long()].double()
        crosses = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        volume += float((corners[:, 0] * crosses).sum()) / 6.0
        area += float(crosses.norm(dim=1).sum()) / 2.0
    return volume, area


def _components(sides: torch.Tensor, count: int) -> int:
    """Parts of a graph: each node takes the least number among its neighbours, and then that one's, until all agree."""
    least = torch.arange(count)
    while len(sides):
        both = least[sides]
        found = least.scatter_reduce(0, both.flatten(), both.amin(dim=1).repeat_interleave(2), "amin")
        found = found[found]
        if torch.equal(found, least):
            break
        least = found
    return int(torch.bincount(least).count_nonzero())
