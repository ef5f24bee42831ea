"""Options that the fits of `isofield fit` have in common."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import arg

from ..fit import PresetName


@dataclass(frozen=True)
class FitOptions:
    """What all fits have in common."""

    field: PresetName = "hash_grid"
    """kind of field, in the sizes of the comparison"""
    output: Annotated[Path | None, arg(metavar="FOLDER")] = None
    """folder for field, picture, log and checkpoint; out/<name>-<field> if not given"""
    resume: bool = False
    """go on from the checkpoint that an interrupted run left in the folder"""
    device: Literal["cpu", "cuda"] = "cpu"
    """where to train"""
    view: bool = False
    """show the field in a window as it learns"""
