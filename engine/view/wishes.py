"""What states wish for and the loop does: pick, save, write pictures and films."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ..files import write_image, write_video
from ..program import BuildError
from ..render import still
from ..scene import Camera, save
from . import capture
from .events import Key
from .inputs import with_picked
from .painter import joined
from .panel import progress
from .pick import pick
from .state import Wish

if TYPE_CHECKING:
    from .viewer import Viewer

FILM_SAMPLES = 4
FPS = 24.0


def fulfil(viewer: Viewer) -> None:
    """Do what the viewer's state wishes for; what cannot be done is told."""
    wishes, viewer.state = viewer.state.wishes, replace(viewer.state, wishes=())
    for wish in wishes:
        try:
            _WISHES[wish](viewer)
        except (OSError, BuildError) as error:
            _tell(viewer, str(error))


def _pick(viewer: Viewer) -> None:
    state = viewer.state
    x, y = state.cursor
    shots = viewer.painter.shots(state)
    shot = shots[-1] if x > state.split else shots[0]
    viewer.state = with_picked(state, pick(shot, *viewer.window.shape, x, y))


def _save(viewer: Viewer) -> None:
    path = capture.new_path(viewer.folder, _stem(viewer), ".toml")
    save(viewer.state.scene.model_copy(update={"camera": viewer.state.pose.camera()}), path)
    _tell(viewer, f"saved {path.name}")


def _copy_camera(viewer: Viewer) -> None:
    viewer.say(capture.camera_text(viewer.state.pose))
    viewer.state = viewer.state.told("camera printed in the terminal")


def _screenshot(viewer: Viewer) -> None:
    path = capture.new_path(viewer.folder, _stem(viewer), ".png")
    samples = viewer.painter.samples
    shots = viewer.painter.shots(viewer.state)
    write_image(path, joined(viewer.state, [still(shot, *viewer.window.shape, samples) for shot in shots]))
    _wrote(viewer, path, samples)


def _turntable(viewer: Viewer) -> None:
    frames = capture.TURN_FRAMES
    camera = viewer.state.pose.camera()
    cameras = [camera.orbit(360.0 * frame / frames) for frame in range(frames)]
    _film(viewer, cameras, "--turntable", str(frames))


def _path_film(viewer: Viewer) -> None:
    keys = viewer.state.keys
    if len(keys) < 2:
        _tell(viewer, "a film needs two cameras in the path; add them with K")
        return
    path = capture.new_path(viewer.folder, f"{_stem(viewer)}-path", ".json")
    capture.write_cameras(path, keys)
    frames = capture.PATH_FRAMES * (len(keys) - 1)
    cameras = [capture.along(keys, frame / (frames - 1)).camera() for frame in range(frames)]
    _film(viewer, cameras, "--path", str(path), str(frames))


def _film(viewer: Viewer, cameras: Sequence[Camera], *options: str) -> None:
    """Render a film while the window shows its frames; Escape ends it early."""
    ending = ".mp4" if importlib.util.find_spec("imageio_ffmpeg") else ".gif"
    path = capture.new_path(viewer.folder, _stem(viewer), ending)
    write_video(path, _frames(viewer, cameras), FPS)
    duration = f"{len(cameras) / FPS:.6g}"
    _wrote(viewer, path, FILM_SAMPLES, *options, "--duration", duration)


def _frames(viewer: Viewer, cameras: Sequence[Camera]) -> Iterator[torch.Tensor]:
    window, state = viewer.window, viewer.state
    width, height = window.shape
    for number, camera in enumerate(cameras, 1):
        shots = [replace(shot, view=replace(shot.view, camera=camera)) for shot in viewer.painter.shots(state)]
        picture = joined(state, [still(shot, width, height, FILM_SAMPLES) for shot in shots])
        if not window.hidden:
            window.draw(picture, [progress(f"{number} of {len(cameras)} frames\nEscape: stop here")])
            window.show()
        yield picture
        if any(isinstance(event, Key) and event.name == "Escape" for event in window.events()):
            return


def _wrote(viewer: Viewer, path: Path, samples: int, *more: str) -> None:
    _tell(viewer, f"wrote {path.name}")
    if viewer.state.beside is None:
        upright = [] if viewer.up == "z" else ["--up", viewer.up]
        command = capture.render_command(
            viewer.state, viewer.name, path, *viewer.window.shape, samples, *upright, *more
        )
        viewer.say(f"made again by: {command}")


def _tell(viewer: Viewer, message: str) -> None:
    viewer.state = viewer.state.told(message)
    viewer.say(message)


def _stem(viewer: Viewer) -> str:
    return viewer.source.path.stem


_WISHES: dict[Wish, Callable[[Viewer], None]] = {
    "pick": _pick,
    "save": _save,
    "copy_camera": _copy_camera,
    "screenshot": _screenshot,
    "turntable": _turntable,
    "film": _path_film,
}
