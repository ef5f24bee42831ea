"""Make the pictures of docs/viewer.md: `python docs/make_viewer.py [NAME …]`, from the root of the repository.

Names are slider, cut, field, error and learning. The first three are the last frames of commands on the page.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from isofield.engine.cli import main
from isofield.engine.fields import ImageField
from isofield.engine.files.pictures import read_pixels
from isofield.engine.files.writing import write_image
from isofield.engine.fit import FitSettings, ImageSource, fit, make_field
from isofield.engine.view.learning import LearningWindow
from isofield.engine.view.viewer import Viewer

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "pictures"
FRAMES = 21  # the inputs, then 16 samples a pixel
SMALL = ("--sampled", "--width", "640", "--height", "360", "--samples", "2")


def from_inputs(scene: str, name: str, frames: int = FRAMES, *options: str) -> None:
    """The last frame of `isofield view SCENE OPTIONS --offscreen FRAMES FOLDER --inputs docs/inputs/NAME.json`."""
    with tempfile.TemporaryDirectory() as folder:
        inputs = ROOT / "docs" / "inputs" / f"{name}.json"
        if main(["view", scene, *options, "--offscreen", str(frames), folder, "--inputs", str(inputs)]) != 0:
            raise SystemExit(f"{name}: the viewer failed")
        shutil.copyfile(Path(folder) / f"frame-{frames - 1:04d}.png", PICTURES / f"viewer_{name}.png")


def error() -> None:
    """A scene file with a mistake, saved while it is looked at."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "toy.toml"
        os.chdir(folder)  # the message names the file as it was opened
        good = (ROOT / "scenes" / "toy.toml").read_text(encoding="utf-8")
        path.write_text(good, encoding="utf-8")
        viewer = Viewer(path.name, 960, 540, hidden=True)
        viewer.step([], 0.0)
        viewer.window.read()
        path.write_text(good.replace("radius = 0.3,", "radus = 0.3,"), encoding="utf-8")
        for _ in range(18):
            viewer.step([], 0.0)
            picture = viewer.window.read()
        write_image(PICTURES / "viewer_error.png", picture)
        viewer.close()
        os.chdir(ROOT)


def learning() -> None:
    """A hash grid after 400 steps on a photo."""
    image = ImageField(read_pixels(PICTURES / "forest.png"))
    field = make_field("hash_grid", 2, 3, meaning="colour", aspect=image.aspect)
    settings = FitSettings(steps=400)
    with tempfile.TemporaryDirectory() as folder:
        window = LearningWindow(settings.steps, Path(folder), psnr=True, hidden=True)
        fit(field, ImageSource(image), settings, psnr=True, watch=window)
        write_image(PICTURES / "viewer_learning.png", window.look(settings.steps, field))
        window.close()


MAKERS: dict[str, Callable[[], None]] = {
    "slider": lambda: from_inputs("toy", "slider"),
    "cut": lambda: from_inputs("carved_box", "cut"),
    "field": lambda: from_inputs("scenes/learned_duck.safetensors", "field", 3, *SMALL),
    "error": error,
    "learning": learning,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or MAKERS:
        MAKERS[name]()
