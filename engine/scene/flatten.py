"""A drawing made of objects as tables of names: every shape and material gets a name, and is referred to by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..shapes import Shape
from .cross_references import references
from .material import Material


class NamedTables(NamedTuple):
    """A drawing without objects inside objects."""

    show: Any
    stage: tuple[Any, ...]
    shapes: dict[str, Any]
    materials: dict[str, Any]


def flatten(
    show: object, stage: Sequence[object], shapes: Mapping[str, object], materials: Mapping[str, object]
) -> NamedTables:
    """Name every shape and material below `show`, `stage` and `shapes`, children before what is made of them.

    An object used twice is one entry. Its name is the one it was given (`named`), else its kind and a number; a name
    that is taken gets a number too. Trees may be deep: nothing here recurses. What is no shape is left as it is.
    """
    names, named_materials = _Names(shapes), _Materials(materials)
    drawn = [shape for shape in (*shapes.values(), show, *stage) if isinstance(shape, Shape)]
    flat: dict[str, Any] = {}
    seen: set[int] = set()
    for root in drawn:
        for shape in _children_first(root, seen):
            name = names.of(shape)
            flat[name] = _by_names(shape, name, names, named_materials)
    for name, given in shapes.items():
        if name not in flat:  # no shape, or one that stands under two names
            flat[name] = _by_names(given, name, names, named_materials) if isinstance(given, Shape) else given
    shown, *staged = (names.of(root) if isinstance(root, Shape) else root for root in (show, *stage))
    return NamedTables(shown, tuple(staged), flat, named_materials.table)


class _Names:
    """Which name each shape has, by its identity."""

    def __init__(self, given: Mapping[str, object]) -> None:
        self._taken = set(given)
        self._by_id: dict[int, str] = {}
        self._numbers: dict[str, int] = {}
        for name, shape in given.items():
            if isinstance(shape, Shape):
                self._by_id.setdefault(id(shape), name)

    def of(self, shape: Shape) -> str:
        if id(shape) not in self._by_id:
            name = shape._name
            if name is None:
                name = self._numbered(_kind(shape), 1)
            elif name in self._taken:
                name = self._numbered(name, 2)
            self._taken.add(name)
            self._by_id[id(shape)] = name
        return self._by_id[id(shape)]

    def _numbered(self, stem: str, start: int) -> str:
        """The stem with the first number that is free: sphere_1 for a kind, knob_2 for a name that is taken."""
        number = self._numbers.get(stem, start)
        while f"{stem}_{number}" in self._taken:
            number += 1
        self._numbers[stem] = number + 1
        return f"{stem}_{number}"


class _Materials:
    """The table of materials; equal materials are one."""

    def __init__(self, given: Mapping[str, object]) -> None:
        self.table = dict(given)
        self._names = {material: name for name, material in given.items() if isinstance(material, Material)}

    def name_of(self, material: Material) -> str:
        if material not in self._names:
            stem, number = material._name or "material", 1 if material._name is None else 2
            name = stem if material._name is not None else f"{stem}_{number}"
            while name in self.table:
                name, number = f"{stem}_{number}", number + 1
            self.table[name] = material
            self._names[material] = name
        return self._names[material]


def _kind(shape: Shape) -> str:
    return str(type(shape).model_fields["kind"].default)


def _children_first(root: Shape, seen: set[int]) -> Iterator[Shape]:
    """The shapes below and including `root` that are not in `seen`, by identity, each once, children first."""
    if id(root) in seen:
        return
    seen.add(id(root))
    stack = [(root, iter(references(root)))]
    while stack:
        shape, children = stack[-1]
        for child in children:
            target = child.target
            if isinstance(target, Shape) and id(target) not in seen:
                seen.add(id(target))
                stack.append((target, iter(references(target))))
                break
        else:
            stack.pop()
            yield shape


def _by_names(shape: Shape, name: str, names: _Names, named_materials: _Materials) -> Shape:
    """The shape under its name, with the names of its children and its material in place of the objects."""
    changed: dict[str, Any] = {}
    for field, position, target in references(shape):
        if isinstance(target, Shape):
            if position is None:
                changed[field] = names.of(target)
            else:
                changed.setdefault(field, list(getattr(shape, field)))[position] = names.of(target)
    if isinstance(shape.surface, Material):
        changed["surface"] = named_materials.name_of(shape.surface)
    if not changed and shape._name == name:
        return shape
    tuples = {field: tuple(value) if isinstance(value, list) else value for field, value in changed.items()}
    copy = shape.model_copy(update=tuples)
    copy._name = name
    return copy
