"""Lights: the sun, the sky, and points; colours are linear RGB."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict

from ..shapes import Direction, Length, Model, Vector3
from .material import Light3

Strength = Annotated[Length, Field(description="factor of the colour, >= 0")]


class Sun(Model):
    """Parallel light from a far disc; `strength` times `color` is how bright it makes white paper that faces it."""

    kind: Literal["sun"] = "sun"
    direction: Annotated[Direction, Field(description="towards the light, any length but zero")] = (1.0, -1.0, 2.0)
    color: Annotated[Light3, Field(description="linear RGB >= 0, or #rrggbb (sRGB)")] = (1.0, 1.0, 1.0)
    strength: Strength = 3.0
    angle: Annotated[float, Strict(), Field(ge=0.0, le=90.0, description="angular diameter, degrees")] = 0.5


class Sky(Model):
    """Light from all around, its radiance going from `horizon` to `zenith` with the height of the direction."""

    kind: Literal["sky"] = "sky"
    zenith: Annotated[Light3, Field(description="radiance from straight above, linear RGB >= 0, or #rrggbb (sRGB)")] = (
        0.5,
        0.7,
        1.0,
    )
    horizon: Annotated[Light3, Field(description="radiance from the horizon, linear RGB >= 0, or #rrggbb (sRGB)")] = (
        1.0,
        1.0,
        1.0,
    )
    strength: Strength = 1.0


class PointLight(Model):
    """A ball of light; `strength` times `color` is how bright it makes white paper that faces it at distance 1."""

    kind: Literal["point"] = "point"
    position: Annotated[Vector3, Field(description="of the centre, scene units")]
    color: Annotated[Light3, Field(description="linear RGB >= 0, or #rrggbb (sRGB)")] = (1.0, 1.0, 1.0)
    strength: Strength = 3.0
    radius: Annotated[Length, Field(description="of the ball, scene units; 0 casts hard shadows")] = 0.0


Light = Sun | Sky | PointLight

LIGHT_KINDS: dict[str, type[Light]] = {"sun": Sun, "sky": Sky, "point": PointLight}

# A scene that names no light is lit as in a studio: a large soft key from the upper left, and a bright even sky.
STUDIO: dict[str, Light] = {
    "sun": Sun(direction=(-1.0, -0.9, 1.7), color=(1.0, 0.95, 0.88), strength=2.0, angle=10.0),
    "sky": Sky(zenith=(0.78, 0.78, 0.8), horizon=(1.6, 1.56, 1.5), strength=1.4),
}
