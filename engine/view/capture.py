"""What the viewer writes: pictures, films and scene files, and the command that makes a picture again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..files import atomic_write, is_field
from ..scene import Camera, toml_value
from .pose import Pose, between
from .state import State

TURN_FRAMES = 48
PATH_FRAMES = 24  # between two cameras of a path


def new_path(folder: Path, stem: str, ending: str) -> Path:
    """The first of stem-1, stem-2 … that is not there yet."""
    number = 1
    while (folder / f"{stem}-{number}{ending}").exists():
        number += 1
    return folder / f"{stem}-{number}{ending}"


def render_command(state: State, source: str, output: Path, width: int, height: int, samples: int, *more: str) -> str:
    """The command that makes the state's picture again."""
    words = ["isofield", "render", source, "--output", str(output), "--width", str(width), "--height", str(height)]
    words += ["--samples", str(samples)]
    if state.mode != "shaded":
        words += ["--mode", state.mode]
    if state.time:
        words += ["--time", repr(state.time)]
    layers = state.layers
    if layers.level:
        words += ["--level", f"{layers.level:.6g}"]
    if layers.slice is not None:
        words += ["--cut", f"{layers.slice}={layers.offset:.6g}"]
        words += ["--flip"] if layers.flipped else []
    if is_field(source) and (layers.level or layers.slice is not None):
        words.append("--baked")
    words += ["--bounds"] if layers.bounds else []
    for name, value in state.edits.items():
        words += ["--set", f"{name}={setting_text(value)}"]
    return shlex.join([*words, *camera_settings(state.pose), *more])


def camera_settings(pose: Pose) -> list[str]:
    """The options that put the camera of `isofield render` where a pose is."""
    words = []
    for name, value in camera_values(pose.camera()).items():
        words += ["--set", f"camera.{name}={setting_text(value)}"]
    return words


def camera_values(camera: Camera) -> dict[str, Any]:
    """All that places a camera with eye and target, as a scene file holds it."""
    lens = {"fov": camera.fov} if camera.width is None else {"width": camera.width}
    place = {"eye": camera.eye, "target": camera.target, "up": camera.up}
    return {name: toml_value(value) for name, value in {**place, **lens}.items()}


def camera_text(pose: Pose) -> str:
    """The camera as a part of a scene file."""
    lines = [f"{name} = {json.dumps(_rounded(value))}" for name, value in camera_values(pose.camera()).items()]
    return "\n".join(["[camera]", *lines])


def setting_text(value: Any) -> str:
    """A value as `--set` reads it: numbers with commas between them."""
    if isinstance(value, (list, tuple)):
        return ",".join(setting_text(part) for part in value)
    return repr(toml_value(value)) if isinstance(value, float) else str(value)


def write_cameras(path: Path, keys: Sequence[Pose]) -> None:
    """Write the cameras of a path to a file."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps({"cameras": [asdict(key) for key in keys]}, indent=1) + "\n", encoding="utf-8")


def read_cameras(path: Path) -> list[Pose]:
    """The cameras of a path.

    Raises:
        OSError: the file cannot be read.
        ValueError: it holds no cameras; says what is expected.
    """
    try:
        cameras = json.loads(path.read_text(encoding="utf-8"))["cameras"]
        poses = [_pose(camera) for camera in cameras]
    except (KeyError, TypeError, ValueError) as error:
        expected = 'expected {"cameras": [{"eye": …, "target": …}, …]} as the viewer writes it'
        raise ValueError(f"{path}: {expected} ({error})") from None
    if len(poses) < 2:
        raise ValueError(f"{path}: expected at least 2 cameras, got {len(poses)}")
    return poses


def _pose(entry: Any) -> Pose:
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in entry.items()}
    pose = Pose(**values)
    pose.camera()  # refuses what is no camera
    return pose


def pose_along(keys: Sequence[Pose], share: float) -> Pose:
    """The pose at a share of a path through cameras."""
    place = min(max(share, 0.0), 1.0) * (len(keys) - 1)
    first = min(int(place), len(keys) - 2)
    return between(keys[first], keys[first + 1], place - first)


def _rounded(value: Any) -> Any:
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value
