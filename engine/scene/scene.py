"""A scene: shapes that refer to each other by name, materials, lights and a camera."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import SerializeAsAny

from .. import hooks
from ..shapes import Model, Shape
from .assemble import Bounds, assemble
from .camera import Camera
from .flatten import flatten
from .lights import STUDIO, Light
from .material import Material

M = TypeVar("M", Shape, Material)


class Scene(Model):
    """What a scene file holds: the subject `show`, the `stage` around it, shapes, materials, lights, camera, bounds.

    Shapes refer to each other by name. In Python they may be given as objects inside objects; each is then named: as it
    was with `named`, else after its kind. Without a camera the subject is framed; without lights it is lit as in a
    studio.

    Raises:
        SceneError: with everything that is wrong in it.
    """

    show: str
    stage: tuple[str, ...] = ()
    shapes: dict[str, SerializeAsAny[Shape]]
    materials: dict[str, Material]
    lights: dict[str, Light]
    camera: Camera | None = None
    bounds: Bounds | None = None

    def __init__(
        self,
        show: str | Shape,
        *,
        stage: Sequence[str | Shape] = (),
        shapes: Mapping[str, Shape] | None = None,
        materials: Mapping[str, Material] | None = None,
        lights: Mapping[str, Light] | Sequence[Light] = (),
        camera: Camera | None = None,
        bounds: Bounds | None = None,
    ) -> None:
        flat = flatten(show, stage, shapes or {}, materials or {})
        named_lights = lights if isinstance(lights, Mapping) else _named_by_kind(lights)
        tables = {**flat._asdict(), "lights": named_lights, "camera": camera, "bounds": bounds}
        super().__init__(**_under_their_names(assemble(tables)))

    @classmethod
    def from_tables(cls, tables: Mapping[str, Any], folder: str | None = None) -> Scene:
        """The scene that the tables of a file describe; a `folder` is where shapes look for their files.

        Raises:
            SceneError: with everything that is wrong in them.
        """
        return cls.model_construct(**_under_their_names(assemble(tables, folder)))

    @property
    def lighting(self) -> dict[str, Light]:
        """The lights of the scene, or if it has none those of a studio."""
        return self.lights or STUDIO

    def to_toml(self) -> str:
        """The text of a scene file that holds the scene."""
        from .text import text_of  # brings tomlkit, which reading a scene does without

        return text_of(dict(self))

    def _repr_png_(self) -> bytes:
        """A picture of the scene, by which a notebook shows it."""
        return hooks.png_of(self)


def _named_by_kind(lights: Sequence[Light]) -> dict[str, Light]:
    """Lights under their kind, the second of a kind with a number."""
    named: dict[str, Light] = {}
    for light in lights:
        name, number = str(light.kind), 2
        while name in named:
            name, number = f"{light.kind}_{number}", number + 1
        named[name] = light
    return named


def _under_their_names(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields with shapes and materials that know the names they stand under, so that equal scenes compare equal."""
    for table in ("shapes", "materials"):
        fields[table] = {name: _named(model, name) for name, model in fields[table].items()}
    return fields


def _named(model: M, name: str) -> M:
    return model if model._name == name else model.named(name)
