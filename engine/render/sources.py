"""Whatever can be looked at as a scene: scene files and scripts, and in clay on a floor fields, volumes and meshes."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from ...kernels import runtime
from ..files import PLAIN, MeshOptions, kind_of
from ..program import BuildError
from ..scene import Material, Scene, SceneSource, open_scene
from ..shapes import FromFile, MeshFile, Neural, Plane, Sampled

if TYPE_CHECKING:
    from ..fields import Field

CLAY = Material(base_color="#d2542d", roughness=0.5).named("clay")
PAPER = Material(base_color="#cfc8bd", roughness=0.9).named("paper")


def open_as_scene(name: str, options: MeshOptions = PLAIN) -> SceneSource:
    """A scene file, a script, a built-in name, a field (.safetensors), a volume (.npy) or a mesh as a scene.

    A mesh is taken as the options say; one that is far from the origin is centred.

    Raises:
        SceneError: it holds no scene.
        BuildError: it holds nothing with a surface.
        OSError: it cannot be read.
    """
    kind = kind_of(name)
    shape: FromFile
    match kind:
        case "scene":
            return open_scene(name)
        case "field":
            shape = Neural(file=name)
        case "volume":
            shape = Sampled(file=name)
        case "mesh":
            shape = _mesh_shape(name, options)
    scene = _in_clay(shape, kind)
    return SceneSource(Path(name), False, lambda time: scene)


def _mesh_shape(name: str, options: MeshOptions) -> MeshFile:
    """The shape of a mesh; centred if it is far from the origin."""
    shape = MeshFile(file=name, up=options.up, sign=options.sign, thickness=options.thickness)
    from ..bake import FarMeshError

    try:
        shape.bake()
    except FarMeshError:
        return shape.model_copy(update={"centred": True})
    except ValueError as error:
        raise BuildError(f"{name}: {error}") from None
    return shape


def scene_of_field(field: Field, resolution: int = 128) -> Scene:
    """A field as a scene that reads its bricks, of `resolution` voxels along the longest side.

    Raises:
        BuildError: the field has no surface.
    """
    return _in_clay(Neural(file=file_of_field(field), resolution=resolution), "field")


def file_of_field(field: Field) -> str:
    """A file that holds the field, in the cache folder under its content's name."""
    digest = sha256(repr((field.kind, field.configuration(), field.bounds, field.meaning)).encode())
    for name, tensor in field.state_dict().items():
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    path = runtime.cache_folder().parent / "fields" / f"{digest.hexdigest()[:32]}.safetensors"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        field.save(path)
    return str(path)


def _in_clay(shape: FromFile, name: str) -> Scene:
    """A shape of clay on a floor at the lower end of its bounds."""
    try:
        lowest = shape.bake().bricks.low[2]
    except ValueError as error:
        raise BuildError(f"{shape.file}: {error}") from None
    floor = Plane(offset=lowest).material(PAPER)
    return Scene(shape.material(CLAY).named(name), stage=[floor.named("floor")])
