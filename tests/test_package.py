"""The package as users get it: what importing costs, what is public, what is shipped."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import isofield
from isofield import kernels
from isofield.kernels import embedding, program

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PYPROJECT["tool"]["setuptools"]
# Recorded, so that no name disappears by accident.
PUBLIC = {
    *("Camera", "Material", "Mesh", "PointLight", "Scene", "Shape", "ShapeField", "Sky", "Sun"),
    *("build_program", "load", "mesh", "render", "save"),
    *("box", "box_frame", "capped_cone", "capped_torus", "capsule", "cone", "cylinder", "ellipsoid", "hexagonal_prism"),
    *("link", "octahedron", "plane", "pyramid", "rounded_box", "rounded_cylinder", "sphere", "torus"),
    *("triangular_prism", "diamond", "gyroid", "neovius", "schwarz_p", "neural", "sampled"),
    *("circle", "polygon", "rectangle", "regular_polygon", "rounded_rectangle", "star"),
    *("difference", "intersection", "union", "xor"),
}
PUBLIC_KERNELS = {
    *("HashLevels", "Hits", "MeshTree", "Program", "distance", "distance_and_gradient", "hash_encode", "interpolate"),
    *("marching_cubes", "mesh_distance", "positional_encoding", "sphere_trace", "spherical_harmonics", "start"),
}
SUBMODULES = ("engine", "kernels")


def run_python(code: str) -> str:
    """What a new interpreter prints that runs `code`."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_import_is_light() -> None:
    heavy = ("imageio", "numpy", "pydantic", "rich", "taichi", "torch", "tyro")
    loaded = run_python(f"import isofield, sys; dir(isofield); print(*(m for m in {heavy} if m in sys.modules))")
    assert loaded.split() == []


def test_version() -> None:
    assert isofield.__version__ == importlib.metadata.version("isofield") == PYPROJECT["project"]["version"]


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'isofield' has no attribute 'spheer'"):
        _ = isofield.spheer


@pytest.mark.parametrize(
    ("package", "name"),
    [*((isofield, name) for name in sorted(PUBLIC)), *((kernels, name) for name in sorted(PUBLIC_KERNELS))],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_public_name_resolves(package: ModuleType, name: str) -> None:
    value = getattr(package, name)
    assert name in dir(package)
    assert getattr(value, "__doc__", None), f"{name} has no docstring"


def test_public_names_are_the_recorded_ones() -> None:
    assert set(isofield.__all__) == {*PUBLIC, *SUBMODULES, "__version__"}
    assert set(kernels.__all__) == PUBLIC_KERNELS


@pytest.mark.parametrize("name", SUBMODULES)
def test_submodule_resolves(name: str) -> None:
    assert run_python(f"import isofield; print(isofield.{name}.__name__)").strip() == f"isofield.{name}"
    assert name in dir(isofield)


def test_embedding_is_where_it_was() -> None:
    assert embedding.program_distance is program.program_distance
    assert embedding.program_trace is program.program_trace


def test_listed_packages_are_the_folders_with_code() -> None:
    folders = {
        f"{package}{''.join('.' + part for part in path.parent.relative_to(ROOT / folder).parts)}"
        for package, folder in SETUPTOOLS["package-dir"].items()
        for path in (ROOT / folder).rglob("*.py")
    }
    assert sorted(SETUPTOOLS["packages"]) == sorted(folders)


@pytest.mark.parametrize("package", SETUPTOOLS["packages"])
def test_package_has_its_init(package: str) -> None:
    """Without one a folder is a namespace that other distributions may add to."""
    outermost = max((name for name in SETUPTOOLS["package-dir"] if f"{package}.".startswith(f"{name}.")), key=len)
    folder = Path(ROOT, SETUPTOOLS["package-dir"][outermost], *package.removeprefix(outermost).split("."))
    assert (folder / "__init__.py").is_file()


@pytest.mark.parametrize("folder", SETUPTOOLS["package-dir"].values())
def test_package_is_marked_as_typed(folder: str) -> None:
    assert (ROOT / folder / "py.typed").is_file()


def test_constraints_name_every_direct_dependency() -> None:
    """What the tests run with is fixed; what users install may range."""
    extras = PYPROJECT["project"]["optional-dependencies"].values()
    claimed = [*PYPROJECT["project"]["dependencies"], *(requirement for extra in extras for requirement in extra)]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    fixed = [line for line in lines if not line.startswith("#")]
    assert [line for line in fixed if not re.fullmatch(r"[\w-]+==[\d.]+", line)] == []
    assert {re.split("[=<>]", line)[0] for line in fixed} == {re.split("[=<>]", line)[0] for line in claimed}


def test_nothing_at_the_root_shadows_the_package() -> None:
    assert not (ROOT / "__init__.py").exists()
    assert not (ROOT / "isofield").exists()
