"""Films of a scene: the camera goes once around, or time goes on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..files import interrupts_noted

if TYPE_CHECKING:
    import torch

    from ..render import Layers
    from ..scene import Camera, Scene, SceneSource
    from .render import Render

STOPPED = 130


def render_film(options: Render, source: SceneSource, layers: Layers) -> int:
    """Render the frames and write the film; after Ctrl-C it has the frames made until then. Returns the exit status."""
    from ..files import write_video

    frames = options.turntable or options.animate or (options.path[1] if options.path is not None else 1)
    made = 0
    with interrupts_noted() as interrupted:

        def until_interrupted() -> Iterator[torch.Tensor]:
            nonlocal made
            for image in _with_progress(_images(options, source, frames, layers), frames):
                made += 1
                yield image
                if interrupted:
                    return

        write_video(options.output, until_interrupted(), frames / options.duration)
    if made < frames:
        print(f"{options.output}: stopped after {made} of {frames} frames, which it holds", file=sys.stderr)
        return STOPPED
    print(f"{options.output}: {frames} frames of {options.width} x {options.height} pixels", file=sys.stderr)
    return 0


def _images(options: Render, source: SceneSource, frames: int, layers: Layers) -> Iterator[torch.Tensor]:
    from ..render import Views, still

    views = Views(direct=options.direct)
    for scene, camera in _views(options, source, frames):
        shot = views.shot(scene, camera, options.mode, layers)
        yield still(shot, options.width, options.height, options.samples, options.seed)


def _views(options: Render, source: SceneSource, frames: int) -> Iterator[tuple[Scene, Camera]]:
    """What is seen in every frame, and from where; of a turntable and of time the last is a step before the first."""
    from ..render import view_of
    from ..scene import parse_settings, with_values
    from ..view import along, read_cameras

    values = parse_settings(options.values)
    keys = [] if options.path is None else read_cameras(options.path[0])
    first = with_values(source.at(options.time), values)
    camera = first.camera or view_of(first).camera
    for frame in range(frames):
        if options.turntable is not None:
            yield first, camera.orbit(360.0 * frame / frames)
        elif keys:
            yield first, along(keys, frame / max(frames - 1, 1)).camera()
        else:
            scene = with_values(source.at(options.time + options.duration * frame / frames), values)
            yield scene, scene.camera or camera


def _with_progress(images: Iterator[torch.Tensor], frames: int) -> Iterator[torch.Tensor]:
    from rich.console import Console
    from rich.progress import track

    yield from track(images, "rendering", total=frames, console=Console(stderr=True), transient=True)
