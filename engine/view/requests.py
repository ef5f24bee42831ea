"""What states request and the loop does: pick, save, write pictures and films."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ..files import MeshOptions, interrupts_noted, option_words, write_image, write_video
from ..program import BuildError
from ..render import render_shot
from ..scene import Camera, save
from . import capture
from .events import Key
from .inputs import with_picked
from .painter import Painter, side_by_side
from .panel import progress_panel
from .pick import pick
from .state import Request, State
from .window import Window

FILM_SAMPLES = 4
FPS = 24.0


@dataclass(frozen=True)
class Tools:
    """What it takes to do what a state requests.

    Attributes:
        painter: knows what is to be drawn of a state.
        window: as large as what is written; shows a film while it is made.
        source: the file or built-in name that is looked at, whose meshes are taken as `options` say.
        stem: what files are called, before their number.
        folder: where they are written.
        say: takes what is told to the terminal.
    """

    painter: Painter
    window: Window
    source: str
    options: MeshOptions
    stem: str
    folder: Path
    say: Callable[[str], None]

    def new_path(self, ending: str, kind: str = "") -> Path:
        """The next file that is not there yet."""
        return capture.new_path(self.folder, f"{self.stem}{kind}", ending)


def fulfil(state: State, tools: Tools) -> State:
    """The state after all that it requests is done; what cannot be done is told."""
    requests, state = state.requests, replace(state, requests=())
    for request in requests:
        try:
            state = _REQUESTS[request](state, tools)
        except (OSError, BuildError) as error:
            state = _told(state, tools, str(error))
    return state


def _pick(state: State, tools: Tools) -> State:
    x, y = state.cursor
    shots = tools.painter.shots(state)
    shot = shots[-1] if x > state.split else shots[0]
    return with_picked(state, pick(shot, *tools.window.shape, x, y))


def _save(state: State, tools: Tools) -> State:
    path = tools.new_path(".toml")
    save(state.scene.model_copy(update={"camera": state.pose.camera()}), path)
    return _told(state, tools, f"saved {path.name}")


def _copy_camera(state: State, tools: Tools) -> State:
    tools.say(capture.camera_text(state.pose))
    return state.with_message("camera printed in the terminal")


def _screenshot(state: State, tools: Tools) -> State:
    path = tools.new_path(".png")
    samples = tools.painter.samples
    shots = tools.painter.shots(state)
    write_image(path, side_by_side(state, [render_shot(shot, *tools.window.shape, samples) for shot in shots]))
    return _wrote(state, tools, path, samples)


def _turntable(state: State, tools: Tools) -> State:
    frames = capture.TURN_FRAMES
    camera = state.pose.camera()
    cameras = [camera.orbit(360.0 * frame / frames) for frame in range(frames)]
    return _film(state, tools, cameras, "--turntable", str(frames))


def _path_film(state: State, tools: Tools) -> State:
    keys = state.keys
    if len(keys) < 2:
        return _told(state, tools, "a film needs two cameras in the path; add them with K")
    path = tools.new_path(".json", "-path")
    capture.write_cameras(path, keys)
    frames = capture.PATH_FRAMES * (len(keys) - 1)
    cameras = [capture.pose_along(keys, frame / (frames - 1)).camera() for frame in range(frames)]
    return _film(state, tools, cameras, "--path", str(path), str(frames))


def _film(state: State, tools: Tools, cameras: Sequence[Camera], *options: str) -> State:
    """Render a film while the window shows its frames; Escape ends it early, Ctrl-C and SIGTERM the viewer with it."""
    path = tools.new_path(".mp4" if importlib.util.find_spec("imageio_ffmpeg") else ".gif")
    with interrupts_noted() as interrupted:
        write_video(path, _frames(state, tools, cameras, interrupted), FPS)
    duration = f"{len(cameras) / FPS:.6g}"
    state = _wrote(state, tools, path, FILM_SAMPLES, *options, "--duration", duration)
    if interrupted:
        raise KeyboardInterrupt
    return state


def _frames(state: State, tools: Tools, cameras: Sequence[Camera], interrupted: list[int]) -> Iterator[torch.Tensor]:
    window = tools.window
    width, height = window.shape
    for number, camera in enumerate(cameras, 1):
        shots = [replace(shot, view=replace(shot.view, camera=camera)) for shot in tools.painter.shots(state)]
        picture = side_by_side(state, [render_shot(shot, width, height, FILM_SAMPLES) for shot in shots])
        if not window.hidden:
            window.draw(picture, [progress_panel(f"{number} of {len(cameras)} frames\nEscape: stop here")])
            window.show()
        yield picture
        if interrupted or any(isinstance(event, Key) and event.name == "Escape" for event in window.events()):
            return


def _wrote(state: State, tools: Tools, path: Path, samples: int, *more: str) -> State:
    state = _told(state, tools, f"wrote {path.name}")
    if state.beside is None:
        upright = option_words(tools.options)
        command = capture.render_command(state, tools.source, path, *tools.window.shape, samples, *upright, *more)
        tools.say(f"made again by: {command}")
    return state


def _told(state: State, tools: Tools, message: str) -> State:
    tools.say(message)
    return state.with_message(message)


_REQUESTS: dict[Request, Callable[[State, Tools], State]] = {
    "pick": _pick,
    "save": _save,
    "copy_camera": _copy_camera,
    "screenshot": _screenshot,
    "turntable": _turntable,
    "film": _path_film,
}
