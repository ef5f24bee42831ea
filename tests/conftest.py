"""Settings for all tests."""

from __future__ import annotations

from hypothesis import settings

# No test is timed: a first example may compile a kernel.
settings.register_profile("isofield", deadline=None)
settings.load_profile("isofield")
