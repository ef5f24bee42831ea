"""Pictures and films to files."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .atomic import atomic_write, cause_of, library_writes

IMAGES = (".png", ".jpg", ".exr")
VIDEOS = (".gif", ".mp4")


def write_image(path: str | os.PathLike[str], image: ArrayLike) -> None:
    """Write a picture (height, width, 3): sRGB in [0, 1] to .png and .jpg (clipped), linear float32 to .exr.

    Raises:
        ValueError: another shape, or another extension.
        OSError: the file cannot be written.
    """
    picture = _picture(image)
    suffix = Path(path).suffix.lower()
    if suffix not in IMAGES:
        raise ValueError(f"path: expected a name that ends in {', '.join(IMAGES)}, got {os.fspath(path)!r}")
    with atomic_write(path) as temporary:
        if suffix == ".exr":
            _write_exr(temporary, picture)
        else:
            options: dict[str, Any] = {"quality": 95} if suffix == ".jpg" else {}
            temporary.write_bytes(_encoded(eight_bits(picture), suffix, **options))


def write_video(path: str | os.PathLike[str], frames: Iterable[ArrayLike], fps: float) -> None:
    """Write pictures (height, width, 3), sRGB in [0, 1], as a film: .gif (endless) or .mp4 (H.264).

    Raises:
        ValueError: another extension, or no frames.
        RuntimeError: .mp4 without imageio-ffmpeg; says how to install it.
        OSError: the file cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in VIDEOS:
        raise ValueError(f"path: expected a name that ends in {' or '.join(VIDEOS)}, got {os.fspath(path)!r}")
    check_video_support(path)
    pictures = (eight_bits(_picture(frame)) for frame in frames)
    first = next(pictures, None)
    if first is None:
        raise ValueError("frames: expected at least one, got none")
    with atomic_write(path) as temporary:
        (_write_gif if suffix == ".gif" else _write_mp4)(temporary, itertools.chain([first], pictures), fps)


def check_video_support(path: str | os.PathLike[str]) -> None:
    """Find out before long work whether a film of this kind can be written.

    Raises:
        RuntimeError: .mp4 without imageio-ffmpeg; says how to install it.
    """
    if Path(path).suffix.lower() == ".mp4" and importlib.util.find_spec("imageio_ffmpeg") is None:
        raise RuntimeError("MP4 needs imageio-ffmpeg: run pip install 'isofield[video]', or write a .gif")


def png_bytes(image: ArrayLike) -> bytes:
    """A picture (height, width, 3), sRGB in [0, 1], as the bytes of a PNG file."""
    return _encoded(eight_bits(_picture(image)), ".png")


def eight_bits(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Values in [0, 1] as whole numbers in [0, 255], rounded; what is outside is clipped, NaN is 0."""
    clean = np.nan_to_num(picture, nan=0.0, posinf=1.0, neginf=0.0)
    return (np.clip(clean, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)


def _picture(image: ArrayLike) -> NDArray[np.float32]:
    detached = image.detach().cpu() if hasattr(image, "detach") else image
    picture = np.asarray(detached, dtype=np.float32)
    if picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        raise ValueError(f"image: expected (height, width, 3), got {picture.shape}")
    return picture


def _encoded(pixels: NDArray[np.uint8], suffix: str, **options: Any) -> bytes:
    """A picture, or several, as the bytes of a file: Pillow does not notice when a disk takes a part of a JPEG only."""
    import imageio.v3 as imageio

    encoded: bytes = imageio.imwrite("<bytes>", pixels, plugin="pillow", extension=suffix, **options)
    return encoded


def _write_exr(path: Path, picture: NDArray[np.float32]) -> None:
    import OpenEXR

    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with library_writes(path), OpenEXR.File(header, {"RGB": np.ascontiguousarray(picture)}) as file:
        file.write(str(path))


def _write_gif(path: Path, pictures: Iterable[NDArray[np.uint8]], fps: float) -> None:
    frames = np.stack(list(pictures))  # a GIF is compressed as a whole
    path.write_bytes(_encoded(frames, ".gif", duration=1000.0 / fps, loop=0))


def _write_mp4(path: Path, pictures: Iterator[NDArray[np.uint8]], fps: float) -> None:
    """Write H.264 by ffmpeg.

    It is started here and not by imageio, which does not look at whether it succeeded.
    """
    import imageio_ffmpeg

    first = _even(next(pictures))
    height, width, _ = first.shape
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", f"{fps:.6g}", "-i", "-"]
    coded = ["-an", "-vcodec", "libx264", "-pix_fmt", "yuv420p", "-crf", "10"]
    ffmpeg = subprocess.Popen(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *source, *coded, path],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for this process, which then ends the film properly
        restore_signals=False,  # a file that grows too large is an error and no signal, as it is here
    )
    assert ffmpeg.stdin is not None
    try:
        with contextlib.suppress(BrokenPipeError):  # it has ended, and says why
            for picture in itertools.chain([first], map(_even, pictures)):
                ffmpeg.stdin.write(picture.tobytes())
        _, said = ffmpeg.communicate()
    except BaseException:
        ffmpeg.kill()
        ffmpeg.wait()
        raise
    if ffmpeg.returncode != 0:
        raise cause_of(path, f"ffmpeg: {said.decode(errors='replace')}")


def _even(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with its last row and column doubled where H.264 needs an even size."""
    height, width, _ = picture.shape
    return np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
