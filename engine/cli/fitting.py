"""What `isofield fit` does around the training loop: the folder, the checkpoint, the snapshots, the log."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import torch

from ..fields import CHUNK, Field, ImageField, evaluated
from ..files import atomic_write, check_writable, eight_bits, write_image, write_video
from ..fit import FitResult, FitSettings, fit, make_field, psnr_of
from .exit_status import INTERRUPTED, OK
from .fit_options import FitOptions
from .usage import UsageError, check_device

FPS = 12.0  # of the film of the snapshots
MEASURED = 2**20  # pixels of a photo at which a fit is measured; of a larger one as many, evenly spread


class Fitting:
    """One run of `isofield fit`.

    Raises:
        UsageError: the folder holds the checkpoint of another run, or lacks the one to go on from.
        OSError: the folder cannot be made or written to.
    """

    def __init__(self, name: str, options: FitOptions, settings: FitSettings) -> None:
        self.options, self.settings = options, settings
        self.folder = options.output or Path("out") / f"{name}-{options.field}"
        self.checkpoint = self.folder / "checkpoint.safetensors"
        self.snapshots = self.folder / "snapshots"
        if options.resume and not self.checkpoint.is_file():
            raise UsageError(f"--resume: expected a checkpoint, {self.checkpoint} is not there")
        if not options.resume and self.checkpoint.exists():
            raise UsageError(
                f"--output: {self.folder} holds the checkpoint of an unfinished run; go on with --resume, delete it, "
                "or name another folder"
            )
        check_device(options.device)
        self.folder.mkdir(parents=True, exist_ok=True)
        check_writable(self.folder / "field.safetensors")

    def new_field(self, dimensions: int, channels: int, **more: Any) -> Field:
        """A new field of the kind that was asked for, where it is trained.

        Raises:
            UsageError: the kind does not fit.
        """
        try:
            field = make_field(self.options.field, dimensions, channels, seed=self.settings.seed, **more)
        except ValueError as error:
            raise UsageError(f"--field: {str(error).removeprefix('field: ')}") from None
        return field.to(self.options.device)

    def fit(
        self,
        field: Field,
        source: Any,
        loss: Callable[..., torch.Tensor],
        *,
        psnr: bool = False,
        picture: Callable[[Field], torch.Tensor] | None = None,
        measure: Callable[[Field], dict[str, Any]] | None = None,
        write_more: Callable[[Field], None] = lambda field: None,
    ) -> int:
        """Train, and write what came out; returns the exit status.

        `psnr` says whether the loss is a squared error of values in [0, 1], `picture` is what a snapshot shows,
        `measure` says how good a finished field is, and `write_more` writes what else a finished field is good for. The
        checkpoint goes last: wherever a run is killed, there is something to go on from.
        """
        if picture is None and self.settings.snapshot_every:
            raise UsageError("--snapshot-every: expected 0, only pictures have snapshots")

        def snapshot(step: int, field: Field) -> None:
            assert picture is not None
            if step == 0:
                self._remove_snapshots()  # of an earlier run
            self.snapshots.mkdir(exist_ok=True)
            write_image(self.snapshots / f"{step:09d}.png", picture(field))

        watch = None
        if self.options.view:
            from ..view import LearningWindow

            watch = LearningWindow(self.settings.steps, self.folder, psnr=psnr)
        try:
            result = fit(
                field,
                source,
                self.settings,
                loss=loss,
                psnr=psnr,
                checkpoint=self.checkpoint,
                resume=self.options.resume,
                snapshot=snapshot if picture is not None else None,
                watch=watch,
                progress=True,
            )
        finally:
            if watch is not None:
                watch.close()
        if result.interrupted and self._holds_finished():
            print(
                f"{self.folder}: stopped after {result.steps} of {self.settings.steps} steps, which its checkpoint "
                "holds; the finished field of an earlier run is kept; go on with --resume",
                file=sys.stderr,
            )
            return INTERRUPTED
        field.save(self.folder / "field.safetensors")  # before anything that takes long
        measured = {} if measure is None or result.interrupted else measure(field)
        self._write_log(field, result, measured)
        self._write_film()
        if result.interrupted:
            print(
                f"{self.folder}: stopped after {result.steps} of {self.settings.steps} steps, which it holds; go on "
                "with --resume",
                file=sys.stderr,
            )
            return INTERRUPTED
        write_more(field)
        self.checkpoint.unlink()
        print(f"{self.folder}: {field.parameter_count} parameters, {result.seconds:.1f} s", file=sys.stderr)
        if measured:
            print(", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in measured.items()))
        return OK

    def _write_log(self, field: Field, result: FitResult, measured: dict[str, Any]) -> None:
        log = {
            "field": self.options.field,
            "parameters": field.parameter_count,
            "settings": asdict(self.settings),
            "steps": result.steps,
            "seconds": result.seconds,
            **({"measured": measured} if measured else {}),
            "entries": result.log,
        }
        with atomic_write(self.folder / "log.json") as temporary:
            temporary.write_text(json.dumps(log, indent=1) + "\n", encoding="utf-8")

    def _holds_finished(self) -> bool:
        """Whether there is a field that is no part of this run, because it was trained to its end."""
        try:
            log = json.loads((self.folder / "log.json").read_text(encoding="utf-8"))
            return bool(log["steps"] >= log["settings"]["steps"]) and (self.folder / "field.safetensors").exists()
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def _write_film(self) -> None:
        """The snapshots, of which a resumed run finds some that are there already, as a film."""
        film = self.folder / "progress.gif"
        if not self.options.resume and not self.settings.snapshot_every:
            self._remove_snapshots()
        frames = sorted(self.snapshots.glob("*.png"))
        if frames:
            write_video(film, (imageio.imread(frame) / 255.0 for frame in frames), FPS)
        else:
            film.unlink(missing_ok=True)  # of an earlier run

    def _remove_snapshots(self) -> None:
        if self.snapshots.is_dir():
            shutil.rmtree(self.snapshots)


def psnr_over(field: Field, image: ImageField) -> float:
    """PSNR in decibels of a fitted field at the pixels of a photo, as it would be written: clipped, 8 bits."""
    height, width, _ = image.pixels.shape
    step = max(1, round((height * width / MEASURED) ** 0.5))
    rows, columns = torch.arange(0, height, step), torch.arange(0, width, step)
    total, count = 0.0, 0
    for some in torch.split(rows, max(1, CHUNK // len(columns))):
        y, x = torch.meshgrid(some / max(height - 1, 1), columns / max(width - 1, 1), indexing="ij")
        found = eight_bits(evaluated(field, torch.stack([x, y], dim=-1).reshape(-1, 2)).float().numpy())
        wanted = image.pixels.cpu()[some][:, columns].reshape(-1, 3)
        error = (torch.from_numpy(found).double() - wanted) / 255.0
        total, count = total + float(error.square().sum()), count + error.numel()
    return psnr_of(total / count)
