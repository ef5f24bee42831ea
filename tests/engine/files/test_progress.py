"""What long work shows on stderr."""

from __future__ import annotations

import re
import threading

import pytest

from isofield.engine.files import progress
from isofield.engine.files.progress import Lines, no_progress, progress_bars


@pytest.mark.parametrize("terminal", [False, True])
def test_the_work_that_runs_is_shown_on_a_terminal_as_a_bar(
    terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1" if terminal else "0")
    monkeypatch.setenv("COLUMNS", "100")
    with progress_bars() as start:
        start("digging", 3)(2)
        start("filling", 5)(4, "mud 3")
    out, err = capsys.readouterr()
    assert out == ""
    assert ("filling" in err, "4 of 5  mud 3" in err) == (terminal, terminal)
    assert bool(err) == terminal


def test_nobody_has_to_watch() -> None:
    no_progress("digging", 3)(3)


class Clock:
    """Seconds that a test lets pass."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_without_a_terminal_a_line_comes_every_30_seconds() -> None:
    said: list[str] = []
    clock = Clock()
    lines = Lines(said.append, clock)
    clock.now += 60.0
    lines.look()
    assert said == []  # nothing runs yet
    move = lines.start("fitting", 1000)
    lines.look()
    assert said.pop() == "fitting: 0 of 1000, after 0 s, no end in sight yet"
    for _ in range(232):  # 29 s
        clock.now += 0.125
        move(1, "loss 0.1")
    assert said == []
    clock.now += 1.0
    move(68, "loss 0.09")
    assert said == ["fitting: 300 of 1000, loss 0.09, after 30 s, about 70 s left"]
    clock.now += 29.0
    lines.look()
    assert len(said) == 1
    clock.now += 1.0
    lines.look()  # the work itself has nothing to say
    assert said[1:] == ["fitting: 300 of 1000, loss 0.09, after 60 s, about 3 min left"]
    clock.now += 10_000.0
    lines.look()
    lines.look()
    assert said[2:] == ["fitting: 300 of 1000, loss 0.09, after 2.8 h, about 6.5 h left"]


def test_what_was_done_before_does_not_count_for_the_time_that_is_left() -> None:
    said: list[str] = []
    clock = Clock()
    lines = Lines(said.append, clock)
    move = lines.start("fitting", 1000, 800)
    clock.now += 40.0
    move(100)
    assert said == ["fitting: 900 of 1000, after 40 s, about 40 s left"]


def test_a_share_is_shown_in_per_cent() -> None:
    said: list[str] = []
    clock = Clock()
    move = Lines(said.append, clock).start("meshing", 1.0)
    move(0.125)
    clock.now += 30.0
    move(0.125)
    assert said == ["meshing: 25 %, after 30 s, about 90 s left"]


def test_lines_come_while_one_part_takes_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "0")
    monkeypatch.setattr(progress, "LOOK", 0.001)
    monkeypatch.setattr(progress, "EVERY", 0.0)
    looked = threading.Event()
    look = Lines.look

    def looking(lines: Lines) -> None:
        look(lines)
        looked.set()

    with progress_bars() as start:
        start("rendering", 9)
        monkeypatch.setattr(Lines, "look", looking)
        assert looked.wait(60.0)
    err = capsys.readouterr().err
    assert re.match(r"rendering: 0 of 9, after \d s, no end in sight yet\n", err)
    assert "progress" not in {thread.name for thread in threading.enumerate()}
