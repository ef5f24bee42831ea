"""Pictures and films on disk: what was given, whole or not at all."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import OpenEXR
import pytest
import torch

from isofield.engine.files.atomic import atomic_write, check_writable
from isofield.engine.files.writing import (
    check_video_support,
    eight_bits,
    png_bytes,
    write_image,
    write_video,
)


def ramp(height: int = 7, width: int = 9) -> np.ndarray:
    """A picture with another value in every pixel and channel."""
    return np.linspace(0, 1, height * width * 3, dtype=np.float32).reshape(height, width, 3)


def test_eight_bits_round_and_clip() -> None:
    values = np.array([-1, 0, 0.5 / 255 - 1e-6, 0.5 / 255 + 1e-6, 1, 2, np.nan, np.inf, -np.inf], np.float32)
    assert eight_bits(values).tolist() == [0, 0, 0, 1, 255, 255, 0, 255, 0]


@pytest.mark.parametrize("value", range(256))
def test_every_eight_bit_value_survives(value: int) -> None:
    assert eight_bits(np.float32([value / 255])).tolist() == [value]


def test_png_holds_the_picture_row_0_on_top(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", torch.tensor(ramp()))
    read = imageio.imread(tmp_path / "a.png")
    np.testing.assert_array_equal(read, eight_bits(ramp()))


def test_png_bytes_are_the_file(tmp_path: Path) -> None:
    np.testing.assert_array_equal(imageio.imread(png_bytes(ramp())), eight_bits(ramp()))


def test_jpg_is_near_the_picture(tmp_path: Path) -> None:
    write_image(tmp_path / "a.JPG", ramp(64, 64))
    read = imageio.imread(tmp_path / "a.JPG").astype(int)
    assert np.abs(read - eight_bits(ramp(64, 64))).max() <= 8


def test_exr_holds_every_bit(tmp_path: Path) -> None:
    picture = ramp() * 1000 - 3
    picture[0, 0] = (np.inf, -1e30, 1e-30)
    write_image(tmp_path / "a.exr", torch.tensor(picture, requires_grad=True))
    with OpenEXR.File(str(tmp_path / "a.exr")) as file:
        read = file.channels()["RGB"].pixels
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, picture)


@pytest.mark.parametrize("shape", [(3, 3), (3, 3, 4), (0, 3, 3), (3, 3, 3, 3)])
def test_other_shapes_are_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"image: expected \(height, width, 3\), got"):
        write_image(tmp_path / "a.png", np.zeros(shape))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.bmp", "a", "a.gif"])
def test_other_endings_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"path: expected a name that ends in \.png, \.jpg, \.exr, got"):
        write_image(tmp_path / name, ramp())


def frames(count: int, height: int = 32, width: int = 48) -> Iterator[np.ndarray]:
    """Grey pictures that grow brighter."""
    for frame in range(count):
        yield np.full((height, width, 3), frame / count, np.float32)


@pytest.mark.parametrize("ending", ["gif", "mp4"])
@pytest.mark.parametrize("size", [(32, 48), (33, 47)])
def test_films_hold_every_frame(ending: str, size: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending}"
    write_video(path, frames(5, *size), fps=10)
    read = imageio.imread(path, plugin="pillow" if ending == "gif" else "FFMPEG")
    assert len(read) == 5
    even = size if ending == "gif" else tuple(side + side % 2 for side in size)
    assert read.shape[1:3] == even
    middle = read[:, 10, 10, 0].astype(float)
    np.testing.assert_allclose(middle, [255 * frame / 5 for frame in range(5)], atol=4)


def test_a_gif_repeats_at_its_speed(tmp_path: Path) -> None:
    write_video(tmp_path / "a.gif", frames(3), fps=20)
    facts = imageio.immeta(tmp_path / "a.gif", plugin="pillow")
    assert (facts["duration"], facts["loop"]) == (50, 0)


def test_a_film_of_one_frame(tmp_path: Path) -> None:
    for ending in ("gif", "mp4"):
        write_video(tmp_path / f"a.{ending}", frames(1), fps=10)
        assert (tmp_path / f"a.{ending}").stat().st_size > 0


def test_a_film_without_frames_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frames: expected at least one"):
        write_video(tmp_path / "a.gif", [], fps=10)


def test_a_film_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"path: expected a name that ends in \.gif or \.mp4"):
        write_video(tmp_path / "a.avi", frames(1), fps=10)


@pytest.mark.parametrize("ending", ["gif", "mp4"])
def test_frames_that_fail_leave_nothing(ending: str, tmp_path: Path) -> None:
    def failing() -> Iterator[np.ndarray]:
        yield from frames(2)
        raise RuntimeError("out of light")

    with pytest.raises(RuntimeError, match="out of light"):
        write_video(tmp_path / f"a.{ending}", failing(), fps=10)
    assert not list(tmp_path.iterdir())


def test_mp4_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match=r"pip install 'isofield\[video\]'"):
        check_video_support("a.mp4")
    check_video_support("a.gif")


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", ramp())
    (tmp_path / "b").touch()
    assert (tmp_path / "a.png").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_permissions_of_an_old_file_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.touch(mode=0o640)
    path.chmod(0o640)
    write_image(path, ramp())
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.png").touch()
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    write_image(tmp_path / "link.png", ramp())
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "real.png").stat().st_size > 0


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def killed() -> None:
        with atomic_write(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path.mkdir(), "it is a folder"),
        (lambda path: os.mkfifo(path), "it is a device"),
    ],
)
def test_what_cannot_be_written_is_found_before(make: object, told: str, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    make(path)  # type: ignore[operator]
    with pytest.raises(OSError, match=rf"a\.png: cannot be written: {told}"):
        check_writable(path)


def test_a_missing_folder_is_found_before(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"b/a\.png: cannot be written: there is no folder"):
        check_writable(tmp_path / "b" / "a.png")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_protected_folder_is_found_before(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match=r"a\.png: cannot be written: permission denied"):
        check_writable(tmp_path / "a.png")


def test_checking_writes_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
