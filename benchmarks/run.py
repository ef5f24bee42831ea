"""Run the benchmarks: `python benchmarks/run.py [--only SUBJECT] [--quick] [--photo FILE] [--model FILE] [--cloud FILE]
[--page]`, also `make bench`.

What is measured goes into benchmarks/results/<machine>-<date>.json, a subject's rows in place of its old ones, each
with its commit; `scaling` also draws the two plots of docs/performance.md. Exit status 0 also where goals are missed:
losses are results.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import inputs
import machine
import table
from plots import draw
from timing import pin_threads

SUBJECTS = (
    "interpreter", "tracing", "shading", "meshing", "mesh_distance", "interpolation", "scaling", "hashing", "fitting",
    "surfaces", "neural", "viewing", "startup",
)  # fmt: skip


def main() -> int:
    """Measure what was asked for; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=SUBJECTS, help="one subject")
    parser.add_argument("--quick", action="store_true", help="small inputs, to try the benchmarks out; writes nothing")
    parser.add_argument("--page", action="store_true", help="no measuring: newest result into docs/performance.md")
    parser.add_argument("--photo", action="append", help="a picture that fields are fitted to; may be repeated")
    parser.add_argument("--model", action="append", help="a mesh that fields are fitted to; may be repeated")
    parser.add_argument("--cloud", action="append", help="points that fields are fitted to; may be repeated")
    options = parser.parse_args()
    inputs.use_photos(options.photo)
    inputs.use_models(options.model, options.cloud)
    if options.page:
        print(table.write_page())
        return 0
    pin_threads()
    rows: list[dict[str, Any]] = []
    curves: dict[str, Any] = {}
    for subject in [options.only] if options.only else SUBJECTS:
        print(f"{subject} …", file=sys.stderr)
        found, curve = importlib.import_module(subject).rows(options.quick)
        rows += map(table.as_data, found)
        curves |= curve
    table.show(rows)
    if curves:
        print(json.dumps(curves))
    if not options.quick:
        print(write(rows, curves))
        if curves:
            print(*draw(curves), sep="\n")
    return 0


def write(rows: list[dict[str, Any]], curves: dict[str, Any]) -> Path:
    """Write what was measured, beside what this machine's last result has of other subjects; returns the file."""
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    path = table.RESULTS / f"{machine.slug()}-{date}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    versions = machine.versions()
    commit = versions.pop("commit")[:12]
    before = table.newest(machine.slug())
    measured = {row["subject"] for row in rows}
    kept = [row for row in before["rows"] if row["subject"] not in measured]
    merged = [*kept, *({**row, "commit": commit} for row in rows)]
    merged.sort(key=lambda row: SUBJECTS.index(row["subject"]))
    data = {
        "date": date, "machine": machine.describe(), "versions": versions, "seeds": machine.seeds(),
        "rows": merged, "curves": {**before["curves"], **curves},
    }  # fmt: skip
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    sys.exit(main())
