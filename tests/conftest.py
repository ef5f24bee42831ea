"""Settings for all tests."""

from __future__ import annotations

from hypothesis import settings

# No test is timed: a first example may compile a kernel. Every run draws the same examples, so that a run which fails
# fails again; those that nobody has seen yet are looked for by `make fuzz`, which chooses the other profile.
settings.register_profile("isofield", deadline=None, derandomize=True)
settings.register_profile("fuzz", deadline=None, derandomize=False, max_examples=2_000)
settings.load_profile("isofield")
