"""The comparison itself: every field learns by the same steps, batches and seed, through the one training loop."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

from ..fields import Field
from ..files import eight_bits
from ..fit import FitSettings, fit, make_field, psnr_of
from .entries import ENTRIES, Entry, Learned, Row
from .targets import ImageTarget, TorusTarget

FRAMES, ENTRIES_OF_LOG = 20, 100
REHEARSED = 2  # steps that a field of the same kind makes before the clock starts: its kernels are compiled there


def compare(
    target: ImageTarget,
    settings: FitSettings,
    *,
    device: str = "cpu",
    side: int = 256,
    entries: Sequence[Entry] = ENTRIES,
    progress: bool = False,
) -> tuple[list[Learned], bool]:
    """Let every entry learn the picture, or the torus.

    Args:
        target: the picture.
        settings: steps, batch and seed of all; how often is logged and shown is replaced.
        device: where they learn.
        side: pixels of the longer side of a snapshot.
        entries: which ones.
        progress: whether to show bars and results on stderr.

    Returns:
        What has learned, in order, and whether Ctrl-C ended it early.

    Raises:
        ValueError: a setting is out of its range, or the batch does not fit in memory.
        FitError: a fit cannot go on.
    """
    paced = replace(
        settings,
        log_every=max(1, settings.steps // ENTRIES_OF_LOG),
        snapshot_every=max(1, settings.steps // FRAMES),
    )
    learned: list[Learned] = []
    for entry in entries:
        of = TorusTarget() if entry.is_solid else target
        try:
            learned.append(_learn(entry, of, paced, device, side, progress))
        except KeyboardInterrupt:
            return learned, True
        if progress:
            row = learned[-1].row
            print(
                f"{entry.title}: PSNR {row.psnr:.2f} dB, {row.parameters} parameters, {row.seconds:.1f} s",
                file=sys.stderr,
            )
        if learned[-1].row.steps < settings.steps:
            return learned, True
    return learned, False


def _learn(
    entry: Entry, target: ImageTarget | TorusTarget, settings: FitSettings, device: str, side: int, progress: bool
) -> Learned:
    """Train one field and measure it."""

    def made() -> Field:
        return make_field(
            entry.name,
            target.dimensions,
            target.channels,
            meaning=target.meaning,
            aspect=target.aspect,
            seed=settings.seed,
            **entry.sizes,
        ).to(device)

    if fit(made(), target.source, FitSettings(steps=REHEARSED, batch=settings.batch)).interrupted:
        raise KeyboardInterrupt
    field = made()
    snapshots = []

    def snapshot(step: int, field: Field) -> None:
        snapshots.append((step, eight_bits(target.shown(field, side).numpy())))

    result = fit(field, target.source, settings, psnr=True, snapshot=snapshot, progress=progress)
    if not result.log:
        raise KeyboardInterrupt
    error = target.error(field)
    row = Row(
        name=entry.name,
        loss=result.log[-1]["loss"],
        mse=error,
        psnr=psnr_of(error),
        parameters=field.parameter_count,
        seconds=round(result.seconds, 3),
        steps=result.steps,
    )
    return Learned(entry, field, row, result.log, snapshots)
