"""Colours are linear in memory; materials and lights refuse what has no meaning."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

from isofield.engine.scene import Material, PointLight, Sky, Sun
from isofield.engine.scene.material import linear_from_hex, linear_from_srgb


@pytest.mark.parametrize(("srgb", "linear"), [(0.0, 0.0), (1.0, 1.0), (0.5, 0.21404114048223255), (0.04, 0.04 / 12.92)])
def test_srgb_to_linear_at_known_values(srgb: float, linear: float) -> None:
    assert linear_from_srgb(srgb) == pytest.approx(linear, rel=1e-12)


def test_srgb_to_linear_has_a_small_step_at_its_joint() -> None:
    """The standard's two pieces meet within 1e-7."""
    below, above = linear_from_srgb(0.04045), linear_from_srgb(0.04045 + 1e-12)
    assert below == pytest.approx(above, abs=1e-7)


@given(st.integers(0, 255), st.integers(0, 255))
def test_srgb_to_linear_rises(a: int, b: int) -> None:
    assert (linear_from_srgb(a / 255) < linear_from_srgb(b / 255)) == (a < b)


def test_hex_is_srgb_and_a_list_is_linear() -> None:
    assert Material(base_color="#ffffff").base_color == (1.0, 1.0, 1.0)
    assert Material(base_color="#000").base_color == (0.0, 0.0, 0.0)
    assert Material(base_color="#F80").base_color == linear_from_hex("#ff8800")
    assert Material(base_color=[0.25, 0.5, 1]).base_color == (0.25, 0.5, 1.0)


@pytest.mark.parametrize("text", ["", "#", "#12", "#1234", "#gggggg", "red", "#12345678", "#１２３"])
def test_other_texts_are_no_colours(text: str) -> None:
    with pytest.raises(ValidationError, match="expected a colour such as"):
        Material(base_color=text)


@pytest.mark.parametrize(
    "values",
    [
        {"base_color": (0.5, 0.5, 1.5)},
        {"base_color": (0.5, 0.5)},
        {"base_color": (0.5, 0.5, float("nan"))},
        {"base_color": 0.5},
        {"roughness": -0.1},
        {"roughness": True},
        {"metallic": "1"},
        {"emission": (0, 0, -1)},
        {"emission": (0, 0, float("inf"))},
        {"shiny": 1},
    ],
)
def test_materials_out_of_range_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Material(**values)


def test_emission_may_exceed_one() -> None:
    assert Material(emission=(10, 20, 30)).emission == (10.0, 20.0, 30.0)


@pytest.mark.parametrize(
    ("light", "values"),
    [
        (Sun, {"direction": (0, 0, 0)}),
        (Sun, {"angle": 91}),
        (Sun, {"strength": -1}),
        (Sky, {"zenith": (0, 0, -1)}),
        (PointLight, {}),
        (PointLight, {"position": (0, 0, 0), "radius": -1}),
    ],
)
def test_lights_out_of_range_are_refused(light: type, values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        light(**values)
