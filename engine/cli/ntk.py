"""`isofield ntk`: the neural tangent kernels of fields."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from ..files import FIELD, is_field
from ..fit import PRESETS, PresetName
from .exit_status import OK
from .usage import UsageError, check_range

if TYPE_CHECKING:
    from ..fields import Field

MOST_POINTS = 4096


@dataclass(frozen=True)
class Ntk:
    """Compare the neural tangent kernels of fields on points along the diagonal of their bounds.

    Writes ntk.json, eigenvalues.png, frequencies.png, distance.png, decay.png (predicted against measured) and
    regression.png.
    """

    fields: Positional[Annotated[tuple[str, ...], arg(metavar="FIELD...")]]
    """files of fields (.safetensors), or mlp encoded_mlp siren grid hybrid_grid ground_plan hash_grid: new ones"""
    points: int = 128
    """points along the line"""
    steps: int = 1024
    """updates of gradient descent in which the errors' decay is measured"""
    error: float = 0.1
    """root mean square of the errors that this begins with"""
    seed: int = 0
    """seed of new fields' parameters"""
    output: Annotated[Path, arg(metavar="FOLDER")] = Path("out/ntk")
    """folder for what is written"""

    def run(self) -> int:
        """Compute, draw and write; returns the exit status."""
        if not self.fields:
            raise UsageError("FIELD: expected at least one")
        check_range("--points", self.points, 8, MOST_POINTS)
        check_range("--steps", self.steps, 1, 2**20)
        check_range("--error", self.error, 1e-6, 1e6)
        check_range("--seed", self.seed, 0, 2**63 - 1)
        for name in self.fields:
            if not is_field(name) and name not in PRESETS:
                raise UsageError(f"FIELD: expected a {FIELD} file or one of {', '.join(PRESETS)}, got {name!r}")
        from ..files import atomic_write, check_plot_support, check_writable, progress_bars, write_figure
        from ..ntk import FIGURES, line_report

        check_plot_support()
        fields = [_field(name, self.seed) for name in self.fields]
        self.output.mkdir(parents=True, exist_ok=True)
        check_writable(self.output / "ntk.json")
        reports = []
        for name, field in zip(self.fields, fields, strict=True):
            with progress_bars() as watch:
                report = line_report(name.removesuffix(FIELD), field, self.points, self.steps, self.error, watch)
            reports.append(report)
            print(
                f"{name}: {report.parameters} parameters, largest eigenvalue {report.eigenvalues[0]:.4g}, "
                f"half of them above {report.eigenvalues[len(report.eigenvalues) // 2]:.3g}",
                file=sys.stderr,
            )
        report_file = {"seed": self.seed, "rows": [report.as_dictionary() for report in reports]}
        for file, draw in FIGURES.items():
            write_figure(self.output / file, draw(reports))
        # Last, so that a killed run leaves numbers that are older than no picture.
        with atomic_write(self.output / "ntk.json") as temporary:
            temporary.write_text(json.dumps(report_file, indent=1) + "\n", encoding="utf-8")
        return OK


def _field(name: str, seed: int) -> Field:
    """The field of a file, or a new one of a preset; in float64, for a kernel's small eigenvalues need its digits.

    Raises:
        UsageError: the field has nothing that is trained.
    """
    from typing import cast

    from ..fields import load_field
    from ..fit import make_field

    if is_field(name):
        field = load_field(name)
    else:
        preset = cast(PresetName, name)
        field = make_field(preset, PRESETS[preset].only or 2, 1, meaning="raw", seed=seed)
    if field.parameter_count == 0:
        raise UsageError(f"FIELD: expected fields with parameters that are trained, {name} has none")
    return field.double()
