"""What is learned: a picture, and the occupancy of a torus."""

from __future__ import annotations

import torch

from ..fields import CHUNK, Field, ImageField, evaluated, picture_points, sample_picture
from ..fit import ImageSource, TorusSource

CELLS = 96  # on an axis, at whose centres the error on the torus is taken


class ImageTarget:
    """A picture.

    Args:
        image: the picture, on the CPU.
        device: where it is learned.
    """

    dimensions, channels, meaning = 2, 3, "colour"

    def __init__(self, image: ImageField, device: str = "cpu") -> None:
        self.image, self.aspect = image, image.aspect
        self.source = ImageSource(ImageField(image.pixels.to(device)))

    def error(self, field: Field) -> float:
        """Mean squared error at the centres of the cells, as many as pixels, into which the picture is divided.

        There the picture is read between its pixels, as it is learned. A band of rows at a time.
        """
        height, width, channels = self.image.pixels.shape
        x = (torch.arange(width) + 0.5) / width
        total = 0.0
        for rows in torch.split((torch.arange(height) + 0.5) / height, max(1, CHUNK // width)):
            points = torch.stack(torch.meshgrid(x, rows, indexing="xy"), dim=-1).reshape(-1, 2)
            found, wanted = evaluated(field, points), self.image(points)
            total += float((found.double() - wanted.double()).square().sum())
        return total / (height * width * channels)

    def size(self, side: int) -> tuple[int, int]:
        """Width and height of the picture made smaller until its longer side is `side` at most."""
        height, width, _ = self.image.pixels.shape
        scale = min(1.0, side / max(width, height))
        return max(1, round(width * scale)), max(1, round(height * scale))

    def shown(self, field: Field | None, side: int) -> torch.Tensor:
        """Picture (height, width, 3) of a field, or of the target itself."""
        return sample_picture(self.image if field is None else field, *self.size(side))


class TorusTarget:
    """The torus of `TorusSource`, shown by slices."""

    dimensions, channels, meaning, aspect = 3, 1, "occupancy", 1.0

    def __init__(self) -> None:
        self.source = TorusSource()

    def error(self, field: Field) -> float:
        """Mean squared error at the centres of 96³ cells of [0, 1]³."""
        axis = (torch.arange(CELLS) + 0.5) / CELLS
        points = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1).reshape(-1, 3)
        return float((evaluated(field, points) - self.source.values(points)).double().square().mean())

    def shown(self, field: Field | None, side: int) -> torch.Tensor:
        """The slice at z = 0.5 of a field, or of the torus itself, as a grey picture (side, side, 3)."""
        return self.slice(field, side, axis=2, at=0.5)

    def slice(self, field: Field | None, side: int, axis: int, at: float) -> torch.Tensor:
        """A slice through [0, 1]³ across an axis as a grey picture (side, side, 3); the last axis left points up."""
        points = torch.full((side * side, 3), at)
        points[:, [other for other in range(3) if other != axis]] = picture_points(side, side)
        values = self.source.values(points) if field is None else evaluated(field, points)
        return values.reshape(side, side, 1).expand(-1, -1, 3).flip(0)
