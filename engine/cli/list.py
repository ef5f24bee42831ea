"""`isofield list`: the built-in scenes."""

from __future__ import annotations

from dataclasses import dataclass

from .exit_status import OK


@dataclass(frozen=True)
class List:
    """List the built-in scenes by name."""

    def run(self) -> int:
        """Print a name a line; returns the exit status."""
        from ..scene import built_in_names

        for name in built_in_names():
            print(name)
        return OK
