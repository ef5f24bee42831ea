"""What a file holds, by the ending of its name."""

from __future__ import annotations

FIELD = ".safetensors"


def is_field(name: str) -> bool:
    """Whether a file of this name is taken for a field."""
    return name.lower().endswith(FIELD)
