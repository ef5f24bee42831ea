"""Learned surfaces traced as they are: the network is asked along the rays, and for its gradient where they end.

The bricks that a scene reads instead of the network stand behind it: rays set out where the bricks, thickened by more
than their error, are met, so that a ray asks the network only close to its surface; shadows and ambient occlusion are
those of the bricks. Rays go in waves: what has ended is left out of the next one.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ...kernels import Program, distance
from ...kernels.program import NOTHING, PART, plane_equations
from ...kernels.trace import Intersections
from ..bake import surface_field
from ..build import build_program
from ..fields import Field, Meaning, load_field
from ..scene import Scene
from ..shapes import Bake, Neural
from .ray_cone import RayCone

CHUNK = 2**13  # points that the network is asked for at once: their activations should stay in the processor's cache
WAVES = 96
LEAST_STEP = 0.25  # voxels
LEAST_SLOPE = 0.3  # of the steepest; flatter falls along a ray are not believed


@dataclass(frozen=True)
class NetworkSurface:
    """A network whose surface is traced, and the bricks made of it.

    Attributes:
        field: the network.
        bake: its bricks.
        program: the bricks alone, as a program.
    """

    field: Field
    bake: Bake
    program: Program

    def trace(
        self, scene: Program, origins: torch.Tensor, directions: torch.Tensor, near: Intersections, tolerance: RayCone
    ) -> tuple[Intersections, torch.Tensor]:
        """What rays (N, 3) meet, and the network's normals (N, 3) there, zeros where it is not met.

        `near` is what they meet with the bricks thickened by `margin`.
        """
        ends, planes = _planes(scene, origins, directions, near.hit_kind)
        rays = (near.hit_kind == PART).nonzero().flatten()
        start = (near.distance[rays] - 2.0 * self.margin).clamp(min=0.0)
        met, steps = self._waves(origins[rays], directions[rays], start, ends[rays], tolerance)
        hit = met.isfinite()
        ends[rays] = torch.where(hit, met, ends[rays])
        planes[rays] = torch.where(hit, PART, planes[rays])
        taken = torch.zeros_like(near.steps).index_copy(0, rays, steps)
        normals = torch.zeros_like(origins)
        there = rays[hit]
        normals[there] = self._normals(origins[there] + ends[there, None] * directions[there])
        return Intersections(ends, taken, planes), normals

    @property
    def margin(self) -> float:
        """How far from the bricks' surface the network's may lie, scene units.

        Twice their error and half a voxel, for what may lie between the points where it was measured; a voxel for
        occupancies, whose error is not measured against the network.
        """
        voxels = 0.5 if self.field.meaning is Meaning.SIGNED_DISTANCE else 1.0
        return 2.0 * self.bake.error + voxels * self.bake.bricks.voxel

    def _waves(
        self, origins: torch.Tensor, directions: torch.Tensor, starts: torch.Tensor, ends: torch.Tensor,
        tolerance: RayCone,
    ) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
        """Distances (N,) to the network's surface, infinite where there is none before `ends`; how often it was asked.

        Until a point inside is found, a step is the network's value over how fast it fell over the last step, or the
        bricks' value less the margin if that is longer. Then the zero between the last point outside and the first
        inside is narrowed by false position, the value at an end that stays halved ("Illinois", M. Dowell and
        P. Jarratt 1971). An occupancy says no distance: its steps are those of a search, a part of a voxel long.
        """
        is_distance = self.field.meaning is Meaning.SIGNED_DISTANCE
        steepest, least = self.bake.bricks.slopes[0], LEAST_STEP * self.bake.bricks.voxel
        found, steps = torch.full_like(starts, torch.inf), torch.zeros_like(starts, dtype=torch.int32)
        live = torch.arange(len(starts), device=starts.device)
        # What is known of the rays that live: where they are, the last point outside and the first inside (infinite
        # before there is one) with their values, and the slope along the ray.
        t, outside, inside = starts.clone(), starts.clone(), torch.full_like(starts, torch.inf)
        value_outside, value_inside = torch.zeros_like(starts), torch.zeros_like(starts)
        slope = torch.full_like(starts, steepest)
        for wave in range(WAVES):
            points = origins[live] + t[:, None] * directions[live]
            value = self._values(points)
            steps[live] += 1
            allowed = tolerance.at(t)
            is_in = value <= 0.0
            if wave > 0:
                fallen = (value_outside - value) / (t - outside).clamp(min=1e-9)
                slope = torch.where(is_in, slope, fallen.clamp(LEAST_SLOPE * steepest, steepest))
            was_bracketed = inside.isfinite()
            value_outside = torch.where(is_in, torch.where(was_bracketed, 0.5, 1.0) * value_outside, value)
            value_inside = torch.where(is_in, value, 0.5 * value_inside)
            outside, inside = torch.where(is_in, outside, t), torch.where(is_in, t, inside)
            there = inside - outside <= allowed
            if is_distance:
                there |= value.abs() <= allowed
            found[live[there]] = t[there]
            between = outside + (inside - outside) * value_outside / (value_outside - value_inside).clamp(min=1e-30)
            step = (distance(self.program, points) - self.margin).clamp(min=least)
            if is_distance:
                step = torch.maximum(step, value / slope)
            t = torch.where(inside.isfinite(), between, t + step)
            onward = ~there & (t <= ends[live])
            if not bool(onward.any()):
                break
            live, t, slope = live[onward], t[onward], slope[onward]
            outside, inside = outside[onward], inside[onward]
            value_outside, value_inside = value_outside[onward], value_inside[onward]
        return found, steps

    def _values(self, points: torch.Tensor) -> torch.Tensor:
        """The network at points (N, 3) → (N,), positive outside."""
        own = next(self.field.parameters(), points)
        with torch.inference_mode():
            found = [self.field(part.to(own))[:, 0].float() for part in torch.split(points, CHUNK)]
            values = torch.cat(found) if found else points.new_zeros(0)
        return (values if self.field.meaning is Meaning.SIGNED_DISTANCE else 0.5 - values).to(points.device).clone()

    def _normals(self, points: torch.Tensor) -> torch.Tensor:
        """Unit gradients of the network at points (N, 3), pointing outward."""
        own = next(self.field.parameters(), points)
        found = []
        for part in torch.split(points, CHUNK):
            with torch.enable_grad():
                places = part.to(own).detach().requires_grad_()
                (slope,) = torch.autograd.grad(self.field(places).sum(), places)
            found.append(slope.float())
        slopes = torch.cat(found).to(points.device) if found else points
        outward = slopes if self.field.meaning is Meaning.SIGNED_DISTANCE else -slopes
        return torch.nn.functional.normalize(outward, dim=1)


def _planes(
    program: Program, origins: torch.Tensor, directions: torch.Tensor, hit_kind: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Where rays (N, 3) meet the planes of a program (N,), infinite where they meet none, and its number (N,)."""
    ends = torch.full((len(origins),), torch.inf, device=origins.device)
    planes = torch.full_like(hit_kind, NOTHING)
    for number, (x, y, z, offset) in enumerate(plane_equations(program).tolist()):
        normal = origins.new_tensor([x, y, z])
        above, sinking = origins @ normal - offset, -(directions @ normal)
        there = torch.where(sinking > 0.0, (above / sinking.clamp(min=1e-30)).clamp(min=0.0), torch.inf)
        planes = torch.where(there < ends, number, planes)
        ends = torch.minimum(ends, there)
    return ends, planes


def network_surface(scene: Scene, device: torch.device) -> NetworkSurface:
    """What is to be traced of a scene whose subject is a neural shape that stands as it was learned.

    Raises:
        ValueError: the subject is another.
    """
    shape = scene.shapes[scene.show]
    if not isinstance(shape, Neural) or any((shape.scaling, shape.rotation, shape.translation)):
        raise ValueError(f"scene: expected to show a neural shape that is not moved, got {scene.show!r}")
    field = surface_field(load_field(shape.file)).eval()
    return NetworkSurface(field, shape.bake(), build_program(scene, stage=False).to(device))
