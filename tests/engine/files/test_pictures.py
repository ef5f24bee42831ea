"""Pictures from files: what is read, and what is said of files that are none."""

from __future__ import annotations

import os
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from isofield.engine.files.pictures import ImageFileError, read_image, read_pixels


def noise(height: int, width: int, channels: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels)).astype(np.uint8)


def saved(folder: Path, image: Image.Image, name: str = "a.png", **options: object) -> Path:
    path = folder / name
    image.save(path, **options)
    return path


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of_size(path: Path, width: int, height: int, depth: int = 8, data: bytes = b"") -> Path:
    """A PNG whose header says the size, whatever the data holds."""
    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(data)), chunk(b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return path


@pytest.mark.parametrize("size", [(5, 7), (1, 1), (1, 9), (300, 4000)])
def test_colours_come_as_they_are_stored(size: tuple[int, int], tmp_path: Path) -> None:
    pixels = noise(*size, 3)
    path = saved(tmp_path, Image.fromarray(pixels))
    assert torch.equal(read_pixels(path), torch.from_numpy(pixels))
    values = read_image(path)
    assert (values.dtype, values.shape) == (torch.float32, (*size, 3))
    assert np.array_equal(values.numpy(), pixels.astype(np.float32) / np.float32(255))


def test_grey_has_three_equal_channels(tmp_path: Path) -> None:
    grey = noise(4, 6, 1)[..., 0]
    assert torch.equal(
        read_pixels(saved(tmp_path, Image.fromarray(grey))), torch.from_numpy(grey)[..., None].expand(-1, -1, 3)
    )


def test_black_and_white(tmp_path: Path) -> None:
    bits = Image.fromarray(noise(4, 9, 1)[..., 0] > 127)
    assert set(read_pixels(saved(tmp_path, bits)).unique().tolist()) == {0, 255}


def test_sixteen_bits_of_grey_are_rounded(tmp_path: Path) -> None:
    values = np.array([[0, 128, 129, 257, 65535, 32896]], np.uint16)
    pixels = read_pixels(saved(tmp_path, Image.fromarray(values)))
    assert pixels[..., 1].tolist() == [[0, 0, 1, 1, 255, 128]]


def test_sixteen_bits_of_colour_lose_the_lower_eight(tmp_path: Path) -> None:
    row = b"\x00" + struct.pack(">6H", 0, 65535, 0x8000, 0x1234, 0x00FF, 0xFF00)
    pixels = read_pixels(png_of_size(tmp_path / "a.png", 2, 1, depth=16, data=row))
    assert pixels.tolist() == [[[0, 255, 128], [0x12, 0, 255]]]


def test_what_is_transparent_lies_over_white(tmp_path: Path) -> None:
    pixels = np.array([[[200, 0, 100, 255], [200, 0, 100, 0], [0, 0, 0, 51]]], np.uint8)
    assert read_pixels(saved(tmp_path, Image.fromarray(pixels))).tolist() == [
        [[200, 0, 100], [255, 255, 255], [204, 204, 204]]
    ]


def test_a_transparent_colour_of_a_palette_is_white(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putdata([0, 1])
    assert read_pixels(saved(tmp_path, image, transparency=1)).tolist() == [[[10, 20, 30], [255, 255, 255]]]


def test_four_inks_become_three_lights(tmp_path: Path) -> None:
    for ink, light in (((0, 0, 0, 0), 255), ((0, 0, 0, 255), 0), ((255, 255, 255, 0), 0)):
        path = saved(tmp_path, Image.new("CMYK", (16, 16), ink), "a.jpg", quality=100)
        assert (read_pixels(path).int() - light).abs().max() <= 2


def test_the_first_frame_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "lime", "blue")]
    path = saved(tmp_path, frames[0], "a.gif", save_all=True, append_images=frames[1:], duration=50)
    assert read_pixels(path)[0, 0].tolist() == [255, 0, 0]


def test_a_photo_is_turned_as_the_camera_says(tmp_path: Path) -> None:
    pixels = noise(3, 5, 3)
    exif = Image.Exif()
    exif[0x0112] = 6  # the first row is the right side
    path = saved(tmp_path, Image.fromarray(pixels), exif=exif.tobytes())
    assert np.array_equal(read_pixels(path).numpy(), np.rot90(pixels, -1))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.gif", "a.bmp", "a.tif", "a.webp"])
def test_a_file_cut_anywhere_is_named(name: str, tmp_path: Path) -> None:
    path = saved(tmp_path, Image.fromarray(noise(40, 40, 3)), name)
    whole = path.read_bytes()
    for part in (0.02, 0.3, 0.6):
        path.write_bytes(whole[: int(part * len(whole))])
        with pytest.raises(ImageFileError, match=name):
            read_pixels(path)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.png: cannot be read: no such file"):
        read_pixels(tmp_path / "none.png")


def test_what_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("hello")
    with pytest.raises(ImageFileError, match=r"a\.png: no picture in a format that is known"):
        read_pixels(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(ImageFileError, match="the file is empty"):
        read_pixels(tmp_path / "a.png")
    with pytest.raises(ImageFileError, match="expected a file, got a folder or a device"):
        read_pixels(tmp_path)
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageFileError, match="expected a file, got a folder or a device"):
        read_pixels(tmp_path / "pipe.png")


@pytest.mark.parametrize(
    ("width", "height", "told"),
    [
        (20_000, 20_000, "expected at most 150000000 pixels, got"),
        (13_000, 12_000, "expected at most 150000000 pixels, got 13000 x 12000"),
        (12_000, 12_000, "bytes cannot hold the 12000 x 12000 pixels they claim"),
        (2**31 - 1, 2**31 - 1, "expected at most 150000000 pixels, got"),
    ],
)
def test_a_header_that_lies_costs_no_memory(width: int, height: int, told: str, tmp_path: Path) -> None:
    path = png_of_size(tmp_path / "a.png", width, height)
    tracemalloc.start()
    with pytest.raises(ImageFileError, match=told):
        read_pixels(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**20


def test_numbers_that_are_no_colours_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.fromarray(np.zeros((4, 4), np.float32)), "a.tif")
    with pytest.raises(ImageFileError, match="expected colours, got pixels of kind 'F'"):
        read_pixels(path)
