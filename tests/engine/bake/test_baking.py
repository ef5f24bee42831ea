"""Shapes from files: what is baked, what it says of its error, where it is kept, and what is wrong with a file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from safetensors.torch import save_file

import isofield as iso
from isofield.engine.bake import cache, field as field_baking
from isofield.engine.bake.field import baked_field
from isofield.engine.bake.mesh import baked_mesh
from isofield.engine.bake.sampling import sampled
from isofield.engine.bake.volume import baked_volume
from isofield.engine.cli import main
from isofield.engine.fields import MLP, Field, ShapeField, occupancy_of
from isofield.engine.program.errors import BuildError
from isofield.engine.shapes import MeshFile, torus
from isofield.kernels import distance

BOUNDS = ((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "cache" / "taichi")
    monkeypatch.setattr(cache, "_bakes", {})


@pytest.fixture
def volume(tmp_path: Path) -> str:
    """The distances of a ball of radius 0.6 at 21³ nodes."""
    axis = torch.linspace(-1.0, 1.0, 21)
    values = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1).norm(dim=-1) - 0.6
    numpy.save(tmp_path / "ball.npy", values.numpy())
    return str(tmp_path / "ball.npy")


@pytest.fixture
def ring(tmp_path: Path) -> str:
    """A field that is a ring."""
    ShapeField(iso.Scene(torus(0.5, 0.2)), trainable=()).save(tmp_path / "ring.safetensors")
    return str(tmp_path / "ring.safetensors")


def scene_text(kind: str, file: str, more: str = "") -> str:
    return f'show = "it"\n[shapes]\nit = {{ kind = "{kind}", file = "{file}"{more} }}\n'


def test_a_volume_lies_in_its_bounds(volume: str) -> None:
    shape = iso.sampled(volume, ((0.0, 0.0, 0.0), (4.0, 4.0, 4.0)))
    program = iso.build_program(iso.Scene(shape.scale(0.5).translate(1, 0, 0)))
    # A ball about (2, 2, 2), then half as large and moved; its voxels' values were distances of one half the size.
    values = distance(program, torch.tensor([[2.0, 1.0, 1.0], [2.0 + 0.61, 1.0, 1.0], [2.0 + 0.59, 1.0, 1.0]]))
    assert values[0] < -0.2
    assert 0.0 < values[1] < 0.02
    assert -0.02 < values[2] < 0.0


@pytest.mark.parametrize("ending", [".npy", ".safetensors"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_volumes_of_any_float_are_read(volume: str, tmp_path: Path, ending: str, dtype: torch.dtype) -> None:
    values = torch.from_numpy(numpy.load(volume))
    other = str(tmp_path / f"other{ending}")
    if ending == ".npy":
        numpy.save(other, values.to(dtype).numpy())
    else:
        save_file({"anything": values[..., None].to(dtype)}, other)
    points = 0.6 * torch.nn.functional.normalize(torch.randn(100, 3), dim=1)
    torch.testing.assert_close(
        baked_volume(other, BOUNDS).bricks.value(points),
        baked_volume(volume, BOUNDS).bricks.value(points),
        atol=2e-3,
        rtol=0,
    )


def test_the_error_is_that_of_the_surface(ring: str) -> None:
    coarse, fine = baked_field(ring, 24), baked_field(ring, 48)
    random = torch.Generator().manual_seed(0)
    angles = 2.0 * torch.pi * torch.rand(2, 5000, generator=random)
    across = 0.5 + 0.2 * angles[0].cos()
    points = torch.stack([across * angles[1].cos(), across * angles[1].sin(), 0.2 * angles[0].sin()], dim=1)
    for made in (coarse, fine):
        assert made.bricks.value(points).abs().max() <= 1.1 * made.error
    assert fine.error < coarse.error / 3.0
    assert f"error {fine.error:.2g}" in str(fine)


def test_the_error_is_measured_with_the_slope_of_each_side() -> None:
    """A ball's distance that is five times as steep far outside: what is divided by that is not wrong by it."""

    def values(points: torch.Tensor) -> torch.Tensor:
        distance = points.norm(dim=1) - 0.5
        return distance + 4.0 * (distance - 0.3).clamp(min=0.0)

    made = sampled(values, *BOUNDS, 32)
    assert made.bricks.slopes[0] > 3.0 * made.bricks.slopes[1]
    assert made.error < made.bricks.voxel**2 / 8.0 * 2.0 / 0.4  # h² / 8 for each of the two curvatures 1 / r


def test_a_file_that_was_written_anew_is_baked_anew(volume: str) -> None:
    first = baked_volume(volume, BOUNDS)
    numpy.save(volume, numpy.load(volume) + 0.2)
    status = os.stat(volume)
    os.utime(volume, ns=(status.st_atime_ns, status.st_mtime_ns + 1))  # clocks of file systems may be coarse
    assert baked_volume(volume, BOUNDS).bricks.ball[3] < first.bricks.ball[3] - 0.1


def test_a_mesh_is_baked_for_each_axis_that_points_up(tmp_path: Path) -> None:
    vertices, faces = corners_of_a_cube(0.4)
    write_obj(tmp_path / "bar.obj", vertices * [1.0, 2.0, 1.0], faces)
    lying, standing = (
        baked_mesh(MeshFile(file=str(tmp_path / "bar.obj"), resolution=16, up=up)).bricks for up in ("z", "y")
    )
    assert lying.high[1] == pytest.approx(standing.high[2], abs=1e-5)
    assert lying.high[2] == pytest.approx(standing.high[1], abs=1e-5)
    assert lying.high[1] > lying.high[2] + 0.2


def test_a_bake_is_kept_by_content(ring: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = baked_field(ring, 24)
    (kept,) = (tmp_path / "cache" / "bakes").iterdir()
    assert baked_field(ring, 24) is first
    monkeypatch.setattr(cache, "_bakes", {})
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(Path(ring).read_bytes())
    monkeypatch.setattr(field_baking, "sampled", lambda *given: pytest.fail("baked again"))
    again = baked_field(str(copy), 24)
    assert torch.equal(again.bricks.data, first.bricks.data)
    assert (again.error, again.bricks.ball, again.bricks.voxels) == (first.error, first.bricks.ball, (24, 24, 24))
    monkeypatch.undo()
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "cache" / "taichi")
    monkeypatch.setattr(cache, "_bakes", {})
    kept.write_bytes(kept.read_bytes()[:1000])  # cut short: made again
    assert torch.equal(baked_field(ring, 24).bricks.data, first.bricks.data)


def test_a_cache_that_cannot_be_written_is_none(ring: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "file" / "taichi")
    assert baked_field(ring, 16).bricks.count > 0


def test_two_shapes_of_one_file_share_its_data(volume: str) -> None:
    shape = iso.sampled(volume)
    one = iso.build_program(iso.Scene(shape))
    two = iso.build_program(iso.Scene(shape | shape.translate(1, 0, 0)))
    assert len(one.data) == len(two.data) > 0


def test_gradients_reach_points_and_places(volume: str) -> None:
    scene = iso.Scene(iso.sampled(volume).translate(0.1, 0, 0).named("it"))
    place = torch.tensor([0.1, 0.0, 0.0], requires_grad=True)
    points = torch.tensor([[0.75, 0.03, 0.02]], requires_grad=True)
    value = distance(iso.build_program(scene, {"it.translate": place}), points)
    to_points, to_place = torch.autograd.grad(value.sum(), (points, place))
    torch.testing.assert_close(to_place, -to_points[0])
    assert to_points[0, 0] > 0.8


def test_files_are_named_from_the_folder_of_the_scene(volume: str, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "scene.toml").write_text(scene_text("sampled", "../ball.npy"))
    scene = iso.load(inner / "scene.toml")
    assert iso.build_program(scene).has_samples
    iso.save(scene, tmp_path / "saved.toml")
    assert 'file = "ball.npy"' in (tmp_path / "saved.toml").read_text()
    assert Path(iso.load(tmp_path / "saved.toml").shapes["it"].file) == Path(volume)


def test_check_says_the_error(ring: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "scene.toml").write_text(scene_text("neural", "ring.safetensors", ", resolution = 16"))
    assert main(["check", str(tmp_path / "scene.toml")]) == 0
    said = capsys.readouterr().out
    assert "shapes.it: 16 x 16 x 16 voxels" in said
    assert "error 0.0" in said


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def save_plane(path: Path) -> None:
    MLP(2, 1, meaning="signed_distance").save(path)


def save_colour(path: Path) -> None:
    MLP(3, 3, meaning="colour").save(path)


def nothing_inside(path: Path) -> None:
    numpy.save(path, numpy.ones((5, 5, 5), numpy.float32))


def of_nan(path: Path) -> None:
    numpy.save(path, numpy.full((5, 5, 5), numpy.nan))


def with_one(value: float) -> Callable[[Path], None]:
    """Writes a volume with one node of another value, by which the ending says in which form."""

    def write(path: Path) -> None:
        values = numpy.linspace(-1.0, 1.0, 125).reshape(5, 5, 5)
        values[1, 2, 3] = value
        if path.suffix == ".npy":
            numpy.save(path, values)
        else:
            save_file({"values": torch.from_numpy(values)}, path)

    return write


@pytest.mark.parametrize(
    ("kind", "name", "change", "message"),
    [
        ("sampled", "missing.npy", None, '"missing.npy" is not there'),
        ("sampled", "folder.npy", Path.mkdir, '"folder.npy" is no file'),
        ("sampled", "ball.npy", truncated, "expected a whole .npy file of numbers"),
        ("sampled", "text.npy", lambda path: path.write_text("no volume"), "expected a whole .npy file"),
        ("sampled", "objects.npy", lambda path: numpy.save(path, numpy.array([{}])), "expected a whole .npy file"),
        (
            "sampled",
            "words.npy",
            lambda path: numpy.save(path, numpy.array([["a"]])),
            "expected numbers of shape (X, Y, Z), got <U1",
        ),
        (
            "sampled",
            "flat.npy",
            lambda path: numpy.save(path, numpy.ones((4, 4))),
            "expected numbers of shape (X, Y, Z)",
        ),
        ("sampled", "ones.npy", nothing_inside, "expected some below 0, inside the shape, got 1 to 1; where these are"),
        ("sampled", "nan.npy", of_nan, "expected finite numbers, got nan at"),
        ("sampled", "inf.npy", with_one(numpy.inf), "expected finite numbers, got inf at (1, 2, 3)"),
        ("sampled", "inf.safetensors", with_one(-numpy.inf), "expected finite numbers, got -inf at (1, 2, 3)"),
        ("sampled", "large.npy", with_one(1e300), "expected finite numbers, got inf at (1, 2, 3)"),
        ("sampled", "steep.npy", with_one(1e30), "expected a slope below 1e+15 between nodes"),
        ("sampled", "ball.ply", None, "expected the name of a file that ends in .npy or .safetensors"),
        ("sampled", "ring.safetensors", None, "no whole .safetensors file|expected one tensor"),
        ("neural", "ring.safetensors", truncated, "no whole .safetensors file"),
        ("neural", "plane.safetensors", save_plane, "expected a field in space, got one of 2 dimensions"),
        ("neural", "colour.safetensors", save_colour, "expected a field that means signed_distance or occupancy"),
        ("neural", "ball.npy", None, "expected the name of a file that ends in .safetensors"),
    ],
)
def test_a_wrong_file_is_a_mistake_with_shape_and_key(
    kind: str, name: str, change: Callable[[Path], object] | None, message: str,
    tmp_path: Path, volume: str, ring: str, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    if change is not None:
        change(tmp_path / name)
    (tmp_path / "scene.toml").write_text(scene_text(kind, name))
    assert main(["check", str(tmp_path / "scene.toml")]) == 1
    said = capsys.readouterr().err
    assert "shapes.it.file: " in said
    assert any(part in said for part in message.split("|")), said


def test_a_field_that_overflows_between_its_corners_is_refused_with_the_point() -> None:
    """Loading looks at corners and middle only; baking at all nodes."""

    class Pole(Field):
        kind = "pole"

        def evaluate(self, points: torch.Tensor) -> torch.Tensor:
            return (1.0 / (points[:, :1] - 0.5)).clone()

    values = field_baking._values_of(Pole(3, 1, meaning="signed_distance"))
    assert bool(values(torch.rand(9, 3)).isfinite().all())
    with pytest.raises(ValueError, match=r"values: expected finite numbers, got -?inf at \[0\.5, 0\.25, 0\.0\]"):
        values(torch.tensor([[0.1, 0.0, 0.0], [0.5, 0.25, 0.0]]))


def test_an_unbuildable_file_is_a_build_error(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"shapes\.\w+\.file: .*cannot be read: no such file"):
        iso.build_program(iso.Scene(iso.neural(str(tmp_path / "none.safetensors"))))


def ball(side: int = 25) -> torch.Tensor:
    """The distances of a ball of radius 0.6 at side³ nodes in BOUNDS."""
    axis = torch.linspace(-1.0, 1.0, side)
    return torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1).norm(dim=-1) - 0.6


@pytest.mark.parametrize(
    ("values", "keys"),
    [
        (ball() < 0.0, {}),
        ((ball() < 0.0).to(torch.uint8), {}),
        (200 * (ball() < 0.0).to(torch.int16), {}),
        (200 * (ball() >= 0.0).to(torch.int16), {"solid": "below"}),
        ((1000.0 - 1000.0 * ball()).to(torch.int32), {"level": 1000.0, "solid": "above"}),
        (1.0 - ball(), {"level": 1.0, "solid": "above"}),
        (3.0 * ball() + 0.6, {"level": 0.6}),
    ],
)
@pytest.mark.parametrize("ending", [".npy", ".safetensors"])
def test_what_is_inside_a_volume_depends_on_its_dtype_and_keys(
    values: torch.Tensor, keys: dict[str, Any], ending: str, tmp_path: Path
) -> None:
    path = str(tmp_path / f"volume{ending}")
    if ending == ".npy":
        numpy.save(path, values.numpy())
    else:
        save_file({"anything": values.contiguous()}, path)
    program = iso.build_program(iso.Scene(iso.sampled(path, **keys)))
    directions = torch.nn.functional.normalize(torch.randn(200, 3, generator=torch.Generator().manual_seed(0)), dim=1)
    points = torch.linspace(0.0, 0.95, 20)[:, None, None] * directions
    found, wanted = distance(program, points), points.norm(dim=-1) - 0.6
    sure = wanted.abs() > 0.09  # a voxel's side is 0.083
    assert torch.equal(found[sure] < 0.0, wanted[sure] < 0.0)
    assert (found.abs() <= wanted.abs() + 0.09).all()
    assert found[-1].mean() > 0.2  # distances, which rays can step along, and not the steps of an occupancy


@pytest.mark.parametrize(
    ("values", "keys", "message"),
    [
        (torch.arange(125).reshape(5, 5, 5), "", "got int64 with the values 0, 1, 2, …; give level, .* and solid, "),
        (torch.arange(125).reshape(5, 5, 5), ", level = 9.0", "give level, .* and solid, "),
        (torch.arange(125).reshape(5, 5, 5) % 2 - 1, "", "got int64 with the values -1, 0; give level, .* and solid, "),
        (
            torch.linspace(0.0, 1.0, 125).reshape(5, 5, 5),
            ", level = 0.5",
            "expected signed distances, got none below 0; give solid, ",
        ),
        (
            torch.linspace(0.0, 1.0, 125).reshape(5, 5, 5),
            ', level = 7.0, solid = "above"',
            "expected some above 7, inside the shape, got 0 to 1",
        ),
        (torch.zeros(5, 5, 5, dtype=torch.bool), "", "expected some above 0.5, inside the shape, got 0 to 0"),
    ],
)
def test_a_volume_that_does_not_say_what_is_inside_is_refused(
    values: torch.Tensor, keys: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    numpy.save(tmp_path / "volume.npy", values.numpy())
    (tmp_path / "scene.toml").write_text(scene_text("sampled", "volume.npy", keys))
    assert main(["check", str(tmp_path / "scene.toml")]) == 1
    said = capsys.readouterr().err
    assert re.search(f"shapes.it.file: values: .*{message}", said), said
    if not keys:
        picture = tmp_path / "picture.png"
        assert main(["render", str(tmp_path / "volume.npy"), "--output", str(picture)]) == 1
        assert re.search(message, capsys.readouterr().err)
        assert not picture.exists()


def test_a_volume_that_is_full_is_cut_off_at_its_bounds(tmp_path: Path) -> None:
    numpy.save(tmp_path / "full.npy", numpy.ones((4, 5, 6), bool))
    program = iso.build_program(iso.Scene(iso.sampled(str(tmp_path / "full.npy"))))
    values = distance(program, torch.tensor([[0.0, 0.0, 0.0], [0.9, 0.0, 0.0], [1.5, 0.0, 0.0]]))
    assert (values[:2] < 0.0).all()
    assert values[2] == pytest.approx(0.5, abs=1e-5)


def test_bounds_span_a_box(volume: str) -> None:
    with pytest.raises(ValueError, match="not lower on every axis"):
        iso.sampled(volume, ((0.0, 0.0, 0.0), (1.0, 0.0, 1.0)))


def corners_of_a_cube(half: float) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Vertices (8, 3) and outward triangles (12, 3) of a cube about the origin."""
    vertices = numpy.array([[x, y, z] for x in (-half, half) for y in (-half, half) for z in (-half, half)])
    quads = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
    return vertices, numpy.array([face for a, b, c, d in quads for face in ([a, b, c], [a, c, d])])


def write_obj(path: Path, vertices: numpy.ndarray, faces: numpy.ndarray) -> None:
    lines = [f"v {x} {y} {z}" for x, y, z in vertices] + [f"f {a + 1} {b + 1} {c + 1}" for a, b, c in faces]
    path.write_text("\n".join(lines) + "\n")


def test_a_mesh_is_the_solid_that_it_encloses(tmp_path: Path) -> None:
    write_obj(tmp_path / "cube.obj", *corners_of_a_cube(0.4))
    made = baked_mesh(MeshFile(file=str(tmp_path / "cube.obj"), resolution=64))
    points = 2.0 * torch.rand(5000, 3, generator=torch.Generator().manual_seed(0)) - 1.0
    wanted = distance(iso.build_program(iso.Scene(iso.box(0.8))), points)
    found = made.bricks.value(points)
    clear = wanted.abs() > made.bricks.voxel
    assert bool(((found < 0.0) == (wanted < 0.0))[clear].all())
    assert made.error < 0.6 * made.bricks.voxel  # at its edges; a corner is cut by 3 / 8 of a voxel along each axis
    face = (points.abs() < 0.3).sum(dim=1) == 2  # above the middle of a face
    near = face & (wanted.abs() < 4.0 * made.bricks.voxel)
    scaled = found * torch.where(found > 0.0, made.bricks.slopes[0], made.bricks.slopes[1])
    torch.testing.assert_close(scaled[near], wanted[near], atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", ["cube.obj", "missing.obj", "noise.stl"])
def test_a_wrong_mesh_is_a_mistake(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vertices, faces = corners_of_a_cube(0.4)
    write_obj(tmp_path / "cube.obj", vertices, faces[:0])
    (tmp_path / "noise.stl").write_bytes(b"solid nonsense")
    (tmp_path / "scene.toml").write_text(scene_text("mesh", name))
    assert main(["check", str(tmp_path / "scene.toml")]) == 1
    assert "shapes.it.file: " in capsys.readouterr().err


@pytest.mark.parametrize("sharpness", [5.0, 200.0])
def test_an_occupancy_becomes_a_distance(sharpness: float, tmp_path: Path) -> None:
    """However sharp it is, and although its own values are no distances."""
    ring = ShapeField(iso.Scene(torus(0.5, 0.2)), trainable=())
    occupancy_of(ring, sharpness).save(tmp_path / "ring.safetensors")
    bricks = baked_field(str(tmp_path / "ring.safetensors"), 64).bricks
    points = 1.4 * torch.rand(5000, 3, generator=torch.Generator().manual_seed(0)) - 0.7
    wanted = distance(ring.program(), points)
    found = bricks.value(points)
    near = wanted.abs() < 2.0 * bricks.voxel
    scaled = found * torch.where(found > 0.0, bricks.slopes[0], bricks.slopes[1])
    assert (scaled - wanted)[near].abs().max() < 0.25 * bricks.voxel
    assert bricks.slopes[0] < 1.5
