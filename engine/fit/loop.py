"""The training loop that every fit uses."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field as entry
from typing import Any, Protocol, TypeVar

import torch

from ..fields import Field
from ..files import interrupts_noted
from .adam import Adam
from .checkpoint import FitProgress, read_checkpoint, write_checkpoint
from .losses import squared_error
from .memory import check_batch
from .settings import FitSettings
from .status import psnr_of, shown

LOOK_EVERY = 20  # steps between looks at the losses: each look waits for the GPU
DRAWN = 2**14  # items drawn at a time, for several steps where batches are small: each call of a source has its price

AnyBatch = TypeVar("AnyBatch", bound=tuple[Any, ...])
BatchGiven = TypeVar("BatchGiven", bound=tuple[Any, ...], covariant=True)


class BatchSource(Protocol[BatchGiven]):
    """Gives batches: named tuples of tensors (count, …) or None, drawn with the generator, on its device.

    A draw may be cut into several batches, so its items must be of all kinds in any part of it.
    """

    def __call__(self, count: int, generator: torch.Generator) -> BatchGiven: ...

    def describe(self) -> Mapping[str, Any]:
        """What tells this source from another, in types that JSON has; a resumed run must have the same."""


class FitError(RuntimeError):
    """A fit that cannot go on; the message names the step."""


@dataclass(frozen=True)
class FitResult:
    """What a fit came to.

    Attributes:
        steps: made in all; fewer than were asked for if `interrupted`.
        seconds: of training, without snapshots and checkpoints.
        log: {"step", "loss", "psnr", "rate", "seconds"} every `log_every` steps; the loss is the mean since the last.
        interrupted: whether Ctrl-C or SIGTERM ended it, or who watched it.
    """

    steps: int
    seconds: float
    log: list[dict[str, Any]] = entry(default_factory=list)
    interrupted: bool = False


def fit(
    field: Field,
    source: BatchSource[AnyBatch],
    settings: FitSettings,
    *,
    loss: Callable[[Field, AnyBatch], torch.Tensor] = squared_error,  # type: ignore[assignment]  # mypy: of one kind of batch
    psnr: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    snapshot: Callable[[int, Field], None] | None = None,
    watch: Callable[[int, float, Field], bool] | None = None,
    progress: bool = False,
) -> FitResult:
    """Train a field in place with Adam until `settings.steps`, Ctrl-C or SIGTERM.

    Args:
        field: what is trained, on its device.
        source: gives the batches.
        settings: steps, batch, rate and so on.
        loss: (field, batch) to the number that is made small.
        psnr: whether the loss is a mean squared error of values in [0, 1], of which PSNR is shown and logged.
        checkpoint: a .safetensors file to write every `settings.checkpoint_every` steps and at the end, whole or not at
            all. It stays: whoever writes what came out removes it afterwards, so that at no time all is lost.
        resume: whether to go on from `checkpoint`: on the CPU the result is bit by bit that of a run that was never
            stopped, as far as the field's own sums are always added in one order.
        snapshot: called with the step and the field before the first step, every `settings.snapshot_every` steps, and
            after the last.
        watch: called with the step, the mean loss since its last call, and the field, every LOOK_EVERY steps and after
            the last; returns whether to go on, and if not the fit ends as after Ctrl-C.
        progress: whether to show on stderr how far it is.

    Raises:
        ValueError: a setting is out of its range, the batch does not fit in memory, the checkpoint is of another run.
        FitError: the loss or a parameter is no finite number; names the step.
        OSError: the checkpoint cannot be read or written.
    """
    settings.check()
    run = _Run(field, source, settings, loss, psnr, checkpoint)
    if resume:
        run.restore()
    check_batch(lambda count: loss(field, source(count, torch.Generator(run.device))), settings.batch, run.device)
    with interrupts_noted() as interrupted, shown(settings.steps, run.step, progress) as show:
        if snapshot is not None and settings.snapshot_every and run.step == 0:
            with run.stopped_clock():
                snapshot(0, field)
        going = True
        while run.step < settings.steps and going and not interrupted:
            run.update()
            is_last = run.step == settings.steps
            if run.step % LOOK_EVERY == 0 or is_last:
                run.look()
                show(run.step, run.latest, psnr_of(run.latest) if psnr else None)
                if watch is not None:
                    with run.stopped_clock():
                        going = watch(run.step, run.latest, field)
            if run.step % settings.log_every == 0 or is_last:
                run.note()
            if snapshot is not None and settings.snapshot_every and (
                run.step % settings.snapshot_every == 0 or is_last
            ):  # fmt: skip
                with run.stopped_clock():
                    snapshot(run.step, field)
            # After the snapshot, which a run that goes on from here has no more cause to make.
            if checkpoint is not None and run.step % settings.checkpoint_every == 0 and not is_last:
                run.save()
    if checkpoint is not None:
        run.save()
    run.look()
    return FitResult(run.step, run.seconds(), run.log, interrupted=run.step < settings.steps)


class _Run:
    """The state of a fit between two steps."""

    def __init__(
        self,
        field: Field,
        source: BatchSource[Any],
        settings: FitSettings,
        loss: Callable[[Field, Any], torch.Tensor],
        psnr: bool,
        checkpoint: str | os.PathLike[str] | None,
    ) -> None:
        self.field, self.source, self.settings, self.loss, self.psnr = field, source, settings, loss, psnr
        self.checkpoint = checkpoint
        self.parameters = [parameter for parameter in field.parameters() if parameter.requires_grad]
        if not self.parameters:
            raise ValueError("field: expected one with parameters to train, got one without")
        self.device = self.parameters[0].device
        self.peak = field.rate if settings.rate is None else settings.rate
        self.optimiser = Adam(self.parameters)
        self.generator = torch.Generator(self.device).manual_seed(settings.seed)
        self.ahead = max(1, DRAWN // settings.batch)
        self.before_draw = self.generator.get_state()
        self._batches: list[Any] = []  # of one draw
        self.step = 0
        self.log: list[dict[str, Any]] = []
        self.latest = float("nan")
        self._losses: list[torch.Tensor] = []  # of the steps since the last look
        self._total, self._counted = 0.0, 0  # of the steps since the last entry of the log
        self._before, self._start = 0.0, time.perf_counter()

    def update(self) -> None:
        """One step."""
        value = self.loss(self.field, self.batch())
        self.optimiser.forget()
        value.backward()  # type: ignore[no-untyped-call]  # PyTorch left it untyped
        if self.settings.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.settings.clip)
        self.optimiser.step(self.settings.rate_at(self.step, self.peak))
        self._losses.append(value.detach())
        self.step += 1

    def batch(self) -> Any:
        """The batch of the next step, from a draw that begins at every multiple of `self.ahead` steps."""
        at = self.step % self.ahead
        if at == 0 or not self._batches:
            self.before_draw = self.generator.get_state()
            drawn = self.source(self.settings.batch * self.ahead, self.generator)
            parts = [
                [None] * self.ahead if tensor is None else torch.split(tensor, self.settings.batch) for tensor in drawn
            ]
            self._batches = [type(drawn)(*batch) for batch in zip(*parts, strict=True)]
        return self._batches[at]

    def look(self) -> None:
        """Read the losses since the last look.

        Raises:
            FitError: one is no finite number.
        """
        if not self._losses:
            return
        losses = torch.stack(self._losses).tolist()
        first = self.step - len(losses)
        for index, loss in enumerate(losses):
            if not abs(loss) < float("inf"):
                self._fail(first + index + 1, f"the loss is {loss}")
        self._total, self._counted = self._total + sum(losses), self._counted + len(losses)
        self.latest = sum(losses) / len(losses)
        self._losses = []

    def note(self) -> None:
        """Add an entry to the log."""
        self.look()
        mean = self._total / self._counted
        self.log.append(
            {
                "step": self.step,
                "loss": mean,
                **({"psnr": psnr_of(mean)} if self.psnr else {}),
                "rate": self.settings.rate_at(self.step - 1, self.peak),
                "seconds": round(self.seconds(), 3),
            }
        )
        self._total, self._counted = 0.0, 0

    def save(self) -> None:
        """Write the checkpoint."""
        assert self.checkpoint is not None
        self.look()
        if not all(bool(parameter.isfinite().all()) for parameter in self.parameters):
            self._fail(self.step, "a parameter is not finite")
        with self.stopped_clock():
            progress = FitProgress(self.step, self.seconds(), self.log, self._total, self._counted)
            described = dict(self.source.describe())
            # In the middle of a draw, a resumed run draws the same again.
            state = self.before_draw if self.step % self.ahead else self.generator.get_state()
            write_checkpoint(self.checkpoint, self.field, self.optimiser, state, self.settings, described, progress)

    def restore(self) -> None:
        """Go on from the checkpoint."""
        if self.checkpoint is None:
            raise ValueError("resume: expected a checkpoint to go on from, got none")
        described = dict(self.source.describe())
        progress = read_checkpoint(
            self.checkpoint, self.field, self.optimiser, self.generator, self.settings, described
        )
        self.step, self.log, self._before = progress.step, progress.log, progress.seconds
        self._total, self._counted = progress.total, progress.counted

    def seconds(self) -> float:
        """Seconds of training until now."""
        return self._before + time.perf_counter() - self._start

    @contextmanager
    def stopped_clock(self) -> Iterator[None]:
        """What is done inside does not count as training."""
        start = time.perf_counter()
        yield
        self._start += time.perf_counter() - start

    def _fail(self, step: int, what: str) -> None:
        kept = ""
        if self.checkpoint is not None and os.path.exists(self.checkpoint):
            kept = f"; {os.fspath(self.checkpoint)} holds an earlier step"
        raise FitError(f"step {step}: {what}; a lower rate or clipping may help{kept}")
