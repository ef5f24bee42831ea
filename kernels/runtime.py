"""The only place that imports and starts Taichi.

The runtime belongs to the host program: it is joined if it runs already, started on first use if not, and never reset.
A process has one backend, chosen by `start` or at the first launch: CUDA if torch has it, else the CPU.
"""

import contextlib
import functools
import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Both switches are read by Taichi while it is imported: no banner on stdout, no version check over the network.
os.environ.setdefault("ENABLE_TAICHI_HEADER_PRINT", "0")
os.environ.setdefault("TI_SKIP_VERSION_CHECK", "ON")

import taichi as ti
import torch
from taichi.lang import impl
from taichi.lang.ast.ast_transformer_utils import ASTTransformerContext

__all__ = [
    "available_cores",
    "backend",
    "cache_folder",
    "check_device",
    "describe",
    "lane_width",
    "launch",
    "per_lane_width",
    "start",
    "ti",
]

BACKENDS = ("cpu", "cuda", "vulkan")

# Lanes a packet is wide. x64 emits scalar code that LLVM joins into vectors only when it is written over lanes; 16
# fill an AVX-512 register, and measured best for tracing. A GPU has its own lanes.
LANE_WIDTHS = {"cpu": 16, "cuda": 1, "vulkan": 4}

_lock = threading.RLock()


def start(name: str | None = None) -> str:
    """Start Taichi, or join the runtime that the host program has started; returns the backend's name.

    `name` is "cpu", "cuda" or "vulkan"; None takes what runs already, else CUDA if torch has it, else the CPU.

    Raises:
        ValueError: `name` is none of the three, or another backend runs already in this process.
        RuntimeError: the backend is not available on this machine.
    """
    if name is not None and name not in BACKENDS:
        raise ValueError(f"backend: expected one of {', '.join(BACKENDS)}, got {name!r}")
    with _lock:
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


def per_lane_width(factory: Callable[[int], Any]) -> Callable[[], Any]:
    """Decorator for makers of kernels by lane width: calls give the running backend's kernel, made once."""
    made = functools.cache(factory)

    @functools.wraps(factory)
    def for_backend() -> Any:
        return made(lane_width())

    return for_backend


@contextlib.contextmanager
def launch() -> Iterator[None]:
    """Hold the lock that stands round every compile and launch, with the runtime started.

    Meanwhile literals in kernels are 32-bit and Taichi's own passes are off, whatever the host has chosen for its own.
    """
    with _lock:
        start()
        runtime, config = impl.get_runtime(), impl.current_cfg()
        chosen = runtime.default_fp, runtime.default_ip, ASTTransformerContext.get_pos_info
        passes = config.advanced_optimization
        runtime.default_fp, runtime.default_ip = ti.f32, ti.i32
        ASTTransformerContext.get_pos_info = _short_position
        config.advanced_optimization = False
        try:
            yield
        finally:
            runtime.default_fp, runtime.default_ip, ASTTransformerContext.get_pos_info = chosen
            config.advanced_optimization = passes


def _short_position(context: Any, node: Any) -> str:
    """Where a statement of a kernel stands, for error messages.

    Taichi's own version draws a wrapped excerpt for every expression that it compiles, which takes a third of the time.
    """
    return f'File "{context.file}", line {node.lineno + context.lineno_offset}, in {context.func.func.__name__}:\n'


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
    if impl.get_runtime().prog is None:
        return None
    arch = impl.current_cfg().arch
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
