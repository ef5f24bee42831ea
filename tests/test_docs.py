"""The pages say what is so: generated ones are up to date, and links lead somewhere."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_page_of_shapes_is_what_the_registry_says() -> None:
    spec = importlib.util.spec_from_file_location("make_shapes", ROOT / "docs" / "make_shapes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "shapes.md").read_text(encoding="utf-8") == module.page(), "run python docs/make_shapes.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_a_page_lead_to_files(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert not missing


def defined_in(path: Path) -> set[str]:
    """Names of functions, classes and constants of a file, also of those inside functions and classes."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return stored | {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def test_architecture_names_what_is_there() -> None:
    """`kernels/room/file.py: name` or `kernels/room/file.py: Class`, and folders and files alone."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:kernels|engine)(?:/[\w.]+)*)(?:: (\w+))?`", text)
    assert len(named) > 50
    missing = [path for path, _ in named if not (ROOT / path).exists()]
    assert missing == []
    missing = [f"{path}: {name}" for path, name in named if name and name not in defined_in(ROOT / path)]
    assert missing == []


def test_architecture_lists_every_room() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {
        f"{layer}/{path.parent.name}"
        for layer in ("kernels", "engine")
        for path in (ROOT / layer).glob("*/__init__.py")
    }
    assert set(re.findall(r"^\| `(\w+/\w+)` \|", text, re.MULTILINE)) == rooms
