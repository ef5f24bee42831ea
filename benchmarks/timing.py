"""Rows of the table, and how their times are taken."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from unittest import mock

FOLDER = Path(__file__).parent
COMMAND = Path(sys.executable).with_name("isofield")


@dataclass(frozen=True)
class Goal:
    """A limit on what is measured ("ours") or on how many times less than the peer's it is ("ratio")."""

    of: Literal["ours", "ratio"]
    relation: Literal["at most", "at least"]
    limit: float

    def met(self, ours: float, ratio: float | None) -> bool:
        """Whether the numbers keep the goal; a goal on a ratio needs one."""
        value = ours if self.of == "ours" else ratio
        if value is None:
            raise ValueError("ratio: expected a number for a goal on the ratio, got None")
        return value <= self.limit if self.relation == "at most" else value >= self.limit


@dataclass(frozen=True)
class Row:
    """One line of the table: `ours` and `peer` are medians in `unit`, `spread` the lowest and highest of ours."""

    subject: str
    name: str
    unit: str
    ours: float
    spread: tuple[float, float]
    peer: float | None = None
    peer_name: str = ""
    goal: Goal | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """The peer's number divided by ours."""
        return None if self.peer is None else self.peer / self.ours

    @property
    def met(self) -> bool | None:
        """Whether the goal is met, None without one."""
        return None if self.goal is None else self.goal.met(self.ours, self.ratio)


def row(subject: str, name: str, unit: str, samples: list[float], **more: Any) -> Row:
    """A row of the samples' median and spread."""
    return Row(subject, name, unit, statistics.median(samples), (min(samples), max(samples)), **more)


@dataclass(frozen=True)
class Sample:
    """Seconds that one call took: on the wall clock, and of all cores together."""

    wall: float
    cores: float


_cores: list[int] = []  # that threads are pinned to, once they are


def pin_threads() -> None:
    """Give each thread that PyTorch shares work among a core of its own, on Linux, as isofield does with its own.

    To be called at the start of a process that measures, before PyTorch computes anything. Of two threads that are
    woken at once Linux puts one behind the other if the caller's core is not idle yet, in half of all processes for
    the whole of their life: times, a peer's above all, would say where the threads were put. So both pools, ours and
    PyTorch's, have a thread for each core that the process may use, and each keeps to one: ours from when Taichi starts
    (`isofield.kernels.runtime`), PyTorch's from here on, but for that of its threads which is the caller's: it has
    the first core only while something is timed (`on_first_core`), because threads and processes inherit it.
    """
    import torch

    if sys.platform != "linux":
        return
    cores = sorted(os.sched_getaffinity(0))
    torch.set_num_threads(len(cores))
    before = _threads()
    torch.ones(2**20).add_(1.0)  # large enough to be shared
    started = sorted(_threads() - before)
    if len(started) != len(cores) - 1:  # they ran already, or PyTorch shares work in another way
        print(f"PyTorch's threads are not pinned: {len(started)} new ones for {len(cores)} cores", file=sys.stderr)
        return
    for thread, core in zip(started, cores[1:], strict=True):
        os.sched_setaffinity(thread, {core})
    _cores[:] = cores


@contextlib.contextmanager
def on_first_core() -> Iterator[None]:
    """Keep the calling thread to the core that `pin_threads` has left for it.

    Not for work that starts threads or processes of its own meanwhile, Taichi's included: they would all have one core.
    """
    if _cores:
        os.sched_setaffinity(0, _cores[:1])
    try:
        yield
    finally:
        if _cores:
            os.sched_setaffinity(0, _cores)


def _threads() -> set[int]:
    return set(map(int, os.listdir("/proc/self/task")))


@contextlib.contextmanager
def no_new_kernel(what: str) -> Iterator[None]:
    """Refuse that a kernel is made meanwhile, whether it is compiled or taken from the cache.

    Raises:
        RuntimeError: one is; says `what` made it.
    """
    from taichi._lib import core

    made = []
    create = core.Program.create_kernel

    def count(*given: Any) -> Any:
        made.append(given)
        return create(*given)

    with mock.patch.object(core.Program, "create_kernel", count):
        yield
    require(not made, f"{what} made a kernel compile")


def timed(work: Callable[[], Any], times: int, warm_up: int = 1, *, own_threads: bool = False) -> list[Sample]:
    """Times of `times` calls, after `warm_up` that are not counted; waits for the GPU where there is one.

    The caller's thread keeps to its core meanwhile, unless the work starts threads of its own each time.
    """
    for _ in range(warm_up):
        work()
    samples = []
    with contextlib.nullcontext() if own_threads else on_first_core():
        for _ in range(times):
            wait()
            wall, cores = time.perf_counter(), time.process_time()
            work()
            wait()
            samples.append(Sample(time.perf_counter() - wall, time.process_time() - cores))
    return samples


def milliseconds(work: Callable[[], Any], times: int, warm_up: int = 1, *, own_threads: bool = False) -> list[float]:
    """Wall-clock milliseconds of `times` calls after `warm_up` uncounted ones; arguments as for `timed`."""
    return [sample.wall * 1e3 for sample in timed(work, times, warm_up, own_threads=own_threads)]


def wait() -> None:
    """Until everything given to the GPU is done; nothing to wait for on the CPU."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


@dataclass(frozen=True)
class Ended:
    """A process that has ended: its seconds, the most memory it held in MiB, and what it printed."""

    seconds: float
    memory: float
    output: str


def process(*command: str | Path, cache: Path | None = None) -> Ended:
    """Run a command to its end, with its compiled kernels in the folder `cache` if one is given.

    Raises:
        RuntimeError: its exit status is not 0; says what it printed.
    """
    environment = {**os.environ, **({"ISOFIELD_CACHE": str(cache)} if cache else {})}
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        child = subprocess.Popen([str(word) for word in command], stdout=output, stderr=output, env=environment)
        # Popen.wait would not tell the memory.
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if child.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit status {child.returncode}\n{text}")
    unit = 2**20 if sys.platform == "darwin" else 2**10  # macOS counts bytes, Linux KiB
    return Ended(seconds, usage.ru_maxrss / unit, text)


def own_process(script: str, *arguments: object, cache: Path | None = None) -> tuple[Any, Ended]:
    """What the benchmark file `script` prints last, as JSON, when run in a process of its own."""
    ended = process(sys.executable, FOLDER / script, *map(str, arguments), cache=cache)
    return json.loads(ended.output.splitlines()[-1]), ended


def require(good: bool, what: str) -> None:
    """Refuse to publish times of results that are wrong.

    Raises:
        RuntimeError: not good; says what is not.
    """
    if not good:
        raise RuntimeError(f"results differ: {what}")
