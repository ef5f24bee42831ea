"""How every file is written: in a folder of its own beside its place, then renamed, so it is whole or not there.

The folder's name says for which file it is and on which machine; its process holds a lock on it, which the system takes
away when that process ends. So the next write to the same file knows what a kill has left and removes it, and leaves
alone what a process, or another machine that shares the disk, may still need.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

ENDING = ".unfinished"
BOOT = Path("/proc/sys/kernel/random/boot_id")  # one for all containers of a machine, another after each start


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """An empty file to write to; it takes the place of `path` at the end, and is removed if writing fails.

    The mode is that of the file that was there, else what the umask leaves. Errors of the system that come from inside
    get the name of `path`.

    Raises:
        OSError: the folder is not there or cannot be written to, or the disk is full; names `path`.
    """
    with _file_beside(path) as (temporary, place), _named(path, temporary.parent):
        mode = stat.S_IMODE((place if place.exists() else temporary).stat().st_mode)
        yield temporary
        if temporary.stat().st_size == 0:
            raise OSError(f"{os.fspath(path)}: cannot be written: nothing was written")
        with temporary.open("rb") as file:
            os.fsync(file.fileno())  # disks in a network say only now that they are full
        temporary.chmod(mode)  # libraries that make a file of their own give it one of their own
        os.replace(temporary, place)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Find out before long work whether a file can be written, and remove what a kill has left of an earlier one.

    Raises:
        OSError: it cannot; says why.
    """
    with _file_beside(path):
        pass


@contextlib.contextmanager
def library_writes(temporary: Path) -> Iterator[None]:
    """What a library says in its own way, when it cannot write a file, as an error of the system.

    Raises:
        OSError: with the system's number if it can be found out.
    """
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise cause_of(temporary, str(error)) from None


def cause_of(temporary: Path, said: str) -> OSError:
    """Why a library could not write a file, of which it has said something."""
    number = re.search(r"\(os error (\d+)\)", said)
    if number is not None:
        return OSError(int(number[1]), os.strerror(int(number[1])))
    try:
        with temporary.open("ab") as file:
            file.write(bytes(2**12))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error
    return OSError(0, " ".join(said.split()) or "its library does not say why")


@contextlib.contextmanager
def _file_beside(path: str | os.PathLike[str]) -> Iterator[tuple[Path, Path]]:
    """An empty file with the ending of `path`, in a new folder that is removed at the end; and the place of `path`.

    Raises:
        OSError: it cannot be made; names the file that was asked for.
    """
    place = Path(os.path.realpath(path))  # a link is kept, and what it points to replaced
    _check(place, os.fspath(path))
    with _named(path, None):
        _remove_left(place)
        folder, lock = _locked_folder(place)
    try:
        temporary = folder / f"new{place.suffix}"
        with _named(path, folder):
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield temporary, place
    finally:
        try:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            if lock is not None:
                os.close(lock)


def _check(place: Path, name: str) -> None:
    if place.is_dir():
        raise IsADirectoryError(f"{name}: cannot be written: it is a folder")
    if not place.parent.is_dir():
        raise FileNotFoundError(f"{name}: cannot be written: there is no folder {place.parent}")
    if place.exists() and not place.is_file():
        raise OSError(f"{name}: cannot be written: it is a device")
    if place.exists() and not os.access(place, os.W_OK):
        raise PermissionError(f"{name}: cannot be written: it is protected")


@contextlib.contextmanager
def _named(path: str | os.PathLike[str], folder: Path | None) -> Iterator[None]:
    """Errors of the system get the name of the file that was asked for; with a `folder` only those of files in it."""
    try:
        yield
    except OSError as error:
        elsewhere = folder is not None and error.filename and Path(os.fsdecode(error.filename)).parent != folder
        if error.errno is None or elsewhere:
            raise
        raise OSError(f"{os.fspath(path)}: cannot be written: {(error.strerror or str(error)).lower()}") from None


def _locked_folder(place: Path) -> tuple[Path, int | None]:
    """A new folder beside a place, and the lock on it, None where the disk has none."""
    while True:
        folder = place.parent / "-".join([f".{place.name[:40]}", *_machine(), f"{secrets.token_hex(4)}{ENDING}"])
        folder.mkdir(mode=0o700)
        lock = _lock(folder, wait=True)
        if folder.exists():  # another process may have found it before it was locked
            return folder, lock
        if lock is not None:
            os.close(lock)


def _remove_left(place: Path) -> None:
    """Remove the folders that kills have left beside a place."""
    machine = _machine()
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(place.parent)):
            if not entry.name.endswith(ENDING):
                continue
            name, *known, _ = entry.name.rsplit("-", 3)
            # Another machine's locks cannot always be seen.
            if name != f".{place.name[:40]}" or not any(map(str.__eq__, known, machine)):
                continue
            lock = _lock(Path(entry.path), wait=False)
            if lock is not None:
                shutil.rmtree(entry.path, ignore_errors=True)
                os.close(lock)


def _lock(folder: Path, *, wait: bool) -> int | None:
    """A lock on a folder that ends with this process; None if it is taken, or cannot be had here."""
    try:
        import fcntl

        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(opened)
        return None
    return opened


@cache
def _machine() -> tuple[str, str]:
    """What tells this machine from others: hashes of its name and of its last start."""
    try:
        boot = BOOT.read_text()
    except OSError:
        boot = platform.node()
    first, second = (sha256(text.encode()).hexdigest()[:8] for text in (platform.node(), boot))
    return first, second
