"""Any tree of shapes: machine and twin agree, values stay bounds, the extent holds, skips change no bit."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from hypothesis import assume, given, settings, strategies as st

import isofield as iso
from isofield.engine.build import build_program
from isofield.engine.fields.shape import named_parameters_of
from isofield.engine.program import BuildError
from isofield.engine.program.frame import Frame
from isofield.engine.program.lowering import DEFAULT_MATERIAL, LoweringContext, lower
from isofield.engine.shapes import Shape
from isofield.kernels import distance
from isofield.kernels.program.operations import SKIP, Column

length = st.floats(0.05, 0.8).map(lambda x: round(x, 3))
place = st.tuples(*[st.floats(-1.0, 1.0).map(lambda x: round(x, 3))] * 3)
axis = st.sampled_from([(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, -2.0, 0.5)])
blend = st.sampled_from([0.0, 0.0, 0.05, 0.3])

leaves = st.one_of(
    st.builds(iso.sphere, length),
    st.builds(lambda x, y, z: iso.box((x, y, z)), length, length, length),
    st.builds(lambda r, t: iso.torus(r + t, t), length, length),
    st.builds(lambda r, h: iso.cylinder(r, h), length, length),
    st.builds(lambda r, h: iso.cone(r, h), length, length),
    st.builds(lambda x, y, z: iso.ellipsoid((x, y, z)), length, length, length),
    st.builds(lambda n, o, h: iso.star(n, o, 0.5 * o).extrude(h), st.integers(3, 9), length, length),
    st.builds(lambda r, s: iso.circle(0.4 * r).translate(0.5 * r, 0).revolve(s), length, length),
    st.builds(lambda n, o: iso.plane(n, o), axis, st.floats(-0.5, 0.5).map(lambda x: round(x, 3))),
    st.builds(lambda c: iso.gyroid(c, 0.1 * c), length),
)


def grown(parts: st.SearchStrategy[Shape]) -> st.SearchStrategy[Shape]:
    several = st.lists(parts, min_size=1, max_size=5)
    return st.one_of(
        st.builds(lambda p, s: iso.union(*p, smooth=s), several, blend),
        st.builds(lambda p, s: iso.intersection(*p, smooth=s), several, blend),
        st.builds(lambda p, s: iso.difference(*p, smooth=s), several, blend),
        st.builds(lambda p, s: iso.xor(*p, smooth=s), several, blend),
        st.builds(lambda p, o: p.translate(*o), parts, place),
        st.builds(lambda p, a, x: p.rotate(a, x), parts, st.floats(-180, 180).map(round), axis),
        st.builds(lambda p, s: p.scale(s), parts, st.sampled_from([0.5, 1.7])),
        st.builds(lambda p: p.scale((0.6, 1.0, 1.5)), parts),
        st.builds(lambda p, d: p.round(d), parts, st.sampled_from([-0.05, 0.05])),
        st.builds(lambda p, t: p.shell(t), parts, st.sampled_from([0.02, 0.1])),
        st.builds(lambda p, o: p.elongate(*map(abs, o)), parts, place),
        st.builds(lambda p, x: p.mirror(x), parts, axis),
        st.builds(lambda p: p.wave(0.03, 0.4), parts),
        st.builds(lambda p: p.twist(40.0), parts),
        st.builds(lambda p, n: p.translate(2.0, 0, 0).polar_repeat(n), parts, st.integers(1, 4)),
        st.builds(lambda p, n: p.repeat((4.0, 4.0, 4.0), (n, 1, 2)), parts, st.integers(1, 3)),
    )


trees = st.recursive(leaves, grown, max_leaves=12)


def probes(seed: int = 0) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    near = 3.0 * torch.rand(300, 3, generator=random) - 1.5
    centres = 2.0 * torch.randn(20, 1, 3, generator=random)
    clusters = (centres + 0.02 * torch.randn(20, 16, 3, generator=random)).reshape(-1, 3)
    return torch.cat([near, clusters, 20.0 * torch.randn(60, 3, generator=random)])


@settings(max_examples=4 * settings.default.max_examples // 5)
@given(trees)
def test_any_tree(shape: Shape) -> None:
    scene = iso.Scene(show=shape)
    try:
        program = build_program(scene)
    except BuildError as error:
        assume("must" not in str(error))  # a copy that does not fit its cell, an endless twist
        raise
    points = probes()
    got = distance(program, points)
    rows = program.rows.clone()
    rows[rows[:, Column.OPERATION] == SKIP, Column.SKIP] = 0
    assert torch.equal(got, distance(replace(program, rows=rows), points))

    values = {name: torch.tensor(value, dtype=torch.float64) for name, value in named_parameters_of(scene).items()}
    precise = build_program(scene, values)
    exact = distance(precise, points.double())
    assert ((got - exact).abs() <= 2e-5 * points.norm(dim=1).clamp(min=1.0)).all()

    # Never more than the way to any point of the surface, here found by halving between points of different signs.
    inner, outer = points.double()[exact < 0.0][:12], points.double()[exact > 0.0][:12]
    low, high = (ends.reshape(-1, 3) for ends in torch.broadcast_tensors(inner[:, None], outer[None]))
    for _ in range(36):
        middle = 0.5 * (low + high)
        below = (distance(precise, middle) < 0.0)[:, None]
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    way = torch.cdist(points.double(), low, compute_mode="donot_use_mm_for_euclid_dist")
    assert bool((exact.abs()[:, None] <= way + 1e-9).all())

    # Far from a shape that is itself a bound, a twist's values may change faster than the distance (but not exceed it).
    if not any(part.kind == "twist" for part in scene.shapes.values()):
        random = torch.Generator().manual_seed(1)
        others = points.double() + torch.randn(len(points), 3, dtype=torch.float64, generator=random)
        rise = (distance(precise, others) - exact).abs()
        assert ((rise - (others - points).norm(dim=1)) <= 1e-9).all()

    extent = lower(LoweringContext(scene.shapes, {}, {}), scene.show, Frame(), 1.0, DEFAULT_MATERIAL).extent
    if extent.finite:
        away = (points.double() - torch.tensor(extent.centre, dtype=torch.float64)).norm(dim=1)
        assert ((extent.slope * away - extent.radius) <= exact + 1e-9).all()
    # Where the value is negative there is something, so the box reaches there.
    low, high = (torch.tensor(edge, dtype=torch.float64) for edge in (extent.low, extent.high))
    inside = points.double()[exact < 0.0]
    assert bool(((inside >= low - 1e-9) & (inside <= high + 1e-9)).all())
    assert not any(math.isnan(edge) for edge in (*extent.low, *extent.high, *extent.centre))
