"""Which shape and which material a point shows: cutters, inheritance, blends, one shape under several parents."""

from __future__ import annotations

import pytest
import torch

import isofield as iso
from isofield.engine.build import build_program
from isofield.engine.shapes import Shape
from isofield.kernels.program.tiles import PART, Tiles
from isofield.kernels.trace.surface import surface_on

RED, GREEN, BLUE, GREY = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.6, 0.6, 0.6)
red, green, blue = (iso.Material(base_color=colour) for colour in (RED, GREEN, BLUE))


def shown(scene: iso.Scene, *points: tuple[float, float, float]) -> tuple[list[str], torch.Tensor]:
    """Names of the shapes and materials (N, 8) at the points."""
    program = build_program(scene)
    origins = torch.tensor(points)
    ahead = torch.tensor([[0.0, 0.0, 1.0]]).repeat(len(points), 1)
    everything = (0, len(program.rows))  # planes too, which a tile's program leaves to the rays
    tiles = Tiles(program.rows, torch.tensor([everything], dtype=torch.int32), 2**30, everything)
    hit_kind = torch.full((len(points),), PART, dtype=torch.int32)
    numbers, materials = surface_on(program, tiles, origins, ahead, torch.zeros(len(points)), hit_kind)
    return [program.names[number] for number in numbers.tolist()], materials


def colours(subject: Shape, *points: tuple[float, float, float]) -> list[tuple[float, ...]]:
    _, materials = shown(iso.Scene(show=subject), *points)
    return [tuple(round(c, 4) for c in row) for row in materials[:, :3].tolist()]


def test_every_number_of_a_material_arrives() -> None:
    material = iso.Material(base_color=(0.1, 0.2, 0.3), roughness=0.4, metallic=0.7, emission=(8.0, 9.0, 10.0))
    names, materials = shown(iso.Scene(show=iso.sphere(0.5).named("ball").material(material)), (0.5, 0.0, 0.0))
    assert names == ["ball"]
    assert torch.allclose(materials, torch.tensor([[0.1, 0.2, 0.3, 0.4, 0.7, 8.0, 9.0, 10.0]]))


def test_a_shape_without_a_material_is_grey() -> None:
    assert colours(iso.sphere(0.5), (0.5, 0.0, 0.0)) == [GREY]


def test_a_cutter_shows_its_material_only_if_it_has_one() -> None:
    body = iso.box(1.0).material(red)
    on_cut, on_face = (0.0, 0.0, 0.3), (0.5, 0.4, 0.4)
    assert colours(body - iso.sphere(0.3), on_cut, on_face) == [RED, RED]
    assert colours(body - iso.sphere(0.3).material(blue), on_cut, on_face) == [BLUE, RED]
    # Also when the cutter needs more registers and is evaluated first.
    cutter = iso.union(iso.sphere(0.3), iso.sphere(0.1), smooth=0.05)
    assert colours(body - cutter, on_cut, on_face) == [RED, RED]
    assert colours(body - cutter.material(blue), on_cut, on_face) == [BLUE, RED]
    assert colours(iso.difference(body, iso.sphere(0.3), smooth=0.02), on_cut, on_face) == [RED, RED]


def test_a_cut_alone_in_its_packet_shows_the_body() -> None:
    """Neighbouring points share what the machine does, so one test point is another case than two."""
    body, cutter = iso.box(1.0).material(red), iso.union(iso.sphere(0.3), iso.sphere(0.1), smooth=0.05)
    assert colours(body - cutter, (0.0, 0.0, 0.3)) == [RED]
    assert colours(body - iso.sphere(0.3), (0.0, 0.0, 0.3)) == [RED]


def test_a_cutter_without_a_material_in_a_body_without_one_is_grey() -> None:
    assert colours(iso.box(1.0) - iso.sphere(0.3), (0.0, 0.0, 0.3)) == [GREY]


def test_cutters_of_cutters_and_parts_of_cutters() -> None:
    # What is left of a cutter that is itself cut shows the material of whichever has one.
    body = iso.box(1.0).material(red)
    cutter = iso.sphere(0.3) - iso.box(0.1).material(green)
    assert colours(body - cutter, (0.0, 0.0, 0.3), (0.05, 0.0, 0.0)) == [RED, GREEN]
    either = iso.union(iso.sphere(0.2).translate(-0.25, 0, 0), iso.sphere(0.2).translate(0.25, 0, 0).material(blue))
    assert colours(body - either, (-0.25, 0.0, 0.2), (0.25, 0.0, 0.2)) == [RED, BLUE]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda parts: iso.union(*parts),
        lambda parts: iso.union(*parts, smooth=0.05),
        lambda parts: iso.union(*parts).round(0.0),
        lambda parts: iso.union(*parts).mirror((0, 0, 1)),
        lambda parts: iso.union(*parts).repeat((4, 4, 4), (2, 1, 1)).translate(-2, 0, 0),
        lambda parts: iso.union(
            iso.union(*parts).repeat((4, 4, 4), (2, 1, 1)).translate(-2, 0, 0), iso.box(0.1), smooth=0.01
        ),
        lambda parts: iso.union(*parts).elongate(0, 0, 0.1),
        lambda parts: iso.union(*parts).twist(0.0),
    ],
)  # fmt: skip
def test_a_part_without_a_material_inherits_the_nearest_parents(wrap: object) -> None:
    parts = (iso.sphere(0.5), iso.sphere(0.5).translate(1.5, 0, 0).material(blue))
    whole = wrap(parts).material(red)  # type: ignore[operator]
    assert colours(whole, (0.0, 0.5, 0.0), (1.5, 0.5, 0.0)) == [RED, BLUE]
    assert colours(whole.material(green), (0.0, 0.5, 0.0), (1.5, 0.5, 0.0)) == [GREEN, BLUE]


def test_materials_blend_half_and_half_in_the_middle_of_a_smooth_union() -> None:
    left = iso.sphere(0.5).translate(-0.45, 0, 0).material(red)
    right = iso.sphere(0.5).translate(0.45, 0, 0).material(blue)
    got = colours(iso.union(left, right, smooth=0.3), (0.0, 0.3, 0.0), (-0.95, 0.0, 0.0), (0.95, 0.0, 0.0))
    assert got == [(0.5, 0.0, 0.5), RED, BLUE]
    assert colours(iso.union(right, left, smooth=0.3), (0.0, 0.3, 0.0)) == [(0.5, 0.0, 0.5)]
    # Sharp: no blend, not even near the seam.
    assert colours(left | right, (-0.001, 0.3, 0.0), (0.001, 0.3, 0.0)) == [RED, BLUE]


def test_the_share_of_a_blend_is_the_share_of_its_gradient() -> None:
    # Planes x = 0 and y = 0 at a point with |a - b| = d: the farther one has (1 - d / smooth) / 2.
    smooth = 0.4
    both = iso.union(iso.plane((1, 0, 0)).material(red), iso.plane((0, 1, 0)).material(blue), smooth=smooth)
    for a, b in ((0.1, 0.3), (0.3, 0.1), (0.0, 0.39), (0.0, 0.5)):
        share = max(0.0, 0.5 * (1.0 - abs(a - b) / smooth))
        blues = share if a < b else 1.0 - share
        assert colours(both, (a, b, 0.0)) == [pytest.approx((1.0 - blues, 0.0, blues), abs=1e-4)]


def test_smooth_intersections_and_cuts_blend_too() -> None:
    slab, other = iso.plane((1, 0, 0)).material(red), iso.plane((0, 1, 0)).material(blue)
    assert colours(iso.intersection(slab, other, smooth=0.2), (-0.01, -0.01, 0.0)) == [(0.5, 0.0, 0.5)]
    assert colours(iso.difference(slab, other, smooth=0.2), (-0.01, 0.01, 0.0)) == [(0.5, 0.0, 0.5)]


def test_what_blends_three_ways_stays_a_mixture() -> None:
    places = (((0.5, 0, 0), red), ((0, 0.5, 0), green), ((0, 0, 0.5), blue))
    parts = [iso.sphere(0.5).translate(*at).material(material) for at, material in places]
    (got,) = colours(iso.union(*parts, smooth=0.5), (0.3, 0.3, 0.3))
    assert sum(got) == pytest.approx(1.0, abs=1e-4)
    assert min(got) > 0.1


def test_a_shape_used_twice_shows_both_parents_materials() -> None:
    ball = iso.sphere(0.4).named("ball")
    pair = iso.union(iso.union(ball).material(red), iso.union(ball).translate(2, 0, 0).material(blue))
    names, materials = shown(iso.Scene(show=pair), (0.4, 0.0, 0.0), (2.4, 0.0, 0.0))
    assert names == ["ball", "ball"]
    assert torch.allclose(materials[:, :3], torch.tensor([RED, BLUE]))


def test_the_nearest_shape_of_many_answers() -> None:
    row = [iso.sphere(0.2).translate(float(i), 0, 0).named(f"ball{i}") for i in range(40)]
    names, _ = shown(iso.Scene(show=iso.union(*row)), *((float(i), 0.2, 0.0) for i in range(40)))
    assert names == [f"ball{i}" for i in range(40)]


def test_xor_shows_the_shape_whose_surface_it_is() -> None:
    a, b = iso.sphere(0.5).material(red), iso.sphere(0.5).translate(0.5, 0, 0).material(blue)
    on_a, on_a_within_b, on_b_within_a = (-0.5, 0.0, 0.0), (0.5, 0.0, 0.0), (0.0, 0.0, 0.0)
    assert colours(a ^ b, on_a, on_a_within_b, on_b_within_a) == [RED, RED, BLUE]


def test_the_stage_is_drawn_with_the_subject() -> None:
    scene = iso.Scene(show=iso.sphere(0.5).named("ball"), stage=[iso.plane(offset=-0.5).material(red).named("floor")])
    names, materials = shown(scene, (0.0, 0.0, 0.5), (3.0, 0.0, -0.5))
    assert names == ["ball", "floor"]
    assert materials[1, :3].tolist() == list(RED)
    assert build_program(scene, stage=False).names == ("ball",)
