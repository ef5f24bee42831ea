"""A file is taken for the same everywhere."""

from __future__ import annotations

import pytest

from isofield.engine.files.endings import kind_of
from isofield.engine.shapes.from_files import MeshFile, Neural, Sampled


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.safetensors", "field"), ("b/a.NPY", "volume"), ("a.ply", "mesh"), ("a.Obj", "mesh"), ("a.stl", "mesh"),
        ("a.glb", "mesh"), ("a.toml", "scene"), ("a.py", "scene"), ("carved_box", "scene"), ("", "scene"),
        ("a.ply.toml", "scene"),
    ],
)  # fmt: skip
def test_the_ending_says_what_a_file_is(name: str, kind: str) -> None:
    assert kind_of(name) == kind


def test_shapes_from_files_take_what_is_drawn_as_such() -> None:
    for shape, kind in ((Neural, "field"), (MeshFile, "mesh")):
        assert {kind_of(f"a{ending}") for ending in shape.endings} == {kind}
    assert {kind_of(f"a{ending}") for ending in Sampled.endings} == {"volume", "field"}  # .safetensors may hold either
