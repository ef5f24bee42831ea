"""Films of a scene: the camera goes once around or along a path, or time goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..files import interrupts_noted, progress_bars
from .exit_status import INTERRUPTED, OK

if TYPE_CHECKING:
    import torch

    from ..scene import Camera, Scene
    from ..view import Pose


class FrameView(NamedTuple):
    """What is seen in a frame, and from where."""

    scene: Scene
    camera: Camera


def turntable(scene: Scene, camera: Camera, frames: int) -> Iterator[FrameView]:
    """One turn of the camera; the last frame is a step before the first."""
    for frame in range(frames):
        yield FrameView(scene, camera.orbit(360.0 * frame / frames))


def camera_path(scene: Scene, keys: Sequence[Pose], frames: int) -> Iterator[FrameView]:
    """From the first of several cameras to the last."""
    from ..view import pose_along

    for frame in range(frames):
        yield FrameView(scene, pose_along(keys, frame / max(frames - 1, 1)).camera())


def animation(
    scene_at: Callable[[float], Scene], camera: Camera, start: float, duration: float, frames: int
) -> Iterator[FrameView]:
    """A scene over time, in seconds; the last frame is a step before the end. `camera` is for scenes without one."""
    for frame in range(frames):
        scene = scene_at(start + duration * frame / frames)
        yield FrameView(scene, scene.camera or camera)


def write_film(
    output: Path, images: Iterator[torch.Tensor], frames: int, duration: float, size: tuple[int, int]
) -> int:
    """Write pictures of `size`, width and height, as a film of `duration` seconds; returns the exit status.

    After Ctrl-C it has the frames made until then, unless there is a film of that name already, which is kept.
    """
    from ..files import write_video

    kept = output.exists()
    made = 0
    with interrupts_noted() as interrupted:

        def until_interrupted() -> Iterator[torch.Tensor]:
            nonlocal made
            for image in _with_progress(images, frames):
                made += 1
                yield image
                if interrupted and made < frames:
                    if kept:
                        raise _Stopped
                    return

        try:
            write_video(output, until_interrupted(), frames / duration)
        except _Stopped:
            print(
                f"{output}: stopped after {made} of {frames} frames, which are not written: it holds an earlier film, "
                "which is kept",
                file=sys.stderr,
            )
            return INTERRUPTED
    if made < frames:
        print(f"{output}: stopped after {made} of {frames} frames, which it holds", file=sys.stderr)
        return INTERRUPTED
    width, height = size
    print(f"{output}: {frames} frames of {width} x {height} pixels", file=sys.stderr)
    return OK


class _Stopped(Exception):
    """The film is not to be written."""


def _with_progress(images: Iterator[torch.Tensor], frames: int) -> Iterator[torch.Tensor]:
    with progress_bars() as start:
        move = start("rendering frames", frames)
        for image in images:
            move(1)
            yield image
