"""From where the coordinates of a mesh are counted."""

from collections.abc import Sequence

FAR = 16.0  # longest sides from 0, up to which float32 holds coordinates to 1e-6 of a side


def origin_of(low: Sequence[float], high: Sequence[float]) -> tuple[float, float, float]:
    """The point that float32 coordinates in a box are counted from: 0, or its middle if the box is far from 0."""
    longest = max(b - a for a, b in zip(low, high, strict=True))
    if max(-min(low), max(high)) <= FAR * longest:
        return 0.0, 0.0, 0.0
    x, y, z = (0.5 * a + 0.5 * b for a, b in zip(low, high, strict=True))
    return x, y, z
