"""`isofield compare`: one picture, held as a field in seven ways."""

from __future__ import annotations

import importlib.resources
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from ..fit import FitSettings
from .exit_status import INTERRUPTED, OK
from .usage import UsageError, check_device, check_range, check_settings

SHIPPED = "forest.png"
SMALLEST = 2  # pixels of a side of the photo


@dataclass(frozen=True)
class Compare:
    """Compare seven ways to hold a field. Writes compare.json, compare.png, compare.gif, losses.png and slices.png."""

    photo: Positional[Annotated[Path | None, arg(metavar="PHOTO")]] = None
    """picture to learn; one that comes with isofield if not given"""
    output: Annotated[Path, arg(metavar="FOLDER")] = Path("out/compare")
    """folder for what comes out"""
    steps: int = 2000
    """updates of the parameters of each"""
    batch: int = 512
    """points a step"""
    seed: int = 0
    """seed of the first parameters and of the batches"""
    side: int = 256
    """pixels of the longer side of the pictures on the sheet"""
    device: Literal["cpu", "cuda"] = "cpu"
    """where to train"""

    def run(self) -> int:
        """Compare and write; returns the exit status."""
        settings = FitSettings(steps=self.steps, batch=self.batch, seed=self.seed)
        check_settings(settings)
        check_range("--side", self.side, 16, 1024)
        from ..files import check_plot_support, check_writable, read_pixels

        check_plot_support()
        photo = self.photo or Path(str(importlib.resources.files("isofield.scenes"))) / SHIPPED
        pixels = read_pixels(photo)
        height, width, _ = pixels.shape
        if min(width, height) < SMALLEST:
            raise UsageError(f"PHOTO: expected at least 2 x 2 pixels, {photo} has {width} x {height}")
        self.output.mkdir(parents=True, exist_ok=True)
        check_writable(self.output / "compare.json")
        from ..compare import ImageTarget, compare, smaller_side, write_report
        from ..fields import ImageField

        check_device(self.device)
        target = ImageTarget(ImageField(pixels), self.device)
        learned, interrupted = compare(
            target, settings, device=self.device, side=smaller_side(self.side), progress=True
        )
        if not learned:
            raise KeyboardInterrupt
        if interrupted and (self.output / "compare.json").exists():
            print(
                f"{self.output}: stopped after {len(learned)}, which are not written: it holds an earlier comparison, "
                "which is kept",
                file=sys.stderr,
            )
            return INTERRUPTED
        kept = {name: asdict(settings)[name] for name in ("steps", "batch", "seed", "schedule")}
        write_report(self.output, learned, target, {"picture": photo.name, "settings": kept}, self.side)
        if interrupted:
            print(f"{self.output}: stopped; it holds the {len(learned)} that were reached", file=sys.stderr)
            return INTERRUPTED
        print(f"{self.output}: compare.png, compare.gif, losses.png, slices.png, compare.json", file=sys.stderr)
        return OK
