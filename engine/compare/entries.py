"""What takes part in the comparison, and what comes out of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field as entry
from typing import TYPE_CHECKING, Any

from ..fit import PresetName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..fields import Field


@dataclass(frozen=True)
class Entry:
    """A way to hold a field: its preset, what it is called in pictures, and sizes that differ from the preset's."""

    name: PresetName
    title: str
    sizes: dict[str, Any] = entry(default_factory=dict)

    @property
    def is_solid(self) -> bool:
        """Whether it learns the torus and not the picture."""
        return self.name == "ground_plan"


ENTRIES = (
    Entry("mlp", "MLP"),
    Entry("encoded_mlp", "MLP with encoding"),
    Entry("siren", "SIREN"),
    Entry("grid", "grid"),
    Entry("hybrid_grid", "hybrid grid"),
    # Below 200 000 parameters, as the others: its preset is meant for larger pictures.
    Entry("hash_grid", "hash grid", {"levels": 10, "base": 16, "finest": 400, "entries": 2**14, "layers": 2}),
    Entry("ground_plan", "ground plan, torus"),
)


@dataclass(frozen=True)
class Row:
    """A row of compare.json.

    Attributes:
        name: of the preset.
        loss: mean squared error of the last batches of training.
        mse: over the whole picture, at as many places as it has pixels, or over 96³ points of the torus.
        psnr: -10 log₁₀(mse), decibels.
        parameters: how many numbers are trained.
        seconds: of training.
        steps: made.
    """

    name: str
    loss: float
    mse: float
    psnr: float
    parameters: int
    seconds: float
    steps: int

    def as_dictionary(self) -> dict[str, Any]:
        """The row in types that JSON has."""
        return asdict(self)


@dataclass(frozen=True)
class Learned:
    """A field that has learned.

    Attributes:
        entry, field, row: what it is, and how well it learned.
        log: of the training loop.
        snapshots: (step, picture (height, width, 3) of 8 bits).
    """

    entry: Entry
    field: Field
    row: Row
    log: list[dict[str, Any]]
    snapshots: list[tuple[int, NDArray[np.uint8]]]
