"""Packages whose names are imported when they are first used."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

import pytest

import isofield
from isofield import engine, kernels

EAGER = "isofield.engine.shapes"  # its factories are made from the kinds that its files register
ROOMS = [
    importlib.import_module(f"{layer.__name__}.{found.name}")
    for layer in (kernels, engine)
    for found in pkgutil.iter_modules(layer.__path__)
    if found.ispkg
]
LAZY = [package for package in (isofield, kernels, *ROOMS) if hasattr(package, "__all__") and package.__name__ != EAGER]


@pytest.mark.parametrize("package", LAZY, ids=lambda package: package.__name__)
def test_every_name_resolves(package: ModuleType) -> None:
    for name in package.__all__:
        assert getattr(package, name) is getattr(package, name)
        assert name in dir(package)


@pytest.mark.parametrize("package", LAZY, ids=lambda package: package.__name__)
def test_no_name_hides_a_file(package: ModuleType) -> None:
    """Importing a file sets a package's attribute of that name, whatever was there."""
    files = {found.name for found in pkgutil.iter_modules(package.__path__)}
    hidden = [name for name in set(package.__all__) & files if not isinstance(getattr(package, name), ModuleType)]
    assert hidden == []


@pytest.mark.parametrize("package", LAZY, ids=lambda package: package.__name__)
def test_other_names_are_attribute_errors(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match=f"'{package.__name__}' has no attribute 'spheer'"):
        _ = package.spheer
