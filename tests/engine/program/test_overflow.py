"""Numbers that float32 does not hold are refused when the program is built, with shape, key, value and range."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

import isofield as iso
from isofield.engine.program import BuildError
from isofield.engine.scene import parse_scene
from isofield.kernels import distance


def built(shape: iso.Shape, values: dict[str, Any] | None = None) -> Any:
    return iso.build_program(iso.Scene(shape), values)


def scaled(shape: iso.Shape, factor: Any, times: int) -> iso.Shape:
    for number in range(times):
        shape = iso.union(shape).scale(factor).named(f"group_{number}")
    return shape


ball = iso.sphere(1.0).named("ball")
small = iso.sphere(0.1)
NAN, INFINITY = torch.tensor(math.nan), torch.tensor(math.inf)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (small.repeat((0.0, 1e-45, 0.5), (1, 1, 3)).named("row"), r"shapes\.row\.spacing\[1\]: got 1e-45, .*1e-30 to"),
        (ball.union(iso.box(1.0), smooth=1e-42).named("both"), r"shapes\.both\.smooth: got 1e-42, .*1e-30 to 1e6"),
        (scaled(ball, 1e-4, 3), r"shapes\.group_1\.scale: expected 1e-06 to 1e\+06 together .*, got 1e-08"),
        (scaled(ball, 1e4, 3), r"shapes\.group_1\.scale: expected 1e-06 to 1e\+06 together .*, got 1e\+08"),
        (scaled(ball, (1e-4, 1.0, 1.0), 2), r"shapes\.group_0\.scale: .*, got 1e-08"),
        (scaled(iso.torus().scale(1e-4).elongate(0.1, 0.0, 0.0), 1e-4, 1), r"scale: .*, got 1e-08"),
        (scaled(ball.translate(1e6, 0.0, 0.0), 1e4, 1), r"ball\.translate\[0\]: got 1e\+06, .*reaches 1e\+10.*1e\+09"),
        (small.repeat((1e6, 1.0, 1.0), (10_000, 1, 1)).named("row"), r"row\.spacing\[0\]: got 1e\+06, .*reaches 4"),
    ],
)  # fmt: skip
def test_what_leaves_the_range_is_refused_by_name(shape: iso.Shape, words: str) -> None:
    with pytest.raises(BuildError, match=words):
        built(shape)


@pytest.mark.parametrize(
    ("shape", "values", "words"),
    [
        (ball, {"ball.radius": NAN}, r"shapes\.ball\.radius: got nan"),
        (ball, {"ball.radius": torch.tensor(1e300, dtype=torch.float64)}, r"shapes\.ball\.radius: got 1e\+300"),
        (iso.box(1.0).named("body"), {"body.size": torch.tensor([1.0, math.inf, 1.0])}, r"body\.size\[1\]: got inf"),
        (ball.translate(0.0, 0.0, 0.0), {"ball.translate": torch.tensor([0.0, math.nan, 0.0])}, r"\[1\]: got nan"),
        (ball.rotate(10.0), {"ball.rotate.angle": INFINITY}, r"shapes\.ball\.rotate\.angle: got inf"),
        (ball.scale(2.0), {"ball.scale": NAN}, r"shapes\.ball\.scale: .*got nan"),
        (ball.shell(0.1).named("skin"), {"skin.thickness": NAN}, r"shapes\.skin\.thickness: got nan"),
        (iso.plane().named("floor"), {"floor.normal": torch.zeros(3)}, r"shapes\.floor\.\w+.*: got .*leads to nan"),
    ],
)  # fmt: skip
def test_tensors_are_refused_alike(shape: iso.Shape, values: dict[str, Any], words: str) -> None:
    with pytest.raises(BuildError, match=words):
        built(shape, values)


def test_a_file_with_such_a_number_is_refused(recwarn: pytest.WarningsRecorder) -> None:
    text = b"""show = "row"
    [shapes]
    slab = { kind = "box", size = [1.0, 1.0, 0.1] }
    row = { kind = "repeat", of = "slab", spacing = [0, 1e-45, 0.2], count = [1, 1, 5] }
    """
    with pytest.raises(BuildError, match=r"shapes\.row\.spacing\[1\]: got 1e-45"):
        iso.build_program(parse_scene(text, "row.toml"))
    assert not recwarn.list


@pytest.mark.parametrize(
    "shape",
    [
        iso.sphere(1e6).translate(1e6, -1e6, 1e6),
        scaled(iso.sphere(1.0), 1e-3, 2),
        scaled(iso.sphere(1.0), 1e3, 2),
        iso.sphere(1e-6).scale(1e-6),
        iso.box(1.0) & small.repeat((0.5, 0.5, 0.5)),
        iso.plane((1e-200, 0.0, 1e-200), 1e6),
        iso.sphere(1.0).rotate(30.0, (0.0, 1e-180, 0.0)),
        iso.polygon(((0.0, 0.0), (1.0, 0.0), (1.0, 1e-200), (1.0, 1e-20), (0.0, 1.0))).extrude(1.0),
    ],
)  # fmt: skip
def test_extreme_numbers_within_the_range_stand(shape: iso.Shape) -> None:
    program = built(shape)
    points = 4.0 * torch.rand(100, 3, generator=torch.Generator().manual_seed(0)) - 2.0
    for found in (distance(program, points), distance(program, points.double())):
        assert bool(found.isfinite().all())


def test_a_quaternion_may_be_of_any_length() -> None:
    def turned(*quaternion: float) -> torch.Tensor:
        placed = iso.sphere(1.0).translate(1.0, 2.0, 3.0).model_copy(update={"rotation": quaternion})
        parameters: torch.Tensor = built(placed).parameters
        return parameters

    for length in (1e-300, 1e-170, 1e-20, 1e6):
        assert torch.allclose(turned(length, 0.0, length, 0.0), turned(1.0, 0.0, 1.0, 0.0))
