"""Imports run one way, scenes -> engine -> kernels, and taichi is imported in one place."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("kernels", "engine", "scenes")
FILES = sorted(path.relative_to(ROOT) for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))

# What a layer may import of this project.
MAY_IMPORT = {
    "kernels": ("isofield.kernels",),
    "engine": ("isofield.engine", "isofield.kernels", "isofield.__version__"),
}
SCRIPTS_MAY_IMPORT = {"isofield", "numpy", "taichi", "torch", *sys.stdlib_module_names}
IMPORTS_TAICHI = (Path("kernels/runtime/front_end.py"), Path("engine/view"))
DEVICE_NAMES = {"data_oriented", "dataclass", "func", "kernel", "real_func"}


def imported_names(tree: ast.AST, path: Path) -> Iterator[tuple[str, bool]]:
    """(absolute dotted name, whether written relative) of everything imported in the file `path`."""
    package = ("isofield", *path.parent.parts)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*start, *([node.module] if node.module else [])])
            yield from ((f"{module}.{alias.name}", node.level > 0) for alias in node.names)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def defines_device_code(tree: ast.AST, path: Path) -> bool:
    """Whether the file has Taichi functions or kernels, or formulas, which become such."""
    return path.is_relative_to("kernels/formulas") or any(
        isinstance(node, ast.Attribute)
        and node.attr in DEVICE_NAMES
        and isinstance(node.value, ast.Name)
        and node.value.id in ("ti", "taichi")
        for node in ast.walk(tree)
    )


def offences(path: Path, source: str) -> list[str]:
    """What the file `path`, relative to the repository, does against the rules."""
    tree = ast.parse(source)
    layer = path.parts[0]
    found = []
    for name, is_relative in imported_names(tree, path):
        if layer == "scenes":
            if is_relative or name.partition(".")[0] not in SCRIPTS_MAY_IMPORT:
                found.append(f"a scene script imports {name}")
            continue
        if within(name, ("isofield",)) and not is_relative:
            found.append(f"imports {name} by its absolute name")
        if within(name, ("isofield",)) and not within(name, MAY_IMPORT[layer]):
            found.append(f"{layer} imports {name}")
        if within(name, ("taichi",)) and not any(path.is_relative_to(place) for place in IMPORTS_TAICHI):
            found.append("imports taichi itself")
        if name == "__future__.annotations" and defines_device_code(tree, path):
            found.append("postpones annotations, which Taichi cannot read")
    return found


@pytest.mark.parametrize("path", FILES, ids=str)
def test_file_keeps_the_layers(path: Path) -> None:
    assert offences(path, (ROOT / path).read_text(encoding="utf-8")) == []


def test_every_layer_is_looked_at() -> None:
    assert {path.parts[0] for path in FILES} == set(LAYERS)


FUTURE = "from __future__ import annotations\n"


@pytest.mark.parametrize(
    ("path", "source", "offence"),
    [
        ("kernels/a.py", "from ..engine import shapes", "kernels imports isofield.engine.shapes"),
        ("kernels/a.py", "from .. import engine", "kernels imports isofield.engine"),
        ("kernels/a.py", "from .. import sphere", "kernels imports isofield.sphere"),
        ("kernels/formulas/a.py", "from ...scenes import city", "kernels imports isofield.scenes.city"),
        ("kernels/a.py", "def f():\n    from ..engine import shapes", "kernels imports isofield.engine.shapes"),
        ("kernels/a.py", "import isofield.engine", "kernels imports isofield.engine"),
        ("engine/a.py", "from ..scenes import city", "engine imports isofield.scenes.city"),
        ("engine/a/b.py", "from ... import sphere", "engine imports isofield.sphere"),
        ("engine/a.py", "from isofield.kernels import distance", "by its absolute name"),
        ("engine/a.py", "import taichi as ti", "imports taichi itself"),
        ("engine/viewer.py", "import taichi as ti", "imports taichi itself"),
        ("kernels/a.py", "from taichi.math import vec3", "imports taichi itself"),
        ("kernels/a.py", f"{FUTURE}@ti.kernel\ndef f(): ...", "postpones annotations"),
        ("kernels/a.py", f"{FUTURE}g = ti.func(f)", "postpones annotations"),
        ("kernels/formulas/a.py", f"{FUTURE}def f(m, x): ...", "postpones annotations"),
        ("scenes/a.py", "import trimesh", "a scene script imports trimesh"),
        ("scenes/a.py", "from ..engine.shapes import sphere", "a scene script imports isofield.engine.shapes.sphere"),
    ],
)
def test_an_offence_is_seen(path: str, source: str, offence: str) -> None:
    assert any(offence in found for found in offences(Path(path), source))


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("kernels/runtime/front_end.py", "import taichi as ti"),
        ("engine/view/window.py", "import taichi as ti"),
        ("kernels/formulas/a.py", "from .sample_block import BRICK"),
        ("kernels/a.py", FUTURE + "from . import runtime\nimport torch"),
        ("kernels/a.py", "from .runtime import ti\n@ti.kernel\ndef f(): ..."),
        ("engine/cli/a.py", "from ... import __version__\nfrom ...kernels import distance"),
        ("engine/a.py", "from ..kernels.runtime import ti"),
        ("engine/a.py", "import taichi_glue"),
        ("scenes/a.py", "import math\nimport numpy as np\nimport isofield as iso\nfrom isofield import sphere"),
    ],
)
def test_what_is_allowed_passes(path: str, source: str) -> None:
    assert offences(Path(path), source) == []
