"""The search for the bricks that a surface can meet, for functions whose slope is bounded."""

from collections.abc import Callable, Sequence

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
    """Add the bricks that the surface of a function can meet, a layer across x after the other.

    Each node is asked for once: a network's answer may differ in its last digit from batch to batch, and neighbouring
    bricks must have the same one.

    Args:
        bricks: the volume.
        values: the function, (N, 3) to (N,) float32, that changes by no more than `slope` times the way between two
            points.
        slope: its bound.
        progress: called with the share of bricks done.
    """
    found = near_bricks(bricks, values, slope)
    found = found[found[:, 0].argsort(stable=True)]
    lines = torch.split(bricks.places, list(bricks.shape))
    layer = torch.zeros(SIDE + 1, len(lines[1]), len(lines[2]), device=found.device)
    known = torch.zeros_like(layer, dtype=torch.bool)
    done = 0
    for number, count in zip(*(part.tolist() for part in torch.unique(found[:, 0], return_counts=True)), strict=True):
        batch = found[done : done + count]
        # The last plane of the layer before is the first of this one.
        follows = done > 0 and int(found[done - 1, 0]) == number - 1
        layer[0], known[0] = layer[SIDE], known[SIDE] if follows else False
        known[1:] = False
        asked = torch.zeros_like(known)
        for part in torch.split(batch, BATCH):
            asked[_nodes_in_layer(bricks, part)] = True
        fresh = (asked & ~known).nonzero()
        points = torch.stack([lines[0][SIDE * number + fresh[:, 0]], *_along(lines[1:], fresh[:, 1:])], dim=1)
        layer[fresh.unbind(dim=1)] = values(points)
        known |= asked
        for part in torch.split(batch, BATCH):
            bricks.add(part.contiguous(), layer[_nodes_in_layer(bricks, part)].reshape(-1, NODES).contiguous())
        done += count
        progress(done / len(found))


def _nodes_in_layer(bricks: Bricks, batch: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Indices of the nodes of bricks (B, 3) of one layer in it, each to be broadcast to (B, 9, 9, 9)."""
    corner = torch.arange(SIDE + 1, device=batch.device)
    found = []
    for axis, nodes in enumerate(bricks.shape):
        first = SIDE * batch[:, axis, None].long()
        own = (first + corner).clamp(max=nodes - 1) - (first if axis == 0 else 0)  # (B, 9)
        found.append(own.reshape([len(batch), *(SIDE + 1 if other == axis else 1 for other in range(3))]))
    return tuple(found)


def _along(lines: Sequence[torch.Tensor], numbers: torch.Tensor) -> list[torch.Tensor]:
    return [line[numbers[:, axis]] for axis, line in enumerate(lines)]


def near_bricks(bricks: Bricks, values: Values, slope: float = 1.0) -> torch.Tensor:
    """Bricks (B, 3) int32 that the surface of a function can meet; the others are filled.

    A value off the level is at most `slope` times the distance to the surface. So a block of bricks whose middle is
    farther away than its corners holds none; the others are halved along each axis until they are bricks.
    """
    span = 1
    while _count(bricks, span) > COARSEST:
        span *= 2
    blocks = torch.cartesian_prod(
        *(torch.arange(-(-side // span), dtype=torch.int32, device=bricks.places.device) for side in bricks.sides)
    )
    corners = torch.cartesian_prod(*[torch.arange(2, dtype=torch.int32, device=blocks.device)] * 3)
    while True:
        middle, half = balls(bricks, blocks, span * SIDE)
        value = (values(middle).detach() - bricks.level) / slope
        far = value.abs() > half * (1.0 + ROUNDING) + ROUNDING * middle.abs().amax(dim=1)
        bricks.fill(blocks[far & (value < 0.0)], span)
        blocks = blocks[~far]
        if span == 1:
            return blocks
        span //= 2
        blocks = (2 * blocks[:, None] + corners).reshape(-1, 3)
        within = [blocks[:, axis] * span < side for axis, side in enumerate(bricks.sides)]
        blocks = blocks[within[0] & within[1] & within[2]]


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


def _count(bricks: Bricks, span: int) -> int:
    x, y, z = (-(-side // span) for side in bricks.sides)
    return x * y * z
