"""Signed distance of a scene program at points, and its gradient."""

import functools
from typing import Any

import torch

from .. import runtime
from ..lanes import NOTHING_KNOWN, Array, arguments, packet_functions
from ..runtime import bridge, derivative_of, memory, ti, under_torch_func
from .huge_points import is_finite, largest_coordinate, shrinkage
from .interpreter import machine
from .program import Program, check_program
from .tiles import Tiles, one_tile_with_planes
from .twin import distance_twin

# Step of the central differences, relative to the point's distance from the origin (at least 1): their error of the
# second order in the step and float32's rounding of the value divided by the step meet near the cube root of 1e-7.
GRADIENT_STEP = 2e-3

LEAST_GRADIENT = 1e-12  # a shorter one has no direction


def distance(program: Program, points: Array) -> Any:
    """Signed distance of the program's shapes at `points`: negative inside, positive outside.

    Args:
        program: what `isofield.build_program` makes of a scene.
        points: (…, 3) float32 in scene units; float64 runs on the PyTorch twin, as does all under torch.func. A torch
            tensor, numpy array, DLPack object or `ti.ndarray`. A point with NaN or infinity gives NaN, a finite one up
            to 1e38 a finite value, whose size is right up to 1e18 (times the smallest scale in the scene).

    Returns:
        (…), a numpy array if `points` is one, else a tensor. Differentiable to points and to `program.parameters`, any
        number of times.

    Raises:
        TypeError, ValueError: `points` is of another dtype, shape or device.
    """
    check_program(program)
    tensor, restore = arguments.floats("points", points, (..., 3))
    flat = tensor.reshape(-1, 3)
    if tensor.dtype == torch.float64 or under_torch_func():
        return restore(distance_twin(program, flat).reshape(tensor.shape[:-1]))
    numbers = program.parameters.to(torch.float32)

    def by_kernel(points: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
        return _evaluate(program, parameters, points, GRADIENT_STEP, 1)[0]

    def by_twin(points: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
        return distance_twin(program, points, parameters)

    return restore(bridge(by_kernel, derivative_of(by_twin), flat, numbers).reshape(tensor.shape[:-1]))


def distance_and_gradient(program: Program, points: Array) -> tuple[Any, Any]:
    """Signed distance and its gradient at `points`, the gradient by central differences in the same pass.

    Args:
        program: what `isofield.build_program` makes of a scene.
        points: (…, 3) float32 in scene units, of any kind that `distance` takes.

    Returns:
        distance (…) and gradient (…, 3), in arrays as `distance` gives them, without autograd history. The gradient's
        error is about 1e-4 where the distance is smooth within 2e-3 of the point; for exact derivatives differentiate
        `distance`.

    Raises:
        TypeError, ValueError: `points` is of another dtype, shape or device.
    """
    check_program(program)
    tensor, restore = arguments.floats("points", points, (..., 3), double=False)
    values, gradients = _evaluate(program, program.parameters, tensor, GRADIENT_STEP, 7)
    return restore(values.reshape(tensor.shape[:-1])), restore(gradients.reshape(tensor.shape))


def distance_by_tiles(program: Program, tiles: Tiles, points: torch.Tensor) -> torch.Tensor:
    """`distance` (N,), with a program for each `tiles.rays` points (N, 3), a multiple of MOST_LANES."""
    return _evaluate(program, program.parameters, points, GRADIENT_STEP, 1, tiles)[0]


def distance_and_gradient_by_tiles(
    program: Program, tiles: Tiles, points: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """`distance_and_gradient`, with a program for each `tiles.rays` points (N, 3), a multiple of MOST_LANES."""
    return _evaluate(program, program.parameters, points, GRADIENT_STEP, 7, tiles)


def normals_by_tiles(program: Program, tiles: Tiles, points: torch.Tensor) -> torch.Tensor:
    """Unit vectors along the gradients of `distance_and_gradient_by_tiles` (N, 3); upwards where there is none."""
    return _evaluate(program, program.parameters, points, GRADIENT_STEP, 7, tiles, only_normals=True)[1]


def _evaluate(
    program: Program, parameters: torch.Tensor, points: torch.Tensor, step: float, taps: int,
    tiles: Tiles | None = None, *, only_normals: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    if tiles is None:
        tiles = one_tile_with_planes(program)
    flat = arguments.for_kernel("points", points)
    runtime.check_device(rows=program.rows, parameters=parameters)
    count = len(flat)
    values = memory.empty(0 if only_normals else count, like=flat)
    gradients = memory.empty(count if taps > 1 else 0, 3, like=flat)
    runtime.run(
        _distance_kernel(program.has_samples), tiles.rows, tiles.ranges, program.numbers_with(parameters), flat, values,
        gradients, count, largest_coordinate(program.smallest_scale), float(step), taps, int(only_normals), tiles.rays,
    )  # fmt: skip
    return values, gradients


@functools.partial(runtime.per_lane_width, widths=runtime.POINT_LANE_WIDTHS)
def _distance_kernel(width: int, with_samples: bool) -> Any:
    device = machine(width, with_samples=with_samples)
    packets = packet_functions(width)
    Lanes = device.Lanes

    @ti.kernel
    def distance_kernel(
        rows: ti.types.ndarray(ti.i32, 2),
        ranges: ti.types.ndarray(ti.i32, 2),
        parameters: ti.types.ndarray(ti.f32, 1),
        points: ti.types.ndarray(ti.f32, 2),
        values: ti.types.ndarray(ti.f32, 1),
        gradients: ti.types.ndarray(ti.f32, 2),
        count: ti.i32,
        largest: ti.f32,
        relative_step: ti.f32,
        taps: ti.i32,
        only_normals: ti.i32,
        points_per_tile: ti.i32,
    ):
        for packet in range((count + width - 1) // width):
            tile = packet * width // points_per_tile
            given_x, given_y, given_z = packets.load(points, packet, count)
            divisor = shrinkage(given_x, given_y, given_z, largest)
            nearer = 1.0 / divisor
            x = given_x * nearer
            y = given_y * nearer
            z = given_z * nearer
            step = relative_step * ti.max(1.0, ti.sqrt(x * x + y * y + z * z))
            centre = Lanes(0.0)
            gx = Lanes(0.0)
            gy = Lanes(0.0)
            gz = Lanes(0.0)
            value_registers = device.new_values()
            point_registers = device.new_points()
            for tap in range(only_normals, taps):
                # tap 0 is the point itself; then ±x, ±y, ±z
                axis = (tap - 1) // 2
                side = ti.select(tap % 2 == 1, 1.0, -1.0)
                ox = ti.select((tap > 0) & (axis == 0), side, 0.0)
                oy = ti.select((tap > 0) & (axis == 1), side, 0.0)
                oz = ti.select((tap > 0) & (axis == 2), side, 0.0)
                qx = x + step * ox
                qy = y + step * oy
                qz = z + step * oz
                value = device.evaluate(
                    rows, ranges[tile, 0], ranges[tile, 1], parameters, qx, qy, qz, Lanes(0.0), Lanes(NOTHING_KNOWN),
                    value_registers, point_registers,
                )  # fmt: skip
                if tap == 0:
                    centre = value
                else:
                    gx += value * ox
                    gy += value * oy
                    gz += value * oz
            scale = 0.5 / step
            if only_normals == 1:
                length = ti.sqrt(gx * gx + gy * gy + gz * gz)
                gz = ti.select(length * scale > LEAST_GRADIENT, gz, 1.0)
                scale = 1.0 / ti.select(length * scale > LEAST_GRADIENT, length, 1.0)
            somewhere = is_finite(given_x, given_y, given_z)
            centre = ti.select(somewhere, centre * divisor, ti.math.nan)
            scale = ti.select(somewhere, scale, ti.math.nan)
            for lane in ti.static(range(width)):
                index = packet * width + lane
                if index < count:
                    if only_normals == 0:
                        values[index] = centre[lane]
                    if taps > 1:
                        gradients[index, 0] = gx[lane] * scale[lane]
                        gradients[index, 1] = gy[lane] * scale[lane]
                        gradients[index, 2] = gz[lane] * scale[lane]

    return distance_kernel
