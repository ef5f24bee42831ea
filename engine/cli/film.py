"""Films of a scene: the camera goes once around, or time goes on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..interrupts import interrupts_noted

if TYPE_CHECKING:
    import torch

    from ..render import View
    from ..scene.load import Source
    from .render import Render

STOPPED = 130


def render_film(options: Render, source: Source) -> int:
    """Render the frames and write the film; after Ctrl-C it has the frames made until then. Returns the exit status."""
    from ..files import write_video

    frames = options.turntable or options.animate or 1
    made = 0
    with interrupts_noted() as interrupted:

        def until_interrupted() -> Iterator[torch.Tensor]:
            nonlocal made
            for image in _with_progress(_images(options, source, frames), frames):
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


def _images(options: Render, source: Source, frames: int) -> Iterator[torch.Tensor]:
    from ..render import render_view

    for view in _views(options, source, frames):
        yield render_view(
            view, options.width, options.height, options.mode, options.samples, options.seed, linear=False
        )


def _views(options: Render, source: Source, frames: int) -> Iterator[View]:
    """What is seen in every frame; the last one is a step before the first, so that the film may be repeated."""
    from ..render import view_of
    from ..scene.override import parse_settings, with_values

    values = parse_settings(options.values)
    first = view_of(with_values(source.at(options.time), values), direct=options.direct)
    for frame in range(frames):
        if options.turntable is not None:
            yield replace(first, camera=first.camera.orbit(360.0 * frame / frames))
        else:
            scene = with_values(source.at(options.time + options.duration * frame / frames), values)
            yield view_of(scene, scene.camera or first.camera)


def _with_progress(images: Iterator[torch.Tensor], frames: int) -> Iterator[torch.Tensor]:
    from rich.console import Console
    from rich.progress import track

    yield from track(images, "rendering", total=frames, console=Console(stderr=True), transient=True)
