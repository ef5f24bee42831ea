"""Fields fitted to pictures and shapes: error, time and memory, against plain PyTorch with the same sizes and steps.

Every fit is a process of its own: `python fitting.py ours NAME PHOTO STEPS`, and `peer` for PyTorch's; a photo,
`torus`, `torus_near` or a scene is what the name is fitted to.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
from pathlib import Path
from typing import Any

import inputs
from timing import Ended, Goal, Row, on_first_core, own_process, pin_threads, row

SUBJECT = "fitting"
PEER = "plain PyTorch"
STEPS, BATCH = 2000, 512

# Goals: the error and the time, as parts of the peer's; None where there is none.
REPRESENTATIONS: dict[str, tuple[float, float | None]] = {
    "mlp": (1.0, 1.1),
    "encoded_mlp": (0.9, 1.1),
    "siren": (0.7, 1.1),
    "grid": (1.0, 1.1),
    "hybrid_grid": (0.9, None),
    "ground_plan": (0.6, 0.6),
}
HASH_STEPS, HASH_BATCH = 1000, 2**14
HASH_SIZES: dict[str, Any] = {"levels": 10, "base": 16, "finest": 400, "entries": 2**14, "layers": 2}
SHAPE = "carved_box"
SHAPE_STEPS, SHAPE_BATCH = 2000, 4096
SHAPE_LOSS = {"eikonal": 0.1, "normals": 0.5}
SHAPE_SIZES: dict[str, Any] = {
    "levels": 8, "base": 8, "finest": 128, "entries": 2**17, "activation": "softplus", "smoothstep": True,
}  # fmt: skip
LARGE = 10_000  # pixels on a side


def rows(quick: bool) -> tuple[list[Row], dict[str, Any]]:
    """Errors, seconds and MiB of the six representations, the hash grid, and a shape's distance."""
    steps = 200 if quick else STEPS
    table = []
    for photo in inputs.photos():
        for name in REPRESENTATIONS:
            if name != "ground_plan":
                table += _against_pytorch(name, str(photo), photo.stem, steps)
        table += _hash_grid(photo, 50 if quick else HASH_STEPS)
    table += _against_pytorch("ground_plan", "torus", "torus", steps)
    if not quick:
        near = Goal("ours", "at most", 5e-4)
        for target, drawn, goal in (
            ("torus", "uniform points", None), ("torus_near", "half of the points near the surface", near)
        ):  # fmt: skip
            long, _ = own_process("fitting.py", "ours", "ground_plan", target, 8192)
            table.append(
                row(SUBJECT, f"ground_plan, torus, 8192 steps, {drawn}: mean squared error", "", [long["error"]],
                    goal=goal, details=long)
            )  # fmt: skip
    table += _shape(50 if quick else SHAPE_STEPS)
    table += _memory(1000 if quick else LARGE)
    return table, {}


def _against_pytorch(name: str, target: str, title: str, steps: int) -> list[Row]:
    ours, ended = own_process("fitting.py", "ours", name, target, steps)
    peer, peer_ended = own_process("fitting.py", "peer", name, target, steps)
    error, time = REPRESENTATIONS[name]
    what = f"{name}, {title}, {steps} steps"
    return [
        row(SUBJECT, f"{what}: mean squared error", "", [ours["error"]], peer=peer["error"], peer_name=PEER,
            goal=Goal("ratio", "at least", 1.0 / error), details={"ours": ours, "peer": peer}),
        row(SUBJECT, what, "s", [ours["seconds"]], peer=peer["seconds"], peer_name=PEER,
            goal=None if time is None else Goal("ratio", "at least", 1.0 / time)),
        row(SUBJECT, f"{what}: memory", "MiB", [ended.memory], peer=peer_ended.memory, peer_name=PEER),
    ]  # fmt: skip


def _hash_grid(photo: Path, steps: int) -> list[Row]:
    ours, ended = own_process("fitting.py", "ours", "hash_grid", photo, steps)
    what = f"hash_grid of {ours['parameters']} parameters, {photo.stem}, {steps} steps"
    return [
        row(SUBJECT, f"{what}: PSNR", "dB", [-10.0 * math.log10(ours["error"])], goal=Goal("ours", "at least", 26.0),
            details=ours),
        row(SUBJECT, what, "s", [ours["seconds"]], goal=Goal("ours", "at most", 60.0)),
        row(SUBJECT, f"{what}: memory", "MiB", [ended.memory]),
    ]  # fmt: skip


def _shape(steps: int) -> list[Row]:
    ours, ended = own_process("fitting.py", "ours", "hash_grid", SHAPE, steps)
    what = f"hash_grid, distance to {SHAPE} with eikonal loss"
    return [
        row(SUBJECT, f"{what}: mean error of the normals", "°", [ours["normals"]], goal=Goal("ours", "at most", 3.0),
            details=ours),
        row(SUBJECT, f"{what}: mean of |‖∇f‖ - 1| near the surface", "", [ours["slope"]],
            goal=Goal("ours", "at most", 0.1)),
        row(SUBJECT, what, "s", [ours["seconds"]], goal=Goal("ours", "at most", 90.0)),
        row(SUBJECT, f"{what}: memory", "MiB", [ended.memory]),
    ]  # fmt: skip


def _memory(side: int) -> list[Row]:
    """Memory of a fit to a large photo, beside that of the photo alone."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.png"
        _write_large(path, side)
        read = own_process("fitting.py", "read", path)[1]
        fitted: Ended = own_process("fitting.py", "ours", "hash_grid", path, 20)[1]
    return [
        row(SUBJECT, f"memory: fit to a photo of {side}²", "MiB", [fitted.memory]),
        row(SUBJECT, f"memory: reading a photo of {side}²", "MiB", [read.memory]),
    ]


def _write_large(path: Path, side: int) -> None:
    import numpy as np
    from PIL import Image

    ramp = (np.arange(side) // 16 % 256).astype(np.uint8)
    Image.fromarray(ramp[:, None] ^ ramp[None, :]).save(path, compress_level=1)


def read_only(path: str) -> dict[str, Any]:
    """Read a photo, for the memory it takes."""
    from isofield.engine.files.pictures import read_pixels

    return {"pixels": [*read_pixels(path).shape]}


def fit_ours(name: str, target: str, steps: str) -> dict[str, Any]:
    """Fit a field to a photo, the torus or the shape; returns what it came to."""
    from peers import seed_protocol as peer

    from isofield.engine.fields import ImageField
    from isofield.engine.files.pictures import read_pixels
    from isofield.engine.fit import FitSettings, ImageSource, TorusSource, fit, make_field

    if target == SHAPE:
        return fit_shape(int(steps))
    device = inputs.device()
    sizes: dict[str, Any] = {}
    settings = FitSettings(steps=int(steps), batch=BATCH)
    if name == "hash_grid":
        sizes, settings = HASH_SIZES, FitSettings(steps=int(steps), batch=HASH_BATCH, rate=2e-2)
    if target in ("torus", "torus_near"):
        made = make_field(name, 3, 1, meaning="occupancy")
        source: Any = TorusSource() if target == "torus" else torus_near()
        truth: Any = peer.torus
    else:
        image = ImageField(read_pixels(target)).to(device)
        made = make_field(name, 2, 3, meaning="colour", **sizes)
        source, truth = ImageSource(image), image
    field = made.to(device)
    compiled = make_field(name, field.dimensions, field.channels, meaning=field.meaning, **sizes).to(device)
    fit(compiled, source, FitSettings(steps=peer.WARM_UP, batch=settings.batch))
    with on_first_core():
        result = fit(field, source, settings)
    error = peer.full_error(field, truth, field.dimensions, device)
    return {
        "error": error,
        "seconds": result.seconds,
        "parameters": field.parameter_count,
        "loss": result.log[-1]["loss"],
    }


def torus_near() -> Any:
    """The same torus as `isofield fit shape` draws it: half of the points near the surface."""
    import isofield as iso
    from isofield.engine.fields import ShapeField
    from isofield.engine.fit import ShapeSource

    scene = iso.Scene(show=iso.torus(0.25, 0.15).translate(0.5, 0.5, 0.5), bounds=((0.0,) * 3, (1.0,) * 3))
    return ShapeSource(ShapeField(scene, trainable=()), "occupancy")


def fit_peer(name: str, target: str, steps: str) -> dict[str, Any]:
    """The same with plain PyTorch."""
    import torch
    from peers import seed_protocol as peer

    from isofield.engine.files.pictures import read_image

    device = inputs.device()
    truth = peer.torus if target == "torus" else peer.picture(read_image(target).to(device))
    with on_first_core():
        model, seconds = peer.train(name, truth, int(steps), BATCH, device)
    dimensions = 3 if target == "torus" else 2
    return {
        "error": peer.full_error(model, truth, dimensions, device),
        "seconds": seconds,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "torch": torch.__version__,
    }


def fit_shape(steps: int) -> dict[str, Any]:
    """Fit a hash grid to the distance to a scene; returns the errors of its gradient on and near the surface."""
    import torch

    import isofield as iso
    from isofield.engine.fields import ShapeField
    from isofield.engine.fit import DistanceLoss, FitSettings, ShapeSource, fit, make_field
    from isofield.kernels import distance

    device = inputs.device()
    source = ShapeSource(ShapeField(iso.load(SHAPE), trainable=()), "signed_distance", near=0.9, gradients=True)
    loss = DistanceLoss(**SHAPE_LOSS)
    made = [
        make_field("hash_grid", 3, 1, meaning="signed_distance", bounds=source.bounds, **SHAPE_SIZES).to(device)
        for _ in range(2)
    ]
    settings = FitSettings(steps=steps, batch=SHAPE_BATCH)
    compiled, field = made
    fit(compiled, source, FitSettings(steps=2, batch=SHAPE_BATCH), loss=loss)
    with on_first_core():
        result = fit(field, source, settings, loss=loss)

    def slope_of(points: torch.Tensor) -> torch.Tensor:
        leaf = points.to(device).requires_grad_()
        (slope,) = torch.autograd.grad(field(leaf).sum(), leaf)
        return slope.cpu()

    surface = source.surface[: 2**14]
    exact = surface.double().requires_grad_()
    (normals,) = torch.autograd.grad(distance(source.program, exact).sum(), exact)
    cosine = torch.nn.functional.cosine_similarity(slope_of(surface).double(), normals, dim=1)
    generator = torch.Generator().manual_seed(inputs.SEED)
    near = surface + 0.01 * source.diagonal * torch.randn(surface.shape, generator=generator)
    return {
        "normals": float(torch.rad2deg(torch.acos(cosine.clamp(-1.0, 1.0))).mean()),
        "slope": float((slope_of(near).norm(dim=1) - 1.0).abs().mean()),
        "seconds": result.seconds,
        "parameters": field.parameter_count,
    }


if __name__ == "__main__":
    what, *words = sys.argv[1:]
    if what != "read":  # for the memory that a photo takes
        pin_threads()
    done = {"ours": fit_ours, "peer": fit_peer, "read": read_only}[what](*words)
    print(json.dumps(done))
