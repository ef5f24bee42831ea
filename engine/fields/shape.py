"""A scene as a field, so that an optimiser can move its shapes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from ...kernels import Program, distance
from ..build import build_program
from ..scene import Scene, parse_scene
from ..shapes import Rotation
from .base import Bounds, Field, Maker, Meaning


class ShapeField(Field):
    """The signed distance of a scene's subject as a function of the points and of named parameters.

    Its bounds are the scene's, else a cube about what the subject shows, else [-1, 1]³.

    Args:
        scene: the scene; its stage is left out.
        trainable: names such as "body.size", "knob.translate", "ring.rotate.angle", "both.smooth", each of which
            becomes an `nn.Parameter`; None for every parameter of every shape that the scene sets.

    Example:
        >>> field = ShapeField(Scene(show=sphere(0.5).named("ball")), trainable=["ball.radius"])
        >>> field(torch.tensor([[1.0, 0.0, 0.0]]))
        tensor([[0.5000]], grad_fn=...)

    Raises:
        ValueError: a name is not a parameter of the scene.
    """

    kind = "shape"

    def __init__(self, scene: Scene, trainable: Iterable[str] | None = None) -> None:
        super().__init__(3, 1, meaning=Meaning.SIGNED_DISTANCE, bounds=_bounds_of(scene))
        self.scene = scene
        available = named_parameters_of(scene)
        self.names = list(available if trainable is None else trainable)
        for name in self.names:
            if name not in available:
                raise ValueError(f"trainable: expected names among {', '.join(available)}; got {name!r}")
        # nn.Parameter names may hold no dots, so they are kept in a list in the order of `names`.
        self.values = torch.nn.ParameterList([torch.nn.Parameter(torch.tensor(available[name])) for name in self.names])

    def named_values(self) -> dict[str, torch.nn.Parameter]:
        """The trainable parameters by name."""
        return dict(zip(self.names, self.values, strict=True))

    def program(self) -> Program:
        """The program with the present values; its parameters carry their gradients."""
        return build_program(self.scene, self.named_values(), stage=False)

    def evaluate(self, points: torch.Tensor) -> torch.Tensor:
        """Signed distance (N, 1) at points (N, 3); differentiable to points and parameters, any number of times."""
        program = self.program()
        distances: torch.Tensor = distance(program.to(points.device), points)
        return distances[:, None]

    def configuration(self) -> dict[str, Any]:
        return {"scene": self.scene.to_toml(), "trainable": self.names}

    @classmethod
    def from_configuration(
        cls, configuration: dict[str, Any], meaning: str, bounds: Bounds, aspect: float = 1.0, *, make: Maker
    ) -> ShapeField:
        with torch.device("cpu"):  # the program is built to find the bounds, which reads its numbers
            return cls(parse_scene(configuration["scene"].encode(), "scene"), configuration["trainable"])


def _bounds_of(scene: Scene) -> Bounds:
    if scene.bounds is not None:
        low, high = scene.bounds
        return tuple(low), tuple(high)
    *centre, radius = build_program(scene, stage=False).subject
    if radius == 0.0:
        return (-1.0,) * 3, (1.0,) * 3
    return tuple(at - radius for at in centre), tuple(at + radius for at in centre)


def named_parameters_of(scene: Scene) -> dict[str, Any]:
    """Every number or vector of numbers that a shape of the scene sets, by name, as floats or tuples of floats."""
    found: dict[str, Any] = {}
    for name, shape in scene.shapes.items():
        for field, info in type(shape).model_fields.items():
            value = getattr(shape, field)
            key = f"{name}.{info.alias or field}"
            if isinstance(value, Rotation):
                found[f"{key}.angle"] = value.angle
            elif isinstance(value, float) or _is_vector(value):
                found[key] = value
    return found


def _is_vector(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) > 0 and all(isinstance(entry, float) for entry in value)
