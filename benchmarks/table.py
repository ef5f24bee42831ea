"""The table of results: on the terminal, as JSON, and as a page."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from timing import FOLDER, Row

RESULTS = FOLDER / "results"
PAGE = FOLDER.parent / "docs" / "performance.md"
BEGIN, END = "<!-- results: python benchmarks/run.py --page -->", "<!-- end of results -->"
HEADINGS = ("subject", "what", "ours", "lowest … highest", "peer", "× less than the peer", "goal", "met", "commit")
VERDICTS = {True: "yes", False: "no", None: ""}


def as_data(row: Row) -> dict[str, Any]:
    """A row for JSON, with what follows from it."""
    return {**asdict(row), "ratio": row.ratio, "met": row.met}


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    """A row of the JSON as text, one for each heading."""
    unit, goal = row["unit"], row["goal"]
    low, high = row["spread"]
    peer = "" if row["peer"] is None else f"{number(row['peer'])} {unit} ({row['peer_name']})"
    ratio = "" if row["ratio"] is None else number(row["ratio"])
    wanted = ""
    if goal:
        wanted = f"{goal['relation']} {number(goal['limit'])} {unit if goal['of'] == 'ours' else '×'}"
    return (
        row["subject"], row["name"], f"{number(row['ours'])} {unit}", f"{number(low)} … {number(high)}", peer, ratio,
        wanted, VERDICTS[row["met"]], row.get("commit", "")[:7],
    )  # fmt: skip


def number(value: float) -> str:
    """Three digits that count."""
    if value == 0.0 or 1e-3 <= abs(value) < 1e3:
        return f"{value:.3g}"
    return f"{value:.0f}" if abs(value) >= 1e3 else f"{value:.1e}"


def show(rows: list[dict[str, Any]]) -> None:
    """The table on the terminal, what misses its goal in red."""
    table = Table(*HEADINGS)
    for row in rows:
        table.add_row(*cells(row), style="red" if row["met"] is False else "")
    console = Console()
    console = console if console.is_terminal else Console(width=200)
    console.print(table)


def newest(machine: str = "") -> dict[str, Any]:
    """The newest result, of machines whose name begins so; without rows if there is none."""
    results = {path: json.loads(path.read_text(encoding="utf-8")) for path in RESULTS.glob(f"{machine}*.json")}
    if not results:
        return {"rows": [], "curves": {}}
    path = max(results, key=lambda each: results[each]["date"])
    return {**results[path], "file": path.name}


def write_page() -> Path:
    """Put the newest result's table into docs/performance.md, between its two marks."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        raise ValueError(f"{PAGE}: expected the lines {BEGIN!r} and {END!r}")
    PAGE.write_text(f"{before}{BEGIN}\n{markdown(newest())}{END}{after}", encoding="utf-8")
    return PAGE


def markdown(data: dict[str, Any]) -> str:
    """A result as a heading, a table and what it was measured with."""
    machine, versions = data["machine"], data["versions"]
    rows = [cells(row) for row in data["rows"]]
    missed = [row["name"] for row in data["rows"] if row["met"] is False]
    lines = [
        f"Measured on {data['date']}, "
        + ", ".join(f"{name}: {value}" for name, value in machine.items())
        + "; "
        + ", ".join(f"{name} {value}" for name, value in versions.items())
        + f". All numbers: `benchmarks/results/{data['file']}`.",
        "",
        f"Goals missed: {'; '.join(missed)}." if missed else "All goals are met.",
        "",
        "| " + " | ".join(HEADINGS) + " |",
        "|" + "---|" * len(HEADINGS),
        *("| " + " | ".join(f"**{cell}**" if cell == "no" else cell for cell in row) + " |" for row in rows),
    ]
    return "\n".join(lines) + "\n"
