"""The search for the bricks that a surface can meet, for functions whose slope is bounded."""

import math
from collections.abc import Callable

import torch

from .brick_kernels import CUBE, SIDE
from .bricks import Bricks
from .function_values import Values, add_found

COARSEST = 2**12  # blocks that the search begins with, at most

# A block is dropped if its middle is farther from the surface than its corners by this much, relative to the size of
# the coordinates: far more than float32 loses on the way to a distance.
ROUNDING = 1e-5


def add_bounded(
    bricks: Bricks, values: Values, slope: float = 1.0, progress: Callable[[float], None] = lambda share: None
) -> None:
    """Add the bricks that the surface of a function can meet, and of these ask for the nodes that are near it.

    Args:
        bricks: the volume.
        values: the function, (N, 3) to (N,) float32, that changes by no more than `slope` times the way between two
            points.
        slope: its bound; infinite if there is none.
        progress: called with the share of bricks done.
    """

    def cubes(batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return near_cubes(bricks, batch, values, slope)

    add_found(bricks, near_bricks(bricks, values, slope), values, progress, cubes if math.isfinite(slope) else None)


def near_bricks(bricks: Bricks, values: Values, slope: float = 1.0) -> torch.Tensor:
    """Bricks (B, 3) int32 that the surface of a function can meet; the others are filled.

    A value off the level is at most `slope` times the distance to the surface. So a block of bricks whose middle is
    farther away than its corners holds none; the others are halved along each axis until they are bricks.
    """
    span = 1
    while _block_count(bricks, span) > COARSEST:
        span *= 2
    blocks = torch.cartesian_prod(
        *(
            torch.arange(-(-side // span), dtype=torch.int32, device=bricks.coordinates.device)
            for side in bricks.brick_counts
        )
    )
    while True:
        value, far = _in_middles(bricks, blocks, span * SIDE, values, slope)
        bricks.mark_inside(blocks[far & (value < 0.0)], span)
        blocks = blocks[~far]
        if span == 1:
            return blocks
        span //= 2
        blocks = _octants(blocks)
        blocks = blocks[(blocks * span < blocks.new_tensor(bricks.brick_counts)).all(dim=1)]


def near_cubes(bricks: Bricks, batch: torch.Tensor, values: Values, slope: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Cubes (C, 3) int32 of 2³ cells of bricks (B, 3) that the surface can meet, by halves as bricks are found.

    Returns also, for each cube of a brick (B, 64), in the order of halves of halves, what the function has in the
    middle of the smallest block around it that was asked for.
    """
    halves = _octants(batch)
    value, far = _in_middles(bricks, halves, SIDE // 2, values, slope)
    sides = value[:, None].repeat(1, 8)
    cubes = _octants(halves[~far])
    value, dropped = _in_middles(bricks, cubes, CUBE, values, slope)
    sides[~far] = value.reshape(-1, 8)
    return cubes[~dropped], sides.reshape(-1, 64) + bricks.level


def _in_middles(
    bricks: Bricks, blocks: torch.Tensor, size: int, values: Values, slope: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """What is off the level in the middles of blocks (B, 3) of `size` cells (B,), and whether they hold no surface."""
    middle, half = bounding_spheres(bricks, blocks, size)
    off = values(middle).detach() - bricks.level
    return off, off.abs() / slope > half * (1.0 + ROUNDING) + ROUNDING * middle.abs().amax(dim=1)


def _octants(blocks: torch.Tensor) -> torch.Tensor:
    """The eight blocks of half the size in each of (B, 3), (8 B, 3)."""
    corners = torch.cartesian_prod(*[torch.arange(2, dtype=torch.int32, device=blocks.device)] * 3)
    return (2 * blocks[:, None] + corners).reshape(-1, 3)


def all_bricks(bricks: Bricks) -> torch.Tensor:
    """All bricks (B, 3) int32 of a volume, in order."""
    x, y, z = (torch.arange(side, dtype=torch.int32, device=bricks.coordinates.device) for side in bricks.brick_counts)
    return torch.cartesian_prod(x, y, z)


def bounding_spheres(bricks: Bricks, blocks: torch.Tensor, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Middles (B, 3) of blocks (B, 3) of `size` cells, and how far their corners are from these (B,).

    Blocks past the end of the volume are the last one before it.
    """
    middles, squares = [], []
    for axis, line in enumerate(torch.split(bricks.coordinates, list(bricks.shape))):
        low = line[::size]
        high = torch.cat([low[1:], line[-1:]])
        own = blocks[:, axis].clamp(max=len(low) - 1)
        middles.append((0.5 * (low + high))[own])
        squares.append((0.5 * (high - low)).square()[own])
    return torch.stack(middles, dim=1), torch.stack(squares).sum(dim=0).sqrt()


def _block_count(bricks: Bricks, span: int) -> int:
    x, y, z = (-(-side // span) for side in bricks.brick_counts)
    return x * y * z
