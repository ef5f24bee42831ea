"""Fields to files and back: safetensors with a plain header; nothing in a file can run."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ..files import FIELD, atomic_write
from .base import Field, Placement, real
from .grid import Grid, HybridGrid
from .ground_plan import GroundPlan
from .hash_grid import HashGrid
from .image import ImageField
from .mlp import MLP
from .occupancy import OccupancyOf
from .shape import ShapeField
from .siren import Siren

KINDS: dict[str, type[Field]] = {
    kind.kind: kind
    for kind in (MLP, Siren, Grid, HybridGrid, GroundPlan, HashGrid, ImageField, ShapeField, OccupancyOf)
}

FORMAT, VERSION = "isofield-field", 1
HEADER_KEYS = {"format", "version", "kind", "configuration", "bounds", "meaning", "aspect"}
DTYPES = {"F32": torch.float32, "F64": torch.float64, "U8": torch.uint8}
MOST_HEADER_BYTES = 64 * 2**20  # safetensors itself allows 100 MB; a shape field's header holds its scene


class FieldFileError(ValueError):
    """A file that is no field; the message names it and what is wrong."""


def save_field(field: Field, path: str | os.PathLike[str]) -> None:
    """Write a field, whole or not at all: its tensors, and a header that says kind, configuration, bounds, meaning.

    Raises:
        ValueError: the name does not end in .safetensors.
        OSError: the file cannot be written; names it.
    """
    write_tensors(path, field.state_dict(), header_of(field))


def load_field(path: str | os.PathLike[str]) -> Field:
    """The field of a .safetensors file, on the CPU.

    Raises:
        FieldFileError: the file is truncated, foreign, or says what its tensors are not; names what.
        OSError: the file cannot be read; names it.
    """
    with reading(path) as (header, tensors):
        if header.keys() - {"placement"} != HEADER_KEYS or header["format"] != FORMAT:
            raise FieldFileError(f"expected the header of an {FORMAT} file, got {_shortened(header)}")
        if header["version"] != VERSION:
            raise FieldFileError(f"expected version {VERSION}, got {header['version']!r}; a newer isofield wrote it")
        names = ("kind", "configuration", "meaning", "bounds", "aspect")
        field = filled(made(*(header[name] for name in names)), tensors)
        field.placement = _placement(header.get("placement"))
        return field


def header_of(field: Field) -> dict[str, Any]:
    """What a file says of a field beside its tensors."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "kind": field.kind,
        "configuration": field.configuration(),
        "bounds": field.bounds,
        "meaning": field.meaning,
        "aspect": field.aspect,
        **({} if field.placement is None else {"placement": field.placement._asdict()}),
    }


def made(kind: str, configuration: dict[str, Any], meaning: str, bounds: Any, aspect: float = 1.0) -> Field:
    """A field of a kind whose tensors have sizes and no memory yet.

    Raises:
        FieldFileError: there is no such kind, or the configuration does not fit it; says why.
    """
    if not isinstance(kind, str) or kind not in KINDS:
        raise FieldFileError(f"kind: expected one of {', '.join(KINDS)}, got {kind!r}")
    try:
        with torch.device("meta"):
            return KINDS[kind].from_configuration(configuration, meaning, bounds, aspect)
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


def checked_tensors(wanted: dict[str, torch.Tensor], tensors: Any) -> dict[str, torch.Tensor]:
    """The tensors of an open file, which must have the names and shapes of `wanted`, and float where those do.

    Raises:
        FieldFileError: a tensor is missing, left over, of another shape or dtype, or not finite.
    """
    found = set(tensors.keys())
    if wanted.keys() != found:
        missing, foreign = sorted(wanted.keys() - found), sorted(found - wanted.keys())
        raise FieldFileError(f"tensors: missing {missing or 'none'}, unexpected {foreign or 'none'}")
    for name, tensor in wanted.items():
        piece = tensors.get_slice(name)
        if tuple(piece.get_shape()) != tuple(tensor.shape):
            raise FieldFileError(f"{name}: expected shape {tuple(tensor.shape)}, got {tuple(piece.get_shape())}")
        dtype = DTYPES.get(piece.get_dtype())
        if dtype is None or dtype.is_floating_point != tensor.dtype.is_floating_point:
            raise FieldFileError(f"{name}: expected {tensor.dtype}, got {piece.get_dtype()}")
    state = {name: tensors.get_tensor(name) for name in wanted}
    for name, tensor in state.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise FieldFileError(f"{name}: expected finite numbers, got NaN or infinity")
    return state


def write_tensors(path: str | os.PathLike[str], tensors: dict[str, torch.Tensor], header: dict[str, Any]) -> None:
    """Write tensors and a header to a .safetensors file, whole or not at all.

    Raises:
        ValueError: the name does not end in .safetensors.
        OSError: the file cannot be written; names it.
    """
    if Path(path).suffix != FIELD:
        raise ValueError(f"path: expected a name that ends in {FIELD}, got {os.fspath(path)!r}")
    flat = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with atomic_write(path) as beside:
        save_file(flat, beside, metadata={"isofield": json.dumps(header)})


@contextlib.contextmanager
def reading(path: str | os.PathLike[str]) -> Any:
    """(header, open file of tensors) of what `write_tensors` wrote; wrong sizes are found before memory is asked for.

    Raises:
        FieldFileError: it is no such file; every FieldFileError raised inside gets the file's name in front.
        OSError: the file cannot be read; names it.
    """
    name = os.fspath(path)
    try:
        _check_size(Path(path))
        with safe_open(name, framework="pt", device="cpu") as tensors:
            yield _header(tensors.metadata()), tensors
    except FieldFileError as error:
        raise FieldFileError(f"{name}: {error}") from None
    except SafetensorError as error:
        raise FieldFileError(f"{name}: no whole {FIELD} file: {error}") from None
    except OSError as error:
        raise type(error)(f"{name}: cannot be read: {(error.strerror or str(error)).lower()}") from None


def _check_size(path: Path) -> None:
    """Refuse what is no file, or begins with a header that is larger than the file or than any header.

    The format: 8 bytes that say the header's length, the header in JSON, the numbers.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise FieldFileError("expected a file, got a folder or a device")
    with path.open("rb") as file:
        start = file.read(8)
    length = int.from_bytes(start, "little")
    if len(start) < 8 or not 2 <= length <= min(status.st_size - 8, MOST_HEADER_BYTES):
        raise FieldFileError(f"no whole {FIELD} file: {status.st_size} bytes, of which the header claims {length}")


def _header(metadata: dict[str, str] | None) -> dict[str, Any]:
    try:
        header = json.loads((metadata or {})["isofield"])
    except KeyError:
        raise FieldFileError("no file of isofield: it lacks the header") from None
    except (ValueError, RecursionError) as error:
        raise FieldFileError(f"header: not valid JSON: {error}") from None
    if not isinstance(header, dict):
        raise FieldFileError(f"header: expected a table, got {_shortened(header)}")
    return header


def _placement(given: Any) -> Placement | None:
    if given is None:
        return None
    try:
        centre = tuple(real("centre", number, -1e38, 1e38) for number in given["centre"])
        scale = real("scale", given["scale"], 1e-38, 1e38)
    except (TypeError, ValueError, KeyError) as error:
        raise FieldFileError(f"placement: {type(error).__name__}: {error}") from None
    if len(centre) != 3 or given.keys() != {"centre", "scale"}:
        raise FieldFileError(f"placement: expected a centre of 3 coordinates and a scale, got {_shortened(given)}")
    return Placement(centre, scale)


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]} …"
