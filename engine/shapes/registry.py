"""Every kind of shape by name: what files may say, what the docs list, what the tests walk."""

from __future__ import annotations

from typing import TypeVar

from .base import Shape

S = TypeVar("S", bound=Shape)

KINDS: dict[str, type[Shape]] = {}


def register(cls: type[S]) -> type[S]:
    """Class decorator: enter a shape under the default of its field `kind`."""
    kind = cls.model_fields["kind"].default
    if kind in KINDS:
        raise ValueError(f"kind: {kind!r} is registered twice")
    KINDS[kind] = cls
    return cls
