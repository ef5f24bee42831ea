"""`isofield schema`: the JSON schema of scene files."""

from __future__ import annotations

from dataclasses import dataclass

from .exit_status import OK


@dataclass(frozen=True)
class Schema:
    """Print the JSON schema of scene files, for editors."""

    def run(self) -> int:
        """Print it; returns the exit status."""
        import json

        from ..scene import schema

        print(json.dumps(schema(), indent=2))
        return OK
