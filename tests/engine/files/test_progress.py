"""What long work shows on stderr."""

from __future__ import annotations

import pytest

from isofield.engine.files.progress import no_progress, progress_bars


@pytest.mark.parametrize("terminal", [False, True])
def test_the_work_that_runs_is_shown_on_a_terminal_alone(
    terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1" if terminal else "0")
    monkeypatch.setenv("COLUMNS", "100")
    with progress_bars() as watch:
        watch("digging", 3)(2)
        watch("filling", 5)(4)
    out, err = capsys.readouterr()
    assert out == ""
    assert ("filling" in err, "4/5" in err) == (terminal, terminal)
    assert bool(err) == terminal


def test_nobody_has_to_watch() -> None:
    no_progress("digging", 3)(3)
