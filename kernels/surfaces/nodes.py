"""Where the nodes of a volume lie."""

from typing import Any

import torch


def corners(bounds: Any) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Lower and upper corner of a box in space; [-1, 1]³ for None.

    Raises:
        ValueError: they are no such corners.
    """
    if bounds is None:
        return (-1.0,) * 3, (1.0,) * 3
    try:
        low, high = (tuple(map(float, corner)) for corner in bounds)
    except (TypeError, ValueError):
        raise ValueError(f"bounds: expected a lower and an upper corner, got {bounds!r}") from None
    good = len(low) == len(high) == 3 and all(a < b and b - a < float("inf") for a, b in zip(low, high, strict=True))
    if not good:
        raise ValueError(f"bounds: expected finite corners (x, y, z), the lower one lower, got {low} and {high}")
    return low, high


def node_coordinates(
    shape: tuple[int, ...], low: tuple[float, ...], high: tuple[float, ...], like: torch.Tensor
) -> torch.Tensor:
    """Coordinates of the nodes along x, then along y, then along z, (X + Y + Z), of the dtype and device of `like`.

    Raises:
        ValueError: they are too close together for the dtype, so far from the origin.
    """
    lines = []
    for a, b, count in zip(low, high, shape, strict=True):
        line = torch.linspace(a, b, count, dtype=torch.float64).to(like.dtype)
        if not bool((line.diff() > 0).all()):
            raise ValueError(f"bounds: expected nodes that {like.dtype} can tell apart, got {count} from {a} to {b}")
        lines.append(line)
    return torch.cat(lines).to(like.device)
