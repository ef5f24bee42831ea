"""`isofield render`: a picture or a film of a scene."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes, Positional, UseAppendAction, arg

from ..files import MeshOptions, is_field
from ..render import Mode
from .exit_status import OK
from .usage import MOST_PIXELS, UsageError, check_mesh_options, check_range, tell_notes_of_scene

if TYPE_CHECKING:
    import torch

    from ..render import Axis, Layers
    from ..scene import Scene, SceneSource
    from .film import FrameView

MOST_FRAMES = 10_000
PICTURES, FILMS = (".png", ".jpg", ".exr"), (".gif", ".mp4")


@dataclass(frozen=True)
class Render:
    """Render a scene, or the surface of a field, to a picture (.png, .jpg, linear .exr) or a film (.gif, .mp4)."""

    scene: Positional[str]
    """scene file (.toml), script (.py, which is run), built-in name, or, in clay, a field (.safetensors), a volume
    (.npy) or a mesh (.obj .ply .stl .glb)"""
    output: Path
    """file to write; the ending says what: .png .jpg .exr .gif .mp4"""
    width: int = 512
    """pixels"""
    height: int = 512
    """pixels"""
    mode: Mode = "shaded"
    """what is shown of the surface"""
    samples: int = 4
    """rays a pixel"""
    values: Annotated[UseAppendAction[tuple[str, ...]], arg(name="set", metavar="NAME.KEY=VALUE")] = ()
    """change a value, such as body.size=1,1,0.4 or sun.strength=2; may be repeated"""
    level: float = 0.0
    """show the surface where the value is this, scene units: so far outside, or inside if negative"""
    cut: Annotated[str | None, arg(metavar="AXIS=OFFSET")] = None
    """take away what lies beyond, such as y=0, and draw the signed distance on the cut"""
    flip: bool = False
    """take away what lies on the other side of the cut"""
    bounds: bool = False
    """draw the edges of the box that holds the subject"""
    turntable: Annotated[int | None, arg(metavar="FRAMES")] = None
    """film of one turn of the camera"""
    animate: Annotated[int | None, arg(metavar="FRAMES")] = None
    """film of a script's scene(time), from 0 to --duration"""
    path: Annotated[tuple[Path, int] | None, arg(metavar="CAMERAS FRAMES")] = None
    """film along the cameras of a file that the viewer wrote"""
    duration: Annotated[float, arg(metavar="SECONDS")] = 4.0
    """length of the film"""
    time: Annotated[float, arg(metavar="SECONDS")] = 0.0
    """the time given to a script's scene(time)"""
    seed: int = 0
    """seed of the samples"""
    mesh: OmitArgPrefixes[MeshOptions] = field(default_factory=MeshOptions)
    baked: bool = False
    """of a field, trace the bricks made of it, as scenes do, and not the network itself"""

    def run(self) -> int:
        """Render and write; returns the exit status."""
        self._check()
        from ..files import check_video_support, check_writable
        from ..render import Layers, open_as_scene

        check_writable(self.output)
        check_video_support(self.output)
        source = open_as_scene(self.scene, self.mesh)
        if self.animate is not None and not source.is_animated:
            raise UsageError(f"--animate: expected a script that defines scene(time), got {source.path}")
        if self.time != 0.0 and not source.is_animated:
            raise UsageError(f"--time: expected a script that defines scene(time), got {source.path}")
        axis, offset = _cut(self.cut)
        layers = Layers(level=self.level, slice=axis, offset=offset, flipped=self.flip, bounds=self.bounds)
        return self._render_film(source, layers) if self.is_film else self._render_picture(source, layers)

    @property
    def is_film(self) -> bool:
        """Whether more than one picture is asked for."""
        return any(film is not None for film in (self.turntable, self.animate, self.path))

    @property
    def direct(self) -> bool:
        """Whether a network is to be traced."""
        return is_field(self.scene) and not self.baked

    @property
    def frames(self) -> int:
        """How many pictures are asked for."""
        return self.turntable or self.animate or self._path_frames or 1

    @property
    def _path_frames(self) -> int | None:
        """The frames of `path`."""
        if self.path is None:
            return None
        _, frames = self.path
        return frames

    def _render_film(self, source: SceneSource, layers: Layers) -> int:
        from .film import write_film

        images = self._images(source, layers)
        return write_film(self.output, images, self.frames, self.duration, (self.width, self.height))

    def _images(self, source: SceneSource, layers: Layers) -> Iterator[torch.Tensor]:
        """The pictures of a film."""
        from ..render import ViewCache, render_shot

        views = ViewCache(direct=self.direct)
        for scene, camera in self._frame_views(source):
            shot = views.shot(scene, camera, self.mode, layers)
            yield render_shot(shot, self.width, self.height, self.samples, self.seed)

    def _frame_views(self, source: SceneSource) -> Iterator[FrameView]:
        """What is seen in each frame of a film."""
        from ..render import view_of
        from ..scene import parse_settings, with_values
        from ..view import read_cameras
        from .film import animation, camera_path, turntable

        values = parse_settings(self.values)

        def scene_at(time: float) -> Scene:
            return with_values(source.at(time), values)

        keys = []
        if self.path is not None:
            cameras, _ = self.path
            keys = read_cameras(cameras)
        scene = scene_at(self.time)
        tell_notes_of_scene(scene)
        camera = scene.camera or view_of(scene).camera
        if self.turntable is not None:
            return turntable(scene, camera, self.frames)
        if keys:
            return camera_path(scene, keys, self.frames)
        return animation(scene_at, camera, self.time, self.duration, self.frames)

    def _render_picture(self, source: SceneSource, layers: Layers) -> int:
        from ..scene import parse_settings, with_values

        scene = with_values(source.at(self.time), parse_settings(self.values))
        tell_notes_of_scene(scene)
        # Slow to import, so mistakes in the scene are said without them.
        from ..files import write_image
        from ..render import ViewCache, render_shot, render_view, view_of

        if self.output.suffix.lower() == ".exr":
            view = view_of(scene, direct=self.direct)
            image = render_view(view, self.width, self.height, self.mode, self.samples, self.seed, linear=True)
        else:
            shot = ViewCache(direct=self.direct).shot(scene, None, self.mode, layers)
            image = render_shot(shot, self.width, self.height, self.samples, self.seed)
        write_image(self.output, image)
        print(f"{self.output}: {self.width} x {self.height} pixels", file=sys.stderr)
        return OK

    def _check(self) -> None:
        """Find wrong options before anything slow is imported.

        Raises:
            UsageError: the first that is wrong.
        """
        check_mesh_options(self.mesh, self.scene)
        check_range("--width", self.width, 1, MOST_PIXELS)
        check_range("--height", self.height, 1, MOST_PIXELS)
        check_range("--samples", self.samples, 1, 65536)
        check_range("--seed", self.seed, 0, 2**31 - 1)
        check_range("--time", self.time, -1e6, 1e6)
        check_range("--duration", self.duration, 0.02, 3600)
        check_range("--level", self.level, -1e6, 1e6)
        films = {"--turntable": self.turntable, "--animate": self.animate, "--path": self._path_frames}
        asked = {option: frames for option, frames in films.items() if frames is not None}
        for option, frames in asked.items():
            check_range(option, frames, 1, MOST_FRAMES)
        if len(asked) > 1:
            first, second = list(asked)[:2]
            raise UsageError(f"{first}: expected alone, got {second} too")
        if self.baked and not is_field(self.scene):
            raise UsageError(f"--baked: expected a field (.safetensors) to render, got {self.scene}")
        if self.direct and (self.level or self.cut):
            raise UsageError("--cut, --level: expected with --baked only, for a field")
        _cut(self.cut)
        if self.flip and self.cut is None:
            raise UsageError("--flip: expected with --cut only")
        ending, endings = self.output.suffix.lower(), FILMS if self.is_film else PICTURES
        if ending == ".exr" and (self.level or self.cut or self.bounds):
            raise UsageError("--output: expected .png or .jpg with --level, --cut or --bounds, got .exr")
        if ending not in endings:
            wanted = f"{', '.join(endings[:-1])} or {endings[-1]}"
            hint = "; a film needs --turntable, --animate or --path" if ending in FILMS else ""
            raise UsageError(f"--output: expected a name that ends in {wanted}, got {self.output}{hint}")


def _cut(text: str | None) -> tuple[Axis | None, float]:
    """Axis and offset of a cut such as y=0.1.

    Raises:
        UsageError: it is none.
    """
    if text is None:
        return None, 0.0
    axis, _, offset = text.partition("=")
    try:
        at = float(offset)
    except ValueError:
        at = float("nan")
    known: dict[str, Axis] = {"x": "x", "y": "y", "z": "z"}
    if axis not in known or not abs(at) <= 1e6:
        raise UsageError(f"--cut: expected x, y or z, =, and a number, such as y=0.1; got {text!r}")
    return known[axis], at
