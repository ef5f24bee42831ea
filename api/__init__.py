"""isofield turns fields into pictures and pictures into fields.

`import isofield as iso` starts nothing: a name imports its module when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import engine as engine, kernels as kernels
    from .engine.fields import ShapeField as ShapeField
    from .engine.meshing import Mesh as Mesh, mesh as mesh
    from .engine.program import build_program as build_program
    from .engine.render import render as render
    from .engine.scene import (
        Camera as Camera,
        Material as Material,
        PointLight as PointLight,
        Scene as Scene,
        Sky as Sky,
        Sun as Sun,
        load as load,
        save as save,
    )
    from .engine.shapes import (
        Shape as Shape,
        box as box,
        box_frame as box_frame,
        capped_cone as capped_cone,
        capped_torus as capped_torus,
        capsule as capsule,
        circle as circle,
        cone as cone,
        cylinder as cylinder,
        diamond as diamond,
        difference as difference,
        ellipsoid as ellipsoid,
        gyroid as gyroid,
        hexagonal_prism as hexagonal_prism,
        intersection as intersection,
        link as link,
        neovius as neovius,
        neural as neural,
        octahedron as octahedron,
        plane as plane,
        polygon as polygon,
        pyramid as pyramid,
        rectangle as rectangle,
        regular_polygon as regular_polygon,
        rounded_box as rounded_box,
        rounded_cylinder as rounded_cylinder,
        rounded_rectangle as rounded_rectangle,
        sampled as sampled,
        schwarz_p as schwarz_p,
        sphere as sphere,
        star as star,
        torus as torus,
        triangular_prism as triangular_prism,
        union as union,
        xor as xor,
    )

    __version__: str

_SUBMODULES = ("engine", "kernels")
_NAMES = {
    ".engine.fields": "ShapeField",
    ".engine.meshing": "Mesh mesh",
    ".engine.program": "build_program",
    ".engine.render": "render",
    ".engine.scene": "Camera Material PointLight Scene Sky Sun load save",
    ".engine.shapes": """
        Shape
        box box_frame capped_cone capped_torus capsule cone cylinder ellipsoid hexagonal_prism link octahedron plane
        pyramid rounded_box rounded_cylinder sphere torus triangular_prism
        diamond gyroid neovius schwarz_p
        neural sampled
        circle polygon rectangle regular_polygon rounded_rectangle star
        difference intersection union xor
    """,
}
_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names.split()}


if not TYPE_CHECKING:  # checkers know the names above, and report a misspelt one

    def __getattr__(name: str) -> Any:
        """The public name `name`, imported at its first use and kept."""
        if name in _SUBMODULES:
            return importlib.import_module(f".{name}", __name__)
        if name in _MODULE_OF:
            value = getattr(importlib.import_module(_MODULE_OF[name], __name__), name)
        elif name == "__version__":
            from importlib.metadata import version

            value = version("isofield")
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """The public names, imported or not."""
    return sorted(["__version__", *_SUBMODULES, *_MODULE_OF])
