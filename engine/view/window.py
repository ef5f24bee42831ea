"""The window: Taichi's GGUI, kept thin. Reads the mouse and the keys, shows a picture, draws panels."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from taichi.ui.utils import get_field_info

from ...kernels import runtime
from ...kernels.film import screen_pixels
from ...kernels.runtime import ti
from .events import Act, Button as MouseButton, Click, Drag, Event, Key, Settle
from .panel import Button, Item, Panel, Text

MOUSE: dict[str, MouseButton] = {"LMB": "left", "MMB": "middle", "RMB": "right"}
STILL = 0.006  # of the window's height: what moves less between press and release is a click
TITLE, SCROLL = 20, 16  # pixels: the height of a panel's title, and the width of what scrolls it

NO_VULKAN = (
    "the viewer needs Vulkan, and there is none on this machine: install a driver with Vulkan (in software: the "
    "packages libvulkan1 and mesa-vulkan-drivers on Debian and Ubuntu), or use `isofield render`"
)
NO_DISPLAY = (
    "the viewer needs a display, and there is none: set DISPLAY, or use `isofield view --offscreen FRAMES FOLDER`"
)


@dataclass
class PanelPress:
    """The left button, held down since it was pressed on a panel, and whether something in the panel was used since."""

    panel: Panel
    x: float
    y: float
    used: bool = False

    def moves_panel(self, x: float, y: float, width: int, height: int) -> bool:
        """Whether the panel may be elsewhere, or folded, when the button is let go at (x, y)."""
        left, top, wide, _ = self.panel.place
        if (self.y - top) * height < TITLE:
            return True
        scrolls = (left + wide - self.x) * width < SCROLL
        far = max(abs(x - self.x) * width / height, abs(y - self.y)) >= STILL
        return far and not scrolls and not self.used


class Window:
    """A window of width × height pixels; one a process. A hidden one has no inputs, and is read instead of shown.

    Raises:
        RuntimeError: no Vulkan, or no display; says the remedy.
    """

    def __init__(self, title: str, width: int, height: int, *, hidden: bool = False) -> None:
        has_display = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
        if not hidden and sys.platform == "linux" and not has_display:
            raise RuntimeError(NO_DISPLAY)
        runtime.start()
        self.hidden = hidden
        # The window system writes imgui.ini into the current folder.
        self._folder = tempfile.TemporaryDirectory(prefix="isofield-view-")
        self._pixels: dict[tuple[int, int], torch.Tensor] = {}
        self._pressed: set[str] = set()  # buttons that went down outside the panels
        self._moved = 0.0
        self._cursor = (0.5, 0.5)
        self._panels: Sequence[Panel] = ()
        self._panel_press: PanelPress | None = None
        self._shown = True
        # The window system lets panels be moved and folded and does not tell, so they are made again in their places
        # when they come back, and after a drag of one.
        self._generation = 0
        self._size = (width, height)
        self.used = False  # whether anything happened to the mouse, the keys or the window before the last `events`
        self.touched = -math.inf  # seconds of the clock when a key or a button was last seen down
        try:
            with self._elsewhere():
                self._window: Any = ti.ui.Window(title, (width, height), vsync=False, show_window=not hidden)
        except RuntimeError as error:
            self._folder.cleanup()
            said = NO_VULKAN if "Vulkan" in str(error) else f"the window cannot be made ({error})"
            raise RuntimeError(said) from None
        self._canvas = self._window.get_canvas().canvas
        self._gui = self._window.get_gui()

    @property
    def running(self) -> bool:
        """Whether the user has not closed the window."""
        return self.hidden or bool(self._window.running)

    @property
    def shape(self) -> tuple[int, int]:
        """Width and height in pixels."""
        width, height = self._window.get_window_shape()
        return max(1, width), max(1, height)

    def events(self) -> list[Event]:
        """What the mouse and the keys did since the last call."""
        if self.hidden:
            return []
        before = (self._cursor, self._size, self._window.running)
        found = self._moves()
        self.used = before != (self._cursor, self._size, self._window.running)
        presses, releases = (self._window.get_events(kind) for kind in (ti.ui.PRESS, ti.ui.RELEASE))
        for event in presses:
            found += self._press(event.key)
        for event in releases:
            found += self._release(event.key)
        self.used |= bool(presses or releases)
        if presses or releases or self._pressed or self._panel_press is not None:
            self.touched = time.perf_counter()
        if not self._window.running:
            found.append(Act("quit"))
        return found

    def _moves(self) -> list[Event]:
        """Where the mouse went, and how large the window is now."""
        width, height = self._size = self.shape
        x, up = self._window.get_cursor_pos()
        across, down = (x - self._cursor[0]) * width / height, 1.0 - up - self._cursor[1]
        self._cursor = (x, 1.0 - up)
        if not (across or down):
            return []
        self._moved += abs(across) + abs(down)
        return [Drag(MOUSE[name], across, down) for name in self._pressed]

    def _press(self, key: str) -> list[Event]:
        if key not in MOUSE:
            return [Key(key)]
        held_by = next((panel for panel in self._panels if panel.holds(*self._cursor)), None)
        if held_by is None:
            self._pressed.add(key)
            self._moved = 0.0
        elif key == "LMB":
            self._panel_press = PanelPress(held_by, *self._cursor)
        return []

    def _release(self, key: str) -> list[Event]:
        if key not in MOUSE:
            return [Key(key, down=False)]
        is_click = key in self._pressed and self._moved < STILL
        self._pressed.discard(key)
        if key != "LMB":
            return []
        if self._panel_press is not None and self._panel_press.moves_panel(*self._cursor, *self._size):
            self._generation += 1
        self._panel_press = None
        return [Settle(), Click(*self._cursor)] if is_click else [Settle()]

    def draw(self, picture: torch.Tensor, panels: Sequence[Panel]) -> list[Event]:
        """Lay out a frame: a picture (height, width, 3), stretched, and panels over it; returns what was used of them.

        The frame ends with `show` or `read`.
        """
        self._set_image(picture)
        if bool(panels) and not self._shown:
            self._generation += 1
        self._shown, self._panels = bool(panels), panels
        found: list[Event] = []
        for panel in panels:
            self._gui.begin(f"{panel.title}##{self._generation}", *panel.place)
            for item in panel.items:
                found += self._draw(item)
            self._gui.end()
        if found and self._panel_press is not None:
            self._panel_press.used = True
        return found

    def show(self) -> None:
        """End the frame on the screen."""
        with self._elsewhere():
            self._window.show()

    def read(self) -> numpy.ndarray:
        """End the frame of a hidden window; returns it, (height, width, 3) float32 in [0, 1]."""
        with self._elsewhere():
            buffer = self._window.get_image_buffer_as_numpy()
        return numpy.ascontiguousarray(buffer[:, ::-1, :3].transpose(1, 0, 2))

    def close(self) -> None:
        """Close the window."""
        with self._elsewhere():
            self._window.destroy()
        self._folder.cleanup()

    @contextlib.contextmanager
    def _elsewhere(self) -> Iterator[None]:
        before = os.getcwd()
        os.chdir(self._folder.name)
        try:
            yield
        finally:
            os.chdir(before)

    def _set_image(self, picture: torch.Tensor) -> None:
        """Hand over the pixels as they lie in memory: fields and arrays would be copied and compiled for each size."""
        height, width, _ = picture.shape
        if (width, height) not in self._pixels:
            self._pixels = {(width, height): torch.empty(width, height, dtype=torch.int32, device=picture.device)}
        pixels = self._pixels[width, height]
        screen_pixels(picture, pixels)
        self._image = pixels.cpu().numpy().view(numpy.uint32)  # kept until the frame is drawn
        self._canvas.set_image(get_field_info(self._image))

    def _draw(self, item: Item) -> list[Event]:
        gui = self._gui
        if isinstance(item, Text):
            for line in item.text.splitlines():
                gui.text(line, item.colour)
            return []
        if isinstance(item, Button):
            return [item.event] if gui.button(item.label) else []
        before, changed = item.value, False
        if item.kind == "tick":
            after = gui.checkbox(item.label, before)
            changed = after != before
        elif item.kind == "integer":
            before = int(before)
            after = gui.slider_int(item.label, before, int(item.low), int(item.high))
            changed = after != before
        elif item.kind == "number":
            after = gui.slider_float(item.label, before, item.low, item.high)
            changed = _differ(after, before)
        else:
            channels = gui.color_edit_3(item.label, before)
            changed = any(_differ(a, b) for a, b in zip(channels, before, strict=True))
            after = tuple(min(max(channel, 0.0), 1.0) for channel in channels)
        return [item.event(after)] if changed else []


def _differ(shown: float, given: float) -> bool:
    """Whether a widget's number, which has single precision, is another than it was given."""
    return bool(numpy.float32(shown) != numpy.float32(given))
