"""Pictures and films to files; every file is written beside its place and renamed, so it is whole or not there."""

from __future__ import annotations

import importlib.util
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

IMAGES = (".png", ".jpg", ".exr")
VIDEOS = (".gif", ".mp4")


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A path beside `path` to write to; renamed to it at the end, removed if writing fails.

    Raises:
        OSError: the folder is not there or cannot be written to; names the file that was asked for.
    """
    place = Path(os.path.realpath(path))  # a link is kept, and what it points to replaced
    temporary = _temporary_file(place, path)
    try:
        yield temporary
        if temporary.stat().st_size == 0:
            raise OSError(f"{os.fspath(path)}: cannot be written: nothing was written")
        os.replace(temporary, place)
    finally:
        temporary.unlink(missing_ok=True)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Find out before long work whether a file can be written.

    Raises:
        OSError: it cannot; says why.
    """
    _temporary_file(Path(os.path.realpath(path)), path).unlink()


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
            import imageio.v3 as imageio

            options: dict[str, Any] = {"quality": 95} if suffix == ".jpg" else {}
            imageio.imwrite(temporary, eight_bits(picture), plugin="pillow", extension=suffix, **options)


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
    with atomic_write(path) as temporary, _video_writer(temporary, suffix, fps) as write:
        write(first)
        for picture in pictures:
            write(picture)


def check_video_support(path: str | os.PathLike[str]) -> None:
    """Find out before long work whether a film of this kind can be written.

    Raises:
        RuntimeError: .mp4 without imageio-ffmpeg; says how to install it.
    """
    if Path(path).suffix.lower() == ".mp4" and importlib.util.find_spec("imageio_ffmpeg") is None:
        raise RuntimeError("MP4 needs imageio-ffmpeg: run pip install 'isofield[video]', or write a .gif")


def png_bytes(image: ArrayLike) -> bytes:
    """A picture (height, width, 3), sRGB in [0, 1], as the bytes of a PNG file."""
    import imageio.v3 as imageio

    encoded: bytes = imageio.imwrite("<bytes>", eight_bits(_picture(image)), plugin="pillow", extension=".png")
    return encoded


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


def _temporary_file(place: Path, asked: str | os.PathLike[str]) -> Path:
    """A new empty file in the folder of `place`, with its ending and its permissions."""
    name = os.fspath(asked)
    if place.is_dir():
        raise IsADirectoryError(f"{name}: cannot be written: it is a folder")
    if not place.parent.is_dir():
        raise FileNotFoundError(f"{name}: cannot be written: there is no folder {place.parent}")
    if place.exists() and not place.is_file():
        raise OSError(f"{name}: cannot be written: it is a device")
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{place.stem[:50]}-", suffix=place.suffix, dir=place.parent)
        os.close(handle)
        os.chmod(temporary, stat.S_IMODE(place.stat().st_mode) if place.exists() else 0o666 & ~_umask())
    except OSError as error:
        raise OSError(f"{name}: cannot be written: {(error.strerror or str(error)).lower()}") from None
    return Path(temporary)


def _umask() -> int:
    """The permissions that new files lack; can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _write_exr(path: Path, picture: NDArray[np.float32]) -> None:
    import OpenEXR

    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, {"RGB": np.ascontiguousarray(picture)}) as file:
        file.write(str(path))


@contextmanager
def _video_writer(path: Path, suffix: str, fps: float) -> Iterator[Any]:
    """A function that appends one picture, 8 bits a channel, to the film."""
    if suffix == ".gif":
        import imageio.v3 as imageio

        frames: list[NDArray[np.uint8]] = []  # a GIF is compressed as a whole
        yield frames.append
        imageio.imwrite(path, np.stack(frames), plugin="pillow", extension=suffix, duration=1000.0 / fps, loop=0)
    else:
        import imageio.v2 as imageio_v2

        writer = imageio_v2.get_writer(path, format="FFMPEG", fps=fps, codec="libx264", quality=8, macro_block_size=1)
        try:
            yield lambda picture: writer.append_data(_even(picture))
        finally:
            writer.close()


def _even(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with its last row and column doubled where H.264 needs an even size."""
    height, width, _ = picture.shape
    return np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
