"""Make the pictures of docs/gallery.md by the commands that stand there: `python docs/make_gallery.py [NAME …]`.

Without names all are made; a name is that of a picture's file, such as toy.png.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from isofield.engine.cli import main

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "gallery.md"


def commands() -> dict[str, list[str]]:
    """The arguments of every `isofield` command on the page, by the name of the file it writes."""
    found = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("isofield "):
            arguments = shlex.split(line)[1:]
            found[Path(arguments[arguments.index("--output") + 1]).name] = arguments
    return found


def make(names: list[str]) -> int:
    """Run the commands of those names, or all; the exit status is 0 if none failed."""
    known = commands()
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"{', '.join(unknown)}: expected names of pictures, {', '.join(known)}", file=sys.stderr)
        return 2
    (PAGE.parent / "pictures").mkdir(exist_ok=True)
    return max(main(known[name]) for name in (names or known))


if __name__ == "__main__":
    os.chdir(ROOT)  # the commands name files from there
    sys.exit(make(sys.argv[1:]))
