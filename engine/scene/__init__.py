"""Scenes: what a file or a script holds, as immutable models, read and written with every mistake said at once.

What is saved is read back equal. Reading a scene imports neither torch nor taichi.
"""

from typing import TYPE_CHECKING

from ...kernels.lazy import lazy

if TYPE_CHECKING:
    from .camera import Camera as Camera
    from .cross_references import reference_fields as reference_fields, references as references
    from .json_schema import schema as schema
    from .lights import STUDIO as STUDIO, Light as Light, PointLight as PointLight, Sky as Sky, Sun as Sun
    from .loading import (
        SceneSource as SceneSource,
        built_in_names as built_in_names,
        load as load,
        open_scene as open_scene,
        parse_scene as parse_scene,
    )
    from .material import Material as Material, linear_from_srgb as linear_from_srgb
    from .mistakes import Mistake as Mistake, SceneError as SceneError
    from .override import parse_settings as parse_settings, with_values as with_values
    from .saving import save as save
    from .scene import Scene as Scene
    from .toml_values import key_of as key_of, toml_value as toml_value
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
