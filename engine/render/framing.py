"""A camera that shows the whole subject, for scenes that bring none."""

from __future__ import annotations

import math

from ...kernels import Program
from ..program import BuildError, vector
from ..scene import Camera
from ..shapes import LARGEST

DIRECTION = (0.45, -0.8, 0.38)  # from the subject to the camera: from the front, a little right and above
MARGIN = 1.15


def frame_subject(program: Program, *, fov: float = 30.0) -> Camera:
    """A perspective camera that has the subject in view; the cube [-1, 1]³ if it has no end.

    Raises:
        BuildError: it would stand farther from the origin than a camera may.
    """
    x, y, z, radius = program.subject
    if radius == 0.0:
        x, y, z, radius = 0.0, 0.0, 0.0, math.sqrt(3.0)
    distance = MARGIN * max(radius, 1e-6) / math.sin(math.radians(fov) / 2.0)
    length = math.hypot(*DIRECTION)
    eye = vector(c + distance * d / length for c, d in zip((x, y, z), DIRECTION, strict=True))
    if max(map(abs, eye)) > LARGEST:
        raise BuildError(
            f"scene: the subject, {radius:g} about ({x:g}, {y:g}, {z:g}), needs a camera within {LARGEST:g} of the "
            f"origin, got one at ({eye[0]:g}, {eye[1]:g}, {eye[2]:g}); move it, or give the scene a camera"
        )
    return Camera(eye=eye, target=(x, y, z), fov=fov)
