"""What a result was measured on and with."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path

import inputs
import torch

import isofield as iso
from isofield.kernels import runtime

PACKAGES = ("isofield", "taichi", "torch", "numpy")


def describe() -> dict[str, str | int]:
    """Processor, cores, backend, device and system."""
    found: dict[str, str | int] = {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "backend": runtime.backend(),
        "lanes": runtime.lane_width(),
        "system": f"{platform.system()} {platform.machine()}",
        "torch threads": torch.get_num_threads(),
    }
    if runtime.backend() == "cuda":
        found["gpu"] = torch.cuda.get_device_name()
    return found


def versions() -> dict[str, str]:
    """Python's and the packages' versions, and the commit, with "+" after it if files differ from it."""
    found = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"commit": _commit(), "python": platform.python_version(), **found}


def slug() -> str:
    """The machine's name for a file."""
    known = describe()
    text = f"{known.get('gpu', known['processor'])} {known['cores']} cores {known['backend']}"
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def seeds() -> dict[str, int]:
    """The seeds of everything random."""
    return {"shapes and points": inputs.SEED}


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    folder = Path(iso.__file__).parent.parent
    try:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True)
        changed = subprocess.run(
            ["git", "status", "--porcelain"], cwd=folder, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit.stdout.strip() + ("+" if changed.stdout.strip() else "")
