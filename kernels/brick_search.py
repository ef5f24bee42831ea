"""The search for the bricks that a surface can meet, for functions whose slope is bounded."""

from collections.abc import Callable

import torch

from .bricks import NODES, SIDE, Bricks

Values = Callable[[torch.Tensor], torch.Tensor]  # at points (N, 3)

COARSEST = 2**12  # blocks that the search begins with, at most

# A block is dropped if its middle is farther from the surface than its corners by this much, relative to the size of
# the coordinates: far more than float32 loses on the way to a distance.
ROUNDING = 1e-5

BATCH = 2**12  # bricks evaluated at a time: 36 MB of points


def add_bounded(
    bricks: Bricks, values: Values, slope: float = 1.0, progress: Callable[[float], None] = lambda share: None
) -> None:
    """Add the bricks that the surface of a function can meet.

    Args:
        bricks: the volume.
        values: the function, (N, 3) to (N,) float32, that changes by no more than `slope` times the way between two
            points; at the same point always the same.
        slope: its bound.
        progress: called with the share of bricks done.
    """
    found = near_bricks(bricks, values, slope)
    corner = torch.arange(SIDE + 1, device=found.device)
    for at in range(0, len(found), BATCH):
        batch = found[at : at + BATCH].contiguous()
        lines = []
        for axis, line in enumerate(torch.split(bricks.places, list(bricks.shape))):
            own = line[(SIDE * batch[:, axis, None] + corner).clamp(max=len(line) - 1)]  # (B, 9)
            shape = [len(batch), 1, 1, 1]
            shape[1 + axis] = SIDE + 1
            lines.append(own.reshape(shape).expand(-1, SIDE + 1, SIDE + 1, SIDE + 1))
        points = torch.stack(lines, dim=-1).reshape(-1, 3)
        bricks.add(batch, values(points).reshape(-1, NODES).contiguous())
        progress((at + len(batch)) / len(found))


def near_bricks(bricks: Bricks, values: Values, slope: float = 1.0) -> torch.Tensor:
    """Bricks (B, 3) int32 that the surface of a function can meet, in order; where it cannot, the others are filled.

    A value off the level is at most `slope` times the distance to the surface. So a block of bricks whose middle is
    farther away than its corners holds none; the others are halved along each axis until they are bricks.
    """
    size = SIDE
    while _blocks(bricks, size) > COARSEST:
        size *= 2
    device = bricks.places.device
    near = torch.ones(_sides(bricks, size), dtype=torch.bool, device=device)
    inside = torch.zeros_like(near)
    while True:
        blocks = near.nonzero()
        middle, half = balls(bricks, blocks, size)
        value = (values(middle).detach() - bricks.level) / slope
        far = value.abs() > half * (1.0 + ROUNDING) + ROUNDING * middle.abs().amax(dim=1)
        at = tuple(blocks.unbind(dim=1))
        near[at] = ~far
        inside[at] = far & (value < 0.0)
        if size == SIDE:
            bricks.fill(inside)
            return near.nonzero().int()
        size //= 2
        near, inside = (_halved(grid, _sides(bricks, size)) for grid in (near, inside))


def all_bricks(bricks: Bricks) -> torch.Tensor:
    """All bricks (B, 3) int32 of a volume, in order."""
    x, y, z = (torch.arange(side, dtype=torch.int32, device=bricks.places.device) for side in bricks.sides)
    return torch.cartesian_prod(x, y, z)


def balls(bricks: Bricks, blocks: torch.Tensor, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Middles (B, 3) of blocks (B, 3) of `size` cells, and how far their corners are from these (B,)."""
    lows, highs = [], []
    for axis, line in enumerate(torch.split(bricks.places, list(bricks.shape))):
        first = size * blocks[:, axis].long()
        lows.append(line[first])
        highs.append(line[(first + size).clamp(max=len(line) - 1)])
    low, high = torch.stack(lows, dim=1), torch.stack(highs, dim=1)
    return 0.5 * (low + high), 0.5 * (high - low).norm(dim=1)


def _halved(grid: torch.Tensor, sides: tuple[int, ...]) -> torch.Tensor:
    """Blocks of half the size, with what their whole had."""
    for axis in range(3):
        grid = grid.repeat_interleave(2, dim=axis).narrow(axis, 0, sides[axis])
    return grid.contiguous()


def _sides(bricks: Bricks, size: int) -> tuple[int, ...]:
    return tuple(-(-side * SIDE // size) for side in bricks.sides)


def _blocks(bricks: Bricks, size: int) -> int:
    x, y, z = _sides(bricks, size)
    return x * y * z
