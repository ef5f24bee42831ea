"""Checkpoints: all that a fit needs to go on as if it had never stopped."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import Any

import torch

from ..fields import Field, FieldFileError, checked_tensors, header_of, reading, write_tensors
from .adam import Adam
from .settings import FitSettings

FORMAT, VERSION = "isofield-checkpoint", 2
FREE = ("log_every", "checkpoint_every", "snapshot_every")  # settings that do not change what comes out


@dataclass(frozen=True)
class FitProgress:
    """How far a fit is: steps, seconds, log, and sum and number of the losses since its last entry."""

    step: int
    seconds: float
    log: list[dict[str, Any]]
    total: float
    counted: int


def write_checkpoint(
    path: str | os.PathLike[str],
    field: Field,
    optimiser: Adam,
    random_state: torch.Tensor,
    settings: FitSettings,
    source: dict[str, Any],
    progress: FitProgress,
) -> None:
    """Write the state between two steps to a .safetensors file, whole or not at all.

    Raises:
        ValueError: the name does not end in .safetensors.
        OSError: the file cannot be written; names it.
    """
    tensors = {f"field.{name}": tensor for name, tensor in field.state_dict().items()}
    tensors |= _moments(optimiser)
    tensors["generator"] = random_state
    header = {"format": FORMAT, "version": VERSION, **_run(field, settings, source), "progress": asdict(progress)}
    write_tensors(path, tensors, header)


def read_checkpoint(
    path: str | os.PathLike[str],
    field: Field,
    optimiser: Adam,
    generator: torch.Generator,
    settings: FitSettings,
    source: dict[str, Any],
) -> FitProgress:
    """Put the state of a checkpoint into field, optimiser and generator; returns how far it is.

    Raises:
        FieldFileError: it is no checkpoint, damaged, or of a run with another configuration; names what differs.
        OSError: it cannot be read; names it.
    """
    with reading(path) as (header, tensors):
        if header.get("format") != FORMAT or header.get("version") != VERSION:
            raise FieldFileError(f"expected a checkpoint of version {VERSION}")
        _check_same(header, _run(field, settings, source))
        wanted = {f"field.{name}": tensor for name, tensor in field.state_dict().items()}
        wanted |= _moments(optimiser)
        wanted["generator"] = generator.get_state()
        state = checked_tensors(wanted, tensors)
        try:
            progress = FitProgress(**header["progress"])
            generator.set_state(state["generator"])
        except (KeyError, TypeError, RuntimeError) as error:
            raise FieldFileError(f"progress: {error}") from None
    field.load_state_dict({name: state[f"field.{name}"] for name in field.state_dict()})
    for name, moment in _moments(optimiser).items():
        moment.copy_(state[name])
    return progress


def _moments(optimiser: Adam) -> dict[str, torch.Tensor]:
    """The optimiser's own tensors, by the names they have in a file."""
    return {
        f"optimiser.{index}.{key}": moment
        for key, moments in optimiser.moments.items()
        for index, moment in enumerate(moments)
    }


def _run(field: Field, settings: FitSettings, source: dict[str, Any]) -> dict[str, Any]:
    """What a run and its continuation have in common, as JSON has it."""
    kept = {name: value for name, value in asdict(settings).items() if name not in FREE}
    common: dict[str, Any] = json.loads(json.dumps({"settings": kept, "field": header_of(field), "source": source}))
    return common


def _check_same(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Refuse a checkpoint of another run."""
    differing = []
    for group, new in wanted.items():
        old = found.get(group)
        if not isinstance(old, dict):
            raise FieldFileError(f"{group}: expected a table, got {old!r}")
        differing += [
            f"{group}.{key} was {_short(old.get(key))}, is {_short(new.get(key))}"
            for key in sorted({*old, *new})
            if old.get(key) != new.get(key)
        ]
    if differing:
        raise FieldFileError(f"a run can only be resumed as it was started: {'; '.join(differing)}")


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
