"""Pictures from files."""

from __future__ import annotations

import os
import stat
import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

MOST_PIXELS = 150_000_000  # a square of 12 247
BAND = 2**20  # pixels converted at a time, so that only one copy of a large photo is ever made

# The most pixels that a byte of a file can stand for: deflate repeats 1032 bytes with one, of eight pixels in the
# smallest case; a block of 16² pixels of a JPEG takes 6 coefficients of 2 bits at least.
DENSEST = {"PNG": 8 * 1032, "JPEG": 171}

MODES = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV")
MODES_16 = ("I;16", "I;16L", "I;16B", "I")


class ImageFileError(ValueError):
    """A file that is no picture that can be read; the message names it and what is wrong."""


def read_image(path: str | os.PathLike[str]) -> torch.Tensor:
    """The picture of a file as float32 (H, W, 3), sRGB values in [0, 1] as they are stored, row 0 on top.

    It is `read_pixels` divided by 255.

    Raises:
        ImageFileError, OSError: as `read_pixels`.
    """
    return read_pixels(path).to(torch.float32) / 255.0


def read_pixels(path: str | os.PathLike[str]) -> torch.Tensor:
    """The picture of a file as uint8 (H, W, 3), sRGB, row 0 on top: 3 bytes a pixel, whatever the file has.

    Grey becomes colour; what is transparent lies over white; CMYK is converted without a profile; 16 bits are rounded
    to 8; of an animation the first frame is read; a photo is turned as its camera says.

    Raises:
        ImageFileError: no picture, truncated, larger than 150 million pixels or than the file can hold, or of pixels
            that are no colours.
        OSError: the file cannot be read; names it.
    """
    name = os.fspath(path)
    try:
        size = _size_of(Path(path), name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pictures that are large, but not too large
            with Image.open(path) as image:
                _check(image, size, name)
                image.load()
                return torch.from_numpy(_converted(ImageOps.exif_transpose(image)))
    except ImageFileError:
        raise
    except Image.DecompressionBombError:
        raise ImageFileError(f"{name}: expected at most {MOST_PIXELS} pixels, got more") from None
    except UnidentifiedImageError:
        raise ImageFileError(f"{name}: no picture in a format that is known") from None
    except OSError as error:
        if error.errno is not None:
            raise type(error)(f"{name}: cannot be read: {(error.strerror or str(error)).lower()}") from None
        raise ImageFileError(f"{name}: damaged or truncated: {error}") from None  # Pillow's own, without a number
    except (ValueError, SyntaxError, EOFError, IndexError, TypeError, MemoryError) as error:
        raise ImageFileError(f"{name}: damaged: {error}") from None


def _size_of(path: Path, name: str) -> int:
    """Bytes of a regular file."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # reading a pipe would wait for ever
        raise ImageFileError(f"{name}: expected a file, got a folder or a device")
    if status.st_size == 0:
        raise ImageFileError(f"{name}: the file is empty")
    return status.st_size


def _check(image: Image.Image, size: int, name: str) -> None:
    """Refuse by the header alone, before memory is asked for."""
    pixels = image.width * image.height
    if pixels > MOST_PIXELS:
        raise ImageFileError(f"{name}: expected at most {MOST_PIXELS} pixels, got {image.width} x {image.height}")
    densest = DENSEST.get(image.format or "")
    if densest is not None and pixels > densest * size:
        raise ImageFileError(f"{name}: {size} bytes cannot hold the {image.width} x {image.height} pixels they claim")
    if image.mode not in (*MODES, *MODES_16):
        raise ImageFileError(f"{name}: expected colours, got pixels of kind {image.mode!r}")


def _converted(image: Image.Image) -> NDArray[np.uint8]:
    """Pixels (H, W, 3), a band of rows at a time."""
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    step = max(1, BAND // image.width)
    for top in range(0, image.height, step):
        bottom = min(top + step, image.height)
        pixels[top:bottom] = _colours(image.crop((0, top, image.width, bottom)))
    return pixels


def _colours(band: Image.Image) -> NDArray[np.uint8]:
    """Pixels (H, W, 3), or (H, W, 1) of grey."""
    if band.mode in MODES_16:
        values = np.asarray(band).astype(np.float64)[..., None]
        return np.clip(values / 257.0 + 0.5, 0.0, 255.0).astype(np.uint8)
    if band.has_transparency_data:
        over = Image.new("RGBA", band.size, "white")
        return np.asarray(Image.alpha_composite(over, band.convert("RGBA")).convert("RGB"))
    return np.asarray(band.convert("RGB"))
