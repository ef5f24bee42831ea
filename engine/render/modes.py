"""What a picture shows of a surface."""

from typing import Literal

Mode = Literal["shaded", "normals", "depth", "steps", "shapes", "ambient"]
