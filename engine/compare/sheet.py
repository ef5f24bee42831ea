"""Sheets: pictures side by side with words above them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]

GAP = 12
TITLE, NOTE = 16, 13  # heights of letters, pixels
LINE = 1.3  # of lines, as a multiple of their letters
INK, FAINT, PAPER = (20, 20, 20), (100, 100, 100), (255, 255, 255)

WORST = 0.25  # the error that is drawn as the last colour of the ramp; larger ones too
# Black, violet, red, orange, pale yellow: rising in brightness, so that it can be read without colour too.
RAMP = np.array([(0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164)], np.float64)


@dataclass(frozen=True)
class Tile:
    """A picture (height, width, 3) of 8 bits, and two lines above it."""

    pixels: Pixels
    title: str = ""
    note: str = ""


def sheet(rows: Sequence[Sequence[Tile]], footer: str = "") -> Pixels:
    """All tiles on white paper, in columns of equal width.

    Raises:
        ValueError: there is no tile.
    """
    tiles = [tile for row in rows for tile in row]
    if not tiles:
        raise ValueError("rows: expected at least one tile, got none")
    title, note = (ImageFont.load_default(size=size) for size in (TITLE, NOTE))
    column = max(
        round(max(tile.pixels.shape[1], title.getlength(tile.title), note.getlength(tile.note))) for tile in tiles
    )
    width = GAP + max(map(len, rows)) * (column + GAP)
    heights = [_words(row) + max(tile.pixels.shape[0] for tile in row) + GAP for row in rows]
    paper = Image.new("RGB", (width, GAP + sum(heights) + (round(LINE * TITLE) if footer else 0)), PAPER)
    draw = ImageDraw.Draw(paper)
    top = GAP
    for row, height in zip(rows, heights, strict=True):
        for index, tile in enumerate(row):
            left = GAP + index * (column + GAP)
            draw.text((left, top), tile.title, INK, title)
            draw.text((left, top + (round(LINE * TITLE) if tile.title else 0)), tile.note, FAINT, note)
            paper.paste(Image.fromarray(tile.pixels), (left, top + _words(row)))
        top += height
    draw.text((GAP, top - 4), footer, INK, title)
    return np.asarray(paper)


def error_map(found: NDArray[np.float32], wanted: NDArray[np.float32]) -> Pixels:
    """|found - wanted|, the mean of the channels of (height, width, 3), in colours: black for 0, pale for 0.25 or more.

    NaN is pale.
    """
    error = np.abs(found.astype(np.float64) - wanted.astype(np.float64)).mean(axis=-1)
    return _coloured(np.clip(np.nan_to_num(error / WORST, nan=1.0, posinf=1.0), 0.0, 1.0))


def error_scale(width: int) -> Pixels:
    """The colours of errors from 0 to 0.25, with what they mean, as a picture (56, width, 3)."""
    paper = Image.new("RGB", (width, 56), PAPER)
    paper.paste(Image.fromarray(_coloured(np.tile(np.linspace(0.0, 1.0, width), (16, 1)))))
    draw, font = ImageDraw.Draw(paper), ImageFont.load_default(size=NOTE)
    draw.text((0, 18), "0", FAINT, font)
    draw.text((width, 18), f"{WORST:g} or more", FAINT, font, anchor="ra")
    draw.text((0, 36), "mean error of a pixel", FAINT, font)
    return np.asarray(paper)


def _coloured(parts: NDArray[np.float64]) -> Pixels:
    """Numbers in [0, 1] (height, width) as colours (height, width, 3)."""
    places = np.linspace(0.0, 1.0, len(RAMP))
    return np.stack([np.interp(parts, places, RAMP[:, channel]) for channel in range(3)], axis=-1).astype(np.uint8)


def _words(row: Sequence[Tile]) -> int:
    """Height of the lines above the pictures of a row."""
    lines = (TITLE if any(tile.title for tile in row) else 0) + (NOTE if any(tile.note for tile in row) else 0)
    return round(LINE * lines)
