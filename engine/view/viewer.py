"""The viewer: inputs to states, states to pictures, frame by frame, while the file is watched."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import torch

from ..files import PLAIN, MeshOptions, is_field
from ..render import open_as_scene, view_of
from ..scene import SceneError
from .edits import at_time, reloaded
from .events import Event, Tick
from .file_watch import FileWatch
from .inputs import apply, is_moving
from .painter import Painter
from .panel import panels
from .pose import pose_of
from .requests import Tools, fulfil
from .state import initial_state
from .window import Window

LOOK_EVERY = 0.2  # seconds between looks at the scene's file
PAUSE = 0.01  # seconds to wait where there is nothing to do,
AWAKE, REST = 2.0, 0.04  # and if there has not been for AWAKE; inputs are only heard between frames
LONGEST_TICK = 0.1  # seconds: after a long picture nothing jumps


class Viewer:
    """A window on a scene.

    Args:
        source: what `open_as_scene` takes; the network of a field is traced at rest.
        width, height: of the window, pixels.
        hidden: no window on a screen; frames can be read.
        whole_passes: every frame is a whole pass over the picture, however long it takes; if None, those of hidden
            windows.
        samples: rays a pixel that a picture at rest comes to.
        beside: another source, shown to the right of a line.
        options: how meshes are taken.
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
        whole_passes: bool | None = None,
        samples: int = 16,
        beside: str | None = None,
        options: MeshOptions = PLAIN,
        sampled: bool = False,
        records: bool = False,
        folder: Path | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        self.name, self.options = source, options
        self.source = open_as_scene(source, options)
        scene = self.source.at(0.0)
        first = view_of(scene)
        x, y, z, radius = first.program.subject
        self.state = initial_state(
            scene,
            pose_of(first.camera, (x, y, z)),
            (x, y, z),
            radius or 1.0,
            animated=self.source.is_animated,
            beside=scene if sampled else None if beside is None else open_as_scene(beside, options).at(0.0),
        )
        self.sampled = sampled
        self.painter = Painter(
            samples=samples,
            whole_passes=hidden if whole_passes is None else whole_passes,
            direct=is_field(source),
            direct_beside=beside is not None and is_field(beside),
        )
        self.window = Window(f"isofield: {self.source.path.name}", width, height, hidden=hidden)
        self._tools = Tools(
            painter=self.painter,
            window=self.window,
            source=source,
            options=options,
            stem=self.source.path.stem,
            folder=folder or Path.cwd(),
            say=say,
        )
        self.records = records
        self.happened: list[tuple[int, Event]] = []
        self.frames = 0
        self.picture = torch.zeros(height, width, 3)
        self._watch = FileWatch(self.source.path)
        self._looked = self._ticked = self._awake = time.perf_counter()
        self._time = 0.0  # of the scene that is shown
        self._painting = 0.0  # seconds that the last picture took
        self._unfit = ""  # what was said of a scene that could not become a program

    def run(self) -> None:
        """Until the user ends it."""
        self.step([], 0.0)
        self.window.show()  # something to see while the rest compiles
        self.painter.prepare(self.state)
        while self.state.running and self.window.running:
            start = time.perf_counter()
            events = self.window.events()
            if self.window.used or is_moving(self.state) or self.painter.is_refining:
                self._awake = start
            self.step(events, min(start - self._ticked, LONGEST_TICK))
            self._ticked = start
            self.window.show()
            self.painter.pace = self.painter.pace.framed(time.perf_counter() - start - self._painting)
            if start != self._awake:
                time.sleep(PAUSE if start - self._awake < AWAKE else REST)

    def step(self, events: Iterable[Event], seconds: float) -> None:
        """One frame: take in what happened, and lay out what is to be seen then; the caller ends the frame."""
        for event in events:
            self._take(event)
        self.state = apply(self.state, Tick(seconds))
        self._look_at_file()
        self._follow_time()
        self.state = fulfil(self.state, self._tools)
        start = time.perf_counter()
        self._paint()
        self._painting = time.perf_counter() - start
        for event in self.window.draw(self.picture, panels(self.state, self.painter.status)):
            self._take(event)
        self.frames += 1

    def close(self) -> None:
        """Close the window."""
        self.window.close()

    def _take(self, event: Event) -> None:
        if self.records:
            self.happened.append((self.frames, event))
        self.state = apply(self.state, event)

    def _look_at_file(self) -> None:
        now = time.perf_counter()
        if not self.window.hidden and now - self._looked < LOOK_EVERY:
            return
        self._looked = now
        if self._watch.changed():
            try:
                source = open_as_scene(self.name, self.options)
                base = source.at(self.state.time)
            except SceneError as error:
                self.state = replace(self.state, error=str(error))
                return
            self.source, self._time = source, self.state.time
            self.painter.forget()
            beside = base if self.sampled else self.state.beside
            self.state = replace(reloaded(self.state, base), animated=source.is_animated, beside=beside)

    def _follow_time(self) -> None:
        if self.state.animated and self.state.time != self._time:
            self._time = self.state.time
            try:
                self.state = at_time(self.state, self.source.at(self._time))
            except SceneError as error:
                self.state = replace(self.state, error=str(error), playing=False)

    def _paint(self) -> None:
        """Make the next picture; the last one stays where there is none."""
        picture = self.painter.paint(self.state, *self.window.shape)
        if picture is not None:
            self.picture = picture
        if self.painter.unfit != self._unfit:
            self._unfit = self.painter.unfit
            self.state = replace(self.state, error=self._unfit)
