"""The command `isofield`: one file a subcommand; what is slow to import is imported when a subcommand runs."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from ..files import termination_interrupts, was_terminated
from .exit_status import FAILED, INTERRUPTED, TERMINATED, WRONG_USAGE
from .usage import UsageError

# Objects made between two searches for garbage. What imports and compilers make stays: with Python's 700 it would be
# looked through for 0.4 s before the first picture, with 100 000 for 0.2 s.
GARBAGE_THRESHOLD = 1_000_000


def run_as_process() -> NoReturn:
    """The command line as a process of its own; it ends with the status of `main`."""
    gc.set_threshold(GARBAGE_THRESHOLD)
    status = main()
    if "taichi" in sys.modules:
        from ...kernels.runtime import ti

        ti.reset()  # writes the cache of kernels
    # Taking Python, PyTorch and LLVM apart piece by piece would take 0.6 s.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    It is 0, 1 for what failed, 2 for wrong usage, 130 after Ctrl-C, 143 after SIGTERM.
    """
    import tyro

    from .check import Check
    from .compare import Compare
    from .fit import Fit
    from .info import Info
    from .list import List
    from .mesh import MeshCommand
    from .ntk import Ntk
    from .render import Render
    from .sample import Sample
    from .schema import Schema
    from .view import ViewCommand

    commands: dict[str, Callable[..., Any]] = {
        "render": Render,
        "view": ViewCommand,
        "fit": Fit,
        "sample": Sample,
        "mesh": MeshCommand,
        "ntk": Ntk,
        "compare": Compare,
        "check": Check,
        "schema": Schema,
        "info": Info,
        "list": List,
    }
    command = tyro.extras.subcommand_cli_from_dict(
        commands, prog="isofield", description="Fields into pictures and pictures into fields.", args=arguments
    )
    with termination_interrupts():
        status = _run(command)
    return TERMINATED if status == INTERRUPTED and was_terminated() else status


def _run(command: Any) -> int:
    """Run a command; returns the exit status, which is that of Ctrl-C after SIGTERM too."""
    try:
        return int(command.run())
    except UsageError as error:
        return _failed(error, WRONG_USAGE)
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        print("isofield: stopped", file=sys.stderr)
        return INTERRUPTED
    except (OSError, RuntimeError, ValueError) as error:
        if not _is_for_users(error):
            raise
        return _failed(error, FAILED)


def _is_for_users(error: Exception) -> bool:
    """Whether the message says all: errors of files and of this project's own code, not of a library in its depths."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    raised_in = str(trace.tb_frame.f_globals.get("__name__", "")) if trace is not None else ""
    return isinstance(error, OSError) or raised_in.startswith(__name__.partition(".")[0])


def _failed(error: Exception, status: int) -> int:
    print(error, file=sys.stderr)
    return status
