"""From a scene, a field or a file to a `View`: all that a picture needs, made once for any number of pictures."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...kernels import Program, runtime
from ...kernels.light import Lighting
from ...kernels.program import Column
from ..build import build_program
from ..files import PLAIN, MeshOptions, is_field
from ..scene import Camera, Scene
from .framing import frame_subject
from .lighting import exposure, lighting
from .sources import open_as_scene, scene_of_field

if TYPE_CHECKING:
    from ..fields import Field
    from .neural import NetworkSurface


@dataclass(frozen=True)
class View:
    """All that a picture of a scene needs.

    Attributes:
        program: subject and stage, on the backend's device.
        lighting: the lights and the sky.
        exposure: factor on radiance before the tone map.
        camera: from where it is seen.
        network: what is traced in place of the subject's bricks.
    """

    program: Program
    lighting: Lighting
    exposure: float
    camera: Camera
    network: NetworkSurface | None = None

    @property
    def unlit(self) -> Lighting:
        """Its light switched off, ambient occlusion too: with it `visibility` finds normals only."""
        return replace(self.lighting, lights=self.lighting.lights[:0], reach=0.0)


def view_of(
    subject: Scene | Field | str | os.PathLike[str],
    camera: Camera | None = None,
    *,
    direct: bool | None = None,
    options: MeshOptions = PLAIN,
) -> View:
    """The view of whatever can be looked at.

    Args:
        subject: a scene; a field, which is shown in clay on a floor; or what `open_as_scene` takes, at the time 0.
        camera: in place of the scene's own; without any the subject is framed.
        direct: whether the subject, which must be a neural shape that is not moved, is traced by its network and not by
            its bricks; if not given, that of a field or a field's file is, and that of a scene is not.
        options: how a mesh's file is taken.

    Raises:
        SceneError: a file holds no scene.
        BuildError: the scene cannot become a program.
        ValueError: `direct` for another subject.
        OSError: a file cannot be read.
    """
    if isinstance(subject, Scene):
        scene, is_learned = subject, False
    elif isinstance(subject, (str, os.PathLike)):
        name = os.fspath(subject)
        scene, is_learned = open_as_scene(name, options).at(0.0), is_field(name)
    else:
        scene, is_learned = scene_of_field(subject), True
    view = _assembled(scene, build_program(scene).to(_device()), camera)
    if not (is_learned if direct is None else direct):
        return view
    from .neural import network_surface  # brings the fields, which few scenes need

    return replace(view, network=network_surface(scene, view.program.rows.device))


def relit(view: View, scene: Scene) -> View:
    """The view of a scene whose surfaces are those of a view: only light and camera are made anew."""
    return replace(_assembled(scene, view.program, None), network=view.network)


def _assembled(scene: Scene, program: Program, camera: Camera | None) -> View:
    """A view of a scene's program, with the scene's lights."""
    # A single shape is one grain; of n that fill a ball, each has the n-th part of its volume.
    parts = int((program.rows[:, Column.SHAPE] >= 0).sum())
    grain = (program.subject[3] or 1.0) / max(parts, 1) ** (1.0 / 3.0)
    lights = list(scene.lighting.values())
    return View(
        program,
        lighting(lights, grain, _device()),
        exposure(lights, program.subject),
        camera or scene.camera or frame_subject(program),
    )


def _device() -> str:
    return "cuda" if runtime.backend() == "cuda" else "cpu"
