"""What is true of every closed mesh, for the tests of what makes them."""

from __future__ import annotations

import torch


def defects(vertices: torch.Tensor, faces: torch.Tensor) -> list[str]:
    """What keeps vertices (V, 3) and faces (F, 3) from being a closed, oriented manifold without degenerate faces."""
    found = []
    count, triangles = len(vertices), faces.long()
    after, before = triangles.roll(-1, dims=1), triangles.roll(1, dims=1)
    there = (triangles * count + after).flatten()
    back = (after * count + triangles).flatten()
    if len(there.unique()) != len(there):
        found.append("a side is run through twice in one direction")
    if not torch.equal(there.sort().values, back.sort().values):
        found.append("a side has no other triangle")
    corners = vertices.double()[triangles]
    areas = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).norm(dim=1)
    if not bool((areas > 0).all()):
        found.append("a triangle has no area")
    if len(triangles.unique()) != count:
        found.append("a vertex has no triangle")
    if not found and fans(triangles, before, after, count) != count:
        found.append("a vertex has several fans of triangles")
    return found


def fans(triangles: torch.Tensor, before: torch.Tensor, after: torch.Tensor, count: int) -> int:
    """Cycles of triangles about vertices: corners joined across the sides that leave their vertex."""
    leaving = (triangles * count + after).flatten().argsort()
    arriving = (triangles * count + before).flatten().argsort()
    following = torch.empty_like(leaving)
    following[leaving] = arriving  # across the side from the vertex to `after`, which the next triangle has as `before`
    least = torch.arange(len(following))
    while True:
        smaller = torch.minimum(least, least[following])
        smaller = torch.minimum(smaller, smaller[smaller])
        if torch.equal(smaller, least):
            return len(least.unique())
        least = smaller


def euler(vertices: torch.Tensor, faces: torch.Tensor) -> int:
    """V - E + F of a closed mesh."""
    return len(vertices) - 3 * len(faces) // 2 + len(faces)


def volume(vertices: torch.Tensor, faces: torch.Tensor) -> float:
    """Enclosed volume of a closed mesh, negative if it is inside out."""
    a, b, c = vertices.double()[faces.long()].unbind(dim=1)
    return float((a * torch.linalg.cross(b, c)).sum()) / 6.0
