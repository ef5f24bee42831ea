"""`program_distance` and `program_trace` for host programs' own kernels, from where they have always been imported."""

from .program import program_distance as program_distance, program_trace as program_trace
