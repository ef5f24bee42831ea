"""What hangs together in a mesh, or in any graph."""

import torch


def part_numbers(sides: torch.Tensor, count: int) -> torch.Tensor:
    """Numbers (count,) int64, from 0 on, of the parts of a graph of sides (N, 2) int64 that its nodes belong to.

    Parts are numbered in the order of their first nodes.
    """
    # Of two roots that a side joins the larger one goes under the smaller one, and sides within one part are dropped,
    # until none is left.
    root = torch.arange(count)
    while len(sides):
        low, high = torch.minimum(sides[:, 0], sides[:, 1]), torch.maximum(sides[:, 0], sides[:, 1])
        root.scatter_reduce_(0, high, low, "amin")
        while not torch.equal(above := root[root], root):
            root = above
        sides = root[sides]
        sides = sides[sides[:, 0] != sides[:, 1]]
    return ((root == torch.arange(count)).cumsum(0) - 1)[root]
