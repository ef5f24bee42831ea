"""Learned surfaces: a frame by the network itself, and by its bricks beside frames of analytic scenes."""

from __future__ import annotations

import math
import statistics
from pathlib import Path
from typing import Any

import torch
from timing import Goal, Row, milliseconds, require, row

import isofield as iso
from isofield import scenes
from isofield.engine.fields import MLP
from isofield.engine.render import render_view, view_of
from isofield.engine.render.sources import scene_of_field
from isofield.engine.shapes.from_files import FromFile, Neural

SUBJECT = "neural"
LAYERS, WIDTH = 6, 128
RADIUS = 0.6


def rows(quick: bool) -> tuple[list[Row], dict[str, Any]]:
    """Milliseconds of a frame, one sample a pixel; the bake and the kernels are made before."""
    size, times = (64, 2) if quick else (512, 5)
    gallery = gallery_frames(size, times)
    table = []
    for activation in ("softplus", "relu"):
        scene = scene_of_field(rough_ball(activation), resolution=32 if quick else 128)
        direct, baked = view_of(scene, direct=True), view_of(scene)
        analytic = view_of(ball_like(scene), camera=baked.camera)
        carved = view_of(iso.load("carved_box"))

        def frame(view: Any, mode: Any = "shaded", linear: bool = False) -> torch.Tensor:
            return render_view(view, size, size, mode, 1, 0, linear)

        difference = (frame(direct) - frame(baked)).abs().mean().item()
        require(difference < 0.01, f"the network's picture and its bricks' differ by {difference:.3f} on average")
        asked = frame(direct, "steps", linear=True)[..., 0]
        met = int((asked > 0).sum())
        details = {"rays at the network": met, "evaluations a ray": float(asked.sum()) / met, "difference": difference}
        name = f"{size}², MLP {LAYERS} x {WIDTH}, {activation}"
        table.append(
            row(SUBJECT, f"{name}, direct", "ms", milliseconds(lambda view=direct: frame(view), times),
                goal=Goal("ours", "at most", 3000.0), details=details)
        )  # fmt: skip
        ours = milliseconds(lambda view=baked: frame(view), 3 * times)
        table.append(
            row(SUBJECT, f"{name}, baked", "ms", ours, peer=statistics.median(gallery.values()),
                peer_name=f"analytic scenes of the gallery, median of {len(gallery)}",
                goal=Goal("ratio", "at least", 1.0), details={"gallery": gallery})
        )  # fmt: skip
        for peer, view in (("a ball of its size, analytic", analytic), ("the carved box, analytic", carved)):
            table.append(
                row(SUBJECT, f"{name}, baked, beside {peer}", "ms", ours,
                    peer=statistics.median(milliseconds(lambda view=view: frame(view), 3 * times)), peer_name=peer)
            )  # fmt: skip
    return table, {}


def gallery_frames(size: int, times: int) -> dict[str, float]:
    """Milliseconds of a frame of each scene file of the gallery without a learned shape; scripts are larger."""
    found = {}
    for file in sorted(Path(scenes.__file__).parent.glob("*.toml")):
        scene = iso.load(file)
        if not any(isinstance(shape, FromFile) for shape in scene.shapes.values()):
            view = view_of(scene)
            found[file.stem] = statistics.median(
                milliseconds(lambda view=view: render_view(view, size, size, "shaded", 1, 0, False), times)
            )
    return found


def ball_like(scene: iso.Scene) -> iso.Scene:
    """The scene of a learned ball with an analytic one, as wide on average, on the same floor."""
    learned = next(shape for shape in scene.shapes.values() if isinstance(shape, Neural))
    bricks = learned.bake().bricks
    directions = torch.nn.functional.normalize(torch.randn(1000, 3, generator=torch.Generator().manual_seed(0)), dim=1)
    distances = torch.linspace(0.0, 1.0, 501)
    outside = bricks.value((distances[:, None, None] * directions).reshape(-1, 3)).reshape(len(distances), -1) > 0.0
    radius = distances[outside.int().argmax(dim=0)].square().mean().sqrt().item()
    ball = iso.sphere(radius).material(scene.materials["clay"])
    return iso.Scene(ball, stage=[scene.shapes["floor"]], materials=scene.materials)


def rough_ball(activation: str) -> MLP:
    """A network that is about |p| - RADIUS without being trained (M. Atzmon and Y. Lipman, "SAL", 2020, section 4)."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        field = MLP(
            3, 1, width=WIDTH, layers=LAYERS, activation=activation, meaning="signed_distance",
            bounds=((-1.0,) * 3, (1.0,) * 3),
        )  # fmt: skip
        linear = [layer for layer in field.network if isinstance(layer, torch.nn.Linear)]
        with torch.no_grad():
            for layer in linear[:-1]:
                layer.weight.normal_(0.0, math.sqrt(2.0 / layer.out_features))
                layer.bias.zero_()
            # Unit coordinates u = (p + 1) / 2.
            linear[0].bias -= linear[0].weight.sum(dim=1)
            linear[0].weight *= 2.0
            linear[-1].weight.normal_(math.sqrt(math.pi / WIDTH), 1e-5)
            linear[-1].bias.fill_(-RADIUS)
    return field
