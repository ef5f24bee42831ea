"""`isofield view`: a window on a scene."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import OmitArgPrefixes, Positional, arg

from ..files import MeshOptions, is_field
from .exit_status import OK
from .usage import UsageError, check_mesh_options, check_range, tell_notes_of_scene

if TYPE_CHECKING:
    from ..view import Event, Viewer

DEFAULT = "carved_box"
FRAME = 1.0 / 30.0  # seconds that a frame stands for where there is no screen


@dataclass(frozen=True)
class ViewCommand:
    """Look at a scene in a window: orbit, move sliders, cut, click, save."""

    scene: Positional[str] = DEFAULT
    """scene file (.toml), script (.py, which is run), built-in name, or, in clay, a field (.safetensors), a volume
    (.npy) or a mesh (.obj .ply .stl .glb)"""
    width: int = 960
    """of the window, pixels"""
    height: int = 540
    """of the window, pixels"""
    samples: int = 16
    """rays a pixel that a picture at rest comes to"""
    mesh: OmitArgPrefixes[MeshOptions] = field(default_factory=MeshOptions)
    beside: Annotated[str | None, arg(metavar="SCENE")] = None
    """another scene to show to the right of a line"""
    sampled: bool = False
    """of a field, show what scenes sample of it to the right of a line"""
    offscreen: Annotated[tuple[int, Path] | None, arg(metavar="FRAMES FOLDER")] = None
    """no window: write so many frames, panels included, as pictures into a folder"""
    inputs: Annotated[Path | None, arg(metavar="FILE")] = None
    """with --offscreen: inputs that --record wrote"""
    record: Annotated[Path | None, arg(metavar="FILE")] = None
    """write all inputs to a file at the end"""

    def run(self) -> int:
        """Show; returns the exit status."""
        check_mesh_options(self.mesh, self.scene)
        check_range("--width", self.width, 64, 8192)
        check_range("--height", self.height, 64, 8192)
        check_range("--samples", self.samples, 1, 65536)
        if self.inputs is not None and self.offscreen is None:
            raise UsageError("--inputs: expected with --offscreen only")
        if self.sampled and not is_field(self.scene):
            raise UsageError(f"--sampled: expected a field (.safetensors) to look at, got {self.scene}")
        if self.sampled and self.beside is not None:
            raise UsageError("--sampled: expected alone, got --beside too")
        frames, folder = self.offscreen or (0, None)
        if self.offscreen is not None:
            check_range("--offscreen", frames, 1, 1_000_000)
        inputs = {} if self.inputs is None else read_inputs(self.inputs)
        from ..files import check_writable
        from ..view import Viewer

        if self.record is not None:
            check_writable(self.record)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        viewer = Viewer(
            self.scene,
            self.width,
            self.height,
            hidden=self.offscreen is not None,
            samples=self.samples,
            beside=self.beside,
            options=self.mesh,
            sampled=self.sampled,
            records=self.record is not None,
            folder=folder,
        )
        tell_notes_of_scene(viewer.state.scene)
        try:
            if folder is None:
                viewer.run()
            else:
                self._write_frames(viewer, inputs, frames, folder)
        finally:
            viewer.close()
            if self.record is not None:
                write_inputs(self.record, viewer.happened)
        return OK

    def _write_frames(self, viewer: Viewer, inputs: dict[int, list[Event]], frames: int, folder: Path) -> None:
        from ..files import write_image

        for frame in range(frames):
            viewer.step(inputs.get(frame, []), FRAME)
            write_image(folder / f"frame-{frame:04d}.png", viewer.window.read())
            if not viewer.state.running:
                break
        print(f"{folder}: {viewer.frames} frames of {self.width} x {self.height} pixels", file=sys.stderr)


def read_inputs(path: Path) -> dict[int, list[Event]]:
    """Events by frame, from a file such as `--record` writes.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no list of events; says what is wrong with which.
    """
    from ..view import event_from_dict

    try:
        entries: Any = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not valid JSON: {error}") from None
    if not isinstance(entries, list):
        raise ValueError(f"{path}: expected a list of events, got {type(entries).__name__}")
    found: dict[int, list[Event]] = {}
    for number, entry in enumerate(entries):
        frame = entry.get("frame") if isinstance(entry, dict) else None
        if not isinstance(frame, int) or frame < 0:
            raise ValueError(f"{path}: event {number}: frame: expected a whole number from 0 on, got {frame!r}")
        try:
            found.setdefault(frame, []).append(event_from_dict(entry))
        except ValueError as error:
            raise ValueError(f"{path}: event {number}: {error}") from None
    return found


def write_inputs(path: Path, happened: list[tuple[int, Event]]) -> None:
    """Write events with the numbers of their frames."""
    from ..files import atomic_write
    from ..view import event_to_dict

    lines = [json.dumps({"frame": frame, **event_to_dict(event)}) for frame, event in happened]
    with atomic_write(path) as temporary:
        temporary.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
