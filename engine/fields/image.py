"""A picture as a field."""

from __future__ import annotations

from typing import Any

import torch

from .base import Bounds, Field, Maker, Meaning
from .checks import integer

LARGEST_SIDE = 65536


class ImageField(Field):
    """The colour of a picture at any place: x right, y down, both in [0, 1]; bilinear, corners aligned, border held.

    Pixel k of n lies at k / (n - 1). Pixels stay as they are given, so a photo of 8 bits takes 3 bytes a pixel.

    Args:
        pixels: (H, W, C), uint8, or float32 in [0, 1].

    Raises:
        TypeError: pixels of another dtype.
        ValueError: pixels of another shape.
    """

    kind = "image"

    pixels: torch.Tensor

    def __init__(self, pixels: torch.Tensor) -> None:
        if pixels.dtype not in (torch.uint8, torch.float32):
            raise TypeError(f"pixels: expected uint8 or float32, got {pixels.dtype}")
        if pixels.ndim != 3 or 0 in pixels.shape:
            raise ValueError(f"pixels: expected shape (H, W, C), got {tuple(pixels.shape)}")
        height, width, channels = pixels.shape
        super().__init__(2, channels, meaning=Meaning.COLOUR, aspect=width / height)
        self.register_buffer("pixels", pixels)

    def evaluate(self, points: torch.Tensor) -> torch.Tensor:
        height, width, channels = self.pixels.shape
        most = points.new_tensor([[width - 1], [height - 1]])
        places = points.t().clamp(0.0, 1.0) * most  # (2, N)
        # An index made of NaN or past the last pixel would read outside; the fraction keeps the NaN.
        first = places.detach().nan_to_num(0.0).floor().minimum((most - 1.0).clamp(min=0.0))
        right, down = places - first  # in [0, 1]
        column, row = first.long()
        corner = row * width + column
        beside, below = min(width - 1, 1), min(height - 1, 1) * width
        left, up = 1 - right, 1 - down
        weights = torch.stack([left * up, right * up, left * down, right * down])  # (4, N)
        indices = torch.stack([corner, corner + beside, corner + below, corner + below + beside])
        corners = self.pixels.reshape(-1, channels).index_select(0, indices.flatten()).view(4, -1, channels)
        values = (weights[..., None] * corners).sum(dim=0)
        return values / 255.0 if self.pixels.dtype == torch.uint8 else values

    def configuration(self) -> dict[str, Any]:
        height, width, channels = self.pixels.shape
        bits = 8 if self.pixels.dtype == torch.uint8 else 32
        return {"height": height, "width": width, "channels": channels, "bits": bits}

    @classmethod
    def from_configuration(
        cls, configuration: dict[str, Any], meaning: str, bounds: Bounds, aspect: float = 1.0, *, make: Maker
    ) -> ImageField:
        height, width, channels, bits = (configuration[name] for name in ("height", "width", "channels", "bits"))
        shape = (
            integer("height", height, 1, LARGEST_SIDE),
            integer("width", width, 1, LARGEST_SIDE),
            integer("channels", channels, 1, LARGEST_SIDE),
        )
        return cls(torch.empty(shape, dtype={8: torch.uint8, 32: torch.float32}[bits]))
