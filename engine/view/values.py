"""The values of a scene that a panel offers, made from the classes of shapes, materials and lights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ..scene import Scene, key_of
from ..shapes import Rotation, Shape
from .state import Section

ANGLES = ("angle", "twist")
COLOURS = ("base_color", "color", "zenith", "horizon")


@dataclass(frozen=True)
class Value:
    """One value that can be changed.

    Attributes:
        name: as `isofield render --set` takes it.
        label: what the panel calls it.
        value: a number, or a tuple of them.
        low, high: ends of its sliders.
        kind: a number, a whole number, several numbers, or a colour (linear RGB).
    """

    name: str
    label: str
    value: Any
    low: float
    high: float
    kind: str


def models_in(scene: Scene, section: Section) -> Any:
    """The shapes, materials or lights of a scene by their names; none for the camera."""
    return scene.lighting if section == "lights" else getattr(scene, section, {})


def names_in(scene: Scene, section: Section) -> list[str]:
    """Names of what a section of the panel can show."""
    return list(models_in(scene, section))


def values_of(scene: Scene, base: Scene, section: Section, name: str, size: float) -> list[Value]:
    """The numbers of a shape, material or light.

    The ends of their sliders are those for `base`, the scene before it was edited, so that they stay while a value is
    dragged; `size` is the radius of the scene's subject.
    """
    before = {value.name: value for value in _values_in(base, section, name, size)}
    now = _values_in(scene, section, name, size)
    return [
        replace(value, low=before[value.name].low, high=before[value.name].high) if value.name in before else value
        for value in now
    ]


def _values_in(scene: Scene, section: Section, name: str, size: float) -> list[Value]:
    model: BaseModel | None = models_in(scene, section).get(name)
    if model is None:
        return []
    first = name if _is_unique(scene, name) else f"{section}.{name}"
    found: list[Value] = []
    for field, info in type(model).model_fields.items():
        key = key_of(field, info)
        found += _values(f"{first}.{key}", key, getattr(model, field), info, size)
    if isinstance(model, Shape):
        # Own numbers first, then where it is; also what has not been moved yet can be.
        found.sort(key=lambda value: value.label in ("scale", "turn", "axis", "rotate", "translate"))
        if model.rotation is None:
            found.append(Value(f"{first}.rotate.angle", "turn", 0.0, -180.0, 180.0, "number"))
        if model.translation is None:
            found.append(Value(f"{first}.translate", "translate", (0.0, 0.0, 0.0), -2.0 * size, 2.0 * size, "numbers"))
    return found


def _is_unique(scene: Scene, name: str) -> bool:
    groups = (scene.shapes, scene.materials, scene.lighting)
    return sum(name in models for models in groups) == 1 and name != "camera"


def _values(name: str, label: str, value: Any, info: FieldInfo, size: float) -> Iterator[Value]:
    if isinstance(value, Rotation):
        yield Value(f"{name}.angle", "turn", value.angle, -180.0, 180.0, "number")
        yield Value(f"{name}.axis", "axis", value.axis, -1.0, 1.0, "numbers")
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, (int, float)):
        low, high = _ends(label, float(value), info, size)
        yield Value(name, label, value, low, high, "integer" if isinstance(value, int) else "number")
    elif isinstance(value, tuple) and value and all(isinstance(part, float) for part in value) and len(value) <= 4:
        if label in COLOURS and max(value) <= 1.0:
            yield Value(name, label, value, 0.0, 1.0, "colour")
            return
        furthest = max(map(abs, value))
        low, high = _ends(label, furthest, info, size)
        yield Value(name, label, value, low if low >= 0.0 else -high, high, "numbers")


def _ends(label: str, value: float, info: FieldInfo, size: float) -> tuple[float, float]:
    """Ends of a slider: those of the schema where they are near, else what is sensible for a scene of that size."""
    low, high = _limits(info)
    if label in ANGLES and high > 360.0:
        return -180.0, 180.0
    reach = max(2.0 * size, 2.0 * abs(value))
    if label in ("direction", "normal", "axis"):
        reach = max(1.0, abs(value))
    return max(low, -reach), min(high, reach)


def _limits(info: FieldInfo) -> tuple[float, float]:
    """The lowest and highest number that the annotation of a field allows."""
    low, high = float("-inf"), float("inf")
    for mark in _marks(info.annotation, info.metadata):
        least, most = getattr(mark, "ge", None), getattr(mark, "le", None)
        if isinstance(mark, FieldInfo):
            least, most = _limits(mark)
        low = low if least is None else max(low, float(least))
        high = high if most is None else min(high, float(most))
    return low, high


def _marks(annotation: Any, metadata: Any) -> Iterator[Any]:
    """What an annotation says of its numbers, also inside tuples; of a union the first kind that is a number."""
    yield from metadata
    if hasattr(annotation, "__metadata__"):
        yield from _marks(get_args(annotation)[0], annotation.__metadata__)
    elif get_origin(annotation) is not None:
        for part in get_args(annotation)[:1]:
            yield from _marks(part, ())
