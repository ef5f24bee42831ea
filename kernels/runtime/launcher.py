"""Kernels by lane width, compiled and launched under one lock."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import torch

from . import recording
from .front_end import impl, replaced, short_cuts, ti, vectors
from .startup import LANE_WIDTHS, backend, cache_folder, lock, start


def per_lane_width(factory: Callable[..., Any], widths: dict[str, int] = LANE_WIDTHS) -> Callable[..., Any]:
    """Decorator for functions that make a kernel for a lane width, and for further arguments if they have any.

    What it returns is called without the width, gives the kernel for the running backend's, and makes it once.
    """

    @functools.cache
    def made(width: int, *variant: Any) -> Any:
        kernel = in_vectors(factory(width, *variant))
        if recording.is_plain(variant):
            kernel.recipe = f"{factory.__module__}.{factory.__qualname__}{(width, *variant)}"
        return kernel

    @functools.wraps(factory)
    def for_backend(*variant: Any) -> Any:
        return made(widths[backend()], *variant)

    return for_backend


def in_vectors(kernel: Any) -> Any:
    """The kernel, marked to be compiled to vectors on a CPU; `front_end.vectors` says what it must not hold."""
    kernel.is_in_vectors = True
    return kernel


@contextlib.contextmanager
def locked_runtime() -> Iterator[None]:
    """Hold the lock that stands round every compile and launch, with the runtime started, for calls of Taichi itself.

    Kernels of ours need only `run`. Meanwhile literals in kernels are 32-bit and Taichi's own passes are off, whatever
    the host has chosen for its own.
    """
    with lock:
        start()
        runtime, settings = impl.get_runtime(), impl.current_cfg()
        literals = [(runtime, "default_fp", ti.f32), (runtime, "default_ip", ti.i32)]
        with replaced([*literals, (settings, "advanced_optimization", False), *short_cuts()]):
            yield


def run(kernel: Any, *arguments: torch.Tensor | int | float) -> None:
    """Launch a kernel under the lock, compiled before if this is its first launch.

    Taichi's own launcher takes 200 µs for five tensors, this one 25. It looks at nothing: tensors must be detached,
    contiguous, on the backend's device, and as the kernel declares them, which may not leave a rank or dtype open.
    """
    with lock:
        program = impl.get_runtime().prog
        compiled = None if program is None else _compiled(program).get(kernel)
        if compiled is None:
            start()
            program = impl.get_runtime().prog
            compiled = _compiled(program)[kernel] = _Compiled(program, kernel, arguments)
        context = compiled.front.make_launch_context()
        for (index, rank, is_real), given in zip(compiled.declared, arguments, strict=True):
            if rank is not None:
                shape = given.shape[:rank]  # type: ignore[union-attr]  # without the elements' own
                context.set_arg_external_array_with_shape(index, given.data_ptr(), given.nbytes, shape, 0)  # type: ignore[union-attr]
            elif is_real:
                context.set_arg_float(index, given)
            else:
                context.set_arg_int(index, given)
        program.launch_kernel(compiled.machine, context)


class _Compiled:
    """A kernel of which there is one variant: Taichi's front-end kernel, machine code, and (index, rank, is real) of
    its arguments, without a rank for numbers."""

    def __init__(self, program: Any, kernel: Any, arguments: tuple[Any, ...]) -> None:
        on_vectors = getattr(kernel, "is_in_vectors", False) and backend() == "cpu"
        with locked_runtime(), replaced(vectors(program.config()) if on_vectors else ()):
            self.front = _front(program, kernel, arguments)
            self.machine = program.compile_kernel(program.config(), program.get_device_caps(), self.front)
        self.declared = [
            ((index,), getattr(argument.annotation, "ndim", None), argument.annotation in (ti.f32, ti.f64))
            for index, argument in enumerate(kernel._primal.arguments)
        ]


def _front(program: Any, kernel: Any, arguments: tuple[Any, ...]) -> Any:
    """The kernel as Taichi's core has it, before it is machine code: from a recording, or recorded."""
    primal, recorder = kernel._primal, recording.Recorder()
    # Nobody knows what a host's settings do to the front end.
    ours = program.config().offline_cache_file_path == str(cache_folder())
    if not ours or not hasattr(kernel, "recipe"):
        return _by_front_end(primal, arguments)
    folder, name = cache_folder().with_name("recordings"), f"{backend()} {kernel.recipe}"
    text = recording.load(folder, name)
    if text is not None:
        settings, mode = program.config(), primal.autodiff_mode
        return program.create_kernel(lambda empty: recording.replay(text, empty, settings), primal.func.__name__, mode)
    with recorder.listening():
        front = _by_front_end(primal, arguments)
    recording.save(folder, name, recorder.text())
    return front


def _by_front_end(primal: Any, arguments: tuple[Any, ...]) -> Any:
    primal.ensure_compiled(*arguments)
    (front,) = primal.compiled_kernels.values()
    return front


@functools.lru_cache(maxsize=1)
def _compiled(program: Any) -> dict[Any, _Compiled]:
    """The kernels that run in a program of Taichi's, empty for a new one."""
    return {}


def check_device(**tensors: torch.Tensor) -> None:
    """Refuse tensors that the running backend would have to copy.

    Raises:
        ValueError: a tensor is not on the backend's device; says which and the remedy.
    """
    wanted = "cuda" if backend() == "cuda" else "cpu"
    for name, tensor in tensors.items():
        if tensor.device.type != wanted:
            raise ValueError(
                f"{name}: expected a tensor on {wanted!r} (the backend is {backend()!r}), got one on "
                f"{str(tensor.device)!r}; move it with .to({wanted!r}), or choose the backend with "
                f"isofield.kernels.start({tensor.device.type!r}) before the first call"
            )
