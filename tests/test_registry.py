"""Walks the registry: what every kind of shape promises is held against samples of it, whole and in float64.

The formulas have tests of their own, against closest points; here stands what a kind adds: parameters halved and placed
right, bounds and extents, the machine. Oracles: a value of a 1-Lipschitz function never exceeds the way to any point of
its zero set; a value v that is exact has its foot p - v ∇v on the zero set.
"""

from __future__ import annotations

import inspect
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy
import pytest
import torch

import isofield as iso
from isofield.engine import shapes
from isofield.engine.build import build_program
from isofield.engine.fields import ShapeField
from isofield.engine.fields.shape import named_parameters_of
from isofield.engine.program.extent import Extent
from isofield.engine.program.frame import Frame
from isofield.engine.program.lowering import DEFAULT_MATERIAL, LoweringContext, lower
from isofield.engine.scene.json_schema import schema
from isofield.engine.shapes import KINDS, Shape
from isofield.kernels import Program, distance, distance_and_gradient
from isofield.kernels.program.twin import distance_twin

PLACED = {"rotate": {"axis": (1.0, 2.0, 0.5), "angle": 40.0}, "translate": (0.2, -0.1, 0.3)}

ARROW = ((0.0, -0.5), (0.5, 0.1), (0.2, 0.1), (0.2, 0.5), (-0.2, 0.5), (-0.2, 0.1), (-0.5, 0.1))

ball, box, torus = shapes.sphere(0.4), shapes.box((0.8, 0.5, 0.6)), shapes.torus(0.4, 0.15)
left, right = ball.translate(-0.25, 0, 0), shapes.box(0.6).rotate(25, (1, 1, 0)).translate(0.2, 0, 0)
gear = shapes.star(7, 0.4, 0.25)

# Files for the shapes that read some; the folder goes when the process ends.
FOLDER = tempfile.TemporaryDirectory(prefix="isofield-")


def _ring(points: torch.Tensor) -> torch.Tensor:
    across = points[..., :2].norm(dim=-1) - 0.45
    return torch.stack([across, points[..., 2]], dim=-1).norm(dim=-1) - 0.2


def _volume(name: str, size: tuple[int, ...], low: tuple[float, ...], high: tuple[float, ...]) -> str:
    """A .npy file of the distances of a ring at nodes that span a box."""
    axes = [torch.linspace(a, b, n) for a, b, n in zip(low, high, size, strict=True)]
    path = f"{FOLDER.name}/{name}.npy"
    numpy.save(path, _ring(torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)).numpy())
    return path


def _mesh(name: str) -> str:
    """A model of an octahedron."""
    path = f"{FOLDER.name}/{name}.obj"
    vertices = [
        f"v {0.7 * sign * (a == 0)} {0.7 * sign * (a == 1)} {0.7 * sign * (a == 2)}"
        for a in range(3)
        for sign in (1, -1)
    ]
    faces = ["1 3 5", "3 2 5", "2 4 5", "4 1 5", "3 1 6", "2 3 6", "4 2 6", "1 4 6"]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join([*vertices, *(f"f {face}" for face in faces)]) + "\n")
    return path


def _field(name: str, shape: Shape) -> str:
    """A file of a field that is a shape."""
    path = f"{FOLDER.name}/{name}.safetensors"
    ShapeField(iso.Scene(shape), trainable=()).save(path)
    return path


# Several parameter sets a kind: the defaults, unequal or extreme ones, and one that is scaled, turned and moved.
SAMPLES: dict[str, list[dict[str, Any]]] = {
    "circle": [{}, {"radius": 0.2, "translate": (0.3, 0.2)}],
    "rectangle": [{}, {"size": (1.2, 0.3), "rotate": {"angle": 30.0}}],
    "rounded_rectangle": [{}, {"size": (1.2, 0.4), "radius": 0.2}, {"size": (0.5, 0.5), "radius": 0.0}],
    "regular_polygon": [{}, {"sides": 3, "radius": 0.8}, {"sides": 17, "radius": 0.3, "scale": 2.0}],
    "star": [{}, {"points": 3, "outer": 0.8, "inner": 0.1}, {"points": 9, "outer": 0.5, "inner": 0.5}],
    "polygon": [{"points": ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))}, {"points": ARROW}, {"points": ARROW[::-1]}],
    "offset": [
        {"of": box},
        {"of": box, "distance": -0.1},
        {"of": torus, "distance": -0.05},
        {"of": box, "scale": 1.5, **PLACED},
    ],
    "shell": [{"of": ball}, {"of": box, "thickness": 0.02, "scale": 1.5}],
    "extrude": [
        {"of": gear},
        {"of": shapes.circle(0.5) - shapes.rectangle(0.3), "height": 0.2, "scale": 1.5, **PLACED},
    ],
    "wave": [{"of": ball}, {"of": box, "amplitude": 0.1, "wavelength": 0.3, "scale": 1.2}],
    "union": [{"of": (left, right)}, {"of": (left, right, torus), "smooth": 0.2, **PLACED}, {"of": (ball,)}],
    "intersection": [{"of": (left, right)}, {"of": (left, right, torus), "smooth": 0.1}],
    "difference": [{"of": (left, right)}, {"of": (box, ball, right), "smooth": 0.1, "scale": 1.3}],
    "xor": [{"of": (left, right)}, {"of": (left, right, torus), "smooth": 0.1}],
    "gyroid": [{}, {"cell": 0.5, "thickness": 0.02, **PLACED}],
    "schwarz_p": [{}, {"cell": 2.0, "thickness": 0.3}],
    "diamond": [{}, {"cell": 0.7, "thickness": 0.05, "scale": 1.5}],
    "neovius": [{}, {"cell": 1.5, "thickness": 0.02}],
    "sphere": [
        {},
        {"radius": 0.01},
        {"radius": 0.4, "scale": 2.0, **PLACED},
        {"radius": 0.5, "scale": (2.0, 1.0, 0.5)},
    ],
    "ellipsoid": [{}, {"size": (0.1, 1.0, 1.5)}, {"size": (1.0, 1.0, 1.0)}, {"size": (0.5, 0.2, 1.0), **PLACED}],
    "box": [{}, {"size": (0.01, 1.0, 1.5)}, {"size": (0.5, 0.2, 1.0), "scale": 0.7, **PLACED}],
    "rounded_box": [{}, {"size": (1.2, 0.6, 0.4), "radius": 0.2, **PLACED}, {"radius": 0.0}],
    "box_frame": [{}, {"size": (1.2, 0.5, 0.7), "width": 0.05, **PLACED}],
    "torus": [
        {},
        {"radius": 0.4, "tube": 0.05, "scale": 1.5, **PLACED},
        {"radius": 0.2, "tube": 0.4},
        {"radius": 0.3, "tube": 0.3},
    ],
    "capped_torus": [
        {},
        {"angle": 90.0},
        {"angle": 300.0, "tube": 0.05, **PLACED},
        {"angle": 360.0},
        {"angle": 340.0},
        {"radius": 0.2, "tube": 0.4, "angle": 120.0},
        {"radius": 0.2, "tube": 0.4, "angle": 360.0},
    ],
    "link": [
        {},
        {"length": 0.0},
        {"length": 0.8, "radius": 0.2, "tube": 0.05, **PLACED},
        {"length": 0.3, "radius": 0.2, "tube": 0.3},
    ],
    "cylinder": [{}, {"height": 0.5}, {"radius": 0.2, "height": 1.2, "scale": 1.5, **PLACED}],
    "rounded_cylinder": [{}, {"radius": 0.3, "height": 0.6, "rounding": 0.3}, {"rounding": 0.0, **PLACED}],
    "capped_cone": [{}, {"bottom": 0.1, "top": 0.6}, {"bottom": 0.5, "top": 0.5, **PLACED}],
    "cone": [{}, {"radius": 0.8, "height": 0.3, **PLACED}],
    "capsule": [{}, {"radius": 0.5, "height": 1.0}, {"radius": 0.1, "height": 1.5, **PLACED}],
    "plane": [{}, {"normal": (1.0, 2.0, -2.0), "offset": 0.3}, {"offset": -0.2, "scale": 2.0, **PLACED}],
    "octahedron": [{}, {"radius": 0.8, **PLACED}],
    "pyramid": [{}, {"base": 1.2, "height": 0.3}, {"base": 0.3, "height": 1.2, **PLACED}],
    "hexagonal_prism": [{}, {"radius": 0.8, "height": 0.2, "scale": 0.7, **PLACED}],
    "triangular_prism": [{}, {"radius": 0.3, "height": 1.2, **PLACED}],
    "elongate": [{"of": torus}, {"of": ball, "length": (0.2, 0.4, 0.1), "scale": 1.3, **PLACED}],
    "mirror": [
        {"of": ball.translate(0.5, 0, 0)},
        {"of": right, "normal": (1.0, 1.0, 0.0), "offset": 0.1, "scale": 1.2},
        {"of": left, "offset": -0.2},
        {"of": shapes.box(0.5).translate(0.25, 0, 0)},
        {"of": shapes.box((0.4, 0.3, 0.5)).translate(0.5, 0, 0), "offset": 0.1, **PLACED},
    ],
    "repeat": [
        {"of": shapes.sphere(0.2), "spacing": (0.5, 0.6, 0.0)},
        {"of": box.scale(0.5).translate(0.05, 0, 0), "spacing": (0.6, 0.5, 0.7), "count": (3, 2, 1), **PLACED},
        {"of": shapes.box(0.4), "spacing": (0.4, 0.5, 0.5), "count": (2, 2, 2)},
    ],
    "polar_repeat": [
        {"of": shapes.sphere(0.15).translate(0.6, 0, 0)},
        {"of": shapes.box((0.5, 0.1, 0.3)).translate(0.5, 0.05, 0), "count": 8, **PLACED},
        {"of": box, "count": 1},
    ],
    "twist": [{"of": box}, {"of": shapes.box((0.3, 0.3, 1.2)), "rate": -200.0, "scale": 1.2, **PLACED}, {"of": ball}],
    "bend": [
        {"of": shapes.box((2.0, 0.3, 0.2))},
        {"of": shapes.box((1.2, 0.4, 0.4)), "radius": 0.5, "scale": 1.2, **PLACED},
    ],
    "revolve": [
        {"of": shapes.circle(0.2), "radius": 0.5},
        {"of": gear, "radius": 0.6, "scale": 1.2, **PLACED},
        {"of": shapes.circle(0.4).translate(-0.1, 0)},
        {"of": shapes.rectangle(0.5).translate(0.25, 0)},
        {"of": shapes.star(5, 0.4, 0.2), "radius": 0.45, **PLACED},
    ],
    "sampled": [
        {"file": _volume("cube", (33, 33, 33), (-1.0,) * 3, (1.0,) * 3)},
        {"file": _volume("box", (20, 30, 12), (-0.8, -0.7, -0.3), (0.9, 0.8, 0.25)),
         "bounds": ((-0.8, -0.7, -0.3), (0.9, 0.8, 0.25)), "scale": 1.2, **PLACED},
        {"file": _volume("cut", (17, 17, 17), (-0.5,) * 3, (0.5,) * 3), "bounds": ((-0.5,) * 3, (0.5,) * 3)},
    ],
    "mesh": [
        {"file": _mesh("octahedron"), "resolution": 32},
        {"file": _mesh("again"), "resolution": 24, "up": "y", "scale": 0.8, **PLACED},
    ],
    "neural": [
        {"file": _field("smooth", left.union(right, smooth=0.1)), "resolution": 40},
        {"file": _field("turned", box.rotate(30, (1, 1, 1))), "resolution": 24, "scale": 0.8, **PLACED},
    ],
}  # fmt: skip

# What samples of kinds that are exact, but not for all parameters, claim outside and inside.
CLAIMS = {
    "sphere-2": (True, True),
    "sphere-3": (False, False),  # unequal scales
    "torus-0": (True, True),
    "torus-2": (True, False),  # a tube thicker than the ring's radius meets itself
    "torus-3": (True, True),
    "capped_torus-1": (True, True),
    "capped_torus-3": (True, True),
    "capped_torus-4": (True, False),  # the round ends meet
    "capped_torus-5": (True, False),
    "capped_torus-6": (True, False),
    "link-1": (True, True),
    "link-3": (True, False),
    "offset-0": (True, False),
    "offset-1": (False, False),  # shrunk
    "union-0": (True, False),
    "union-1": (False, False),  # a smooth fold
    "intersection-0": (False, True),
    "intersection-1": (False, False),
    "difference-0": (False, True),
    "difference-1": (False, False),
    "mirror-0": (True, True),
    "mirror-1": (False, False),  # the plane cuts the shape
    "mirror-2": (False, False),
    "mirror-3": (True, False),  # the shape grows into its image
    "mirror-4": (True, True),
    "revolve-0": (True, True),
    "revolve-2": (False, False),  # the axis cuts the shape
    "revolve-3": (True, False),  # the shape touches the axis
    "revolve-4": (True, True),
    "gyroid-0": (False, False),
    "extrude-0": (True, True),
}

# Not 1-Lipschitz, but never more than the distance: its bound takes the distance from its plateau to its far slope.
ONLY_A_BOUND = {"bend"}

# One sample a kind whose sizes and places are multiples of 1/8, so that lattice points lie exactly on faces, edges,
# corners, axes, borders of blends and of cells.
eighth = {"translate": (0.25, -0.125, 0.375), "scale": 2.0}
cube, slab = shapes.box(1.0), shapes.box((1.0, 0.5, 0.25))
two = (cube, shapes.box((1.0, 0.5, 1.0)).translate(0.25, 0.0, 0.25))
LATTICE: dict[str, dict[str, Any]] = {
    "circle": {"radius": 0.5},
    "rectangle": {"size": (1.0, 0.5), "translate": (0.125, 0.25)},
    "rounded_rectangle": {"size": (1.0, 0.5), "radius": 0.125},
    "regular_polygon": {"sides": 4, "radius": 0.5},
    "star": {"points": 4, "outer": 0.5, "inner": 0.25},
    "polygon": {"points": ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (0.0, 0.0), (-0.5, 0.5))},
    "offset": {"of": cube, "distance": 0.125},
    "shell": {"of": cube, "thickness": 0.25},
    "extrude": {"of": shapes.rectangle((1.0, 0.5)), "height": 0.5},
    "wave": {"of": cube, "amplitude": 0.125, "wavelength": 1.0},
    "union": {"of": two, **eighth},
    "intersection": {"of": two, "smooth": 0.25},
    "difference": {"of": two, "smooth": 0.25},
    "xor": {"of": two},
    "gyroid": {},
    "schwarz_p": {},
    "diamond": {},
    "neovius": {},
    "sphere": {"radius": 0.5, **eighth},
    "ellipsoid": {"size": (1.0, 0.5, 0.25)},
    "box": {"size": (1.0, 0.5, 0.25), **eighth},
    "rounded_box": {"size": (1.0, 1.0, 0.5), "radius": 0.25},
    "box_frame": {"size": (1.0, 1.0, 1.0), "width": 0.25},
    "torus": {"radius": 0.5, "tube": 0.25},
    "capped_torus": {"radius": 0.5, "tube": 0.25, "angle": 180.0},
    "link": {"length": 0.5, "radius": 0.25, "tube": 0.125},
    "cylinder": {"radius": 0.5, "height": 1.0, **eighth},
    "rounded_cylinder": {"radius": 0.5, "height": 1.0, "rounding": 0.25},
    "capped_cone": {"height": 1.0, "bottom": 0.5, "top": 0.25},
    "cone": {"radius": 0.5, "height": 1.0},
    "capsule": {"radius": 0.25, "height": 1.0, **eighth},
    "plane": {"normal": (0.0, 0.0, 1.0), "offset": 0.25},
    "octahedron": {"radius": 0.5, **eighth},
    "pyramid": {"base": 1.0, "height": 1.0},
    "hexagonal_prism": {"radius": 0.5, "height": 1.0},
    "triangular_prism": {"radius": 0.5, "height": 1.0},
    "elongate": {"of": shapes.sphere(0.25), "length": (0.5, 0.0, 0.25)},
    "mirror": {"of": cube.translate(0.5, 0.0, 0.0), "offset": 0.25},
    "repeat": {"of": shapes.box((0.5, 0.25, 0.5)), "spacing": (0.5, 0.5, 0.75), "count": (2, 3, 2)},
    "polar_repeat": {"of": shapes.box((0.5, 0.25, 0.25)).translate(0.5, 0.0, 0.0), "count": 4},
    "twist": {"of": slab, "rate": 90.0},
    "bend": {"of": shapes.box((1.0, 0.5, 0.25)), "radius": 1.0},
    "revolve": {"of": shapes.rectangle((0.5, 0.25)), "radius": 0.5},
    "sampled": {"file": _volume("lattice", (17, 17, 17), (-1.0,) * 3, (1.0,) * 3), "bounds": ((-0.5,) * 3, (0.5,) * 3)},
    "mesh": {"file": _mesh("lattice"), "resolution": 32},
    "neural": {"file": _field("lattice", cube), "resolution": 32},
}  # fmt: skip

# What only a rounded number of a sine, a root or a voxel decides: no lattice point need lie on their surfaces.
BESIDE_THE_LATTICE = {"wave", "gyroid", "schwarz_p", "diamond", "neovius", "mesh", "neural", "sampled"}

# Where it is pulled apart its value changes across alone, and on the axis not at all.
FLAT_WITHIN = {"elongate"}

# Where an edge of one bar lies in the face of another they tie, and the gradient is that of the edge's other side.
EDGE_IN_A_FACE = {"box_frame"}

CASES = [(kind, index) for kind, samples in SAMPLES.items() for index in range(len(samples))]


@dataclass(frozen=True)
class Sample:
    """A sample, its program in float64, and the region in which to look at it: its box and a third around it."""

    name: str
    shape: Shape
    program: Program
    extent: Extent
    low: torch.Tensor
    high: torch.Tensor

    def value(self, points: torch.Tensor) -> torch.Tensor:
        """The twin's value (N,) at points (N, 3), float64."""
        return distance_twin(self.program, points)

    def inside_region(self, *shape: int, seed: int = 0) -> torch.Tensor:
        """Random points (…, 3) float64 of the region."""
        random = torch.Generator().manual_seed(seed)
        return torch.lerp(self.low, self.high, torch.rand(*shape, 3, generator=random, dtype=torch.float64))

    def points(self, count: int = 2000) -> torch.Tensor:
        """Points (3 · count, 3) float64: in the region, on axes and planes, and far away."""
        near = self.inside_region(count)
        random = torch.Generator().manual_seed(1)
        flat = near * (torch.rand(count, 3, generator=random) < 0.5)
        far = 10.0 * (self.high - self.low).max() * torch.randn(count, 3, generator=random, dtype=torch.float64)
        return torch.cat([near, flat, far])


@cache
def sample(kind: str, index: int) -> Sample:
    return _made(f"{kind}-{index}", KINDS[kind](**SAMPLES[kind][index]))


@cache
def on_lattice(kind: str) -> Sample:
    return _made(kind, KINDS[kind](**LATTICE[kind]))


def _made(name: str, shape: Shape) -> Sample:
    solid = shapes.extrude(shape, 0.75) if shape.flat else shape
    scene = iso.Scene(show=solid)
    context = LoweringContext(scene.shapes, {}, {})
    extent = lower(context, scene.show, Frame(), 1.0, DEFAULT_MATERIAL).extent
    # The machine's numbers are float32; as tensors in float64 they stay what they are.
    values = {name: torch.tensor(value, dtype=torch.float64) for name, value in named_parameters_of(scene).items()}
    low = torch.tensor(extent.low, dtype=torch.float64).clamp(min=-1.2)
    high = torch.tensor(extent.high, dtype=torch.float64).clamp(max=1.2)
    margin = 0.3 * (high - low)
    return Sample(name, shape, build_program(scene, values), extent, low - margin, high + margin)


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def case(request: pytest.FixtureRequest) -> Sample:
    return sample(*request.param)


@cache
def surface_points(case: Sample, segments: int = 600, samples: int = 100) -> torch.Tensor:
    """Points (N, 3) on the zero set: sign changes along random segments through the region, narrowed to rounding."""
    ends = case.inside_region(2, segments, seed=2)
    path = torch.lerp(ends[0], ends[1], torch.linspace(0.0, 1.0, samples, dtype=torch.float64)[:, None, None])
    inside = case.value(path.reshape(-1, 3)).reshape(samples, segments) < 0.0
    step, segment = (inside[1:] != inside[:-1]).nonzero(as_tuple=True)
    low, high, side = path[step, segment], path[step + 1, segment], inside[step, segment]
    for _ in range(45):
        middle = 0.5 * (low + high)
        same = ((case.value(middle) < 0.0) == side)[:, None]
        low, high = torch.where(same, middle, low), torch.where(same, high, middle)
    return 0.5 * (low + high)


def test_every_kind_has_samples() -> None:
    assert set(SAMPLES) == set(LATTICE) == set(KINDS)
    assert all(len(samples) >= 2 for samples in SAMPLES.values())


def _numbers(part: Any) -> Iterator[dict[str, Any]]:
    """Every number within a JSON schema."""
    if isinstance(part, dict):
        if part.get("type") in ("number", "integer"):
            yield part
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from _numbers(inner)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_says_what_it_is_and_takes(kind: str) -> None:
    cls = KINDS[kind]
    written = schema()["$defs"][cls.__name__]
    assert written["description"] == inspect.getdoc(cls)
    assert cls.source
    assert written["properties"]["kind"]["const"] == kind
    assert set(written["properties"]) == {info.alias or name for name, info in cls.model_fields.items()}
    for name, parameter in written["properties"].items():
        for number in _numbers(parameter):
            assert number.keys() >= {"minimum", "maximum"}, f"{name} has no range"


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (
            "rounded_box",
            {"size": (1.0, 2.0, 0.5), "radius": 0.3},
            "radius: must be at most half the smallest extent, 0.25",
        ),
        ("box_frame", {"width": 0.6}, "width: must be at most half the smallest extent, 0.5"),
        (
            "rounded_cylinder",
            {"height": 0.3, "rounding": 0.2},
            "rounding: must be at most the radius and half the height, 0.15",
        ),
        ("capsule", {"radius": 0.4, "height": 0.6}, "radius: must be at most half the height, 0.3"),
        (
            "rounded_rectangle",
            {"size": (1.0, 0.2), "radius": 0.3},
            "radius: must be at most half the smaller side, 0.1",
        ),
        ("star", {"outer": 0.2}, "inner: must be at most outer, 0.2"),
    ],
)
def test_what_does_not_fit_is_refused(kind: str, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        KINDS[kind](**fields)
    key, most = message.split(":")[0], float(message.rsplit(" ", 1)[1])
    assert next(iter(KINDS[kind](**fields | {key: most}).limits()))[:2] == (key, pytest.approx(most))


def test_machine_computes_what_the_twin_does(case: Sample) -> None:
    points = case.points().float()
    got = distance(case.program, points).double()
    error = (got - case.value(points.double())).abs()
    # float32 keeps a coordinate to 6e-8 of its size; sums of a few of them to a few times that.
    allowed = 1e-5 * points.norm(dim=1).clamp(min=1.0)
    assert bool((error <= allowed).all()), f"{case.name}: off by {error.max():.2e}"


def test_surface_lies_in_the_box_and_the_ball(case: Sample) -> None:
    surface = surface_points(case)
    assert len(surface) > 50, "the sample shows no surface"
    assert case.value(surface).abs().max() < 1e-9, "the value jumps"
    low, high = (torch.tensor(edge, dtype=torch.float64) for edge in (case.extent.low, case.extent.high))
    assert bool(((surface >= low - 1e-9) & (surface <= high + 1e-9)).all())
    if not case.program.endless and case.program.planes == 0:
        *centre, radius = case.program.sphere
        away = (surface - torch.tensor(centre, dtype=torch.float64)).norm(dim=1)
        assert away.max() <= radius + 1e-9


def test_cone_lies_under_the_values(case: Sample) -> None:
    extent = case.extent
    if not extent.finite:
        pytest.skip("endless: nothing is promised")
    points = case.points()
    cone = extent.slope * (points - torch.tensor(extent.centre, dtype=torch.float64)).norm(dim=1) - extent.radius
    assert (cone - case.value(points)).max() <= 1e-9


def test_values_never_exceed_the_distance(case: Sample) -> None:
    points = case.points(count=700)
    way = torch.cdist(points, surface_points(case)[:1500], compute_mode="donot_use_mm_for_euclid_dist").amin(dim=1)
    assert (case.value(points).abs() - way).max() <= 1e-9


def test_values_are_lipschitz_on_both_sides(case: Sample) -> None:
    if case.name.split("-")[0] in ONLY_A_BOUND:
        pytest.skip("only a bound; see the test of the distance")
    points = case.points().requires_grad_()
    values = case.value(points)
    (gradient,) = torch.autograd.grad(values.sum(), points)
    assert gradient.norm(dim=1).max() <= 1.0 + 1e-9
    random = torch.Generator().manual_seed(2)
    reach = 10.0 ** (5.0 * torch.rand(len(points), 1, generator=random, dtype=torch.float64) - 4.5)
    others = (points + torch.randn(len(points), 3, generator=random, dtype=torch.float64) * reach).detach()
    assert ((case.value(others) - values).abs() - (others - points).norm(dim=1)).max() <= 1e-9


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_depends_on_the_parameters(name: str) -> None:
    kind, index = name.split("-")
    extent = sample(kind, int(index)).extent
    assert (extent.exact, extent.exact_inside) == CLAIMS[name]


@pytest.mark.parametrize("kind", KINDS)
def test_no_claim_is_more_than_the_kind_documents_and_each_is_made_by_a_sample(kind: str) -> None:
    cls = KINDS[kind]
    extents = [sample(kind, index).extent for index in range(len(SAMPLES[kind]))]
    assert any(extent.exact for extent in extents) == (cls.outside == "exact")
    assert any(extent.exact_inside for extent in extents) == (cls.inside == "exact")


@pytest.mark.parametrize("side", ["outside", "inside"])
def test_exact_values_lead_to_the_surface(case: Sample, side: str) -> None:
    if not (case.extent.exact if side == "outside" else case.extent.exact_inside):
        pytest.skip("a bound")
    points = torch.cat([case.inside_region(4000), case.points(1000)[2000:]])  # on symmetry planes two feet are as near
    values = case.value(points)
    points = points[values > 1e-3 if side == "outside" else values < -1e-4].requires_grad_()
    assert len(points) > 15
    values = case.value(points)
    (gradient,) = torch.autograd.grad(values.sum(), points)
    feet = (points - values[:, None] * gradient).detach()
    assert case.value(feet).abs().max() <= 1e-7


def gradient_of(case: Sample, points: torch.Tensor) -> torch.Tensor:
    leaf = points.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(case.value(leaf).sum(), leaf)
    return gradient


@cache
def ways() -> torch.Tensor:
    """Unit vectors (300, 3) that lie in no plane of symmetry."""
    random = torch.Generator().manual_seed(3)
    return torch.nn.functional.normalize(torch.randn(300, 3, generator=random, dtype=torch.float64), dim=1)


def least_difference(case: Sample, points: torch.Tensor, gradients: torch.Tensor) -> torch.Tensor:
    """How far each gradient (N, 3) is from the nearest of those a hair away, where nothing ties → (N,)."""
    around = points[:, None] + 1e-7 * ways()
    beside = gradient_of(case, around.reshape(-1, 3)).reshape(around.shape)
    return (beside - gradients[:, None]).norm(dim=2).amin(dim=1)


def test_gradients_beside_the_surface_are_those_of_the_surface(case: Sample) -> None:
    """At points as near as rounding allows, where a length would be one of rounding errors."""
    points = surface_points(case)[:150]
    gradients = gradient_of(case, points)
    assert least_difference(case, points, gradients).max() <= 1e-4
    if case.extent.exact and case.extent.exact_inside:
        assert (gradients.norm(dim=1) - 1.0).abs().max() <= 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_at_ties_are_those_of_one_side(kind: str) -> None:
    """On faces, edges, corners, borders of blends and cells, by the twin and through `ShapeField`; and on axes."""
    case = on_lattice(kind)
    ticks = torch.arange(-10, 11, dtype=torch.float64) / 8
    lattice = torch.cartesian_prod(ticks, ticks, ticks)
    surface = lattice[case.value(lattice).abs() <= 1e-9]
    assert len(surface) >= 4 or kind in BESIDE_THE_LATTICE
    surface = surface[:: max(len(surface) // 150, 1)]
    on_axes = (lattice == 0.0).sum(dim=1) >= 2
    on_diagonals = (lattice[:, 0].abs() == lattice[:, 1].abs()) & (lattice[:, 2] == -0.375)
    beside = lattice[on_axes | on_diagonals]
    solid = shapes.extrude(case.shape, 0.75) if case.shape.flat else case.shape
    single = surface.float().requires_grad_()
    (through_field,) = torch.autograd.grad(ShapeField(iso.Scene(solid), trainable=())(single).sum(), single)
    found = [(surface, gradient_of(case, surface)), (surface, through_field.double())]
    if kind not in FLAT_WITHIN:
        found.append((beside, gradient_of(case, beside)))
    for points, gradients in found:
        if len(points) == 0:
            continue
        # Directions around a corner lie as much as 0.2 apart; a gradient split between two sides is farther off.
        apart = least_difference(case, points, gradients)
        assert float((apart > 0.2).double().mean()) <= (0.05 if kind in EDGE_IN_A_FACE else 0.0)
        assert gradients.norm(dim=1).max() <= 1.0 + 1e-5 or kind in ONLY_A_BOUND
        if case.extent.exact and case.extent.exact_inside:
            assert (gradients.norm(dim=1) - 1.0).abs().max() <= 1e-5


def test_gradients_by_differences_have_length_1_on_smooth_surfaces(case: Sample) -> None:
    if not (case.extent.exact and case.extent.exact_inside):
        pytest.skip("a bound")
    points = surface_points(case)[:150]
    gradients = gradient_of(case, points)
    # A surface may be curved, not folded, within the step of the differences.
    around = points[:, None] + 4e-3 * ways()[:60]
    beside = gradient_of(case, around.reshape(-1, 3)).reshape(around.shape)
    smooth = ((beside * gradients[:, None]).sum(dim=2) > 0.999).all(dim=1)
    if not bool(smooth.any()):
        pytest.skip("curved within the step")
    _, found = distance_and_gradient(case.program, points.float())
    assert (found[smooth].norm(dim=1) - 1.0).abs().max() <= 1e-3
    assert (found[smooth] - gradients[smooth]).norm(dim=1).max() <= 5e-3
