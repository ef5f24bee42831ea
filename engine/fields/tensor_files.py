"""Files of tensors with a header in JSON: safetensors; nothing in a file can run."""

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

from ..files import FIELD, atomic_write, library_writes

DTYPES = {"F32": torch.float32, "F64": torch.float64, "U8": torch.uint8}
MOST_HEADER_BYTES = 64 * 2**20  # safetensors itself allows 100 MB; a shape field's header holds its scene


class FieldFileError(ValueError):
    """A file that is no field; the message names it and what is wrong."""


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
    with atomic_write(path) as beside, library_writes(beside):
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
        raise FieldFileError(f"header: expected a table, got {shortened(header)}")
    return header


def shortened(value: Any) -> str:
    """A value as text, shortened to fit in a sentence."""
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]} …"
