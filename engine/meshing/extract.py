"""`mesh`: a scene, a field or a volume in, a mesh out."""

from __future__ import annotations

import math
from typing import Any, get_args

import numpy
import torch

from ...kernels import MeshTree, runtime
from ...kernels.lanes import check_integer
from ...kernels.runtime import memory
from ...kernels.surfaces import Bricks
from ...kernels.triangles import origin_of
from ..build import build_program
from ..fields import Bounds, Field, Placement, ShapeField
from ..files import Sign, Solid, TriangleMesh
from ..scene import Scene
from .result import Mesh
from .sampling_grid import LARGEST_RESOLUTION
from .surfaces import FieldSurface, MeshSurface, ProgramSurface, ProgressCallback, Surface, VolumeSurface

DEFAULT_RESOLUTION = 256

NEWTON_STEPS = 4


def mesh(
    source: Scene | Field | TriangleMesh | MeshTree | torch.Tensor | numpy.ndarray,
    *,
    resolution: int | None = None,
    bounds: Any = None,
    level: float | None = None,
    solid: Solid | None = None,
    sign: Sign = "winding",
    thickness: float | None = None,
    project: bool = False,
    progress: ProgressCallback | None = None,
) -> Mesh:
    """The surface of a scene's subject, a field, a mesh or a volume as a mesh, by marching cubes.

    Args:
        source: a scene (without its stage), a field of three dimensions and one channel, a mesh to be remeshed, or
            values (X, Y, Z).
        resolution: cells along the longest side, 4 to 4096; 256 if not given. A volume has its own.
        bounds: lower and upper corner to mesh within, of a mesh in its file's coordinates. If not given those of the
            scene or field; else what the subject fills, with a margin; else, for a volume, [-1, 1]³.
        level: value on the surface; if not given 0.5 for an occupancy, else 0.
        solid: of a volume, the side of the level that is inside, "above" or "below". If not given: below for
            floating-point values, which are signed distances; above for booleans and whole numbers of two values, an
            occupancy, whose level is half-way between these. Other values need to be told.
        sign: of a mesh, "winding": inside where its winding number is above a half, with a lid where an open one ends;
            or "none": a shell around the triangles.
        thickness: of the shell; two cells if not given.
        project: whether to move vertices on, at most a cell, to where the field itself has the level.
        progress: called with the share that is done, 0 … 1.

    Returns:
        The mesh, empty if nothing has the level, closed if the surface does not touch the bounds; of a field that was
        fitted to a model that was moved, where the model was. Normals are the field's gradient, colours a scene's
        materials.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of range; the subject has no end and there are no
            bounds; values are not finite.
    """
    if isinstance(source, MeshTree) and any(source.origin):
        source = _about_its_middle(source)
    origin = source.origin if isinstance(source, TriangleMesh) else (0.0, 0.0, 0.0)
    if bounds is not None and any(origin):
        bounds = numpy.asarray(bounds, numpy.float64) - origin
    surface = _surface(source, level, solid, resolution, sign, thickness)
    resolution = DEFAULT_RESOLUTION if resolution is None else resolution
    check_integer("resolution", resolution)
    if not 4 <= resolution <= LARGEST_RESOLUTION:
        raise ValueError(f"resolution: expected 4 to {LARGEST_RESOLUTION} cells, got {resolution}")
    report: ProgressCallback = progress or (lambda share: None)
    grid = surface.sampling_grid(bounds, resolution)
    bricks = Bricks(grid.shape, grid.corners, surface.level, _device())
    surface.add(bricks, report)
    vertices, faces = bricks.mesh()
    normals = memory.empty(*vertices.shape, like=vertices)
    colours: torch.Tensor | None = None
    # One part after the other, in place: of a large mesh all at once would not fit.
    for part, near in surface.near_vertices(bricks, len(vertices), grid.cell if project else 0.0):
        points = vertices[part]
        if project:
            points = vertices[part] = _projected(near, points, grid.cell)
        normals[part] = near.normals(points)
        found = near.colours(points)
        if found is not None:
            colours = memory.empty(*vertices.shape, like=vertices) if colours is None else colours
            colours[part] = found
    if isinstance(source, Field) and source.placement is not None:
        vertices, origin = _back_in_place(vertices, source.placement, source.bounds)
    return Mesh(vertices.cpu(), faces.cpu(), normals.cpu(), None if colours is None else colours.cpu(), origin)


def _check_shell(source: Any, sign: Sign, thickness: float | None) -> None:
    """Refuse a shell of what is no mesh, and a thickness of what is no shell."""
    if sign not in get_args(Sign):
        raise ValueError(f"sign: expected winding or none, got {sign!r}")
    if sign == "none" and not isinstance(source, (TriangleMesh, MeshTree)):
        raise ValueError("sign: expected none for a mesh only")
    if thickness is not None and (sign != "none" or not 0.0 < thickness < math.inf):
        raise ValueError(f"thickness: expected a length above 0, with sign none only, got {thickness}")


def _about_its_middle(tree: MeshTree) -> TriangleMesh:
    """A mesh far from the origin, its vertices counted from its middle."""
    middle = tree.vertices.new_tensor(tree.origin, dtype=torch.float64)
    return TriangleMesh((tree.vertices.double() - middle).float(), tree.faces, tree.origin)


def _back_in_place(
    vertices: torch.Tensor, placement: Placement, bounds: Bounds
) -> tuple[torch.Tensor, tuple[float, float, float]]:
    """Vertices (V, 3) of a field where its model was, and the point that they are counted from."""
    corners = placement.to_model(torch.tensor(bounds, dtype=torch.float64))
    if not any(origin_of(*corners.tolist())):
        return placement.to_model(vertices), (0.0, 0.0, 0.0)
    return vertices / placement.scale, placement.centre


def _device() -> str:
    return "cuda" if runtime.backend() == "cuda" else "cpu"


def _surface(
    source: Any, level: float | None, solid: Solid | None, resolution: int | None, sign: Sign, thickness: float | None
) -> Surface:
    """The source as a surface at the level."""
    if level is not None and not math.isfinite(level):
        raise ValueError(f"level: expected a finite number, got {level}")
    _check_shell(source, sign, thickness)
    is_volume = isinstance(source, (torch.Tensor, numpy.ndarray))
    if solid is not None and not is_volume:
        raise ValueError(f"solid: expected none but for a volume, got {solid!r}")
    if solid not in (None, *get_args(Solid)):
        raise ValueError(f"solid: expected above or below, got {solid!r}")
    if isinstance(source, Scene):
        program = build_program(source, stage=False).to(_device())
        return ProgramSurface(program, level or 0.0, source.bounds or program.box, exact_box=source.bounds is not None)
    if isinstance(source, ShapeField):
        program = source.program().to(_device())
        program = program.with_parameters(program.parameters.detach())
        return ProgramSurface(program, level or 0.0, source.bounds, exact_box=True)
    if isinstance(source, Field):
        return FieldSurface(source, level)
    if isinstance(source, TriangleMesh):
        return MeshSurface(MeshTree(source.vertices, source.faces), level or 0.0, sign, thickness)
    if isinstance(source, MeshTree):
        return MeshSurface(source, level or 0.0, sign, thickness)
    if is_volume:
        if resolution is not None:
            raise ValueError(f"resolution: expected none for a volume, which has its own, got {resolution}")
        return VolumeSurface(source, level, solid)
    kinds = "a Scene, a Field, a TriangleMesh, a MeshTree or values (X, Y, Z)"
    raise TypeError(f"source: expected {kinds}, got {type(source).__name__}")


def _projected(surface: Surface, points: torch.Tensor, cell: float) -> torch.Tensor:
    """Points (N, 3) after Newton steps along the gradient, none farther away than a cell or worse than it was."""
    best, moved = points.clone(), points
    least = torch.full_like(points[:, 0], torch.inf)
    for step in range(NEWTON_STEPS + 1):
        values, gradients = surface.value_and_gradient(moved)
        off = values - surface.level
        better = off.abs() < least
        best[better], least[better] = moved[better], off.abs()[better]
        if step < NEWTON_STEPS:
            way = moved - points - (off / gradients.square().sum(dim=1).clamp(min=1e-12))[:, None] * gradients
            moved = points + way * (cell / way.norm(dim=1, keepdim=True).clamp(min=cell))
    return best
