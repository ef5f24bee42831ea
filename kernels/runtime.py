"""The only place that imports and starts Taichi.

The runtime belongs to the host program: it is joined if it runs already, started on first use if not, and never reset.
A process has one backend, chosen by `start` or at the first launch: CUDA if torch has it, else the CPU.
"""

import ast
import contextlib
import functools
import inspect
import io
import linecache
import os
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Both switches are read by Taichi while it is imported: no banner on stdout, no version check over the network.
os.environ.setdefault("ENABLE_TAICHI_HEADER_PRINT", "0")
os.environ.setdefault("TI_SKIP_VERSION_CHECK", "ON")

import torch


def _frame_info(frame: Any, context: int = 1) -> inspect.Traceback:
    """Where a frame stands, with the one line of its source that Taichi's decorators look at."""
    file, line, name = frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name
    return inspect.Traceback(file, line, name, [linecache.getline(file, line)], 0)


# Each device function asks where it is defined, and `inspect` looks through all modules for the answer, which takes
# 0.2 s for Taichi's own and as much for ours.
_thorough, inspect.getframeinfo = inspect.getframeinfo, _frame_info
try:
    import taichi as ti
    from taichi.lang import impl, kernel_impl
    from taichi.lang.ast.ast_transformer_utils import ASTTransformerContext
finally:
    inspect.getframeinfo = _thorough

__all__ = [
    "POINT_LANE_WIDTHS",
    "available_cores",
    "backend",
    "cache_folder",
    "check_device",
    "describe",
    "lane_width",
    "launch",
    "lock",
    "per_lane_width",
    "run",
    "start",
    "ti",
]

BACKENDS = ("cpu", "cuda", "vulkan")

# Lanes a packet is wide. x64 emits scalar code that LLVM joins into vectors only when it is written over lanes; as many
# as fill a register measured best for tracing, and twice as many compile for twice as long. A GPU has its own lanes.
LANE_WIDTHS = {"cpu": 16 if torch.backends.cpu.get_cpu_capability() == "AVX512" else 8, "cuda": 1, "vulkan": 4}
# Points that lie anywhere have to run most rows of a program: wider packets share more of what a row costs by itself.
POINT_LANE_WIDTHS = LANE_WIDTHS | {"cpu": 16}

lock = threading.RLock()
"""Stands round every compile and launch, and round the use of `memory.scratch`."""


def start(name: str | None = None) -> str:
    """Start Taichi, or join the runtime that the host program has started; returns the backend's name.

    `name` is "cpu", "cuda" or "vulkan"; None takes what runs already, else CUDA if torch has it, else the CPU.

    Raises:
        ValueError: `name` is none of the three, or another backend runs already in this process.
        RuntimeError: the backend is not available on this machine.
    """
    if name is not None and name not in BACKENDS:
        raise ValueError(f"backend: expected one of {', '.join(BACKENDS)}, got {name!r}")
    with lock:
        running = _running()
        if running is not None:
            if name is not None and name != running:
                raise ValueError(
                    f"backend: {running!r} runs already in this process, so {name!r} cannot; start {name!r} in a new "
                    "process, before the first call"
                )
            return running
        chosen = name or ("cuda" if torch.cuda.is_available() else "cpu")
        folder = cache_folder()
        _remove_stale_lock(folder)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                ti.init(
                    arch={"cpu": ti.cpu, "cuda": ti.cuda, "vulkan": ti.vulkan}[chosen],
                    enable_fallback=False,
                    offline_cache_file_path=str(folder),
                    cpu_max_num_threads=available_cores(),
                    # Taichi's own passes took 5 of the 6.6 seconds that the interpreter compiles and gained nothing:
                    # LLVM does the same work again.
                    advanced_optimization=False,
                    log_level=ti.ERROR,
                )
                # The rest of Taichi's start must run in the same thread; left to the first launch, it may not.
                impl.get_runtime().materialize()
        except Exception as error:
            raise RuntimeError(f"backend: {chosen!r} cannot be started on this machine ({error})") from error
        return chosen


def backend() -> str:
    """Name of the backend, started if none runs yet."""
    return _running() or start()


def lane_width() -> int:
    """Points that one packet holds on the running backend."""
    return LANE_WIDTHS[backend()]


def per_lane_width(factory: Callable[..., Any], widths: dict[str, int] = LANE_WIDTHS) -> Callable[..., Any]:
    """Decorator for makers of kernels by lane width, and whatever else: calls give the backend's kernel, made once."""
    made = functools.cache(factory)

    @functools.wraps(factory)
    def for_backend(*variant: Any) -> Any:
        return made(widths[backend()], *variant)

    return for_backend


@contextlib.contextmanager
def launch() -> Iterator[None]:
    """Hold the lock that stands round every compile and launch, with the runtime started.

    Meanwhile literals in kernels are 32-bit and Taichi's own passes are off, whatever the host has chosen for its own.
    """
    with lock, contextlib.ExitStack() as afterwards:
        start()
        for owner, name, ours in (
            (impl.get_runtime(), "default_fp", ti.f32),
            (impl.get_runtime(), "default_ip", ti.i32),
            (impl.current_cfg(), "advanced_optimization", False),
            (ASTTransformerContext, "get_pos_info", _short_position),
            (kernel_impl, "_get_tree_and_ctx", _tree_and_context),
        ):
            afterwards.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, ours)
        yield


def run(kernel: Any, *arguments: torch.Tensor | int | float) -> None:
    """Compile a kernel if it is not, and launch it, under the lock.

    Taichi's own launcher takes 200 µs for five tensors, this one 25. It looks at nothing: tensors must be detached,
    contiguous, on the backend's device, and as the kernel declares them, which may not leave a rank or dtype open.
    """
    with lock:
        program = impl.get_runtime().prog
        compiled = None if program is None else _compiled(program).get(kernel)
        if compiled is None:
            with launch():
                kernel(*arguments)
            program = impl.get_runtime().prog
            _compiled(program)[kernel] = _Compiled(kernel._primal, program)
            return
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

    def __init__(self, primal: Any, program: Any) -> None:
        (self.front,) = primal.compiled_kernels.values()
        self.machine = program.compile_kernel(program.config(), program.get_device_caps(), self.front)
        self.declared = [
            ((index,), getattr(argument.annotation, "ndim", None), argument.annotation in (ti.f32, ti.f64))
            for index, argument in enumerate(primal.arguments)
        ]


@functools.lru_cache(maxsize=1)
def _compiled(program: Any) -> dict[Any, _Compiled]:
    """The kernels that run in a program of Taichi's, empty for a new one."""
    return {}


def _short_position(context: Any, node: Any) -> str:
    """Where a statement of a kernel stands, for error messages.

    Taichi's own version draws a wrapped excerpt for every expression that it compiles, which takes a third of the time.
    """
    return f'File "{context.file}", line {node.lineno + context.lineno_offset}, in {context.func.func.__name__}:\n'


def _tree_and_context(function: Any, is_kernel: bool = True, args: Any = None, **options: Any) -> tuple[Any, Any]:
    """What the front end needs of a kernel or a device function, whose source is parsed once.

    Taichi's own version reads, wraps and parses the source for each call it inlines, of which a picture has a thousand.
    """
    # The front end strips a kernel's tree of its arguments; a function's it leaves as it is.
    file, lines, first_line, tree = (_parse if is_kernel else _parse_once)(function.func)
    names = kernel_impl._get_global_vars(function.func)
    for slot in function.template_slot_locations if is_kernel else ():
        names[function.arguments[slot].name] = args[slot]
    return tree, ASTTransformerContext(
        is_kernel=is_kernel, func=function, argument_data=args, global_vars=names, file=file, src=lines,
        start_lineno=first_line, **options,
    )  # fmt: skip


def _parse(function: Callable[..., Any]) -> tuple[str, list[str], int, ast.Module]:
    lines, first_line = inspect.getsourcelines(function)
    tree = ast.parse(textwrap.dedent("".join(lines)))
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list = []
    return inspect.getfile(function), lines, first_line, tree


_parse_once = functools.cache(_parse)


def _inside_class(level_of_class_stackframe: int) -> bool:
    """Whether what is decorated stands in a class: the same answer as Taichi's own function gives, by `_frame_info`."""
    try:
        frame = sys._getframe(level_of_class_stackframe)
    except ValueError:  # a script's own top has nothing around it
        return False
    (statement,) = _frame_info(frame).code_context or [""]
    return any(pattern.match(statement.strip()) for pattern in kernel_impl._KERNEL_CLASS_STACKFRAME_STMT_RES)


kernel_impl._inside_class = _inside_class


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


def cache_folder() -> Path:
    """Folder of the compiled kernels: $ISOFIELD_CACHE, else isofield's own in the user's cache folder."""
    base = os.environ.get("ISOFIELD_CACHE")
    if base is None:
        base = str(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "isofield")
    return Path(base) / f"taichi-{'.'.join(map(str, ti.__version__))}"


def describe() -> dict[str, str]:
    """What `isofield info` prints of the runtime; starts it."""
    return {
        "taichi": ".".join(map(str, ti.__version__)),
        "torch": torch.__version__,
        "backend": backend(),
        "device": torch.cuda.get_device_name() if backend() == "cuda" else f"CPU, {available_cores()} cores",
        "lane width": str(lane_width()),
        "cache folder": str(cache_folder()),
    }


def _running() -> str | None:
    """Name of the backend that runs in this process, whoever started it."""
    program = impl.get_runtime().prog
    return None if program is None else _backend_of(program)


@functools.lru_cache(maxsize=1)
def _backend_of(program: Any) -> str:
    arch = program.config().arch
    if arch in (ti.x64, ti.arm64):
        return "cpu"
    for name, candidate in (("cuda", ti.cuda), ("vulkan", ti.vulkan)):
        if arch == candidate:
            return name
    raise RuntimeError(f"backend: Taichi runs on {arch}, which isofield does not know; it knows {', '.join(BACKENDS)}")


def available_cores() -> int:
    """Cores this process may use; Taichi itself counts the machine's."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _remove_stale_lock(folder: Path) -> None:
    """A run that was killed leaves a lock that would disable the cache for every later run."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError):
        (folder / "ticache.lock").unlink(missing_ok=True)
