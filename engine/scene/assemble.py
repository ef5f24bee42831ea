"""The fields of a scene from the tables of a file: everything is checked before anything is refused."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, field_validator

from ..shapes import FromFile, Model, Shape, Vector3
from .check import structure_mistakes
from .mistakes import Mistake, SceneError, place, quoted
from .parse import camera_from, light_from, material_from, model_from, named_from, shape_from
from .words import keys, unknown_key

Bounds = tuple[Vector3, Vector3]


class Heading(Model):
    """The keys of a scene that are no tables."""

    show: Annotated[str, Field(description="the subject: what is drawn, meshed, measured")]
    stage: Annotated[tuple[str, ...], Field(description="drawn and lit with the subject, never meshed")] = ()
    bounds: Annotated[
        Bounds | None,
        Field(description="lower and upper corner, scene units; needed only to mesh or sample something infinite"),
    ] = None

    @field_validator("bounds")
    @classmethod
    def _span_a_box(cls, bounds: Bounds | None) -> Bounds | None:
        if bounds is not None and any(low >= high for low, high in zip(*bounds, strict=True)):
            raise ValueError("expected a lower and an upper corner, got one that is not lower on every axis")
        return bounds


SECTIONS = ("shapes", "materials", "lights")  # tables of named entries


def assemble(tables: Mapping[str, Any], folder: str | None = None) -> dict[str, Any]:
    """The checked fields of a scene. Entries of `tables` may be tables or, from Python, models already.

    Where a `folder` is given, shapes name their files from there; the files must be there, and get whole paths.

    Raises:
        SceneError: with every mistake in the fields, the references and the structure.
    """
    known = (*keys(Heading), *SECTIONS, "camera")
    mistakes = [Mistake("", unknown_key(str(key), known)) for key in tables if key not in known]
    heading = model_from(Heading, "", {key: tables[key] for key in keys(Heading) if key in tables}, (), mistakes)
    fields: dict[str, Any] = {
        "shapes": named_from("shapes", tables.get("shapes", {}), shape_from, mistakes),
        "materials": named_from("materials", tables.get("materials", {}), material_from, mistakes),
        "lights": named_from("lights", tables.get("lights", {}), light_from, mistakes),
        "camera": camera_from(tables["camera"], ("camera",), mistakes) if tables.get("camera") is not None else None,
    }
    if folder is not None:
        fields["shapes"] = {name: _located(name, shape, folder, mistakes) for name, shape in fields["shapes"].items()}
    shapes, materials = tables.get("shapes", {}), tables.get("materials", {})
    if isinstance(shapes, Mapping):
        names = materials if isinstance(materials, Mapping) else {}
        mistakes += structure_mistakes(tables.get("show"), tables.get("stage"), shapes, names)
    if mistakes:
        raise SceneError(mistakes)
    return {name: getattr(heading, name) for name in Heading.model_fields} | fields


def _located(name: str, shape: Shape, folder: str, mistakes: list[Mistake]) -> Shape:
    """A shape whose file, if it has one, is named by its whole path."""
    if not isinstance(shape, FromFile):
        return shape
    path = os.path.join(folder, shape.file)
    if not os.path.isfile(path):
        missing = "is no file" if os.path.exists(path) else "is not there"
        mistakes.append(Mistake(place(("shapes", name, "file")), f"{quoted(shape.file)} {missing}, looked for {path}"))
    return shape.model_copy(update={"file": path})
