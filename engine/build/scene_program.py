"""From a scene to the program that the machine runs."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy
import torch

from ...kernels import Program
from ...kernels.lanes import LEAST_SCALE
from ...kernels.program import SAMPLES, Column, Combine
from ..program import (
    DEFAULT_MATERIAL,
    IDENTITY,
    BuildError,
    Emitter,
    Fold,
    LoweringContext,
    Node,
    as_float,
    extent as extents,
    is_plane,
    lower,
    united,
)
from ..scene import Material, reference_fields, references
from .inspection import Inspection, within_reach

if TYPE_CHECKING:
    from ..scene import Scene


MAXIMUM_DEPTH = 1000
MAXIMUM_SHAPES = 1_000_000


def build_program(scene: Scene, values: Mapping[str, Any] | None = None, *, stage: bool = True) -> Program:
    """The program of a scene's subject and, unless `stage` is False, of what stands around it.

    Args:
        scene: the scene.
        values: numbers by parameter name, such as "body.radius" or "knob.translate", that replace the scene's own:
            floats, or tensors of the parameter's shape whose gradients the program's parameters then carry.
        stage: whether to include `scene.stage`.

    Raises:
        BuildError: a shape does not fit what is done to it, a number of it leaves the range of float32, or the scene is
            larger than the machine.
    """
    shown = [scene.show, *(scene.stage if stage else ())]
    with _without_collector(), _deep_enough(_depth(scene, shown)):
        return _build(scene, shown, values)


def _build(scene: Scene, shown: list[str], values: Mapping[str, Any] | None) -> Program:
    given = {name: _split(value) for name, value in (values or {}).items()}
    context = LoweringContext(scene.shapes, given, {})
    placed = _lowered(context, shown)
    parts = [part for node in placed for part in united(node)]
    extent = extents.union(node.extent for node in placed)
    root = parts[0] if len(parts) == 1 else Fold(Combine.UNION, 0.0, parts, extent)
    emitter = Emitter()
    emitter.root(root)
    rows = numpy.array(emitter.rows, dtype=numpy.int32)
    rows[rows[:, Column.OPERATION] == SAMPLES, Column.DATA] += len(emitter.numbers)  # kernels find data behind numbers
    blocks = [bricks.data for bricks in emitter.bricks]
    parameters = _vector(emitter.numbers)
    if not (bool(parameters.detach().float().isfinite().all()) and within_reach(extent)):
        # Which shape it is can be seen only while each is lowered.
        _lowered(replace(context, inspect=Inspection(scene.shapes, given)), shown)
        raise BuildError("scene: its numbers leave the range of float32")
    return Program(
        rows=torch.from_numpy(rows),
        parameters=parameters,
        surfaces=_surfaces(scene, [material for _, material in context.surfaces]),
        names=tuple(name for name, _ in context.surfaces),
        sphere=_ball(placed),
        subject=_ball(placed[:1]),
        box=placed[0].extent[:2],
        endless=not all(part.extent.bounded or is_plane(part) for part in parts),
        planes=emitter.planes,
        data=torch.cat(blocks) if blocks else torch.empty(0),
        sampling=_sampling(context) if blocks else torch.empty(0, 2),
        smallest_scale=max(min([1.0, *context.scales]), LEAST_SCALE),
    )


def _lowered(context: LoweringContext, shown: list[str]) -> list[Node]:
    """What is shown as trees."""
    return [lower(context, name, IDENTITY, 1.0, DEFAULT_MATERIAL) for name in shown]


def _ball(placed: list[Node]) -> tuple[float, float, float, float]:
    """Centre and radius of a ball that holds all that ends; radius 0 if nothing does."""
    parts = [part for node in placed for part in ([node] if node.extent.bounded else united(node))]
    bounded = [part.extent for part in parts if part.extent.bounded]
    if not bounded:
        return (0.0, 0.0, 0.0, 0.0)
    extent = extents.union(bounded)
    return (*extent.centre, extent.reach)


def _sampling(context: LoweringContext) -> torch.Tensor:
    """What `Program.sampling` says of each shape."""
    return torch.tensor([context.sampling.get(number, (0.0, 1.0)) for number in range(len(context.surfaces))])


def _depth(scene: Scene, shown: list[str]) -> int:
    """How deep the shapes nest.

    Raises:
        BuildError: too deep, or too many shapes once every use of a shape is counted.
    """
    depths: dict[str, int] = {}
    uses: dict[str, int] = {}
    waiting = list(shown)
    while waiting:
        name = waiting[-1]
        # In a scene, shapes speak of each other by name. Most are of a kind that speaks of none: to ask each of them
        # what it speaks of would take an eighth of the time in which a large scene becomes a program.
        parts = [part for _, _, part in references(scene.shapes[name]) if isinstance(part, str)]
        missing = []
        for part in parts:
            if part not in depths:
                if reference_fields(type(scene.shapes[part])):
                    missing.append(part)
                else:
                    depths[part] = uses[part] = 1
        if missing:
            waiting += missing
            continue
        waiting.pop()
        depths[name] = 1 + max((depths[part] for part in parts), default=0)
        uses[name] = 1 + sum(uses[part] for part in parts)
    deepest, most = max(depths[name] for name in shown), sum(uses[name] for name in shown)
    if deepest > MAXIMUM_DEPTH:
        raise BuildError(f"scene: shapes may nest {MAXIMUM_DEPTH} deep, these nest {deepest} deep")
    if most > MAXIMUM_SHAPES:
        raise BuildError(f"scene: may draw {MAXIMUM_SHAPES} shapes, every use counted; this one draws {most}")
    return deepest


@contextmanager
def _deep_enough(depth: int) -> Iterator[None]:
    """Room on Python's stack for trees of that depth; lowering and emitting take at most 12 calls a level."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 1000 + 12 * depth))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


@contextmanager
def _without_collector() -> Iterator[None]:
    """No search for garbage meanwhile: through a growing tree of 10 000 parts it takes a third of the time."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def _split(value: Any) -> Any:
    """A tensor of several numbers as a tuple of scalar tensors, which is what shapes compute with."""
    return value.unbind() if isinstance(value, torch.Tensor) and value.ndim == 1 else value


def _vector(numbers: list[Any]) -> torch.Tensor:
    """The numbers as one float32 vector (float64 if a tensor among them is), with their gradients."""
    if not any(issubclass(kind, torch.Tensor) for kind in set(map(type, numbers))):
        with numpy.errstate(over="ignore"):  # what overflows is refused with the name of its shape
            return torch.from_numpy(numpy.array(numbers, dtype=numpy.float32))
    tensors = {at: number for at, number in enumerate(numbers) if isinstance(number, torch.Tensor)}
    first = next(iter(tensors.values()))
    vector = torch.tensor([as_float(number) for number in numbers], dtype=first.dtype, device=first.device)
    places = torch.tensor(list(tensors), device=first.device)
    return vector.index_copy(0, places, torch.stack(list(tensors.values())).to(first.dtype))


def _surfaces(scene: Scene, materials: list[str | None]) -> torch.Tensor:
    """`Program.surfaces` of shapes of those materials."""
    kinds = {material: number for number, material in enumerate(dict.fromkeys(materials))}
    table = torch.tensor([_surface(scene, material) for material in kinds], dtype=torch.float32)
    return table[[kinds[material] for material in materials]]


def _surface(scene: Scene, material: str | None) -> list[float]:
    """A material as the machine blends it; see `Program.surfaces`."""
    if material is None:
        return [0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0]
    own = Material() if material == DEFAULT_MATERIAL else scene.materials[material]
    return [*own.base_color, own.roughness, own.metallic, *own.emission]
