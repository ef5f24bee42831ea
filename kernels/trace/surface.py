"""Which shape a point belongs to, and of what material it is there."""

from typing import Any

import torch

from .. import runtime
from ..lanes import FAR, any_lane, packet_functions
from ..program import PART, SURFACE_SIZE, Column, MaterialColumn, Program, Tiles, machine, plane_shapes
from ..runtime import memory, ti


def surface_on(
    program: Program,
    tiles: Tiles,
    origins: torch.Tensor,
    directions: torch.Tensor,
    distance: torch.Tensor,
    hit_kind: torch.Tensor,
    shared: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Shape numbers (N,) int32 and blended materials (N, 8) float32 where rays meet the surface.

    Args:
        program: the scene.
        tiles: the programs of the rays.
        origins, directions: (N, 3) float32, contiguous, on the backend's device.
        distance, hit_kind: (N,) what `march` found; a miss has the number -1, its material is unspecified.
        shared: what `shared_shapes` says of the tiles; rays of those that have one are left out.

    A material is base colour, roughness, metallic, emission as in `Program.surfaces`; where shapes blend smoothly,
    materials do over the same radius. Off the surface the answer is that of the shape which decides the distance.
    """
    numbers = memory.empty(len(origins), like=origins, dtype=torch.int32)
    materials = memory.empty(len(origins), SURFACE_SIZE, like=origins)
    runtime.check_device(origins=origins, rows=program.rows)
    if shared is None:
        shared = torch.full((len(tiles.ranges),), -1, dtype=torch.int32, device=origins.device)
    runtime.run(
        _surface_kernel(program.has_samples), tiles.rows, tiles.ranges, program.numbers,
        program.surfaces, plane_shapes(program), shared, origins, directions, distance, hit_kind, numbers, materials,
        tiles.rays, len(origins),
    )  # fmt: skip
    return numbers, materials


def shared_shapes(program: Program, tiles: Tiles) -> torch.Tensor:
    """For each tile the number of a shape whose material all its parts have, (T,) int32; -1 where there is none."""
    shapes = torch.empty(len(tiles.ranges), dtype=torch.int32, device=tiles.ranges.device)
    runtime.run(_shared_kernel(), tiles.rows, tiles.ranges, program.surfaces, shapes, len(shapes))
    return shapes


@runtime.per_lane_width
def _shared_kernel(width: int) -> Any:
    shape_column = int(Column.SHAPE)

    @ti.kernel
    def shared_kernel(
        rows: ti.types.ndarray(ti.i32, 2),
        ranges: ti.types.ndarray(ti.i32, 2),
        surfaces: ti.types.ndarray(ti.f32, 2),
        shapes: ti.types.ndarray(ti.i32, 1),
        count: ti.i32,
    ):
        for tile in range(count):
            found = -1
            several = False
            for row in range(ranges[tile, 0], ranges[tile, 1]):
                shape = rows[row, shape_column]
                # A cutter without a material shows that of what it cuts.
                if shape >= 0 and surfaces[shape, MaterialColumn.ROUGHNESS] >= 0.0:
                    if found < 0:
                        found = shape
                    for attribute in ti.static(range(SURFACE_SIZE)):
                        several = several or surfaces[shape, attribute] != surfaces[found, attribute]
            shapes[tile] = ti.select(several, -1, found)

    return shared_kernel


# Numbers and materials are moved about, not computed: wider packets only compile longer (6 s at 16, 2 s at 4).
SURFACE_WIDTH = 4


@runtime.per_lane_width
def _surface_kernel(backend_width: int, with_samples: bool) -> Any:
    width = min(backend_width, SURFACE_WIDTH)
    device = machine(width, with_surface=True, with_samples=with_samples)
    packets = packet_functions(width)
    Lanes, Integers = device.Lanes, device.Integers

    @ti.kernel
    def surface_kernel(
        rows: ti.types.ndarray(ti.i32, 2),
        ranges: ti.types.ndarray(ti.i32, 2),
        parameters: ti.types.ndarray(ti.f32, 1),
        surfaces: ti.types.ndarray(ti.f32, 2),
        shapes: ti.types.ndarray(ti.i32, 1),
        shared: ti.types.ndarray(ti.i32, 1),
        origins: ti.types.ndarray(ti.f32, 2),
        directions: ti.types.ndarray(ti.f32, 2),
        distance: ti.types.ndarray(ti.f32, 1),
        hit_kind: ti.types.ndarray(ti.i32, 1),
        numbers: ti.types.ndarray(ti.i32, 1),
        materials: ti.types.ndarray(ti.f32, 2),
        rays_per_tile: ti.i32,
        count: ti.i32,
    ):
        for packet in range((count + width - 1) // width):
            tile = packet * width // rays_per_tile
            if shared[tile] >= 0:
                continue
            x, y, z = packets.load(origins, packet, count)
            dx, dy, dz = packets.load(directions, packet, count)
            lane_bias = Lanes(0.0)
            for lane in ti.static(range(width)):
                index = ti.min(packet * width + lane, count - 1)
                if hit_kind[index] == PART:
                    x[lane] += dx[lane] * distance[index]
                    y[lane] += dy[lane] * distance[index]
                    z[lane] += dz[lane] * distance[index]
                else:
                    lane_bias[lane] = FAR
            found = Integers(-1)
            attributes = ti.Matrix([[0.0] * width for _ in range(SURFACE_SIZE)], ti.f32)
            if any_lane(lane_bias < 1.0):
                device.evaluate(
                    rows, ranges[tile, 0], ranges[tile, 1], parameters, x, y, z, lane_bias, surfaces, found, attributes
                )
            for lane in ti.static(range(width)):
                index = packet * width + lane
                if index < count:
                    if hit_kind[index] >= 0:
                        shape = shapes[hit_kind[index]]
                        numbers[index] = shape
                        for attribute in ti.static(range(SURFACE_SIZE)):
                            materials[index, attribute] = surfaces[shape, attribute]
                    else:
                        numbers[index] = ti.select(lane_bias[lane] < 1.0, found[lane], -1)
                        for attribute in ti.static(range(SURFACE_SIZE)):
                            materials[index, attribute] = attributes[attribute, lane]

    return surface_kernel
