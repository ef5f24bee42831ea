"""A camera that shows the whole subject, for scenes that bring none."""

from __future__ import annotations

import math

from ...kernels import Program
from ..scene import Camera

DIRECTION = (0.45, -0.8, 0.38)  # from the subject to the camera: from the front, a little right and above
MARGIN = 1.15


def frame(program: Program, *, fov: float = 30.0) -> Camera:
    """A perspective camera that has the program's ball in view; the unit cube's if it has no end."""
    x, y, z, radius = program.sphere
    if radius == 0.0:
        x, y, z, radius = 0.0, 0.0, 0.0, math.sqrt(3.0)
    distance = MARGIN * max(radius, 1e-6) / math.sin(math.radians(fov) / 2.0)
    length = math.hypot(*DIRECTION)
    eye = tuple(c + distance * d / length for c, d in zip((x, y, z), DIRECTION, strict=True))
    return Camera(eye=eye, target=(x, y, z), fov=fov)  # type: ignore[arg-type]
