"""How a mesh from a file is taken."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from .endings import Up

Sign = Literal["winding", "none"]


@dataclass(frozen=True)
class MeshOptions:
    """How a mesh from a file is taken; fields are options of commands."""

    up: Up = "z"
    """of a mesh, the axis that points up; many .obj and .glb files have y, which becomes z"""
    sign: Sign = "winding"
    """of a mesh, what is inside: where its winding number is above a half; or nothing, then it is a shell (none)"""
    thickness: float | None = None
    """of the shell of --sign none, scene units; two voxels if not given, of a fit a 64th of the longest side"""


PLAIN = MeshOptions()


def option_words(options: MeshOptions) -> list[str]:
    """The options as words of a command line, without those that are as they are when nothing is said."""
    given, plain = asdict(options), asdict(PLAIN)
    return [word for name, value in given.items() if value != plain[name] for word in (f"--{name}", f"{value}")]
