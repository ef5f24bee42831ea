"""`isofield sample`: a picture of a fitted field at any size."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from .exit_status import OK
from .usage import MOST_PIXELS, UsageError, check_range

PICTURES = (".png", ".jpg")  # colours of fields are sRGB, an .exr would hold linear ones


@dataclass(frozen=True)
class Sample:
    """Sample a fitted picture at any size."""

    field: Positional[Path]
    """file of a field of two dimensions (.safetensors)"""
    output: Path
    """file to write: .png .jpg"""
    size: int = 1024
    """pixels of the longer side; the other follows from the photo"""

    def run(self) -> int:
        """Sample and write; returns the exit status."""
        check_range("--size", self.size, 1, MOST_PIXELS)
        if self.output.suffix.lower() not in PICTURES:
            raise UsageError(f"--output: expected a name that ends in {' or '.join(PICTURES)}, got {self.output}")
        from ..fields import load_field, sample_picture
        from ..files import check_writable, write_image

        check_writable(self.output)
        field = load_field(self.field)
        if field.dimensions != 2 or field.channels != 3:
            raise UsageError(
                f"FIELD: expected a field of 2 dimensions and 3 channels, {self.field} has {field.dimensions} and "
                f"{field.channels}"
            )
        width = self.size if field.aspect >= 1.0 else max(1, round(self.size * field.aspect))
        height = self.size if field.aspect < 1.0 else max(1, round(self.size / field.aspect))
        picture = sample_picture(field, width, height)
        bad = int((~picture.isfinite()).sum())
        if bad:
            raise ValueError(f"{self.field}: expected finite values, got {bad} of {picture.numel()} that are not")
        write_image(self.output, picture)
        print(f"{self.output}: {width} x {height} pixels", file=sys.stderr)
        return OK
