"""Sparse grids of bricks: what a sampled leaf reads, made of the values of a signed distance at the nodes of a grid.

A cell of BRICK³ voxels that holds surface, or is a neighbour of one that does, keeps all its nodes, in a brick; one
farther away only its corners. Through the bricks in between the value goes over from one to the other, so that it has
no jump and the surface is that of the voxels. It is divided by its steepest slope (outside and inside each by its
own): interpolated values may be up to √3 times as steep as the distance that they were sampled from, learned ones
steeper, and tracing must not step through a surface.
"""

from dataclasses import dataclass

import torch

from ..formulas import BRICK, BRICK_SIDE, HEADER_SIZE, samples
from ..lanes import TORCH

Corner = tuple[float, float, float]

# A slope is found in float32 and divided by in float32.
ROUNDING = 1e-5

STEEPEST = 1e15  # a steeper one leaves values that float32 cannot divide, or none

MOST_BRICKS = 2**22  # 12 GB; their numbers are exact in float32


@dataclass(frozen=True, eq=False)
class SampleBlock:
    """A sampled signed distance, made by `sample_block_of`.

    Attributes:
        data: the block that the operation SAMPLES reads, float32.
        low, high: corners of a box that holds the surface.
        ball: centre and radius of a ball that holds it.
        count: number of bricks.
        voxels: along x, y, z.
        voxel: the longest side of a voxel, scene units.
        slopes: the steepest slope of positive and of negative values, by which they are divided, at least 1.
    """

    data: torch.Tensor
    low: Corner
    high: Corner
    ball: tuple[float, float, float, float]
    count: int
    voxels: tuple[int, int, int]
    voxel: float
    slopes: tuple[float, float]

    def value(self, points: torch.Tensor) -> torch.Tensor:
        """What a leaf gives at points (N, 3) → (N,), of their dtype."""
        x, y, z = points.unbind(dim=1)
        found: torch.Tensor = samples.samples(TORCH, x, y, z, self.data.to(points), 0)  # type: ignore[no-untyped-call]
        return found


def sample_block_of(values: torch.Tensor, low: Corner, high: Corner) -> SampleBlock:
    """Bricks of the values (X, Y, Z) float32 of a signed distance at nodes that span the box low … high.

    Where negative values reach the box, the shape is cut off there.

    Raises:
        ValueError: fewer than two nodes along an axis, more cells than a block may have, values that are not finite or
            as good as jump, or none that is negative.
    """
    check_node_values(values)
    inside = values < 0.0
    if not bool(inside.any()):
        raise ValueError(f"values: expected some below 0, inside the shape; the smallest is {values.min().item():g}")
    voxels = tuple(size - 1 for size in values.shape)
    spacing = [(b - a) / n for a, b, n in zip(low, high, voxels, strict=True)]
    cells = tuple(-(-n // BRICK) for n in voxels)
    padded = _padded(values, cells)
    blocks = padded  # (cells, BRICK_SIDE, BRICK_SIDE, BRICK_SIDE) in the end
    for axis in range(3):
        blocks = blocks.unfold(axis, BRICK_SIDE, BRICK)
    near = _near(blocks, voxels)
    numbers = torch.full(cells, -1.0)
    count = int(near.sum())
    if count > MOST_BRICKS:
        raise ValueError(f"values: need {count} bricks, more than {MOST_BRICKS}; sample them more coarsely")
    numbers[near] = torch.arange(count, dtype=torch.float32)
    corners = padded[::BRICK, ::BRICK, ::BRICK].contiguous()
    bricks = _joined(blocks[near].clone(), near)
    far = corners.unfold(0, 2, 1).unfold(1, 2, 1).unfold(2, 2, 1)[~near]
    fine, coarse = _slopes(bricks, spacing), _slopes(far, [BRICK * side for side in spacing])
    slopes = (max(1.0, fine[0], coarse[0]), max(1.0, fine[1], coarse[1]))
    if not max(slopes) < STEEPEST:
        raise ValueError(f"values: expected a slope below {STEEPEST:g} between nodes, got {max(slopes):g}")
    box = _box(inside, low, spacing)
    ball = _ball(inside, low, spacing, box)
    half = [0.5 * (b - a) for a, b in zip(low, high, strict=True)]
    header = [
        *map(float, cells),
        *(0.5 * (a + b) for a, b in zip(low, high, strict=True)),
        *half,
        *(n / (2.0 * size) for n, size in zip(voxels, half, strict=True)),
        *(1.0 / (slope * (1.0 + ROUNDING)) for slope in slopes),
        *ball,
    ]
    assert len(header) == HEADER_SIZE
    data = torch.cat([torch.tensor(header), numbers.flatten(), corners.flatten(), bricks.flatten()])
    return SampleBlock(data, *box, ball, count, voxels, max(spacing), slopes)  # type: ignore[arg-type]


def check_node_values(values: torch.Tensor) -> None:
    """Refuse values (X, Y, Z) that are not finite numbers at two nodes or more along each axis.

    Raises:
        ValueError: they are not.
    """
    sizes = tuple(values.shape)
    if values.ndim != 3 or min(sizes) < 2:
        raise ValueError(f"values: expected at least 2 nodes along each of 3 axes, got shape {sizes}")
    if not bool(values.isfinite().all()):
        at = tuple((~values.isfinite()).nonzero()[0].tolist())
        raise ValueError(f"values: expected finite numbers, got {values[at].item()} at {at}")


def _padded(values: torch.Tensor, cells: tuple[int, ...]) -> torch.Tensor:
    """The values with their last planes repeated up to whole cells."""
    for axis, number in enumerate(cells):
        missing = number * BRICK + 1 - values.shape[axis]
        if missing:
            last = values.narrow(axis, values.shape[axis] - 1, 1)
            values = torch.cat([values, last.expand(*(missing if a == axis else -1 for a in range(3)))], dim=axis)
    return values


def _near(blocks: torch.Tensor, voxels: tuple[int, ...]) -> torch.Tensor:
    """Which cells need a brick: those with surface, their neighbours, and those that the bounds cut."""
    holds = (blocks.amin(dim=(3, 4, 5)) <= 0.0) & (blocks.amax(dim=(3, 4, 5)) >= 0.0)
    near: torch.Tensor = torch.nn.functional.max_pool3d(holds[None].float(), 3, 1, 1)[0] > 0.0
    for axis, number in enumerate(voxels):
        if number % BRICK:  # what lies beyond the bounds is no corner to interpolate from
            near.select(axis, near.shape[axis] - 1)[...] = True
    return near


def _joined(bricks: torch.Tensor, near: torch.Tensor) -> torch.Tensor:
    """The bricks, gone over to what their corners interpolate towards each corner that is one of a cell without."""
    far = torch.nn.functional.pad((~near).float(), (1, 1, 1, 1, 1, 1))
    of_far = torch.nn.functional.max_pool3d(far[None], 2, 1)[0]  # by corner
    share = of_far.unfold(0, 2, 1).unfold(1, 2, 1).unfold(2, 2, 1)[near]  # (bricks, 2, 2, 2)
    weight = torch.linspace(0.0, 1.0, BRICK_SIDE)
    ends = torch.stack([1.0 - weight, weight])

    def between(corners: torch.Tensor) -> torch.Tensor:
        return torch.einsum("nabc,ai,bj,ck->nijk", corners, ends, ends, ends)

    return torch.lerp(bricks, between(bricks[:, ::BRICK, ::BRICK, ::BRICK]), between(share))


def _slopes(blocks: torch.Tensor, spacing: list[float]) -> tuple[float, float]:
    """The steepest slopes in voxels of blocks (N, n, n, n) that have positive values, and that have negative ones.

    Each component of the gradient of a trilinear function changes in straight lines along the axes, so the square of
    the slope is largest at a voxel's corner, where it is that of the three edges.
    """
    steepest = [0.0, 0.0]
    for part in torch.split(blocks, 4096):
        edges = [part.diff(dim=axis + 1) / spacing[axis] for axis in range(3)]
        squares = [edge * edge for edge in edges]
        slope = torch.zeros(())
        for corner in range(8):
            ends = [slice(corner >> axis & 1, part.shape[1] - 1 + (corner >> axis & 1)) for axis in range(3)]
            slope = torch.maximum(
                slope,
                squares[0][:, :, ends[1], ends[2]]
                + squares[1][:, ends[0], :, ends[2]]
                + squares[2][:, ends[0], ends[1], :],
            )
        high = part.unfold(1, 2, 1).unfold(2, 2, 1).unfold(3, 2, 1)
        for sign, extreme in enumerate((high.amax(dim=(4, 5, 6)) > 0.0, high.amin(dim=(4, 5, 6)) < 0.0)):
            if bool(extreme.any()):
                steepest[sign] = max(steepest[sign], float(slope[extreme].max().sqrt()))
    return steepest[0], steepest[1]


def _box(inside: torch.Tensor, low: Corner, spacing: list[float]) -> tuple[Corner, Corner]:
    """The box of all voxels with a node inside the shape."""
    first, last = [], []
    for axis in range(3):
        places = inside.movedim(axis, 0).flatten(1).any(dim=1).nonzero().flatten()
        size = inside.shape[axis]
        first.append(low[axis] + spacing[axis] * max(int(places[0]) - 1, 0))
        last.append(low[axis] + spacing[axis] * min(int(places[-1]) + 1, size - 1))
    return (first[0], first[1], first[2]), (last[0], last[1], last[2])


def _ball(
    inside: torch.Tensor, low: Corner, spacing: list[float], box: tuple[Corner, Corner]
) -> tuple[float, float, float, float]:
    """A ball about the middle of a box that holds all voxels with a node inside, in numbers that float32 has."""
    x, y, z = torch.tensor(box, dtype=torch.float64).mean(dim=0).float().tolist()
    square = torch.zeros(())
    for axis, centre in enumerate((x, y, z)):
        along = low[axis] + spacing[axis] * torch.arange(inside.shape[axis]) - centre
        square = square + (along * along).reshape([-1 if other == axis else 1 for other in range(3)])
    reach = float(square[inside].max().sqrt()) + sum(side * side for side in spacing) ** 0.5
    return x, y, z, float(torch.tensor(reach * (1.0 + 1e-6)))
