"""`isofield check`: everything that is wrong with scenes."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from tyro.conf import Positional

from .exit_status import FAILED, OK


@dataclass(frozen=True)
class Check:
    """Report all mistakes in scenes; the exit status is 1 if there are any. Scripts are run."""

    scenes: Positional[tuple[str, ...]]
    """scene files (.toml), scripts (.py) or built-in names"""

    def run(self) -> int:
        """Check each; returns the exit status."""
        from ..program import BuildError
        from ..scene import SceneError, load
        from ..shapes import FromFile
        from .usage import UsageError

        if not self.scenes:
            raise UsageError("SCENES: expected at least one scene, got none")
        status = OK
        for name in self.scenes:
            try:
                scene = load(name)
                from ..build import build_program

                build_program(scene)
            except SceneError as error:
                status = FAILED
                print(error, file=sys.stderr)
            except BuildError as error:
                status = FAILED
                print(f"{name}: {error}", file=sys.stderr)
            else:
                print(f"{name}: no mistakes in {len(scene.shapes)} shape{'s' if len(scene.shapes) > 1 else ''}")
                for shape_name, shape in scene.shapes.items():
                    if isinstance(shape, FromFile):
                        bake = shape.bake()
                        print(f"{name}: shapes.{shape_name}: {bake}")
                        for note in bake.notes:
                            print(f"{name}: shapes.{shape_name}: {note}")
        return status
