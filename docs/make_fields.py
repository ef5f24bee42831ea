"""Make the pictures of docs/1-fields.md: `python docs/make_fields.py [NAME …]`, from the root of the repository.

Names are meanings, encodings, slopes, and comparison, which makes those of out/compare small enough for a page.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
import torch

import isofield as iso
from isofield.engine.fields import MLP, Field, Grid, ImageField, Siren, sample_picture
from isofield.engine.files.pictures import read_pixels
from isofield.engine.files.plots import new_figure, write_figure
from isofield.engine.fit import Batch, FitSettings, fit
from isofield.kernels import distance

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "pictures"
COMPARED = ROOT / "out" / "compare"
SIDE = 400


class Points:
    """Batches of a function of points that are uniform in [0, 1]^D."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor], dimensions: int) -> None:
        self.function, self.dimensions = function, dimensions

    def __call__(self, count: int, generator: torch.Generator) -> Batch:
        points = torch.rand(count, self.dimensions, generator=generator)
        return Batch(points, self.function(points))

    def describe(self) -> Mapping[str, Any]:
        return {}


def meanings() -> None:
    """The same shape as occupancy and as signed distance, and a picture as colours."""
    low, high = -1.1, 1.1
    axis = torch.linspace(low, high, SIDE)
    z, x = torch.meshgrid(axis, axis, indexing="ij")
    points = torch.stack([x, torch.full_like(x, 0.6), z], dim=-1).reshape(-1, 3)
    hole = iso.cylinder(0.5)
    shape = (iso.sphere(1) & iso.box(1.5)) - hole - hole.rotate(90, (1, 0, 0)) - hole.rotate(90, (0, 1, 0))
    values = distance(iso.build_program(iso.Scene(show=shape)), points).reshape(SIDE, SIDE).numpy()
    figure, (left, middle, right) = new_figure(10.0, 3.4, 1, 3)
    extent = (low, high, low, high)
    left.imshow(values < 0.0, cmap="gray", origin="lower", extent=extent)
    left.set_title("occupancy: 1 inside, 0 outside")
    shown = middle.imshow(values, cmap="RdBu", origin="lower", extent=extent, vmin=-0.6, vmax=0.6)
    middle.contour(values, levels=np.arange(-0.6, 0.61, 0.1), colors="black", linewidths=0.4, extent=extent)
    middle.contour(values, levels=[0.0], colors="black", linewidths=1.6, extent=extent)
    middle.set_title("signed distance")
    figure.colorbar(shown, ax=middle, shrink=0.85)
    forest = ImageField(read_pixels(ROOT / "scenes" / "forest.png"))
    right.imshow(sample_picture(forest, 256, 256))
    right.set_title("colour")
    for axes in (left, middle, right):
        axes.set_xticks([])
        axes.set_yticks([])
    write_figure(PICTURES / "fields_meanings.png", figure)


def encodings() -> None:
    """One row of the picture, learned by networks with more and more octaves, and by sines."""
    row = ImageField(read_pixels(ROOT / "scenes" / "forest.png")[200:201, :, 1:2].contiguous())

    def brightness(points: torch.Tensor) -> torch.Tensor:
        return row(torch.cat([points, torch.full_like(points, 0.5)], dim=1))

    learners: list[tuple[str, Field]] = []
    for octaves in (0, 3, 6):
        torch.manual_seed(0)
        learners.append((f"{octaves} octaves" if octaves else "no encoding", MLP(1, 1, octaves=octaves)))
    torch.manual_seed(0)
    learners.append(("SIREN, ω₀ = 30", Siren(1, 1)))
    x = torch.linspace(0.0, 1.0, 1024)[:, None]
    figure, places = new_figure(10.0, 5.0, 2, 2, sharex=True, sharey=True)
    for axes, (name, field) in zip(places.flat, learners, strict=True):
        fit(field, Points(brightness, 1), FitSettings(steps=1500, batch=256))
        found = field(x).detach()
        error = float((found - brightness(x)).square().mean())
        axes.plot(x, brightness(x), color="0.75", linewidth=2.5, label="row of the picture")
        axes.plot(x, found, color="tab:red", linewidth=1.0, label="learned")
        axes.set_title(f"{name}: mean squared error {error:.1e}", fontsize=10)
        axes.set_ylim(0.0, 1.05)
    figure.legend(*places[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    write_figure(PICTURES / "fields_encodings.png", figure)


def slopes() -> None:
    """The distance to a circle, learned four ways: its first and second derivative along a line."""

    def circle(points: torch.Tensor) -> torch.Tensor:
        return (points - 0.5).norm(dim=1, keepdim=True) - 0.3

    x = torch.linspace(0.05, 0.45, 400)
    line = torch.stack([x, torch.full_like(x, 0.5)], dim=1)
    makers: dict[str, Callable[[], Field]] = {
        "MLP, ReLU": lambda: MLP(2, 1, width=64),
        "MLP, softplus": lambda: MLP(2, 1, width=64, activation="softplus"),
        "grid of 17²": lambda: Grid(2, 1, nodes=17),
        "SIREN, ω₀ = 10": lambda: Siren(2, 1, width=64, layers=2, omega=10.0),
    }
    figure, places = new_figure(10.0, 5.0, 2, 4, sharex=True, sharey="row")
    for column, (name, make) in zip(places.T, makers.items(), strict=True):
        torch.manual_seed(0)
        field = make()
        fit(field, Points(circle, 2), FitSettings(steps=1500, batch=512))
        for axes, values, truth in zip(column, derivatives(field, line), (-1.0, 0.0), strict=True):
            axes.axhline(truth, color="0.75", linewidth=2.5)
            axes.plot(x, values, color="tab:red", linewidth=1.0)
        column[0].set_title(name, fontsize=10)
        column[1].set_xlabel("x")
    places[0, 0].set(ylabel="∂f/∂x", ylim=(-1.2, -0.8))
    places[1, 0].set(ylabel="∂²f/∂x²", ylim=(-6.0, 10.0))
    write_figure(PICTURES / "fields_slopes.png", figure)


def derivatives(field: Field, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """∂f/∂x and ∂²f/∂x² (N,) at points (N, 2)."""
    leaf = points.clone().requires_grad_()
    (first,) = torch.autograd.grad(field(leaf).sum(), leaf, create_graph=True)
    if not first.requires_grad:
        return first[:, 0], torch.zeros(len(points))
    (second,) = torch.autograd.grad(first[:, 0].sum(), leaf, allow_unused=True)
    return first[:, 0].detach(), torch.zeros(len(points)) if second is None else second[:, 0]


def comparison() -> None:
    """The comparison's pictures, the large one as a JPEG."""
    imageio.imwrite(PICTURES / "compare.jpg", imageio.imread(COMPARED / "compare.png"), quality=88)
    for name in ("losses.png", "slices.png"):
        shutil.copyfile(COMPARED / name, PICTURES / f"compare_{name}")


FIGURES = {make.__name__: make for make in (meanings, encodings, slopes, comparison)}

if __name__ == "__main__":
    names = sys.argv[1:] or [*FIGURES]
    if unknown := [name for name in names if name not in FIGURES]:
        sys.exit(f"{', '.join(unknown)}: expected names of pictures, {', '.join(FIGURES)}")
    for name in names:
        FIGURES[name]()
