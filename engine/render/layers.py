"""What is drawn of a scene beside its surface, and scenes made to be drawn so.

Reads nothing slow, so the command line can check its options with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ..scene import Scene
from ..shapes import Difference, Offset, Plane

Axis = Literal["x", "y", "z"]
AXES: dict[str, tuple[float, float, float]] = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}


@dataclass(frozen=True)
class Layers:
    """What is drawn beside the surface.

    Attributes:
        level: the value at which the surface is shown, scene units: what is that far outside (inside if negative).
        slice: the axis across which the subject is cut, its signed distance drawn on the cut as coloured lines.
        offset: where along the axis, scene units.
        flipped: whether what lies below the cut is taken away, and not what lies above.
        bounds: whether the edges of the box that holds the subject are drawn.
    """

    level: float = 0.0
    slice: Axis | None = None
    offset: float = 0.0
    flipped: bool = False
    bounds: bool = False

    @property
    def normal(self) -> tuple[float, float, float]:
        """Direction from the cut to what is taken away."""
        assert self.slice is not None
        x, y, z = AXES[self.slice]
        return (-x, -y, -z) if self.flipped else (x, y, z)


def layered(scene: Scene, layers: Layers) -> Scene:
    """The scene with its surface at another level, and cut."""
    if layers.level == 0.0 and layers.slice is None:
        return scene
    shapes = dict(scene.shapes)
    show = scene.show

    def wrap(name: str, shape: Any) -> str:
        while name in shapes:
            name = f"_{name}"
        shapes[name] = shape.named(name)
        return name

    if layers.level != 0.0:
        show = wrap("level", Offset(of=show, distance=layers.level))
    if layers.slice is not None:
        # What is subtracted shows the material of what it is taken from.
        x, y, z = layers.normal
        offset = layers.offset if layers.flipped else -layers.offset
        half = wrap("cut", Plane(normal=(-x, -y, -z), offset=offset))
        show = wrap("part", Difference(of=(show, half)))
    return scene.model_copy(update={"show": show, "shapes": shapes})
