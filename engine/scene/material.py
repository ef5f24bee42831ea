"""Materials: a principled subset, in linear RGB."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, PrivateAttr, Strict, WithJsonSchema

from ..shapes import LARGEST, Model

RGB = tuple[float, float, float]

GREY, BLACK = (0.6, 0.6, 0.6), (0.0, 0.0, 0.0)

HEX = r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})"


def linear_from_srgb(value: float) -> float:
    """One channel from sRGB in [0, 1] to linear: v/12.92 up to 0.04045, else ((v + 0.055)/1.055)^2.4; IEC 61966-2-1."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def linear_from_hex(text: str) -> RGB:
    """The linear RGB of "#rrggbb" or "#rgb", which are sRGB.

    Raises:
        ValueError: the text is neither.
    """
    if not re.fullmatch(HEX, text):
        raise ValueError(f'expected a colour such as "#c86a4a" or a list of 3 numbers, got "{text[:60]}"')
    digits = text[1:] if len(text) == 7 else "".join(2 * digit for digit in text[1:])
    red, green, blue = (linear_from_srgb(int(digits[i : i + 2], 16) / 255.0) for i in (0, 2, 4))
    return (red, green, blue)


def _linear(value: object) -> object:
    return linear_from_hex(value) if isinstance(value, str) else value


def _schema(**bounds: float) -> WithJsonSchema:
    numbers = {"type": "array", "items": {"type": "number", **bounds}, "minItems": 3, "maxItems": 3}
    return WithJsonSchema({"anyOf": [{"type": "string", "pattern": f"^{HEX}$"}, numbers]})


Unit = Annotated[float, Strict(), Field(ge=0.0, le=1.0)]
Radiance = Annotated[float, Strict(), Field(ge=0.0, le=LARGEST)]
Color = Annotated[tuple[Unit, Unit, Unit], BeforeValidator(_linear), _schema(minimum=0, maximum=1)]
Light3 = Annotated[tuple[Radiance, Radiance, Radiance], BeforeValidator(_linear), _schema(minimum=0)]


class Material(Model):
    """What a surface looks like; colours are "#rrggbb" (sRGB) or three linear numbers, and held as linear RGB."""

    base_color: Annotated[Color, Field(description="colour, linear RGB in [0, 1] or #rrggbb (sRGB)")] = GREY
    roughness: Annotated[Unit, Field(description="0 mirrors, 1 is matt")] = 0.5
    metallic: Annotated[Unit, Field(description="0 is a dielectric, 1 a metal")] = 0.0
    emission: Annotated[Light3, Field(description="light given off, linear RGB >= 0 or #rrggbb (sRGB)")] = BLACK

    _name: str | None = PrivateAttr(default=None)

    def named(self, name: str) -> Self:
        """The material under a name, which it has in the scene's table of materials."""
        copy = self.model_copy()
        copy._name = name
        return copy
