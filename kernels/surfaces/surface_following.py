"""Bricks found by following a surface from where a coarser grid crosses it, for functions without bounded slopes."""

from collections.abc import Callable, Iterator

import torch

from .brick_kernels import ROW, SIDE
from .bricks import Bricks
from .function_values import Values, add_found

COARSE = 256  # cells along the longest side of the grid that the surface is looked for on

# Values this near to the level, relative to the largest on a face, count as crossing it: neighbours are asked for in
# another batch, where the last digits of a network differ.
LEVEL_TOLERANCE = 1e-5

FACES_AT_ONCE = 2**14  # 16 MB of points


def add_followed(bricks: Bricks, values: Values, progress: Callable[[float], None] = lambda share: None) -> None:
    """Add the bricks that the surface of a function passes through, as far as it hangs together with what is seen.

    What is seen is each change of side between two neighbours of a grid of at least COARSE cells along the longest
    side, in nodes of the volume; up to so many cells that is all of them. From there the surface is followed through
    the faces of bricks. So all of it is found but for parts that nowhere hold, or leave free, a node of that grid.

    Args:
        bricks: the volume.
        values: the function, (N, 3) to (N,) float32.
        progress: called with the share that is done.
    """
    found = []
    for layer, seeds in enumerate(_seen(bricks, values)):
        found.append(seeds)
        progress(0.5 * (layer + 1) / bricks.brick_counts[0])
    members = _followed(bricks, torch.cat(found), values)
    add_found(bricks, members, values, lambda share: progress(0.5 + 0.5 * share), None)


def _seen(bricks: Bricks, values: Values) -> Iterator[torch.Tensor]:
    """The bricks (B, 3) int32 of each layer across x with nodes of a coarse grid on both sides; others are filled."""
    stride = 1
    while stride < SIDE and max(bricks.shape) - 1 > stride * COARSE:
        stride *= 2
    device = bricks.coordinates.device
    # The nodes along each axis, and which of them belong to each brick.
    lines, owned = [], []
    for line, side in zip(torch.split(bricks.coordinates, list(bricks.shape)), bricks.brick_counts, strict=True):
        wanted = stride * torch.arange(SIDE // stride * side + 1, device=device)
        nodes, number = torch.unique(wanted.clamp(max=len(line) - 1), return_inverse=True)
        lines.append(line[nodes])
        owned.append(number.unfold(0, SIDE // stride + 1, SIDE // stride))
    last = torch.empty(0, len(lines[1]), len(lines[2]), dtype=torch.bool, device=device)
    done = 0
    for layer, own in enumerate(owned[0]):
        fresh = lines[0][done : int(own[-1]) + 1]
        asked = values(torch.cartesian_prod(fresh, *lines[1:])) if len(fresh) else bricks.coordinates.new_empty(0)
        signs = torch.cat([last, (asked < bricks.level).reshape(-1, *last.shape[1:])])
        done, last = int(own[-1]) + 1, signs[-1:]
        some, every = _any(signs, owned), ~_any(~signs, owned)
        bricks.mark_inside(_of_layer(layer, every), 1)
        yield _of_layer(layer, some & ~every)


def _any(signs: torch.Tensor, owned: list[torch.Tensor]) -> torch.Tensor:
    """Whether a sign of each brick (Y, Z) of a layer is set, given those of its nodes (n, Y nodes, Z nodes)."""
    return signs.any(dim=0)[owned[1]].any(dim=1)[:, owned[2]].any(dim=2)


def _of_layer(layer: int, chosen: torch.Tensor) -> torch.Tensor:
    """The chosen bricks (Y, Z) of a layer as (B, 3) int32."""
    return torch.nn.functional.pad(chosen.nonzero().int(), (1, 0), value=layer)


def _followed(bricks: Bricks, seeds: torch.Tensor, values: Values) -> torch.Tensor:
    """The bricks (B, 3) int32 that are reached from some, in order."""
    sides = seeds.new_tensor(bricks.brick_counts).long()
    count = bricks.brick_counts[0] * bricks.brick_counts[1] * bricks.brick_counts[2]
    strides = seeds.new_tensor([bricks.brick_counts[1] * bricks.brick_counts[2], bricks.brick_counts[2], 1]).long()
    reached = torch.zeros(count, dtype=torch.bool, device=seeds.device)
    crossed = torch.zeros(3, count, dtype=torch.bool, device=seeds.device)  # asked for: a brick's lower faces
    frontier = (seeds.long() * strides).sum(dim=1)
    reached[frontier] = True
    while len(frontier):
        fresh = []
        for axis in range(3):
            place = frontier // strides[axis] % sides[axis]
            after = (frontier + strides[axis])[place + 1 < sides[axis]]
            upper = torch.unique(torch.cat([frontier[place > 0], after]))
            upper = upper[~crossed[axis, upper]]
            crossed[axis, upper] = True
            for part in torch.split(upper, FACES_AT_ONCE) if len(upper) else ():
                both = part[_is_crossed(bricks, part[:, None] // strides % sides, axis, values)]
                fresh += [both, both - strides[axis]]
        frontier = torch.unique(torch.cat(fresh)) if fresh else frontier[:0]
        frontier = frontier[~reached[frontier]]
        reached[frontier] = True
    return (reached.nonzero() // strides % sides).int()


def _is_crossed(bricks: Bricks, places: torch.Tensor, axis: int, values: Values) -> torch.Tensor:
    """Whether the surface crosses the face of bricks (B, 3) that is the lower one along an axis."""
    corner = torch.arange(ROW, device=places.device)
    points = places.new_empty(len(places), ROW, ROW, 3, dtype=torch.float32)
    across = [other for other in range(3) if other != axis]
    for other, line in enumerate(torch.split(bricks.coordinates, list(bricks.shape))):
        if other == axis:
            points[..., other] = line[SIDE * places[:, other]][:, None, None]
        else:
            along = line[(SIDE * places[:, other, None] + corner).clamp(max=len(line) - 1)]
            points[..., other] = along[:, :, None] if other == across[0] else along[:, None, :]
    off = values(points.reshape(-1, 3)).reshape(len(places), ROW**2) - bricks.level
    slack = LEVEL_TOLERANCE * off.abs().amax(dim=1)
    return (off.amin(dim=1) <= slack) & (off.amax(dim=1) >= -slack)
