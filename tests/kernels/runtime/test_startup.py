"""The runtime belongs to the host: joined, started again under us, shared by threads. Each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from isofield.kernels import runtime

HEAD = """
import torch
import isofield as iso
points = torch.tensor([[2.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.7, 0.0]])
def check():
    program = iso.build_program(iso.Scene(show=iso.sphere(0.5).named("ball")))
    assert torch.allclose(iso.kernels.distance(program, points), torch.tensor([1.5, -0.5, 0.2]), atol=1e-6)
    hits = iso.kernels.sphere_trace(program, points[:1], torch.tensor([[-1.0, 0.0, 0.0]]))
    assert abs(float(hits.distance[0]) - 1.5) < 1e-4
"""


def run(program: str, **environment: str) -> str:
    """What the program prints; it is a file, because Taichi reads the source of kernels."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "host.py"
        path.write_text(HEAD + program, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(path)], capture_output=True, text=True, timeout=280, env=os.environ | environment
        )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_a_host_that_came_first_is_joined() -> None:
    run("""
import taichi as ti
ti.init(arch=ti.cpu, default_fp=ti.f64, default_ip=ti.i64, random_seed=7, log_level=ti.ERROR)
x = ti.field(ti.f32, 3)
x.fill(4.0)
prog = ti.lang.impl.get_runtime().prog
check()
assert ti.lang.impl.get_runtime().prog is prog, "the runtime was reset"
assert x.to_numpy().tolist() == [4.0, 4.0, 4.0]
assert ti.lang.impl.get_runtime().default_fp == ti.f64 and ti.lang.impl.get_runtime().default_ip == ti.i64
assert iso.kernels.start() == "cpu"
""")


def test_a_host_that_starts_taichi_again_under_us() -> None:
    run("""
import taichi as ti
check()
for options in ({}, {"default_fp": ti.f64, "default_ip": ti.i64}):
    ti.init(arch=ti.cpu, log_level=ti.ERROR, **options)
    @ti.kernel
    def twice(a: ti.f32) -> ti.f32:
        return 2.0 * a
    assert twice(3.0) == 6.0
    check()
ti.reset()
check()
""")


def test_kernels_launched_without_taichis_checks_survive_a_new_runtime() -> None:
    run("""
import taichi as ti
values, points = torch.rand(5, 6, 2, requires_grad=True), torch.rand(6000, 2)
def gradient():
    return torch.autograd.grad(iso.kernels.interpolate(values, points).square().sum(), values)[0]
first = gradient()
assert torch.equal(gradient(), first)
ti.init(arch=ti.cpu, log_level=ti.ERROR, default_fp=ti.f64, default_ip=ti.i64)
assert torch.equal(gradient(), first) and torch.equal(gradient(), first)
ti.reset()
assert torch.equal(gradient(), first) and torch.equal(gradient(), first)
""")


def test_nothing_is_printed_and_another_backend_than_the_one_that_runs_is_refused_with_the_remedy() -> None:
    out = run("""
import sys
assert "taichi" not in sys.modules
missing = not torch.cuda.is_available()
if missing:
    try:
        iso.kernels.start("cuda")
    except RuntimeError as error:
        assert "'cuda' cannot be started" in str(error), error
    else:
        raise AssertionError
assert iso.kernels.start("cpu") == "cpu"
assert iso.kernels.start() == "cpu" and iso.kernels.start("cpu") == "cpu"
try:
    iso.kernels.start("cuda")
except ValueError as error:
    assert "'cpu' runs already" in str(error) and "new process" in str(error), error
else:
    raise AssertionError
check()
""")
    assert out == ""


def test_an_unknown_backend_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="backend: expected one of cpu, cuda, vulkan, got 'metal'"):
        runtime.start("metal")


def test_threads_share_the_runtime() -> None:
    run("""
import threading
from isofield.kernels import distance, distance_and_gradient
wrong, started = [], threading.Barrier(4)
def work(number):
    program = iso.build_program(iso.Scene(show=iso.sphere(0.1 * (number + 1))))
    own = torch.rand(1000 + number, 3, generator=torch.Generator().manual_seed(number)) * 4 - 2
    expected = own.norm(dim=1) - 0.1 * (number + 1)
    started.wait()
    try:
        for turn in range(30):
            value = distance(program, own) if turn % 2 else distance_and_gradient(program, own)[0]
            if not torch.allclose(value, expected, atol=1e-5):
                wrong.append((number, turn))
        leaf = own.clone().requires_grad_()
        distance(program, leaf).sum().backward()
        if not torch.allclose(leaf.grad, torch.nn.functional.normalize(own, dim=1), atol=1e-5):
            wrong.append((number, "gradient"))
    except BaseException as error:
        wrong.append((number, error))
threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not wrong, wrong
""")


def test_the_cache_folder_is_where_it_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("cache")
    (folder / "taichi-1.7.4").mkdir()
    (folder / "taichi-1.7.4" / "ticache.lock").touch()  # left by a process that was killed
    out = run(
        "from isofield.kernels import runtime; runtime.start(); print(runtime.cache_folder())",
        ISOFIELD_CACHE=str(folder),
    )
    assert out.strip() == str(folder / "taichi-1.7.4")
    assert not (folder / "taichi-1.7.4" / "ticache.lock").exists()


def test_what_runs_is_described() -> None:
    told = runtime.describe()
    assert told["backend"] in ("cpu", "cuda")
    assert int(told["lane width"]) == runtime.lane_width() == runtime.LANE_WIDTHS[told["backend"]]
    assert told["taichi"] == "1.7.4"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads are left where the system puts them")
def test_each_core_has_a_thread_of_its_own() -> None:
    printed = run("""
import os
iso.kernels.start("cpu")
threads = map(int, os.listdir("/proc/self/task"))
print(sorted(core for thread in threads for core in os.sched_getaffinity(thread)
             if len(os.sched_getaffinity(thread)) == 1))
print(sorted(os.sched_getaffinity(0)))
check()
""")
    alone, cores = printed.splitlines()
    assert alone == cores or cores.count(",") == 0  # of a process that has one core, all threads have that alone


def test_threads_of_a_host_are_left_where_they_are() -> None:
    run("""
import os
import taichi as ti
ti.init(arch=ti.cpu, log_level=ti.ERROR)
check()
assert all(os.sched_getaffinity(int(thread)) == os.sched_getaffinity(0) for thread in os.listdir("/proc/self/task"))
""")


@pytest.mark.skipif(sys.platform != "linux", reason="threads are pinned on Linux only")
def test_a_pinned_caller_does_not_change_the_count_of_cores() -> None:
    cores, before = runtime.available_cores(), os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert runtime.available_cores() == cores
    finally:
        os.sched_setaffinity(0, before)
