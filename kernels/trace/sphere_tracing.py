"""Sphere tracing: where rays first meet a scene program's surface."""

import math
from dataclasses import dataclass
from typing import Any

import torch

from ..film import PACKET, TILE, beams_of
from ..lanes import Array, arguments
from ..program import Program, Tiles, check_program, one_tile, tiles_of
from .ray_march import Intersections, clear_distance, march
from .surface import surface_on

# By how much the square of a direction's length may be off 1: directions computed in half the digits are that good.
LENGTH_TOLERANCE = 1e-3
ROUNDING = 1e-6  # by how much it may be off for directions that are unit vectors to the last digits


@dataclass(frozen=True)
class Hits:
    """What rays met.

    Attributes:
        distance: (…) float32 along the ray in scene units, infinite on a miss.
        hit: (…) bool.
        shape: (…) int32, number of the shape hit (an index into `Program.names`), -1 on a miss.
        steps: (…) int32, evaluations the ray took part in; planes of the outermost union take none.
    """

    distance: Any
    hit: Any
    shape: Any
    steps: Any


def sphere_trace(
    program: Program,
    origins: Array,
    directions: Array,
    *,
    near: float = 0.0,
    far: float = math.inf,
    tolerance: float = 1e-4,
    spread: float = 0.0,
    maximum_steps: int = 256,
) -> Hits:
    """The first point on each ray where the program's value falls below a tolerance (J. C. Hart, 1996).

    Args:
        program: what `isofield.build_program` makes of a scene.
        origins: (…, 3) float32, scene units; a torch tensor, numpy array, DLPack object or `ti.ndarray`.
        directions: (…, 3) float32, unit vectors; those whose squared length is within 1e-3 of 1 are made unit.
            Rays that lie side by side in memory run fastest.
        near, far: the part of the ray that counts, scene units.
        tolerance: a value below `tolerance + spread · distance` is a hit; `spread` is a pixel's size at distance 1.
        maximum_steps: evaluations after which a ray that neither hit nor left is a miss.

    Returns:
        `Hits` of the rays' shape, in numpy arrays if `origins` is one, else in tensors. Rays that start inside
        hit at `near`; rays with NaN or infinity miss. Gradients: none; evaluate `distance` at the point found (implicit
        differentiation).

    Raises:
        TypeError, ValueError: a tensor is of another dtype, shape or device; a direction has another length; near,
            far, tolerance or steps are out of range.
    """
    check_program(program)
    start, restore = arguments.floats("origins", origins, (..., 3), double=False)
    way, _ = arguments.floats("directions", directions, (..., 3), double=False)
    if start.shape != way.shape:
        raise ValueError(f"directions: expected the shape of origins, {tuple(start.shape)}, got {tuple(way.shape)}")
    if not 0.0 <= near <= far:
        raise ValueError(f"near, far: expected 0 ≤ near ≤ far, got {near} and {far}")
    if not (tolerance >= 0.0 and spread >= 0.0 and tolerance + spread > 0.0):
        raise ValueError(f"tolerance, spread: expected numbers ≥ 0, one of them > 0, got {tolerance} and {spread}")
    arguments.check_integer("maximum_steps", maximum_steps, 1)
    flat_start = arguments.for_kernel("origins", start)
    flat_way = _unit_directions(arguments.for_kernel("directions", way), flat_start, start.shape[:-1])
    tiles = one_tile(program)
    found = march(program, tiles, flat_start, flat_way, (near, far), (tolerance, spread), maximum_steps)
    shape = surface_on(program, tiles, flat_start, flat_way, found.distance, found.hit_kind)[0]
    size = start.shape[:-1]
    hit = torch.isfinite(found.distance)
    return Hits(*(restore(tensor.reshape(size)) for tensor in (found.distance, hit, shape, found.steps)))


def _unit_directions(directions: torch.Tensor, origins: torch.Tensor, size: torch.Size) -> torch.Tensor:
    """The directions (N, 3) of rays of shape `size` made unit vectors; what is not finite is left as it is.

    Raises:
        ValueError: one that is finite is no unit vector; says which.
    """
    x, y, z = directions.unbind(dim=1)
    squares = x * x + y * y + z * z
    least, most = (float(square) for square in torch.aminmax(squares)) if len(squares) else (1.0, 1.0)
    if 1.0 - ROUNDING <= least and most <= 1.0 + ROUNDING:
        return directions
    wrong = ~((squares - 1.0).abs() <= LENGTH_TOLERANCE) & (origins.isfinite() & directions.isfinite()).all(dim=1)
    if bool(wrong.any()):
        first = int(wrong.nonzero()[0])
        place = [int(index) for index in torch.unravel_index(torch.tensor(first), size)]
        length = float(directions[first].double().norm())
        raise ValueError(
            f"directions{place or ''}: expected a unit vector, got one of length {length:g} ({int(wrong.sum())} of "
            f"{len(wrong)} are not); divide directions by their lengths"
        )
    return torch.where(((squares - 1.0).abs() <= ROUNDING)[:, None], directions, directions * squares.rsqrt()[:, None])


def trace_film(
    program: Program,
    origins: torch.Tensor,
    directions: torch.Tensor,
    tolerance: tuple[float, float],
    maximum_steps: int,
) -> tuple[Tiles, Intersections]:
    """What the rays (rays, 3) of a film, in its order, meet, and the programs of its tiles.

    Rays set out where a beam around each packet of them, traced first at a sixteenth of the cost, has come near
    something ("cone marching", fulcrum demo, 2012).
    """
    tiles = tiles_of(program, beams_of(origins, directions, TILE)) if program.divisible else one_tile(program)
    beams = beams_of(origins, directions, PACKET)
    starts = clear_distance(program, tiles, beams, tolerance)
    return tiles, march(program, tiles, origins, directions, (0.0, math.inf), tolerance, maximum_steps, starts)
