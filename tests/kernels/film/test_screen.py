"""Pictures as a window takes them."""

from __future__ import annotations

import torch

from isofield.kernels.film.screen import screen_pixels


def test_pixels_are_bytes_in_columns_from_the_bottom_up() -> None:
    picture = torch.zeros(2, 3, 3)
    picture[0, 2] = torch.tensor([1.0, 0.5, 0.0])
    picture[1, 0] = torch.tensor([-3.0, 7.0, 1.0 / 255.0])
    pixels = torch.full((3, 2), -1, dtype=torch.int32)
    screen_pixels(picture, pixels)
    bytes_of = pixels.numpy().view("uint8").reshape(3, 2, 4)
    assert bytes_of[2, 1].tolist() == [255, 128, 0, 255]
    assert bytes_of[0, 0].tolist() == [0, 255, 1, 255]
    assert bytes_of[1, 0].tolist() == [0, 0, 0, 255]
