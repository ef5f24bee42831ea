"""Values of a function at the nodes of chosen bricks, a layer of bricks across x after the other."""

from collections.abc import Callable, Sequence

import torch

from .brick_kernels import CUBE, NODES, ROW, SIDE
from .bricks import Bricks

Values = Callable[[torch.Tensor], torch.Tensor]  # at points (N, 3)
Progress = Callable[[float], None]

# For bricks (B, 3) the cubes of 2³ cells that can hold surface, (C, 3), and for each cube of a brick (B, 64), in the
# order of halves of halves, a value that is on its side if it cannot.
Cubes = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]

BRICKS_AT_ONCE = 2**12  # 36 MB of points


def add_found(bricks: Bricks, found: torch.Tensor, values: Values, progress: Progress, cubes: Cubes | None) -> None:
    """Add bricks (B, 3) int32 with the values of a function, (N, 3) to (N,) float32.

    Each node is asked for once: a network's answer may differ in its last digit from batch to batch, and neighbouring
    bricks must have the same one. With `cubes` only nodes of cubes that can hold surface are asked for; the others have
    the value of one that cannot, which is on the same side.
    """
    found = found[found[:, 0].argsort(stable=True)]
    lines = torch.split(bricks.coordinates, list(bricks.shape))
    layer = torch.zeros(ROW, len(lines[1]), len(lines[2]), device=found.device)
    known = torch.zeros_like(layer, dtype=torch.bool)
    done = 0
    for number, count in zip(*(part.tolist() for part in torch.unique(found[:, 0], return_counts=True)), strict=True):
        # The last plane of the layer before is the first of this one.
        follows = done > 0 and int(found[done - 1, 0]) == number - 1
        layer[0], known[0] = layer[SIDE], known[SIDE] if follows else False
        known[1:] = False
        asked = torch.zeros_like(known)
        batches = torch.split(found[done : done + count], BRICKS_AT_ONCE)
        sides = []
        for part in batches:
            if cubes is None:
                asked[_within(bricks, part, SIDE)] = True
            else:
                near, side = cubes(part)
                asked[_within(bricks, near, CUBE)] = True
                sides.append(side)
        fresh = (asked & ~known).nonzero()
        points = torch.stack([lines[0][SIDE * number + fresh[:, 0]], *_along(lines[1:], fresh[:, 1:])], dim=1)
        layer[fresh.unbind(dim=1)] = values(points)
        known |= asked
        for at, part in enumerate(batches):
            nodes = _within(bricks, part, SIDE)
            own = layer[nodes] if cubes is None else torch.where(known[nodes], layer[nodes], _spread(sides[at]))
            bricks.add(part.contiguous(), own.reshape(-1, NODES).contiguous())
        done += count
        progress(done / len(found))


def _within(bricks: Bricks, blocks: torch.Tensor, size: int) -> tuple[torch.Tensor, ...]:
    """Indices in their layer of bricks of the nodes of blocks (B, 3) of `size` cells, to be broadcast to (B, n, n, n).

    Nodes past the end of the volume are the last one before it.
    """
    corner = torch.arange(size + 1, device=blocks.device)
    found = []
    for axis, nodes in enumerate(bricks.shape):
        first = size * blocks[:, axis, None].long()
        own = (first + corner).clamp(max=nodes - 1) - (first // SIDE * SIDE if axis == 0 else 0)  # (B, n)
        found.append(own.reshape([len(blocks), *(size + 1 if other == axis else 1 for other in range(3))]))
    return tuple(found)


def _spread(sides: torch.Tensor) -> torch.Tensor:
    """For each node (B, 9, 9, 9) the number of a cube that it belongs to, out of (B, 64) in the order of halves."""
    cube = (torch.arange(ROW, device=sides.device) // CUBE).clamp(max=SIDE // CUBE - 1)
    along = 8 * (cube // 2) + cube % 2
    return sides[:, 4 * along[:, None, None] + 2 * along[:, None] + along]


def _along(lines: Sequence[torch.Tensor], numbers: torch.Tensor) -> list[torch.Tensor]:
    return [line[numbers[:, axis]] for axis, line in enumerate(lines)]
