"""Functions that rooms call and rooms above them define: `engine/__init__.py` hands them over, no import leads up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

bake: Callable[[Any], Any]
"""The `Bake` of a shape from a file, see `FromFile.bake`."""

png_of: Callable[[Any], bytes]
"""A picture of a `Scene`, as the bytes of a PNG file."""
