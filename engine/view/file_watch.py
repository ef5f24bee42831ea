"""A file that may change while it is looked at."""

from __future__ import annotations

from pathlib import Path


class FileWatch:
    """Says whether a file is another than when it was last asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen = self._stamp()

    def changed(self) -> bool:
        """Whether the file has changed since the last call; one that is gone for a moment has not."""
        stamp = self._stamp()
        if stamp is None or stamp == self._seen:
            return False
        self._seen = stamp
        return True

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino
