"""What a person works with: scenes, fields, rendering, fitting, files, viewer, command line; a room for each.

A room imports only rooms below it. What two of them ask of rooms above is handed over here, and imported when it is
first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import hooks

if TYPE_CHECKING:
    from .scene import Scene
    from .shapes import Bake, FromFile


def _bake(shape: FromFile) -> Bake:
    from .bake import baked

    return baked(shape)


def _png_of(scene: Scene) -> bytes:
    from .files import png_bytes
    from .render import render

    return png_bytes(render(scene))


hooks.bake, hooks.png_of = _bake, _png_of
