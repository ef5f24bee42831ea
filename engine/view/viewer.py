"""The viewer: inputs to states, states to pictures, and what states wish for, frame by frame."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from ...kernels.rays import TILE
from ..endings import is_field
from ..files import write_image, write_video
from ..program import BuildError
from ..render import view_of
from ..render.shots import Shot, Views, still
from ..render.sources import open_source
from ..scene import Camera, SceneError, save
from . import capture
from .events import Event, Key, Tick
from .frame import Refinement, moving
from .inputs import apply, at_time, is_moving, reloaded, with_picked
from .pace import Pace
from .panel import panels, progress
from .pick import pick
from .pose import pose_of
from .state import State, Wish, opened
from .watch import Watch
from .window import Window

if TYPE_CHECKING:
    from ..models import Up

LOOK_EVERY = 0.2  # seconds between looks at the scene's file
PAUSE = 0.01  # seconds to wait where there is nothing to do
LONGEST_TICK = 0.1  # seconds: after a long picture nothing jumps
FILM_SAMPLES = 4
FPS = 24.0
LINE = (1.0, 1.0, 1.0)  # between the two halves of a split picture


class Viewer:
    """A window on a scene.

    Args:
        source: what `open_source` takes; the network of a field is traced at rest.
        width, height: of the window, pixels.
        hidden: no window on a screen; frames can be read.
        whole: every frame is a whole pass over the picture, however long it takes; if None, those of hidden windows.
        samples: rays a pixel that a picture at rest comes to.
        beside: another source, shown to the right of a line.
        up: the axis of a mesh that points up.
        sampled: show there what scenes sample of the field that is the source.
        records: whether to keep all events with the numbers of their frames, in `happened`.
        folder: where pictures, films and scenes are written.
        say: takes what is told to the terminal.

    Raises:
        SceneError: a source cannot be shown.
        RuntimeError: no Vulkan, or no display.
    """

    def __init__(
        self,
        source: str,
        width: int,
        height: int,
        *,
        hidden: bool = False,
        whole: bool | None = None,
        samples: int = 16,
        beside: str | None = None,
        up: Up = "z",
        sampled: bool = False,
        records: bool = False,
        folder: Path | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        self.name, self.up, self.samples, self.say = source, up, samples, say
        self.whole = hidden if whole is None else whole
        self.folder = folder or Path.cwd()
        self.source = open_source(source, up)
        scene = self.source.at(0.0)
        first = view_of(scene)
        x, y, z, radius = first.program.subject
        self.state = opened(
            scene,
            pose_of(first.camera, (x, y, z)),
            (x, y, z, radius),
            animated=self.source.is_animated,
            beside=scene if sampled else None if beside is None else open_source(beside).at(0.0),
        )
        self.sampled = sampled
        self._make_views()
        self.window = Window(f"isofield: {self.source.path.name}", width, height, hidden=hidden)
        self.pace = Pace()
        self.records = records
        self.happened: list[tuple[int, Event]] = []
        self.frames = 0
        self.picture: torch.Tensor | None = None
        self._watch = Watch(self.source.path)
        self._looked = self._ticked = time.perf_counter()
        self._time = 0.0  # of the scene that is shown
        self._key: Any = None
        self._painting = 0.0  # seconds that the last picture took
        self._unfit = False  # whether the scene could not become a program
        self._refinement: Refinement | None = None
        self.status = ""

    def run(self) -> None:
        """Until the user ends it."""
        while self.state.running and self.window.running:
            start = time.perf_counter()
            self.step(self.window.events(), min(start - self._ticked, LONGEST_TICK))
            self._ticked = start
            self.window.show()
            self.pace = self.pace.framed(time.perf_counter() - start - self._painting)
            if not self._works:
                time.sleep(PAUSE)

    def step(self, events: Iterable[Event], seconds: float) -> None:
        """One frame: take in what happened, and lay out what is to be seen then; the caller ends the frame."""
        for event in events:
            self._take(event)
        self.state = apply(self.state, Tick(seconds))
        self._look_at_file()
        self._follow_time()
        self._fulfil()
        start = time.perf_counter()
        self.picture = self._painted()
        self._painting = time.perf_counter() - start
        for event in self.window.draw(self.picture, panels(self.state, self.status)):
            self._take(event)
        self.frames += 1

    def close(self) -> None:
        """Close the window."""
        self.window.close()

    def _take(self, event: Event) -> None:
        if self.records:
            self.happened.append((self.frames, event))
        self.state = apply(self.state, event)

    @property
    def _works(self) -> bool:
        """Whether there is more to do for this picture."""
        return is_moving(self.state) or (self._refinement is not None and not self._refinement.done)

    # The file and the time

    def _look_at_file(self) -> None:
        now = time.perf_counter()
        if not self.window.hidden and now - self._looked < LOOK_EVERY:
            return
        self._looked = now
        if self._watch.changed():
            try:
                source = open_source(self.name, self.up)
                base = source.at(self.state.time)
            except SceneError as error:
                self.state = replace(self.state, error=str(error))
                return
            self.source, self._time = source, self.state.time
            self._make_views()
            self._key = None
            beside = base if self.sampled else self.state.beside
            self.state = replace(reloaded(self.state, base), animated=source.is_animated, beside=beside)

    def _follow_time(self) -> None:
        if self.state.animated and self.state.time != self._time:
            self._time = self.state.time
            try:
                self.state = at_time(self.state, self.source.at(self._time))
            except SceneError as error:
                self.state = replace(self.state, error=str(error), playing=False)

    # Pictures

    def _shots(self, state: State) -> list[Shot]:
        camera = state.pose.camera()
        shots = [self.views.shot(state.scene, camera, state.mode, state.layers)]
        if state.beside is not None:
            shots.append(self._beside.shot(state.beside, camera, state.mode, state.layers))
        return shots

    def _make_views(self) -> None:
        """Forget what was made of scenes: files that they read may have changed."""
        self.views = Views(direct=is_field(self.name))
        self._beside = Views(direct=not self.sampled)

    def _painted(self) -> torch.Tensor:
        """The picture of the state: a quick one while it changes, a better and better one while it does not."""
        state = self.state
        width, height = self.window.shape
        key = (state.scene, state.beside, state.pose, state.mode, state.layers, width, height)
        changed = self._key is None or any(a is not b and a != b for a, b in zip(key, self._key, strict=True))
        if changed:
            self._key = key
            try:
                shots = self._shots(state)
            except BuildError as error:  # a scene may be valid and not fit the machine
                self.state, self._unfit = replace(state, error=str(error)), True
                return torch.zeros(height, width, 3) if self.picture is None else self.picture
            if self._unfit:
                self.state, self._unfit = replace(state, error=""), False
            self._refinement = Refinement(shots, width, height, self.samples)
            if not self.whole:
                return self._quick(shots, width, height)
        return self._better(width, height)

    def _quick(self, shots: list[Shot], width: int, height: int) -> torch.Tensor:
        wide, high, light = self.pace.size(width, height)
        start = time.perf_counter()
        picture = self._joined([moving(shot, wide, high, light) for shot in shots])
        seconds = time.perf_counter() - start
        self.pace = self.pace.moved(light, wide * high, seconds)
        self.status = f"{wide} x {high}, {1e3 * seconds:.0f} ms"
        return picture

    def _better(self, width: int, height: int) -> torch.Tensor:
        """The next picture at rest, or the last one while the next is not finished."""
        refinement = self._refinement
        if refinement is None:  # nothing could be drawn yet
            return torch.zeros(height, width, 3) if self.picture is None else self.picture
        if not refinement.done:
            rows = refinement.rows if self.whole else self.pace.rows(width, refinement.rows, TILE)
            start = time.perf_counter()
            refinement.step(rows)
            self.pace = self.pace.rested(min(rows, refinement.rows) * TILE * width, time.perf_counter() - start)
        done = refinement.passes - (self.samples > 1)
        self.status = f"{width} x {height}, {max(0, done)} of {self.samples} samples"
        if not refinement.pictures:
            assert self.picture is not None
            return self.picture
        return self._joined(refinement.pictures)

    def _joined(self, pictures: list[torch.Tensor]) -> torch.Tensor:
        """One picture, or the left part of the first and the right part of the second."""
        if len(pictures) == 1:
            return pictures[0]
        width = pictures[0].shape[1]
        at = min(max(round(self.state.split * width), 0), width)
        both = torch.cat([pictures[0][:, :at], pictures[1][:, at:]], dim=1)
        both[:, max(at - 1, 0) : at + 1] = both.new_tensor(LINE)
        return both

    # What states wish for

    def _fulfil(self) -> None:
        wishes, self.state = self.state.wishes, replace(self.state, wishes=())
        for wish in wishes:
            try:
                self._wishes[wish](self)
            except OSError as error:
                self._tell(str(error))

    def _pick(self) -> None:
        width, height = self.window.shape
        shots = self._shots(self.state)
        x, y = self.state.cursor
        shot = shots[-1] if x > self.state.split else shots[0]
        self.state = with_picked(self.state, pick(shot, width, height, x, y))

    def _save(self) -> None:
        path = capture.new_path(self.folder, self._stem, ".toml")
        save(self.state.scene.model_copy(update={"camera": self.state.pose.camera()}), path)
        self._tell(f"saved {path.name}")

    def _copy_camera(self) -> None:
        self.say(capture.camera_text(self.state.pose))
        self.state = replace(self.state, message="camera printed in the terminal")

    def _screenshot(self) -> None:
        width, height = self.window.shape
        path = capture.new_path(self.folder, self._stem, ".png")
        pictures = [still(shot, width, height, self.samples) for shot in self._shots(self.state)]
        write_image(path, self._joined(pictures))
        self._wrote(path, self.samples)

    def _turntable(self) -> None:
        frames = capture.TURN_FRAMES
        camera = self.state.pose.camera()
        cameras = [camera.orbit(360.0 * frame / frames) for frame in range(frames)]
        self._film(cameras, "--turntable", str(frames))

    def _path_film(self) -> None:
        keys = self.state.keys
        if len(keys) < 2:
            self._tell("a film needs two cameras in the path; add them with K")
            return
        path = capture.new_path(self.folder, f"{self._stem}-path", ".json")
        capture.write_cameras(path, keys)
        frames = capture.PATH_FRAMES * (len(keys) - 1)
        cameras = [capture.along(keys, frame / (frames - 1)).camera() for frame in range(frames)]
        self._film(cameras, "--path", str(path), str(frames))

    def _film(self, cameras: Sequence[Camera], *options: str) -> None:
        """Render a film while the window shows its frames; Escape ends it early."""
        width, height = self.window.shape
        ending = ".mp4" if importlib.util.find_spec("imageio_ffmpeg") else ".gif"
        path = capture.new_path(self.folder, self._stem, ending)
        write_video(path, self._film_frames(cameras, width, height), FPS)
        duration = f"{len(cameras) / FPS:.6g}"
        self._wrote(path, FILM_SAMPLES, *options, "--duration", duration)

    def _film_frames(self, cameras: Sequence[Camera], width: int, height: int) -> Iterator[torch.Tensor]:
        for number, camera in enumerate(cameras, 1):
            shots = [replace(shot, view=replace(shot.view, camera=camera)) for shot in self._shots(self.state)]
            picture = self._joined([still(shot, width, height, FILM_SAMPLES) for shot in shots])
            if not self.window.hidden:
                self.window.draw(picture, [progress(f"{number} of {len(cameras)} frames\nEscape: stop here")])
                self.window.show()
            yield picture
            if any(isinstance(event, Key) and event.name == "Escape" for event in self.window.events()):
                return

    def _wrote(self, path: Path, samples: int, *more: str) -> None:
        width, height = self.window.shape
        self._tell(f"wrote {path.name}")
        if self.state.beside is None:
            upright = [] if self.up == "z" else ["--up", self.up]
            command = capture.render_command(self.state, self.name, path, width, height, samples, *upright, *more)
            self.say(f"made again by: {command}")

    def _tell(self, message: str) -> None:
        self.state = replace(self.state, message=message)
        self.say(message)

    @property
    def _stem(self) -> str:
        return self.source.path.stem

    _wishes: ClassVar[dict[Wish, Callable[[Viewer], None]]] = {
        "pick": _pick,
        "save": _save,
        "copy_camera": _copy_camera,
        "screenshot": _screenshot,
        "turntable": _turntable,
        "film": _path_film,
    }
