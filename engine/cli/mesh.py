"""`isofield mesh`: the surface of a scene, a field, a volume or a mesh as a file of triangles."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import OmitArgPrefixes, Positional, UseAppendAction, arg

from ..files import MeshOptions, Solid, check_mesh_name, kind_of
from .exit_status import OK
from .usage import UsageError, check_mesh_options, check_range, read_from, tell_notes

if TYPE_CHECKING:
    from ..meshing import Mesh, ProgressCallback


@dataclass(frozen=True)
class MeshCommand:
    """Mesh a scene's subject, a fitted field, a volume or another mesh by marching cubes."""

    source: Positional[str]
    """scene file (.toml), script (.py, which is run), built-in name, field (.safetensors), volume (.npy) or mesh (.ply,
    .obj, .stl, .glb)"""
    output: Path
    """file to write; the ending says what: .ply .obj .stl .glb"""
    resolution: int | None = None
    """cells along the longest side, 256 if not given; a volume has its own"""
    bounds: Annotated[tuple[float, float, float, float, float, float] | None, arg(metavar="X Y Z X Y Z")] = None
    """lower and upper corner to mesh within; if not given, around the subject"""
    mesh: OmitArgPrefixes[MeshOptions] = field(default_factory=MeshOptions)
    level: float | None = None
    """value on the surface; if not given 0.5 for an occupancy, else 0; of a volume of whole numbers half-way if these
    are two"""
    solid: Solid | None = None
    """of a volume, the side of the level that is inside; below for signed distances, above for an occupancy; other
    whole numbers need it and --level"""
    project: bool = False
    """move vertices on to where the field itself has the level"""
    keep: Literal["largest"] | float | None = None
    """pieces to keep: the largest, or all that have this share of the area, such as 0.01; all if not given"""
    report: bool = False
    """print whether the mesh is watertight, its components, genus, volume and area, and the pieces"""
    values: Annotated[UseAppendAction[tuple[str, ...]], arg(name="set", metavar="NAME.KEY=VALUE")] = ()
    """change a value of a scene, such as body.size=1,1,0.4; may be repeated"""

    def run(self) -> int:
        """Mesh and write; returns the exit status."""
        self._check()
        from ..files import check_writable

        check_writable(self.output)
        source = self._opened()
        from ..meshing import mesh  # slow to import, so mistakes in the source are said without it

        bounds = None if self.bounds is None else (self.bounds[:3], self.bounds[3:])
        with _bar() as progress, read_from(self.source, "values"):
            made = mesh(
                source,
                resolution=self.resolution,
                bounds=bounds,
                level=self.level,
                solid=self.solid,
                sign=self.mesh.sign,
                thickness=self.mesh.thickness,
                project=self.project,
                progress=progress,
            )
        if len(made.faces) == 0:
            print(f"{self.source}: nothing has the level within the bounds, so no file is written", file=sys.stderr)
            if kind_of(self.source) == "volume":
                print(f"its values are {source.min():g} to {source.max():g}; see --level, --solid", file=sys.stderr)
            return OK
        if self.keep is not None:
            made = self._kept(made)
        made.save(self.output)
        print(f"{self.output}: {len(made.vertices)} vertices, {len(made.faces)} triangles", file=sys.stderr)
        if self.report:
            print(made.report)
        return OK

    def _kept(self, made: Mesh) -> Mesh:
        """The pieces that were asked for; says how many that is."""
        assert self.keep is not None
        try:
            kept = made.keeping(self.keep)
        except ValueError as error:
            raise UsageError(f"--{error}") from None
        pieces, area = (len(made.report.pieces), made.report.area)
        share = kept.report.area / area if area else 1.0
        print(f"{self.output}: {len(kept.report.pieces)} of {pieces} pieces, {share:.3g} of the area", file=sys.stderr)
        return kept

    def _opened(self) -> Any:
        """The scene, field, volume or mesh."""
        kind = kind_of(self.source)
        if kind != "volume" and self.solid is not None:
            raise UsageError(f"--solid: expected for a volume (.npy) only, got {self.source}")
        if kind != "scene" and self.values:
            raise UsageError(f"--set: expected a scene to change, got {self.source}")
        if kind == "mesh":
            from ..files import read_mesh

            model = read_mesh(self.source, self.mesh.up)
            tell_notes(self.source, model.notes)
            return model
        if kind == "field":
            from ..fields import load_field

            return load_field(self.source)
        if kind == "volume":
            if self.resolution is not None:
                raise UsageError("--resolution: expected none for a volume, which has its own")
            from ..files import load_volume

            return load_volume(self.source)
        from ..scene import load, parse_settings, with_values

        return with_values(load(self.source), parse_settings(self.values))

    def _check(self) -> None:
        """Find wrong options before anything slow is imported.

        Raises:
            UsageError: the first that is wrong.
        """
        if self.resolution is not None:
            check_range("--resolution", self.resolution, 4, 4096)
        if self.level is not None:
            check_range("--level", self.level, -1e9, 1e9)
        if self.bounds is not None:
            low, high = self.bounds[:3], self.bounds[3:]
            if not all(a < b and math.isfinite(b - a) for a, b in zip(low, high, strict=True)):
                raise UsageError(f"--bounds: expected a lower corner and then an upper one, got {low} and {high}")
        if isinstance(self.keep, float) and not 0.0 < self.keep <= 1.0:
            raise UsageError(f"--keep: expected largest, or a share above 0 and at most 1, got {self.keep:g}")
        check_mesh_options(self.mesh, self.source)
        try:
            check_mesh_name("--output", self.output)
        except ValueError as error:
            raise UsageError(str(error)) from None


@contextmanager
def _bar() -> Iterator[ProgressCallback]:
    """A function of the share that is done, which shows it."""
    from ..files import progress_bars

    with progress_bars() as start:
        move, last = start("meshing", 1.0), 0.0

        def show(share: float) -> None:
            nonlocal last
            move(share - last)
            last = share

        yield show
