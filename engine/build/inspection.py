"""Numbers of shapes that leave the range of float32: which shape and which of its keys they come from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...kernels.lanes import FAR
from ..program import BuildError, Extent, Fold, Leaf, Node, Warp, as_float
from ..shapes import Rotation, Shape

LARGEST_FLOAT = 3.4028234663852886e38  # of float32


def within_reach(extent: Extent) -> bool:
    """Whether a part ends, where it ends, within the distance beyond which nothing is looked for."""
    return _reach(extent) <= FAR


@dataclass(frozen=True)
class Inspection:
    """Refuses shapes, by name, whose nodes hold numbers that float32 does not hold or that reach too far.

    Attributes:
        shapes: the scene's.
        values: numbers by parameter name, such as "body.radius", that replace the shapes' own.
    """

    shapes: Mapping[str, Shape]
    values: Mapping[str, Any]

    def __call__(self, name: str, node: Node) -> None:
        """Look at a shape's node; its parts have been looked at before.

        Raises:
            BuildError: names the key that is likeliest to blame, its value, and what is allowed.
        """
        overflowing = next((number for number in _numbers_of(node) if not abs(number) <= LARGEST_FLOAT), None)
        if overflowing is not None:
            raise BuildError(
                f"{self._suspect(name)}, which leads to {overflowing:g}; "
                "expected a number that is 0 or from 1e-30 to 1e6 in size"
            )
        if not within_reach(node.extent):
            raise BuildError(
                f"{self._suspect(name)}, with which the shape reaches {_reach(node.extent):g}; "
                f"expected that it ends within {FAR:g} of the origin"
            )

    def _suspect(self, name: str) -> str:
        """The key of a shape whose number is farthest from 1, and that number."""
        key, value = max(self._keys(name), key=lambda entry: _extremity(entry[1]))
        return f"shapes.{name}.{key}: got {value:g}"

    def _keys(self, name: str) -> Iterator[tuple[str, float]]:
        """Every number that a shape has, by its key."""
        shape = self.shapes[name]
        for field, info in type(shape).model_fields.items():
            key = info.alias or field
            value = self.values.get(f"{name}.{key}", getattr(shape, field))
            if isinstance(value, Rotation):
                yield f"{key}.angle", as_float(self.values.get(f"{name}.{key}.angle", value.angle))
                value, key = value.axis, f"{key}.axis"
            yield from _entries(key, value)


def _entries(key: str, value: Any) -> Iterator[tuple[str, float]]:
    """The numbers in a key's value: `size[1]` of a vector."""
    if isinstance(value, (tuple, list)):
        for index, entry in enumerate(value):
            yield from _entries(f"{key}[{index}]", entry)
    elif hasattr(value, "detach") or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        yield key, as_float(value)


def _extremity(value: float) -> float:
    """How far a number is from 1 in powers of ten; 0 is as good as 1, NaN and infinity are worst."""
    if not math.isfinite(value):
        return math.inf
    return abs(math.log10(abs(value))) if value else 0.0


def _reach(extent: Extent) -> float:
    """The farthest coordinate at which a part ends, 0 where it does not."""
    return max((abs(c) for corner in (extent.low, extent.high) for c in corner if math.isfinite(c)), default=0.0)


def _numbers_of(node: Node) -> Iterator[float]:
    """Every number that a node and its parts store."""
    waiting: list[Node] = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Fold):
            support = as_float(part.support)
            yield support
            yield 0.25 / support if support > 0.0 else 0.0
            waiting += part.parts
            continue
        yield from map(as_float, part.frame.numbers())
        if isinstance(part, Warp):
            yield from (as_float(number) for variant in part.variants for number in variant)
        else:
            yield from map(as_float, (part.factor, *part.numbers))
        if not isinstance(part, Leaf):
            waiting.append(part.part)
