"""Write docs/shapes.md from the registry of shapes: `python docs/make_shapes.py`."""

from __future__ import annotations

import inspect
from pathlib import Path

from pydantic_core import PydanticUndefined

from isofield.engine.shapes import KINDS, Shape, flat, from_files, modifiers, operators, periodic, solids, warps

PAGE = Path(__file__).with_name("shapes.md")

HEAD = """# Shapes and operators

Every kind that a scene file may name, with its own keys and their defaults (a key without a default must be given). All
take `material`, `scale`, `rotate` and `translate` too. In scripts each kind is a function of the same name:
`torus(0.5, 0.1)`; `kind(...)` takes the keys in this order.

*Exact* means that the value is the distance to the surface; *bound* that it is never more, so that tracing stays safe.
An operator is as exact as the worse of this table and its parts; unequal scales, smooth blends, shrinking, a tube that
meets itself, a mirror or axis that cuts its part make a shape a bound, too.

Sizes and places are at most 1e6, scales from 1e-6 to 1e6 with those of all shapes around them multiplied in, and what
ends does so within 1e9 of the origin. What leaves the range of float32 is an error with shape, key and value.

This page is written by `python docs/make_shapes.py`; the pictures are on the [board](gallery.md).
"""

CHAPTERS = {
    "Solids": solids,
    "Triply periodic sheets": periodic,
    "From files": from_files,
    "Flat shapes": flat,
    "Combining": operators,
    "Changing the value": modifiers,
    "Warping space": warps,
}


def page() -> str:
    """The text of the page."""
    parts = [HEAD]
    for title, module in CHAPTERS.items():
        parts.append(f"## {title}\n")
        parts.append("| kind | what it is | keys | outside | inside | formula |\n|---|---|---|---|---|---|")
        parts += [row(kind, cls) for kind, cls in KINDS.items() if cls.__module__ == module.__name__]
        parts.append("")
    return "\n".join(parts)


def row(kind: str, cls: type[Shape]) -> str:
    """One line of a table."""
    meaning = (inspect.getdoc(cls) or "").splitlines()[0]
    cells = (f"`{kind}`", meaning, keys(cls), cls.outside, cls.inside, cls.source)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def keys(cls: type[Shape]) -> str:
    """The keys of a kind with their defaults and what they mean."""
    found = []
    for name, field in cls.model_fields.items():
        if name in Shape.model_fields or name == "kind":
            continue
        default = "" if field.default is PydanticUndefined else f" = {literal(field.default)}"
        found.append(f"`{field.alias or name}{default}`: {field.description}")
    return "<br>".join(found)


def literal(value: object) -> str:
    """A default as a scene file would write it."""
    if isinstance(value, tuple):
        return "[" + ", ".join(map(literal, value)) + "]"
    return "absent" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
