"""The files of a comparison, each written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ..files import atomic_write, eight_bits, write_figure, write_image, write_video
from .entries import Learned
from .plot import losses_figure
from .sheet import WORST, Pixels, Tile, error_map, error_scale, sheet
from .targets import ImageTarget, TorusTarget

ACROSS = 4  # pictures in a row
FPS, LINGER = 6.0, 8  # of the film; how often its last picture is repeated
COLOURS = 128  # of the film, all its pictures together
NARROWEST = 140  # pixels of the colours' scale, so that the words under it have room
HEIGHTS = (0.38, 0.44, 0.5, 0.56)  # of the slices of the torus


def smaller_side(side: int) -> int:
    """Pixels of the longer side of the pictures in the film and of the slices, beside `side` on the sheet."""
    return max(1, side * 5 // 8)


def write_report(folder: Path, learned: list[Learned], target: ImageTarget, run: dict[str, Any], side: int) -> None:
    """Write compare.png, losses.png, slices.png if a solid was learned, compare.gif, and last compare.json.

    If a run is killed, each file is the old one or the new one, and the old numbers stay until all pictures are new.

    Args:
        folder: where to.
        learned: at least one, with snapshots `smaller_side(side)` large.
        target: the picture.
        run: what was compared and how, for compare.json.
        side: pixels of the longer side of a picture on a sheet; `smaller_side(side)` elsewhere.

    Raises:
        OSError: a file cannot be written.
    """
    _write_sheet(folder / "compare.png", _pictures(learned, target, side))
    write_figure(folder / "losses.png", losses_figure(learned))
    for one in learned:
        if one.entry.is_solid:
            _write_sheet(folder / "slices.png", _slices(one, smaller_side(side)))
    frames = _few_colours(list(_frames(learned, target, smaller_side(side))))
    write_video(folder / "compare.gif", [frame / 255.0 for frame in (*frames, *frames[-1:] * LINGER)], FPS)
    with atomic_write(folder / "compare.json") as temporary:
        report = {**run, "rows": [one.row.as_dictionary() for one in learned]}
        temporary.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _write_sheet(path: Path, pixels: Pixels) -> None:
    write_image(path, pixels / 255.0)


def _pictures(learned: list[Learned], target: ImageTarget, side: int) -> Pixels:
    """The original and what was learned, with the error underneath, `ACROSS` in a row."""
    width, _ = target.size(side)
    original = Tile(_shown(target.shown(None, side)), "original", "{1} x {0} pixels".format(*target.image.pixels.shape))
    pairs = [(original, Tile(error_scale(max(width, NARROWEST))))]
    for one in learned:
        of = TorusTarget() if one.entry.is_solid else target
        found, wanted = of.shown(one.field, side), of.shown(None, side)
        note = f"{one.row.psnr:.1f} dB, {one.row.parameters:,} parameters"
        pairs.append((Tile(_shown(found), one.entry.title, note), Tile(error_map(found.numpy(), wanted.numpy()))))
    parts = [pairs[start : start + ACROSS] for start in range(0, len(pairs), ACROSS)]
    return sheet([[pair[which] for pair in part] for part in parts for which in (0, 1)])


def _slices(one: Learned, side: int) -> Pixels:
    """Slices of the torus, of what was learned, and the error, one under the other."""
    torus = TorusTarget()
    cuts = [(2, at, f"z = {at:g}") for at in HEIGHTS] + [(1, 0.5, "y = 0.5")]
    rows: list[list[Tile]] = [[], [], []]
    for axis, at, title in cuts:
        found, wanted = torus.slice(one.field, side, axis, at), torus.slice(None, side, axis, at)
        rows[0].append(Tile(_shown(wanted), title))
        rows[1].append(Tile(_shown(found)))
        rows[2].append(Tile(error_map(found.numpy(), wanted.numpy())))
    return sheet(rows, f"the torus, the ground plan, and the error: black for 0, pale for {WORST:g} or more")


def _frames(learned: list[Learned], target: ImageTarget, side: int) -> Iterator[Pixels]:
    """What was learned at every snapshot; those that were stopped early stay as they are."""
    original = Tile(_shown(target.shown(None, side)), "original")
    last = max((one.snapshots for one in learned), key=len)
    for index, (step, _) in enumerate(last):
        tiles = [original]
        for one in learned:
            pixels = one.snapshots[min(index, len(one.snapshots) - 1)][1]
            tiles.append(Tile(pixels, one.entry.title))
        yield sheet([tiles[start : start + ACROSS] for start in range(0, len(tiles), ACROSS)], f"step {step}")


def _few_colours(frames: list[Pixels]) -> list[Pixels]:
    """The frames in the colours of the last, undithered: a GIF has to choose some, and of dots it becomes large."""
    palette = Image.fromarray(frames[-1]).quantize(COLOURS, dither=Image.Dither.NONE)
    return [
        np.asarray(Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE).convert("RGB"))
        for frame in frames
    ]


def _shown(picture: torch.Tensor) -> Pixels:
    return eight_bits(np.asarray(picture, np.float32))
