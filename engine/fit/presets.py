"""Fields by name, in the sizes of the comparison."""

from __future__ import annotations

from dataclasses import dataclass, field as entry
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ..fields import Bounds, Field, Meaning

PresetName = Literal["mlp", "encoded_mlp", "siren", "grid", "hybrid_grid", "ground_plan", "hash_grid"]


@dataclass(frozen=True)
class Preset:
    """A kind of field and its sizes; `only` is the one number of dimensions that it has."""

    kind: str
    configuration: dict[str, Any] = entry(default_factory=dict)
    only: int | None = None


PRESETS: dict[PresetName, Preset] = {
    "mlp": Preset("mlp", {"width": 128, "layers": 2}),
    "encoded_mlp": Preset("mlp", {"octaves": 6, "width": 128, "layers": 2}),
    "siren": Preset("siren", {"width": 256, "layers": 3, "omega": 30.0}),
    "grid": Preset("grid", {"nodes": 33}),
    "hybrid_grid": Preset("hybrid_grid", {"nodes": 33, "features": 128, "width": 64, "layers": 2}),
    "ground_plan": Preset(
        "ground_plan", {"nodes": 65, "features": 128, "octaves": 8, "width": 64, "layers": 2}, only=3
    ),
    "hash_grid": Preset("hash_grid"),
}


def make_field(
    name: PresetName,
    dimensions: int,
    channels: int,
    *,
    meaning: Meaning | str,
    bounds: Bounds | None = None,
    aspect: float = 1.0,
    seed: int = 0,
    **changes: Any,
) -> Field:
    """A new field of a preset, initialised from `seed`; `changes` replace sizes of the preset.

    Raises:
        ValueError: there is no such preset, it has other dimensions, or a size is out of its range.
    """
    import torch

    from ..fields import KINDS

    if name not in PRESETS:
        raise ValueError(f"field: expected one of {', '.join(PRESETS)}, got {name!r}")
    preset = PRESETS[name]
    if preset.only not in (None, dimensions):
        raise ValueError(f"field: {name} takes points of {preset.only} dimensions, these have {dimensions}")
    sizes = {**preset.configuration, **changes}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return KINDS[preset.kind](dimensions, channels, meaning=meaning, bounds=bounds, aspect=aspect, **sizes)
