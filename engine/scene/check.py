"""How the shapes of a scene hang together: names that exist, no cycles, flat shapes where flat ones belong.

Works on shapes and on the tables of a file alike, so that a file whose fields have mistakes still gets these reported.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..shapes import KINDS, Shape
from .cross_references import reference_fields, references, written_references
from .mistakes import LISTED, KeyPath, Mistake, place, quoted, similar

MOST_SHAPES = 100_000


class _Link(NamedTuple):
    """A reference to the shape `target` that stands at `path`."""

    path: KeyPath
    target: str


class _Entry(NamedTuple):
    """A shape as far as it can be read: its class if known, what it refers to, its material."""

    kind: type[Shape] | None
    links: list[_Link]
    material: str | None


def structure_mistakes(
    show: object, stage: object, shapes: Mapping[str, object], materials: Collection[str]
) -> list[Mistake]:
    """Everything wrong between the shapes of a scene: `shapes` holds shapes or tables, `show` and `stage` names."""
    if not shapes:
        return [Mistake("shapes", "expected at least one shape, got none")]
    if len(shapes) > MOST_SHAPES:
        return [Mistake("shapes", f"expected at most {MOST_SHAPES} shapes, got {len(shapes)}")]
    entries = {name: _entry(name, shape) for name, shape in shapes.items()}
    roots = [_Link(("show",), show)] if isinstance(show, str) else []
    if isinstance(stage, (list, tuple)):
        roots += [_Link(("stage", index), name) for index, name in enumerate(stage) if isinstance(name, str)]
    mistakes = _unknown_shapes(roots, entries) + _unknown_materials(entries, materials)
    order, cycles = _children_first(entries)
    mistakes += [Mistake(place(link.path), f"a cycle: {' -> '.join(names)}") for link, names in cycles]
    return mistakes + _dimension_mistakes(roots, entries, order)


def _entry(name: str, shape: object) -> _Entry:
    if isinstance(shape, Shape):
        kind: type[Shape] | None = type(shape)
        found, material = references(shape), shape.surface
    elif isinstance(shape, Mapping):
        written = shape.get("kind")
        kind = KINDS.get(written) if isinstance(written, str) else None
        found, material = written_references(kind, shape) if kind else [], shape.get("material")
    else:
        return _Entry(None, [], None)
    links = [_Link(("shapes", name, *found_.path), found_.target) for found_ in found if isinstance(found_.target, str)]
    return _Entry(kind, links, material if isinstance(material, str) else None)


def _unknown_shapes(roots: Sequence[_Link], entries: Mapping[str, _Entry]) -> list[Mistake]:
    mistakes: list[Mistake] = []
    for links in (roots, *(entry.links for entry in entries.values())):
        for link in links:
            if link.target not in entries:
                hint = similar(link.target, entries) if len(mistakes) < LISTED else ""
                mistakes.append(Mistake(place(link.path), f"unknown shape {quoted(link.target)}{hint}"))
    return mistakes


def _unknown_materials(entries: Mapping[str, _Entry], materials: Collection[str]) -> list[Mistake]:
    mistakes: list[Mistake] = []
    for name, entry in entries.items():
        if entry.material is not None and entry.material not in materials:
            hint = similar(entry.material, materials) if len(mistakes) < LISTED else ""
            where = place(("shapes", name, "material"))
            mistakes.append(Mistake(where, f"unknown material {quoted(entry.material)}{hint}"))
    return mistakes


def _children_first(entries: Mapping[str, _Entry]) -> tuple[list[str], list[tuple[_Link, list[str]]]]:
    """Names with every shape after those it refers to, and the cycles: the link that closes each, and its names.

    Depth first without recursion: chains may be as long as the scene has shapes.
    """
    order: list[str] = []
    cycles: list[tuple[_Link, list[str]]] = []
    done: set[str] = set()
    for start in entries:
        if start in done:
            continue
        open_names = {start: None}  # the names on the way from `start`, in order
        stack: list[tuple[str, Iterator[_Link]]] = [(start, iter(entries[start].links))]
        while stack:
            name, links = stack[-1]
            for link in links:
                target = link.target
                if target in open_names:
                    way = list(open_names)
                    cycles.append((link, [*way[way.index(target) :], target]))
                elif target not in done and target in entries:
                    open_names[target] = None
                    stack.append((target, iter(entries[target].links)))
                    break
            else:
                stack.pop()
                del open_names[name]
                done.add(name)
                order.append(name)
    return order, cycles


def _dimension_mistakes(roots: Sequence[_Link], entries: Mapping[str, _Entry], order: Sequence[str]) -> list[Mistake]:
    """Flat shapes where solids belong and the reverse; what is not known, for other mistakes, counts as right."""
    mistakes: list[Mistake] = []
    flat: dict[str, bool] = {}
    for name in order:
        kind, links, _ = entries[name]
        if kind is None:
            continue
        wanted = {"solid": False, "flat": True}.get(kind.part)
        of_parts = wanted
        for link in links:
            is_flat = flat.get(link.target)
            if of_parts is None:
                of_parts = is_flat
            elif is_flat is not None and is_flat != of_parts:
                mistakes.append(Mistake(place(link.path), _wrong_dimension(link, entries, is_flat, kind, wanted)))
        result = _flat_result(kind, of_parts)
        if result is not None:
            flat[name] = result
    for link in roots:
        if flat.get(link.target):
            text = f"expected a solid, got {quoted(link.target)}, which is flat; extrude or revolve it"
            mistakes.append(Mistake(place(link.path), text))
    return mistakes


def _flat_result(kind: type[Shape], of_parts: bool | None) -> bool | None:
    """Whether a shape is flat, if its parts are or are not; None if that is not known."""
    if not reference_fields(kind):
        return kind.flat
    return of_parts if kind.result == "same" else False


def _wrong_dimension(
    link: _Link, entries: Mapping[str, _Entry], is_flat: bool, kind: type[Shape], wanted: bool | None
) -> str:
    target = entries[link.target].kind
    what = f"{quoted(link.target)}, {'a flat shape' if is_flat else 'a solid'} ({_kind_name(target)})"
    if wanted is None:
        others = "solids" if is_flat else "flat shapes"
        return f"expected parts that are all solids or all flat, got {what} beside {others}"
    return f"{_kind_name(kind)} needs a {'flat shape' if wanted else 'solid'}, got {what}"


def _kind_name(kind: type[Shape] | None) -> str:
    return "unknown" if kind is None else str(kind.model_fields["kind"].default)
