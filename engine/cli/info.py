"""`isofield info`: versions, devices, folders: what a report of a problem should say."""

from __future__ import annotations

from dataclasses import dataclass

from .exit_status import OK


@dataclass(frozen=True)
class Info:
    """Print versions, backend, devices, Vulkan or not, lane width and cache folder."""

    def run(self) -> int:
        """Print one line a fact; returns the exit status."""
        facts = facts_of_this_machine()
        width = max(map(len, facts))
        for name, value in facts.items():
            print(f"{name:<{width}}  {value}")
        return OK


def facts_of_this_machine() -> dict[str, str]:
    """Names and values of what `isofield info` prints; starts the runtime."""
    import ctypes.util
    import platform
    from importlib.metadata import version

    facts = {"isofield": version("isofield"), "python": platform.python_version(), "numpy": version("numpy")}
    try:
        from ...kernels.runtime import describe

        facts |= describe()
    except RuntimeError as error:  # a machine where the backend does not start is the one to report about
        facts["backend"] = f"none: {error}"
    vulkan = ctypes.util.find_library("vulkan") or ctypes.util.find_library("vulkan-1")
    facts["vulkan"] = vulkan or "no loader found; the viewer needs one (on Debian and Ubuntu: apt install libvulkan1)"
    return facts
