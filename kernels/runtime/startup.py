"""The only place that starts Taichi.

The runtime belongs to the host program: it is joined if it runs already, started on first use if not, and never reset.
A process has one backend, chosen by `start` or at the first launch: CUDA if torch has it, else the CPU.
"""

import contextlib
import functools
import io
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from .front_end import impl, ti

BACKENDS = ("cpu", "cuda", "vulkan")

# Lanes a packet is wide: on a CPU, where only code that is written over lanes uses its vectors, as many as fill a
# register, which measured best for tracing. A GPU has its own lanes.
LANE_WIDTHS = {"cpu": 16 if torch.backends.cpu.get_cpu_capability() == "AVX512" else 8, "cuda": 1, "vulkan": 4}
# Points that lie anywhere have to run most rows of a program: wider packets share more of what a row costs by itself.
POINT_LANE_WIDTHS = LANE_WIDTHS | {"cpu": 2 * LANE_WIDTHS["cpu"]}

COMPILERS = 4  # threads that Taichi compiles in; 4 is its own choice

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
            with contextlib.redirect_stdout(io.StringIO()), _pinned_threads(chosen == "cpu"):
                ti.init(
                    arch={"cpu": ti.cpu, "cuda": ti.cuda, "vulkan": ti.vulkan}[chosen],
                    enable_fallback=False,
                    offline_cache_file_path=str(folder),
                    cpu_max_num_threads=available_cores(),
                    num_compile_threads=COMPILERS,
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


@functools.cache
def available_cores() -> int:
    """Cores this process may use; Taichi itself counts the machine's.

    Counted once: the threads that run kernels are as many as when they were started, whatever core a host has pinned
    the calling thread to since.
    """
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def _pinned_threads(wanted: bool) -> Iterator[None]:
    """Give each thread that Taichi starts meanwhile to run kernels in a core of its own, on Linux.

    Of two threads that are woken at once, Linux puts one behind the other if the caller's core is not idle yet, and
    leaves it there for milliseconds: in half of all processes a kernel of 2 ms ran on one core of two.
    """
    if not (wanted and sys.platform == "linux"):
        yield
        return
    before = _threads()
    yield
    started, cores = sorted(_threads() - before), sorted(os.sched_getaffinity(0))
    # Taichi starts those that compile first. Where others were started meanwhile, by the host, who is who is not known.
    if len(started) == COMPILERS + len(cores):
        for thread, core in zip(started[COMPILERS:], cores, strict=True):
            with contextlib.suppress(OSError):  # of a system that does not allow it
                os.sched_setaffinity(thread, {core})


def _threads() -> set[int]:
    """This process's threads, by the numbers that the system gives them, later ones higher ones."""
    with contextlib.suppress(OSError):
        return set(map(int, os.listdir("/proc/self/task")))
    return set()  # not known


def _remove_stale_lock(folder: Path) -> None:
    """A run that was killed leaves a lock that would disable the cache for every later run."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError):
        (folder / "ticache.lock").unlink(missing_ok=True)
