"""Fields from files."""

from __future__ import annotations

import itertools
import os
from typing import Any

import torch

from .base import FORMAT, VERSION, Field, LearnedField, Placement
from .checks import real
from .grid import Grid, HybridGrid
from .ground_plan import GroundPlan
from .hash_grid import HashGrid
from .image import ImageField
from .mlp import MLP
from .occupancy import OccupancyOf
from .sampling import at_bounds, evaluated
from .shape import ShapeField
from .siren import Siren
from .tensor_files import FieldFileError, checked_tensors, reading, shortened

KINDS: dict[str, type[Field]] = {
    kind.kind: kind
    for kind in (MLP, Siren, Grid, HybridGrid, GroundPlan, HashGrid, ImageField, ShapeField, OccupancyOf)
}

HEADER_KEYS = {"format", "version", "kind", "configuration", "bounds", "meaning", "aspect"}


def load_field(path: str | os.PathLike[str]) -> Field:
    """The field of a .safetensors file, on the CPU.

    Raises:
        FieldFileError: the file is truncated, foreign, says what its tensors are not, or holds a field whose values are
            not finite; names what.
        OSError: the file cannot be read; names it.
    """
    with reading(path) as (header, tensors):
        if header.keys() - {"placement"} != HEADER_KEYS or header["format"] != FORMAT:
            raise FieldFileError(f"expected the header of an {FORMAT} file, got {shortened(header)}")
        if header["version"] != VERSION:
            raise FieldFileError(f"expected version {VERSION}, got {header['version']!r}; a newer isofield wrote it")
        names = ("kind", "configuration", "meaning", "bounds", "aspect")
        field = filled(made(*(header[name] for name in names)), tensors)
        field.placement = _placement(header.get("placement"))
        _check_values(field)
        return field


def made(kind: str, configuration: dict[str, Any], meaning: str, bounds: Any, aspect: float = 1.0) -> Field:
    """A field of a kind whose tensors have sizes and no memory yet.

    Raises:
        FieldFileError: there is no such kind, or the configuration does not fit it; says why.
    """
    if not isinstance(kind, str) or kind not in KINDS:
        raise FieldFileError(f"kind: expected one of {', '.join(KINDS)}, got {kind!r}")
    try:
        with torch.device("meta"):
            return KINDS[kind].from_configuration(configuration, meaning, bounds, aspect, make=made)
    except (TypeError, ValueError, KeyError, AttributeError, RuntimeError, OverflowError) as error:
        raise FieldFileError(f"configuration: {type(error).__name__}: {error}") from None


def filled(field: Field, tensors: Any) -> Field:
    """The field with the tensors of an open file, each of which must be what the field expects.

    Raises:
        FieldFileError: a tensor is missing, left over, of another shape or dtype, or not finite.
    """
    state = checked_tensors(field.state_dict(), tensors)
    if len({tensor.dtype for tensor in state.values() if tensor.is_floating_point()}) > 1:
        raise FieldFileError("tensors: expected one float dtype, got several")
    field.load_state_dict(state, assign=True)
    return field


def _check_values(field: Field) -> None:
    """Refuse a learned field that is not finite at the middle and the corners of its bounds: its weights overflow."""
    learned = field.field if isinstance(field, OccupancyOf) else field
    if not isinstance(learned, LearnedField):
        return
    middle, corners = (0.5,) * field.dimensions, itertools.product((0.0, 1.0), repeat=field.dimensions)
    points = at_bounds(learned, torch.tensor([middle, *corners]))
    bad = ~evaluated(learned, points).isfinite().all(dim=1)
    if bool(bad.any()):
        where = tuple(round(coordinate, 6) for coordinate in points[bad][0].tolist())
        raise FieldFileError(f"values: expected finite numbers, got NaN or infinity at {where}; the weights overflow")


def _placement(given: Any) -> Placement | None:
    if given is None:
        return None
    try:
        centre = tuple(real("centre", number, -1e38, 1e38) for number in given["centre"])
        scale = real("scale", given["scale"], 1e-38, 1e38)
    except (TypeError, ValueError, KeyError) as error:
        raise FieldFileError(f"placement: {type(error).__name__}: {error}") from None
    if len(centre) != 3 or given.keys() != {"centre", "scale"}:
        raise FieldFileError(f"placement: expected a centre of 3 coordinates and a scale, got {shortened(given)}")
    return Placement(centre, scale)
