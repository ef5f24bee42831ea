"""Imports run one way: scenes -> engine -> kernels, in both from room to room as listed here, and in no circle.

Lazy imports and those for type checkers count. Taichi is imported in one place.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("kernels", "engine", "scenes")
FILES = sorted(path.relative_to(ROOT) for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))

# What a layer may import of this project.
MAY_IMPORT = {
    "kernels": ("isofield.kernels",),
    "engine": ("isofield.engine", "isofield.kernels"),
}

# Rooms, each of which may import those before it, but not its neighbours in one pair of brackets.
KERNELS = (("runtime",), ("lanes",), ("formulas",), ("film",), ("program",), ("trace",), ("light",))
ENGINE = (
    ("files",), ("program",), ("shapes",), ("scene",), ("build",), ("fields",), ("bake",), ("meshing", "ntk"),
    ("fit", "render"), ("compare", "view"), ("cli",),
)  # fmt: skip
ASIDE = {
    "grids": {"runtime", "lanes"},
    "encodings": {"runtime", "lanes"},
    "triangles": {"runtime", "lanes"},
    "surfaces": {"runtime", "lanes", "formulas", "film", "program"},
}

SCRIPTS_MAY_IMPORT = {"isofield", "numpy", "taichi", "torch", *sys.stdlib_module_names}
IMPORTS_TAICHI = (Path("kernels/runtime/front_end.py"), Path("engine/view"))
DEVICE_NAMES = {"data_oriented", "dataclass", "func", "kernel", "real_func"}


def rooms_below(order: tuple[tuple[str, ...], ...]) -> dict[str, set[str]]:
    """For each room those that it may import."""
    return {
        room: {below for group in order[:at] for below in group} for at, group in enumerate(order) for room in group
    }


BELOW = {"kernels": rooms_below(KERNELS) | ASIDE, "engine": rooms_below(ENGINE)}


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


def room_of(parts: tuple[str, ...]) -> str | None:
    """The room that a path or a name below `isofield` leads into."""
    return parts[1] if len(parts) > 1 and parts[1] in BELOW.get(parts[0], {}) else None


@cache
def public_files(layer: str, room: str) -> set[str]:
    """Files of a room that its `__init__` hands out as they are, such as `memory`."""
    tree = ast.parse((ROOT / layer / room / "__init__.py").read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module is None]
    return {alias.name for node in imports for alias in node.names}


def between_rooms(name: str, path: Path) -> Iterator[str]:
    """What is wrong with an import of `name` in the file `path`, of another room of this project."""
    parts = tuple(name.split(".")[1:])
    layer, room, own = parts[0], room_of(parts), room_of(path.parts)
    if room is None or (layer, room) == (path.parts[0], own):
        return
    if layer == path.parts[0] and own is not None and room not in BELOW[layer][own]:
        yield f"{own} imports {room}"
    inside = parts[2] if len(parts) > 2 else ""
    is_file = (ROOT / layer / room / f"{inside}.py").exists()
    if is_file and (len(parts) > 3 or inside not in public_files(layer, room)):
        yield f"imports the file {layer}/{room}/{inside}.py, not a name of the room"


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
        if within(name, ("isofield",)):
            found += between_rooms(name, path)
    return found


@pytest.mark.parametrize("path", FILES, ids=str)
def test_file_keeps_the_layers(path: Path) -> None:
    assert offences(path, (ROOT / path).read_text(encoding="utf-8")) == []


def test_every_layer_is_looked_at() -> None:
    assert {path.parts[0] for path in FILES} == set(LAYERS)


@pytest.mark.parametrize("layer", BELOW)
def test_every_folder_is_a_room(layer: str) -> None:
    assert {path.parent.name for path in (ROOT / layer).glob("*/__init__.py")} == set(BELOW[layer])


def imports_of(files: dict[str, tuple[Path, str]]) -> dict[str, set[str]]:
    """For each module, by its dotted name, the modules that it imports; `files` holds their paths and sources."""
    graph = {}
    for module, (path, source) in files.items():
        found = set()
        for name, _ in imported_names(ast.parse(source), path):
            while name and name not in files:
                name = name.rpartition(".")[0]
            found.add(name)
        graph[module] = found - {"", module}
    return graph


def circle(files: dict[str, tuple[Path, str]]) -> list[str]:
    """The modules of a circle of imports; none, if there is none."""
    try:
        TopologicalSorter(imports_of(files)).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def dotted(path: Path) -> str:
    return ".".join(("isofield", *path.with_suffix("").parts)).removesuffix(".__init__")


def test_no_circle_of_imports() -> None:
    paths = [path for path in FILES if path.parts[0] != "scenes"]
    assert circle({dotted(path): (path, (ROOT / path).read_text(encoding="utf-8")) for path in paths}) == []


def test_a_circle_is_seen() -> None:
    late = "def f():\n    from . import b"
    types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .a import f"
    paths = {name: Path(f"kernels/{name}.py") for name in "abc"}
    sources = {"a": late, "b": types, "c": "from . import a, b"}
    assert circle({dotted(paths[name]): (paths[name], sources[name]) for name in "bc"}) == []
    assert set(circle({dotted(paths[name]): (paths[name], sources[name]) for name in "abc"})) == {
        "isofield.kernels.a", "isofield.kernels.b",
    }  # fmt: skip


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
        ("kernels/film/a.py", "from ..program import Program", "film imports program"),
        ("kernels/film/a.py", "from ..film import rays\nfrom ..trace import Met", "film imports trace"),
        ("kernels/grids/a.py", "from ..film import Film", "grids imports film"),
        ("kernels/trace/a.py", "from ..grids import interpolate", "trace imports grids"),
        ("kernels/program/a.py", "def f():\n    from ..trace import Met", "program imports trace"),
        ("kernels/program/a.py", "if TYPE_CHECKING:\n    from ..trace import Met", "program imports trace"),
        ("kernels/trace/a.py", "from ..program.tiles import PART", "imports the file kernels/program/tiles.py"),
        ("kernels/trace/a.py", "from ..program import tiles", "imports the file kernels/program/tiles.py"),
        ("engine/render/a.py", "from ...kernels.film.rays import Film", "imports the file kernels/film/rays.py"),
        ("engine/scene/a.py", "from ..render import render", "scene imports render"),
        ("engine/fit/a.py", "from ..render import render", "fit imports render"),
        ("engine/bake/a.py", "from ..meshing import mesh", "bake imports meshing"),
        ("engine/render/a.py", "from ..scene.camera import Camera", "imports the file engine/scene/camera.py"),
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
        ("kernels/program/a.py", "from ..runtime import ti\n@ti.kernel\ndef f(): ..."),
        ("kernels/trace/a.py", "from .. import runtime\nfrom ..lazy import lazy\nfrom ..runtime import memory, run"),
        ("kernels/trace/a.py", "from .surface import surface_on\nfrom ..formulas import solids"),
        ("engine/cli/a.py", "from ...kernels import distance\nfrom ..render import render"),
        ("engine/a.py", "from ..kernels.runtime import ti"),
        ("engine/a.py", "import taichi_glue"),
        ("scenes/a.py", "import math\nimport numpy as np\nimport isofield as iso\nfrom isofield import sphere"),
    ],
)
def test_what_is_allowed_passes(path: str, source: str) -> None:
    assert offences(Path(path), source) == []
