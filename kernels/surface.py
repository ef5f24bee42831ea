"""Which shape a point belongs to, and of what material it is there."""

from typing import Any

import torch

from . import runtime
from .interpreter import machine
from .operations import FAR
from .program import SURFACE_SIZE, Program
from .runtime import ti


def surface_on(
    program: Program, origins: torch.Tensor, directions: torch.Tensor, distance: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Shape numbers (N,) int32 and blended materials (N, 8) float32 where rays meet the surface.

    Args:
        program: the scene.
        origins, directions: (N, 3) float32, contiguous, on the backend's device.
        distance: (N,) float32 along the rays; infinite on a miss, whose number is -1 and material unspecified.

    A material is base colour, roughness, metallic, emission as in `Program.surfaces`; where shapes blend smoothly,
    materials do over the same radius. Off the surface the answer is that of the shape which decides the distance.
    """
    numbers = torch.empty(len(origins), dtype=torch.int32, device=origins.device)
    materials = torch.empty(len(origins), SURFACE_SIZE, dtype=torch.float32, device=origins.device)
    runtime.check_device(origins=origins, rows=program.rows)
    with runtime.launch():
        _surface_kernel()(
            program.rows, len(program.rows), program.parameters.detach().float().contiguous(), program.surfaces,
            origins, directions, distance, numbers, materials, len(origins),
        )  # fmt: skip
    return numbers, materials


# Numbers and materials are moved about, not computed: wider packets only compile longer (6 s at 16, 2 s at 4).
SURFACE_WIDTH = 4


@runtime.per_lane_width
def _surface_kernel(backend_width: int) -> Any:
    width = min(backend_width, SURFACE_WIDTH)
    device = machine(width, with_surface=True)
    Lanes, Numbers = device.Lanes, device.Numbers

    @ti.kernel
    def surface_kernel(
        rows: ti.types.ndarray(ti.i32, 2),
        row_count: ti.i32,
        parameters: ti.types.ndarray(ti.f32, 1),
        surfaces: ti.types.ndarray(ti.f32, 2),
        origins: ti.types.ndarray(ti.f32, 2),
        directions: ti.types.ndarray(ti.f32, 2),
        distance: ti.types.ndarray(ti.f32, 1),
        numbers: ti.types.ndarray(ti.i32, 1),
        materials: ti.types.ndarray(ti.f32, 2),
        count: ti.i32,
    ):
        for packet in range((count + width - 1) // width):
            x = Lanes(0.0)
            y = Lanes(0.0)
            z = Lanes(0.0)
            missed = Lanes(0.0)
            for lane in ti.static(range(width)):
                index = ti.min(packet * width + lane, count - 1)
                far = distance[index]
                if far > 0.5 * FAR:
                    missed[lane] = FAR
                    far = 0.0
                x[lane] = origins[index, 0] + directions[index, 0] * far
                y[lane] = origins[index, 1] + directions[index, 1] * far
                z[lane] = origins[index, 2] + directions[index, 2] * far
            found = Numbers(-1)
            attributes = ti.Matrix([[0.0] * width for _ in range(SURFACE_SIZE)], ti.f32)
            if missed.min() < 1.0:
                device.evaluate(rows, 0, row_count, parameters, x, y, z, missed, surfaces, found, attributes)
            for lane in ti.static(range(width)):
                index = packet * width + lane
                if index < count:
                    numbers[index] = ti.select(missed[lane] < 1.0, found[lane], -1)
                    for attribute in ti.static(range(SURFACE_SIZE)):
                        materials[index, attribute] = attributes[attribute, lane]

    return surface_kernel
