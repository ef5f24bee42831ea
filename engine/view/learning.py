"""A window on a field while it is trained: what it is now, and how its loss has fallen."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch

from ..fields import Field
from ..files import interrupts_noted, write_image
from ..fit import psnr_of
from .capture import new_path
from .events import Act, Event, Key, Set
from .learning_pictures import Cut, field_picture, screen_of
from .panel import Button, Control, Item, Panel, Text
from .window import Window

# Shares of the time: of pictures of the field, and of frames with the last one, which hear what the user does. Steps
# that follow a frame are slower, which comes on top.
PICTURE_SHARE, INPUT_SHARE = 0.035, 0.025
MOST_RATE = 20.0  # frames a second
WAIT = 0.03  # seconds between two frames while the training waits
TOUCH = 0.25  # seconds that it waits for after a key or a button: the window system needs some frames to answer
PANEL = 0.28  # of the width


@dataclass
class Budget:
    """When something may be done between steps, so that all times but the first take a share of the time at most.

    Attributes:
        share: of the time.
        start: when the training began, seconds of a clock; later by what it paused.
        count, spent: how often it was done, and the seconds that took.
        last, took: when it was done last, and the seconds that took.
    """

    share: float
    start: float
    count: int = 0
    spent: float = 0.0
    last: float = -math.inf
    took: float = 0.0

    def allows(self, now: float) -> bool:
        """Whether it may be done now; it is expected to take as long as the last time."""
        if now - self.last < 1.0 / MOST_RATE:
            return False
        return self.count == 0 or self.spent + self.took <= self.share * (now - self.start)

    def done(self, begin: float, end: float) -> None:
        """Count it once more."""
        self.count, self.last, self.took = self.count + 1, end, end - begin
        self.spent += self.took


class LearningWindow:
    """Shows a field between steps of its training, which it slows by PICTURE_SHARE + INPUT_SHARE at most.

    Not counted is the time in which it waits for the user, who holds a key or a button down, or has told it to pause.

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
        now = time.perf_counter()
        self.picture_budget, self.input_budget = Budget(PICTURE_SHARE, now), Budget(INPUT_SHARE, now)
        self._screen = torch.empty(0)
        self._shown = self.cut
        self._closed = False

    def __call__(self, step: int, loss: float, field: Field) -> bool:
        """Look at a field after a step; returns whether to go on."""
        self.losses.append((step, loss))
        if self._closed:
            return self.going
        start = time.perf_counter()
        looks = self.picture_budget.allows(start)
        budget = self.picture_budget if looks else self.input_budget
        if looks or self.input_budget.allows(start):
            self._frame(step, field, looks)
            budget.done(start, time.perf_counter())
        if self._waits:
            self._wait(step, field)
        return self.going

    def look(self, step: int, field: Field) -> numpy.ndarray:
        """What a hidden window shows of a field after a step, (height, width, 3) float32 in [0, 1]."""
        self._draw(step, field, True)
        return self.window.read()

    def close(self) -> None:
        """Close the window."""
        if not self._closed:
            self._closed = True
            self.window.close()

    @property
    def _waits(self) -> bool:
        touched = time.perf_counter() - self.window.touched < TOUCH
        return (self.paused or touched) and self.going and not self._closed

    def _wait(self, step: int, field: Field) -> None:
        """Show frames until the user lets the training go on; Ctrl-C ends it."""
        start = time.perf_counter()
        with interrupts_noted() as interrupted:
            while self._waits and not interrupted:
                self._frame(step, field, False)
                time.sleep(WAIT)
        self.going = self.going and not interrupted
        for budget in (self.picture_budget, self.input_budget):
            budget.start += time.perf_counter() - start

    def _frame(self, step: int, field: Field, looks: bool) -> None:
        """One frame, with a new picture of the field or the last one."""
        events = [*self.window.events(), *self._draw(step, field, looks or self._shown != self.cut)]
        if self.window.hidden:
            self.window.read()
        else:
            self.window.show()
        for event in events:
            self._take(event, step, field)

    def _draw(self, step: int, field: Field, looks: bool) -> list[Event]:
        if looks:
            width, height = self.window.shape
            losses = [loss for _, loss in self.losses]
            self._screen = screen_of(field_picture(field, self.cut), losses, width, height, round(PANEL * width))
            self._shown = self.cut
        return self.window.draw(self._screen, [self._panel(step, field.dimensions)])

    def _take(self, event: Event, step: int, field: Field) -> None:
        if event in (Act("pause"), Key(" ")):
            self.paused = not self.paused
        elif event in (Act("snapshot"), Key("p")):
            path = new_path(self.folder, f"step-{step}", ".png")
            write_image(path, field_picture(field, self.cut))
            print(f"wrote {path}")
        elif event == Act("stop"):
            self.going = False
        elif isinstance(event, Set):
            self.cut = Cut(self.cut.axis, event.value) if event.name == "at" else Cut(event.value, self.cut.at)
        elif event in (Act("quit"), Key("Escape")):
            self.close()

    def _panel(self, step: int, dimensions: int) -> Panel:
        loss = self.losses[-1][1]
        lines = [f"step {step} of {self.steps}", f"loss {loss:.4g}"]
        if self.psnr:
            lines.append(f"PSNR {psnr_of(loss):.2f} dB")
        items: list[Item] = [
            Text("\n".join(lines)),
            Button("go on (space)" if self.paused else "pause (space)", Act("pause")),
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
        return Panel("fit", (0.0, 0.0, PANEL, 1.0), tuple(items))


def _across(axis: int) -> Callable[[bool], Set]:
    return lambda ticked: Set("axis", axis)
