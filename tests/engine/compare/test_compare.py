"""`isofield compare`: the numbers, the pictures, and what is refused before anything is learned."""

from __future__ import annotations

import json
import math
import signal
from dataclasses import replace
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import torch

from isofield.engine.cli import main
from isofield.engine.compare.entries import ENTRIES, Entry
from isofield.engine.compare.learn import compare
from isofield.engine.compare.sheet import RAMP, Tile, error_map, error_scale, sheet
from isofield.engine.compare.targets import ImageTarget, TorusTarget
from isofield.engine.fields import MLP, Field, ImageField
from isofield.engine.fit import FitSettings

FILES = {"compare.json", "compare.png", "compare.gif", "losses.png", "slices.png"}
KEYS = {"name", "loss", "mse", "psnr", "parameters", "seconds", "steps"}
# Counted by hand from the sizes, such as 33² · 3 for the grid.
PARAMETERS = {
    "mlp": 17283,
    "encoded_mlp": 20099,
    "siren": 198915,
    "grid": 3267,
    "hybrid_grid": 152003,
    "ground_plan": 554305,
}
TINY = FitSettings(steps=5, batch=16)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a photo of 20 x 12 pixels."""
    monkeypatch.chdir(tmp_path)
    imageio.imwrite("photo.png", np.random.default_rng(0).integers(0, 256, (12, 20, 3)).astype(np.uint8))
    return tmp_path


@pytest.fixture
def target() -> ImageTarget:
    return ImageTarget(ImageField(torch.from_numpy(imageio.imread("photo.png"))))


def status(*arguments: str) -> int:
    """Exit status of `isofield compare` with these arguments."""
    try:
        return main(("compare", *arguments))
    except SystemExit as stop:
        return int(stop.code or 0)


def entries(*names: str) -> list[Entry]:
    return [entry for entry in ENTRIES if entry.name in names]


def test_all_fields_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--steps", "6", "--batch", "16", "--seed", "3", "--side", "40", "--output", "a/b")
    assert status("photo.png", *options) == 0
    assert "hybrid grid: PSNR" in capsys.readouterr().err
    assert {path.name for path in Path("a/b").iterdir()} == FILES
    table = json.loads(Path("a/b/compare.json").read_text())
    rows = {row["name"]: row for row in table["rows"]}
    assert table["settings"] == {"steps": 6, "batch": 16, "seed": 3, "schedule": "one-cycle"}
    assert list(rows) == [entry.name for entry in ENTRIES]
    for row in rows.values():
        assert set(row) == KEYS
        assert row["steps"] == 6
        assert row["seconds"] > 0.0
        assert 0.0 < row["loss"] < 1.0
        assert row["psnr"] == pytest.approx(-10.0 * math.log10(row["mse"]))
    assert {name: rows[name]["parameters"] for name in PARAMETERS} == PARAMETERS
    assert rows["hash_grid"]["parameters"] <= 200_000

    picture = imageio.imread("a/b/compare.png")
    assert (picture == 255).any()
    assert picture.std() > 10.0
    film = imageio.imread("a/b/compare.gif", index=...)
    assert len(film) >= 6  # equal frames are one
    assert not np.array_equal(film[0], film[-1])
    assert film.shape[1] < picture.shape[0]
    # Two rows under titles, the pictures 12 pixels high, and the torus 5 / 8 of 40.
    assert film.shape[1] == 12 + (21 + 12 + 12) + (21 + 25 + 12) + 21
    for name in ("losses.png", "slices.png"):
        assert imageio.imread(f"a/b/{name}")[..., :3].std() > 10.0


def test_the_error_is_that_by_hand() -> None:
    class Constant(MLP):
        def forward(self, points: torch.Tensor) -> torch.Tensor:
            return torch.full((len(points), 3), 0.25)

    # One white pixel of four: the centres of the four cells see 1, 3, 3 and 9 sixteenths of it.
    pixels = torch.zeros(2, 2, 3, dtype=torch.uint8)
    pixels[1, 1] = 255
    by_hand = (3.0**2 + 1.0 + 1.0 + 5.0**2) / 16.0**2 / 4.0
    assert ImageTarget(ImageField(pixels)).error(Constant(2, 3, width=1)) == pytest.approx(by_hand, rel=1e-6)


def test_a_picture_itself_has_no_error(target: ImageTarget) -> None:
    assert target.error(target.image) == 0.0


def test_bands_do_not_change_the_error(target: ImageTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    field = MLP(2, 3, width=8)
    whole = target.error(field)
    monkeypatch.setattr("isofield.engine.compare.targets.CHUNK", 50)  # 2 rows and a half
    assert target.error(field) == pytest.approx(whole, rel=1e-9)


def test_the_error_on_the_torus_is_its_volume_for_nothing_at_all() -> None:
    class Empty(Field):
        def evaluate(self, points: torch.Tensor) -> torch.Tensor:
            return torch.zeros(len(points), 1)

        def configuration(self) -> dict[str, object]:
            return {}

    # 2π² R r²; 96³ cells miss it by less than a part in a hundred.
    assert TorusTarget().error(Empty(3, 1)) == pytest.approx(2.0 * math.pi**2 * 0.25 * 0.15**2, rel=0.01)


def test_slices_of_the_torus() -> None:
    torus = TorusTarget()
    ring = torus.slice(None, 43, axis=2, at=0.5)
    assert ring.shape == (43, 43, 3)
    # Inside from 0.1 to 0.4 off the axis.
    assert ring[21, :, 0].tolist() == [float(0.1 < abs(k / 42 - 0.5) < 0.4) for k in range(43)]
    assert float(torus.slice(None, 9, axis=2, at=0.7).sum()) == 0.0
    discs = torus.slice(None, 41, axis=1, at=0.5)[..., 0]
    assert discs[20, 10] == discs[20, 30] == 1.0
    assert discs[20, 20] == discs[0, 10] == 0.0


def test_a_slice_shows_the_last_axis_upwards() -> None:
    class Height(Field):
        def evaluate(self, points: torch.Tensor) -> torch.Tensor:
            return points[:, 2:]

        def configuration(self) -> dict[str, object]:
            return {}

    assert TorusTarget().slice(Height(3, 1), 3, axis=1, at=0.5)[:, 0, 0].tolist() == [1.0, 0.5, 0.0]


def test_one_seed_gives_the_same_numbers(target: ImageTarget) -> None:
    def numbers(settings: FitSettings, name: str) -> list[float]:
        (one,), interrupted = compare(target, settings, side=16, entries=entries(name))
        assert not interrupted
        return [one.row.loss, one.row.mse, *(entry["loss"] for entry in one.log)]

    for name in ("mlp", "siren"):
        assert numbers(TINY, name) == numbers(TINY, name)
        assert numbers(TINY, name) != numbers(replace(TINY, seed=1), name)
    assert numbers(TINY, "hash_grid") == pytest.approx(numbers(TINY, "hash_grid"), rel=1e-4)  # scattered sums


def test_snapshots_begin_before_and_end_after_learning(target: ImageTarget) -> None:
    (one,), _ = compare(target, replace(TINY, steps=90), side=10, entries=entries("grid"))
    assert [step for step, _ in one.snapshots][:2] == [0, 4]
    assert one.snapshots[-1][0] == 90
    assert {pixels.shape for _, pixels in one.snapshots} == {(6, 10, 3)}
    assert len(one.log) == 90
    assert np.ptp(one.snapshots[0][1]) == 0  # a grid begins grey


def test_ctrl_c_keeps_what_was_reached(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from isofield.engine.compare import learn

    made, calls = learn.make_field, 0

    def interrupting(*arguments: object, **more: object) -> Field:
        nonlocal calls
        calls += 1
        field = made(*arguments, **more)  # type: ignore[arg-type]
        if calls == 4:  # of the second field the one that is not thrown away
            field.register_forward_hook(lambda *_: field.stop())  # type: ignore[operator]
            seen = iter(range(10**6))
            field.stop = lambda: signal.raise_signal(signal.SIGINT) if next(seen) == 4 else None  # type: ignore
        return field

    monkeypatch.setattr(learn, "make_field", interrupting)
    assert status("photo.png", "--steps", "9", "--batch", "16", "--side", "16", "--output", "run") == 130
    assert "run: stopped; it holds the 2 that were reached" in capsys.readouterr().err
    rows = json.loads(Path("run/compare.json").read_text())["rows"]
    assert [row["name"] for row in rows] == ["mlp", "encoded_mlp"]
    assert rows[0]["steps"] == 9
    assert rows[1]["steps"] < 9
    assert {path.name for path in Path("run").iterdir()} == FILES - {"slices.png"}

    calls, before = 0, Path("run/compare.json").read_bytes()  # and now there is a comparison
    assert status("photo.png", "--steps", "9", "--batch", "16", "--side", "16", "--output", "run") == 130
    assert "run: stopped after 2, which are not written: it holds an earlier comparison" in capsys.readouterr().err
    assert Path("run/compare.json").read_bytes() == before


def test_error_maps_rise_from_black_to_pale() -> None:
    wanted = np.zeros((1, 4, 3), np.float32)
    found = np.array([[[0, 0, 0], [0.125, 0.125, 0.125], [0.75, 0, 0], [np.nan, 0, 0]]], np.float32)
    colours = error_map(found, wanted)
    assert colours.shape == (1, 4, 3)
    assert colours.dtype == np.uint8
    # The mean of the channels: 0, half the scale, its end, and what is no number.
    assert colours[0].tolist() == [RAMP[0].tolist(), RAMP[2].tolist(), RAMP[-1].tolist(), RAMP[-1].tolist()]
    assert (np.diff(RAMP.sum(axis=1)) > 0).all()
    assert error_scale(50)[0, [0, -1]].tolist() == [RAMP[0].tolist(), RAMP[-1].tolist()]


def test_a_sheet_holds_its_pictures_as_they_are() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (30, 50, 3)).astype(np.uint8)
    paper = sheet(
        [[Tile(pixels, "a very long title above a small picture", "1 dB"), Tile(255 - pixels)], [Tile(pixels)]]
    )
    places = [
        (top, left)
        for top in range(paper.shape[0] - 29)
        for left in range(paper.shape[1] - 49)
        if np.array_equal(paper[top : top + 30, left : left + 50], pixels)
    ]
    assert len(places) == 2
    assert places[0][1] == places[1][1]  # one column
    with pytest.raises(ValueError, match="rows: expected at least one tile, got none"):
        sheet([[]])


def test_a_narrow_picture_is_compared() -> None:
    imageio.imwrite("narrow.png", np.random.default_rng(0).integers(0, 256, (300, 2, 3)).astype(np.uint8))
    target = ImageTarget(ImageField(torch.from_numpy(imageio.imread("narrow.png"))))
    assert target.size(64) == (1, 64)
    assert target.shown(None, 64).shape == (64, 1, 3)


def test_the_shipped_picture_is_there() -> None:
    import importlib.resources

    from isofield.engine.cli.compare import SHIPPED
    from isofield.engine.files.pictures import read_pixels

    path = importlib.resources.files("isofield.scenes") / SHIPPED
    assert read_pixels(Path(str(path))).shape == (512, 512, 3)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("none.png",), 1, "none.png: cannot be read: no such file or directory"),
        (("half.png",), 1, "half.png: damaged or truncated"),
        (("dot.png",), 2, "PHOTO: expected at least 2 x 2 pixels, dot.png has 1 x 1"),
        (("photo.png", "--steps", "0"), 2, "--steps: expected a whole number from 1 to 1000000000, got 0"),
        (("photo.png", "--batch", "0"), 2, "--batch: expected a whole number from 1"),
        (("photo.png", "--seed", "-1"), 2, "--seed: expected a whole number from 0"),
        (("photo.png", "--side", "5"), 2, "--side: expected a number from 16 to 1024, got 5"),
        (("photo.png", "--output", "photo.png"), 1, "photo.png"),
        (("photo.png", "--output", "photo.png/run"), 1, "photo.png"),
        (("photo.png", "--batch", "2000000000"), 1, "batch: 2000000000 points need about"),
    ],
)
def test_what_cannot_be_compared_is_told(
    arguments: tuple[str, ...], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("half.png").write_bytes(Path("photo.png").read_bytes()[:300])
    imageio.imwrite("dot.png", np.zeros((1, 1, 3), np.uint8))
    assert status(*arguments) == code
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error


def test_without_matplotlib_the_remedy_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert status("photo.png") == 1
    assert "pip install 'isofield[plots]'" in capsys.readouterr().err
    assert not Path("out").exists()
