"""Packages that import their public names when these are first used.

torch and taichi take seconds to import; who only reads a scene needs neither.
"""

import ast
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from sys import modules
from typing import Any

Hooks = tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]


def lazy(package: str, **computed: Callable[[], Any]) -> Hooks:
    """`__getattr__`, `__dir__` and `__all__` of a package whose names stand under `if TYPE_CHECKING`.

    Those imports are what type checkers and editors read; here they are read off the same lines, so that no second list
    can differ from them. `computed` holds further names, with what makes their values.

        if TYPE_CHECKING:
            from .sphere_tracing import Hits as Hits, sphere_trace as sphere_trace
        else:
            __getattr__, __dir__, __all__ = lazy(__name__)
    """
    homes = _homes(Path(str(modules[package].__file__)).read_text(encoding="utf-8"))
    names = sorted({*homes, *computed})

    def get(name: str) -> Any:
        if name in homes:
            home = homes[name]
            value = getattr(import_module(home, package), name) if home != "." else import_module(f".{name}", package)
        elif name in computed:
            value = computed[name]()
        else:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        setattr(modules[package], name, value)
        return value

    return get, lambda: sorted({*vars(modules[package]), *names}), names


def _homes(source: str) -> dict[str, str]:
    """The relative module of each name that a package imports for type checkers; "." for a module of its own."""
    return {
        alias.asname or alias.name: "." + (statement.module or "")
        for block in ast.parse(source).body
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
