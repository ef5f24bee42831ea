"""All that the viewer shows, as immutable data: nothing here draws, reads or waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..render import Layers, Mode
from ..scene import Scene
from .pose import Pose, Vector

Section = Literal["shapes", "materials", "lights", "camera"]
Request = Literal["save", "screenshot", "turntable", "film", "copy_camera", "pick"]

Edits = Mapping[str, Any]  # "body.size" → value, as `isofield render --set` takes them; never changed in place


@dataclass(frozen=True)
class Picked:
    """What lies under a point of the picture.

    Attributes:
        shape, material: names; material "" where the shape has none of its own.
        point, normal: scene units, unit vector.
        distance: from the eye, scene units.
    """

    shape: str
    material: str
    point: Vector
    normal: Vector
    distance: float


@dataclass(frozen=True)
class State:
    """The viewer between two inputs.

    Attributes:
        base: the scene as the file or script says it is at `time`.
        scene: the same with the edits; what is shown.
        beside: another scene, shown to the right of the split line.
        edits: what the user has changed, by the names of `isofield render --set`.
        past, future: edits to go back and forth to.
        touched: the name edited last, until the mouse is let go: a drag of a slider is one step to undo.
        pose, home: the camera, and where `home` puts it.
        size: of the scene's subject (radius), centre of it: for speeds and ranges of sliders.
        split: where the line between `scene` and `beside` is, a share of the width.
        section, selected: what the panel shows: shapes, and of these which.
        held: keys that are down.
        keys: the camera's path.
        cursor: where the last click was, shares of the width and the height, y down.
        requests: what the loop has to do next, for it needs files, kernels or the terminal.
    """

    base: Scene
    scene: Scene
    pose: Pose
    home: Pose
    size: float
    centre: Vector
    beside: Scene | None = None
    edits: Edits = field(default_factory=dict)
    past: tuple[Edits, ...] = ()
    future: tuple[Edits, ...] = ()
    touched: str | None = None
    mode: Mode = "shaded"
    layers: Layers = field(default_factory=Layers)
    split: float = 0.5
    panel: bool = True
    section: Section = "shapes"
    selected: str = ""
    picked: Picked | None = None
    animated: bool = False
    time: float = 0.0
    duration: float = 4.0
    playing: bool = False
    held: frozenset[str] = frozenset()
    keys: tuple[Pose, ...] = ()
    cursor: tuple[float, float] = (0.5, 0.5)
    error: str = ""
    message: str = ""
    requests: tuple[Request, ...] = ()
    running: bool = True

    def requesting(self, request: Request) -> State:
        """The state with one more thing for the loop to do."""
        return replace(self, requests=(*self.requests, request))

    def with_message(self, message: str) -> State:
        """The state with something to say to the user."""
        return replace(self, message=message)


def initial_state(scene: Scene, pose: Pose, centre: Vector, size: float, **more: Any) -> State:
    """The state in which a scene is first shown; `centre` and `size` are middle and radius of its subject."""
    return State(
        base=scene,
        scene=scene,
        pose=pose,
        home=pose,
        size=size,
        centre=centre,
        selected=next(iter(scene.shapes)),
        **more,
    )
