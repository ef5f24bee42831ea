"""isofield turns fields into pictures and pictures into fields.

`import isofield as iso` starts nothing: a name imports its module when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .kernels.lazy import lazy

if TYPE_CHECKING:
    from . import engine as engine, kernels as kernels
    from .engine.build import build_program as build_program
    from .engine.fields import ShapeField as ShapeField
    from .engine.meshing import Mesh as Mesh, mesh as mesh
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
else:

    def _version() -> str:
        from importlib.metadata import version

        return version("isofield")

    __getattr__, __dir__, __all__ = lazy(__name__, __version__=_version)
