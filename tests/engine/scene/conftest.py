"""Scene files that several tests read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

TOY = """\
# A toy on a floor.
show  = "toy"                  # the subject
stage = ["floor"]

[shapes]
body  = { kind = "box", size = [1, 1, 0.6], material = "clay" }             # full extents, centred
knob  = { kind = "sphere", radius = 0.3, material = "gold", translate = [0, 0, 0.4] }
ring  = { kind = "sphere", radius = 0.4, rotate = { axis = [1, 0, 0], angle = 30 } }  # degrees
both  = { kind = "union", of = ["body", "knob"], smooth = 0.1 }             # smooth: radius of the blend
toy   = { kind = "difference", of = ["both", "ring"] }
floor = { kind = "box", size = 4, material = "chalk" }

[materials]
clay  = { base_color = "#c86a4a", roughness = 0.8 }                         # "#rrggbb" is sRGB, a list is linear
gold  = { base_color = [1.0, 0.77, 0.31], roughness = 0.2, metallic = 1 }
chalk = { base_color = "#e8e4da" }

[lights]
sun   = { kind = "sun", direction = [1, -1, 2], color = [1, 1, 1], strength = 3, angle = 0.5 }   # towards the light
sky   = { kind = "sky", zenith = [0.5, 0.7, 1.0], horizon = [1, 1, 1] }

[camera]
eye = [2, -3, 1.5]
target = [0, 0, 0.2]
fov = 30                       # vertical, degrees
"""


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A scene file with comments, without mistakes."""
    path = tmp_path / "toy.toml"
    path.write_text(TOY, encoding="utf-8")
    return path


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Write a file of some text and name; returns its path."""

    def write(text: str | bytes, name: str = "scene.toml") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return path

    return write
