"""The first thing to run on a machine with a GPU: does Taichi on CUDA keep the promises that the kernels rely on?

`python benchmarks/cuda_smoke.py` prints a line for each check; exit status 1 if one fails, 2 without a GPU.
"""

import sys
import time
from collections.abc import Callable

import torch

from isofield.kernels import distance, runtime
from isofield.kernels.runtime import ti

COUNT = 2**20


@ti.kernel
def fill(values: ti.types.ndarray(ti.f32, 1), number: ti.f32):
    for index in range(values.shape[0]):
        values[index] = number


@ti.kernel
def cube(values: ti.types.ndarray(ti.f32, 1), result: ti.types.ndarray(ti.f32, 1)):
    for index in range(values.shape[0]):
        result[index] = values[index] * values[index] * values[index]


@ti.kernel
def four(
    a: ti.types.ndarray(ti.f32, 1),
    b: ti.types.ndarray(ti.f32, 1),
    c: ti.types.ndarray(ti.f32, 1),
    d: ti.types.ndarray(ti.f32, 1),
):
    for index in range(1):
        a[index] = b[index] + c[index] + d[index]


class Cube(torch.autograd.Function):
    """x³ with Taichi's own derivative, called by autograd from its thread."""

    @staticmethod
    def forward(ctx, values):
        ctx.save_for_backward(values)
        result = torch.empty_like(values)
        cube(values.detach(), result)
        return result

    @staticmethod
    def backward(ctx, upstream):
        (saved,) = ctx.saved_tensors
        values = saved.detach().clone().requires_grad_()
        result = torch.empty_like(values).requires_grad_()
        values.grad, result.grad = torch.zeros_like(values), upstream.clone()
        cube.grad(values, result)
        return values.grad


def backend() -> str:
    """CUDA has started, and nothing took its place."""
    assert runtime.start("cuda") == "cuda"
    return torch.cuda.get_device_name()


def in_place() -> str:
    """A kernel writes into the tensor itself, with no copy to the host."""
    values = torch.zeros(COUNT, device="cuda")
    address = values.data_ptr()
    fill(values, 3.0)
    torch.cuda.synchronize()
    assert values.data_ptr() == address
    assert bool((values == 3.0).all())
    return "a CUDA tensor was filled in place"


def gradient() -> str:
    """A kernel's derivative is right when autograd asks for it."""
    values = torch.linspace(-1.0, 1.0, 1000, device="cuda", requires_grad=True)
    Cube.apply(values).sum().backward()
    error = float((values.grad - 3.0 * values.detach() ** 2).abs().max())
    assert error < 1e-5, error
    return f"largest error {error:.1e}"


def side_stream() -> str:
    """Launches are ordered with PyTorch's default stream; with a side stream only after waiting for it."""
    values, stream = torch.zeros(COUNT, device="cuda"), torch.cuda.Stream()
    right = {True: 0, False: 0}
    for wait in (True, False):
        for turn in range(20):
            with torch.cuda.stream(stream):
                torch.cuda._sleep(10_000_000)
                values.fill_(float(turn))
            if wait:
                stream.synchronize()
            fill(values, -1.0)
            torch.cuda.synchronize()
            right[wait] += int(bool((values == -1.0).all()))
    assert right[True] == 20
    return f"right in {right[True]} of 20 after waiting, in {right[False]} of 20 without"


def overhead() -> str:
    """Microseconds of a launch with one tensor and with four."""
    small = [torch.zeros(1, device="cuda") for _ in range(4)]
    one = microseconds(lambda: fill(small[0], 1.0))
    several = microseconds(lambda: four(*small))
    return f"{one:.0f} µs with one tensor, {several:.0f} µs with four"


def interpreter() -> str:
    """Values on the GPU are those of the float64 twin, and how long 2^20 points take."""
    import inputs

    import isofield as iso

    program = iso.build_program(inputs.smooth_64())
    torch.manual_seed(inputs.SEED)
    points = (torch.rand(COUNT, 3) * 2.0 - 1.0) * inputs.REACH
    there, on_device = program.to("cuda"), points.cuda()
    few = points[: 2**14]
    error = float((distance(program, few.double()) - distance(there, few.cuda()).cpu()).abs().max())
    assert error <= 1e-5, error
    time_taken = microseconds(lambda: distance(there, on_device), 20)
    return f"largest error {error:.1e}, {time_taken * 1e3 / COUNT:.2f} ns a point"


def memory() -> str:
    """Memory that the runtime holds beside PyTorch's."""
    free, total = torch.cuda.mem_get_info()
    return f"{(total - free - torch.cuda.memory_reserved()) / 2**20:.0f} MiB in use outside PyTorch's cache"


def microseconds(work: Callable[[], object], times: int = 1000) -> float:
    """Of one call, launches and their execution, after a warm-up."""
    work()
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(times):
        work()
    torch.cuda.synchronize()
    return (time.perf_counter() - start) / times * 1e6


def main() -> int:
    """Run every check; returns the exit status."""
    if not torch.cuda.is_available():
        print("no CUDA device that PyTorch can use", file=sys.stderr)
        return 2
    failed = 0
    for check in (backend, in_place, gradient, side_stream, overhead, interpreter, memory):
        try:
            print(f"{check.__name__}: {check()}")
        except (AssertionError, RuntimeError, ValueError) as error:
            failed += 1
            print(f"{check.__name__}: FAILED, {error}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
