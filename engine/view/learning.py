"""A window on a field while it is trained: what it is now, and how its loss has fallen."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch

from ..fields import Field
from ..fields.sampling import evaluated, sample_picture
from ..files import write_image
from ..fit.status import psnr_of
from ..render.overlay import iso_colours, line_spacing
from .capture import new_path
from .events import Act, Key, Set
from .panel import Button, Control, Item, Panel, Text
from .window import Window

SHARE = 0.06  # of the time that looking may take; steps that follow a look are slower, which comes on top
MOST_RATE = 20.0  # pictures a second
WAIT = 0.03  # seconds between two frames while the training pauses
SIDE = 224  # pixels of the longer side of what is evaluated
CURVE_HEIGHT, CURVE_COLOUR, CURVE_GROUND = 0.22, (0.95, 0.75, 0.2), (0.08, 0.08, 0.1)  # share of the height; sRGB


@dataclass
class Budget:
    """When a look may be taken, so that all looks but the first take SHARE of the time at most.

    Attributes:
        start: when the training began, seconds of a clock; later by what it paused.
        looks, spent: how many there were, and the seconds that they took.
        last, took: when the last one ended, and the seconds that it took.
    """

    start: float
    looks: int = 0
    spent: float = 0.0
    last: float = -math.inf
    took: float = 0.0

    def allows(self, now: float) -> bool:
        """Whether to look now; a look is expected to take as long as the last one."""
        if now - self.last < 1.0 / MOST_RATE:
            return False
        return self.looks == 0 or self.spent + self.took <= SHARE * (now - self.start)

    def looked(self, begin: float, end: float) -> None:
        """Count a look."""
        self.looks, self.last, self.took = self.looks + 1, end, end - begin
        self.spent += self.took


@dataclass(frozen=True)
class Cut:
    """Where a field of three dimensions is looked at: across an axis, at a share of its bounds."""

    axis: int = 1
    at: float = 0.5


class LearningWindow:
    """Shows a field between steps of its training, which it slows by SHARE at most; time that it pauses aside.

    Args:
        steps: that are to be made.
        folder: where snapshots are written.
        psnr: whether the loss is a mean squared error of which PSNR is shown.
        hidden: no window on a screen.

    Raises:
        RuntimeError: no Vulkan, or no display.
    """

    def __init__(
        self, steps: int, folder: Path, *, psnr: bool, width: int = 720, height: int = 480, hidden: bool = False
    ) -> None:
        self.window = Window("isofield: fit", width, height, hidden=hidden)
        self.steps, self.folder, self.psnr = steps, folder, psnr
        self.cut = Cut()
        self.paused = False
        self.going = True
        self.losses: list[tuple[int, float]] = []
        self.budget = Budget(time.perf_counter())
        self._picture = torch.zeros(8, 8, 3)
        self._closed = False

    def __call__(self, step: int, loss: float, field: Field) -> bool:
        """Look at a field after a step; returns whether to go on."""
        self.losses.append((step, loss))
        if self._closed:
            return self.going
        start = time.perf_counter()
        if self.budget.allows(start):
            self._frame(step, field)
            self.budget.looked(start, time.perf_counter())
        while self.paused and self.going and not self._closed:
            start = time.perf_counter()
            self._frame(step, field)
            time.sleep(WAIT)
            self.budget.start += time.perf_counter() - start
        return self.going

    def look(self, step: int, field: Field) -> numpy.ndarray:
        """What a hidden window shows of a field after a step, (height, width, 3) float32 in [0, 1]."""
        self._picture = field_picture(field, self.cut)
        self.window.draw(self._composed(), [self._panel(step, field.dimensions)])
        return self.window.read()

    def close(self) -> None:
        """Close the window."""
        if not self._closed:
            self._closed = True
            self.window.close()

    def _frame(self, step: int, field: Field) -> None:
        self._picture = field_picture(field, self.cut)
        panel = self._panel(step, field.dimensions)
        events = [*self.window.events(), *self.window.draw(self._composed(), [panel])]
        if self.window.hidden:
            self.window.read()
        else:
            self.window.show()
        for event in events:
            if event in (Act("pause"), Key(" ")):
                self.paused = not self.paused
            elif event in (Act("snapshot"), Key("p")):
                path = new_path(self.folder, f"step-{step}", ".png")
                write_image(path, self._picture)
                print(f"wrote {path}")
            elif event == Act("stop"):
                self.going = False
            elif isinstance(event, Set):
                self.cut = Cut(self.cut.axis, event.value) if event.name == "at" else Cut(event.value, self.cut.at)
            elif event in (Act("quit"), Key("Escape")):
                self.close()
                return

    def _panel(self, step: int, dimensions: int) -> Panel:
        loss = self.losses[-1][1]
        lines = [f"step {step} of {self.steps}", f"loss {loss:.4g}"]
        if self.psnr:
            lines.append(f"PSNR {psnr_of(loss):.2f} dB")
        if self.paused:
            lines.append("pauses")
        items: list[Item] = [
            Text("\n".join(lines)),
            Button("pause (space)", Act("pause")),
            Button("snapshot (P)", Act("snapshot")),
            Button("stop training, keep it", Act("stop")),
        ]
        if dimensions == 3:
            cut = self.cut
            items += [
                Control("tick", f"cut across {name}", cut.axis == axis, _across(axis))
                for axis, name in enumerate("xyz")
            ]
            items.append(Control("number", "at", cut.at, lambda value: Set("at", value)))
        return Panel("fit", (0.0, 0.0, 0.28, 1.0), tuple(items))

    def _composed(self) -> torch.Tensor:
        """The field right of the panel, as large as fits, the curve of the losses under it."""
        width, height = self.window.shape
        screen = torch.full((height, width, 3), 0.05)
        left, bottom = round(0.28 * width), round((1.0 - CURVE_HEIGHT) * height)
        shown = self._picture
        scale = min((width - left) / shown.shape[1], bottom / shown.shape[0])
        high, wide = max(1, int(shown.shape[0] * scale)), max(1, int(shown.shape[1] * scale))
        rows = torch.arange(high) * shown.shape[0] // high
        columns = torch.arange(wide) * shown.shape[1] // wide
        x, y = left + (width - left - wide) // 2, (bottom - high) // 2
        screen[y : y + high, x : x + wide] = shown[rows][:, columns]
        screen[bottom:, left:] = loss_curve([loss for _, loss in self.losses], width - left, height - bottom)
        return screen


def field_picture(field: Field, cut: Cut) -> torch.Tensor:
    """A picture (height, width, 3), sRGB in [0, 1], of a field, or of a cut through one of three dimensions.

    Signed distances are lines, other single values greys.
    """
    if field.dimensions == 2:
        low, high = field.bounds
        aspect = getattr(field, "aspect", (high[0] - low[0]) / (high[1] - low[1]))
        width, height = (SIDE, round(SIDE / aspect)) if aspect >= 1.0 else (round(SIDE * aspect), SIDE)
        return _colours(sample_picture(field, max(1, width), max(1, height)))
    low, high = field.bounds
    across, up = [axis for axis in range(3) if axis != cut.axis]
    size = [high[axis] - low[axis] for axis in (across, up)]
    wide, tall = (max(1, round(SIDE * extent / max(size))) for extent in size)
    points = torch.empty(tall, wide, 3)
    points[..., cut.axis] = low[cut.axis] + cut.at * (high[cut.axis] - low[cut.axis])
    points[..., across] = torch.linspace(low[across], high[across], wide)[None, :]
    points[..., up] = torch.linspace(high[up], low[up], tall)[:, None]  # up is upwards in the picture
    values = evaluated(field, points.reshape(-1, 3)).reshape(tall, wide, field.channels)
    if field.meaning != "signed_distance":
        return _colours(values)
    flat = values[..., 0].reshape(-1)
    box = ((low[0], low[1], low[2]), (high[0], high[1], high[2]))
    pixel = torch.full_like(flat, max(size) / SIDE)
    return iso_colours(flat, line_spacing(box), pixel).reshape(tall, wide, 3)


def loss_curve(losses: Sequence[float], width: int, height: int) -> torch.Tensor:
    """The logarithms of losses from the first to the last as a curve in a picture (height, width, 3)."""
    picture = torch.tensor(CURVE_GROUND).repeat(height, width, 1)
    good = torch.tensor([loss for loss in losses if 0.0 < loss < math.inf], dtype=torch.float64).log()
    if len(good) < 2:
        return picture
    places = torch.linspace(0, len(good) - 1, width, dtype=torch.float64)
    below = places.long().clamp(max=len(good) - 2)
    values = torch.lerp(good[below], good[below + 1], places - below)
    share = (values - values.min()) / (values.max() - values.min()).clamp(min=1e-9)
    rows = (0.05 + 0.9 * (1.0 - share)) * (height - 1)
    # From a column's value to the next one's, so that the curve has no gaps.
    start, stop = rows, torch.cat([rows[1:], rows[-1:]])
    places = torch.arange(height)[:, None]
    on = (places >= torch.minimum(start, stop) - 0.8) & (places <= torch.maximum(start, stop) + 0.8)
    return torch.where(on[..., None], torch.tensor(CURVE_COLOUR), picture)


def _colours(values: torch.Tensor) -> torch.Tensor:
    """Values (height, width, C) as colours: three channels as they are, one as greys."""
    return (values[..., :3] if values.shape[-1] >= 3 else values[..., :1].expand(-1, -1, 3)).clamp(0.0, 1.0)


def _across(axis: int) -> Callable[[bool], Set]:
    return lambda ticked: Set("axis", axis)
