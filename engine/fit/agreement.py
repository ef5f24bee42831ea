"""How well a fitted surface agrees with what it was fitted to."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from ...kernels import MeshTree, marching_cubes
from ..bake import Body
from ..fields import Field, Meaning, at_bounds, evaluated
from ..files import TriangleMesh
from ..meshing import report_of
from .mesh_source import surface_points

SAMPLES = 2**17  # points on each surface
INSIDES = 2**18  # points at which insides are compared
SEED = 1  # of the points at which a field is measured: a source draws those that it is fitted to with 0
NODES = 160  # on an axis of the grid on which a field is turned into a mesh


class Agreement(NamedTuple):
    """Of two surfaces, in their unit: distances between them, and how far their normals point the same way.

    Attributes:
        chamfer: mean distance of points on each to the other, averaged over both directions.
        hausdorff: largest of these distances.
        normal_consistency: mean |cos| of the angle between the normals there and at the closest point, over both
            directions: 1 if all are parallel.
    """

    chamfer: float
    hausdorff: float
    normal_consistency: float


def agreement(first: TriangleMesh, second: TriangleMesh, seed: int = SEED) -> Agreement:
    """Compare two meshes at points that are uniform on each, and at the vertices too for the Hausdorff distance.

    Raises:
        ValueError: a mesh has no area.
    """
    generator = torch.Generator().manual_seed(seed)
    means, most, cosines = [], [], []
    for one, other in ((first, second), (second, first)):
        points, normals = surface_points(one, SAMPLES, generator)
        corners = one.vertices[torch.unique(one.faces.long())]
        there = MeshTree(other.vertices, other.faces).closest(torch.cat([points, corners]))
        faces = other.vertices[other.faces[there.faces[:SAMPLES].long()].long()]
        across = torch.linalg.cross(faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0])
        means.append(float(there.distance[:SAMPLES].double().mean()))
        most.append(float(there.distance.max()))
        cosines.append(float(torch.nn.functional.cosine_similarity(normals, across, dim=1, eps=1e-30).abs().mean()))
    return Agreement(0.5 * sum(means), max(most), 0.5 * sum(cosines))


def intersection_over_union(field: Field, body: Body, seed: int = SEED) -> float:
    """Of the insides of a field and of a body, both over either, at uniform points of the bounds; 1 if both are empty.

    Its standard deviation is about 0.001 where half of the bounds are inside.
    """
    unit = torch.rand(INSIDES, 3, generator=torch.Generator().manual_seed(seed))
    points = at_bounds(field, unit)
    mine, wanted = _below_surface(field, points) < 0.0, body.distance(points) < 0.0
    either = int((mine | wanted).sum())
    return int((mine & wanted).sum()) / either if either else 1.0


def field_mesh(field: Field, nodes: int) -> TriangleMesh:
    """The surface of a distance or occupancy field, from a grid of `nodes` on every axis; empty if there is none."""
    axes = [torch.linspace(0.0, 1.0, nodes)] * 3
    values = _below_surface(field, at_bounds(field, torch.cartesian_prod(*axes)))
    return TriangleMesh(*marching_cubes(values.reshape(nodes, nodes, nodes), bounds=field.bounds))


def agreement_with_mesh(field: Field, mesh: TriangleMesh, body: Body) -> dict[str, Any]:
    """How well a field agrees with the mesh and the body that it was fitted to; lengths in the unit of the field.

    Only the intersection over union if the field has no surface.
    """
    found = field_mesh(field, NODES)
    overlap = {"iou": intersection_over_union(field, body)}
    return {**overlap, **agreement(found, mesh)._asdict()} if len(found.faces) else overlap


def agreement_with_cloud(field: Field, points: torch.Tensor) -> dict[str, Any]:
    """How far the points (N, 3) that a field was fitted to are from its surface, as parts of their box's diagonal."""
    found = field_mesh(field, NODES)
    if not len(found.faces):
        return {"faces": 0}
    report = report_of(found.vertices, found.faces)
    distance = MeshTree(found.vertices, found.faces).distance(points, signed=False).double()
    diagonal = float((points.amax(dim=0) - points.amin(dim=0)).double().norm())
    return {
        "faces": report.triangles,
        "components": report.components,
        "watertight": report.watertight,
        "mean_distance": float(distance.mean()) / diagonal,
        "largest_distance": float(distance.max()) / diagonal,
    }


def _below_surface(field: Field, points: torch.Tensor) -> torch.Tensor:
    """Numbers (N) that are below 0 inside."""
    values = evaluated(field, points)[:, 0].float()
    # Logits of occupancies are nearly linear across the surface, and so the mesh is right between the nodes.
    return -values.logit(eps=1e-6) if field.meaning is Meaning.OCCUPANCY else values
