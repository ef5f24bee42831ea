"""What Taichi's front end makes of a kernel, written down, so that the next process need not make it again.

The front end walks through the source of a kernel and of every device function that it inlines, and calls Taichi's core
for each expression and statement: 0.4 s for a kernel with the interpreter, also where its machine code is in the cache.
The calls alone take a tenth of that. They are the same as long as the sources are. Of those that are files of
`isofield.kernels` the name of a recording holds a digest, of all, wherever they lie in it; of Taichi's, its version.
Those that were written while the program ran stand in the recording by their names, which hold digests too
(`front_end.add_source`). A kernel of which the front end reads anything else, or of which something cannot be written
down, is not recorded.
"""

import contextlib
import hashlib
import json
import operator
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import front_end
from .front_end import core, is_added, replaced, ti

# What builds a kernel. A call that gives no part of one, such as a question for a type, is not written down.
MAKERS = ("bits_cast", "expr_", "get_external_tensor_shape", "insert_internal", "make_", "subscript_with", "value_cast")
FUNCTIONS = {name: value for name, value in vars(core).items() if name.startswith(MAKERS)}
FUNCTIONS["ExprGroup"] = core.ExprGroup
METHODS = {
    f"{owner.__name__}.{name}": getattr(owner, name)
    for owner, names in (
        (core.ASTBuilder, [name for name in dir(core.ASTBuilder) if not name.startswith("_")]),
        (core.Kernel, [name for name in dir(core.Kernel) if name.startswith(("finalize_", "insert_", "pop_"))]),
        (core.ExprGroup, ["push_back"]),
        (core.Expr, ["type_check"]),
    )
    for name in names
}
ON_LISTS = {"list": lambda *parts: list(parts), "part": operator.getitem}
TYPES = {str(kind): kind for name, kind in vars(core).items() if name.startswith("DataType_")}
PARTS = (core.Expr, core.ExprGroup)
GIVEN = {core.Kernel: "kernel", core.ASTBuilder: "builder", core.CompileConfig: "settings", core.DebugInfo: "nowhere"}
PLAIN = (bool, int, float, str)

PACKAGE = Path(str(sys.modules["isofield.kernels"].__file__)).parent  # wherever in it this file lies
FOLDERS = PACKAGE, Path(ti.__file__).parent  # of sources of which there is a digest or a version

MOST_FILES = 100  # recordings that are kept, a few hundred kilobytes each


class Recorder:
    """Listens to the calls that build one kernel.

    A call is a row of numbers, of its function and of the values it takes: ~n for constant n, n for what call n gave.
    """

    def __init__(self) -> None:
        self._functions: dict[tuple[str, ...], int] = {}
        self._constants: dict[tuple[type, str], int] = {}
        self._entries: list[list[Any]] = []  # of the constants
        self._calls: list[list[int]] = []
        self._made: dict[int, tuple[int, object]] = {}  # kept, so that nothing else takes their identity
        self._files: set[str] = set()  # of which the front end has read the source
        self._complete = True

    def listening(self) -> contextlib.AbstractContextManager[None]:
        """While this lasts, calls of the core are written down, and which files the front end reads."""
        methods = ((getattr(core, name.split(".")[0]), name) for name in METHODS)
        return replaced(
            [(core, name, self._listener(name, call)) for name, call in FUNCTIONS.items()]
            + [(owner, name.split(".")[1], self._listener(name, METHODS[name])) for owner, name in methods]
            + [(front_end, "source_of", self._reading(front_end.source_of))]
        )

    def text(self) -> str | None:
        """The recording, or None if something could not be written down, or may change and nobody would notice."""
        if not self._complete or not all(map(_is_known, self._files)):
            return None
        shift = len(self._entries)
        calls = [[call, *(n + shift if n >= 0 else ~n for n in values)] for call, *values in self._calls]
        made = sorted(filter(is_added, self._files))
        return f"{json.dumps(made)}\n{json.dumps([list(self._functions), self._entries, calls], separators=(',', ':'))}"

    def _reading(self, source_of: Callable[[str], Any]) -> Callable[[str], Any]:
        def read(file: str) -> Any:
            self._files.add(file)
            return source_of(file)

        return read

    def _listener(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        always = name in METHODS

        def listen(*given: Any, **named: Any) -> Any:
            result = call(*given, **named)
            several = isinstance(result, list) and bool(result) and isinstance(result[0], PARTS)
            if always or several or isinstance(result, PARTS):
                self._made[id(result)] = self._row((name, *named), [*given, *named.values()]), result
                for place, part in enumerate(result if several else ()):
                    self._made[id(part)] = self._row(("part",), [result, place]), part
            return result

        return listen

    def _row(self, function: tuple[str, ...], values: Sequence[Any]) -> int:
        numbers = [self._number(value) for value in values]
        self._calls.append([self._functions.setdefault(function, len(self._functions)), *numbers])
        return len(self._calls) - 1

    def _number(self, value: Any) -> int:
        known = self._made.get(id(value))
        if known is not None and value is not None:
            return known[0]
        if isinstance(value, list | tuple) and any(isinstance(part, PARTS) for part in value):
            return self._row(("list",), value)
        kind = type(value)
        key = kind, "" if kind in GIVEN else repr(value) if kind in PLAIN else self._written(value)
        number = self._constants.setdefault(key, len(self._constants))
        if number == len(self._entries):
            self._entries.append(json.loads(self._written(value)))
        return ~number

    def _written(self, value: Any) -> str:
        try:
            return json.dumps(_entry(value))
        except TypeError:
            self._complete = False
            return "null"


def replay(text: str, kernel: Any, settings: Any) -> None:
    """Build a kernel of Taichi's core, which is empty, by the calls of a recording."""
    functions, constants, calls = json.loads(text.partition("\n")[2])
    known = FUNCTIONS | METHODS | ON_LISTS
    bound = [_with_names(known[name], names) for name, *names in functions]
    given = {"kernel": kernel, "builder": kernel.ast_builder(), "settings": settings, "nowhere": core.DebugInfo("")}
    values = [_value(entry, given) for entry in constants]
    look_up, keep = values.__getitem__, values.append
    for call, *numbers in calls:
        keep(bound[call](*map(look_up, numbers)))


def _with_names(call: Callable[..., Any], names: list[str]) -> Callable[..., Any]:
    """A function of positional arguments, of which the last have names."""
    if not names:
        return call
    return lambda *values: call(*values[: -len(names)], **dict(zip(names, values[-len(names) :], strict=True)))


def _entry(value: Any) -> list[Any]:
    """How a constant is written.

    Raises:
        TypeError: it cannot be.
    """
    for kind, name in GIVEN.items():
        if isinstance(value, kind):
            return [name]
    if isinstance(value, core.BoundaryMode):
        return ["boundary", value.name]
    if isinstance(value, core.DataType):
        if str(value) in TYPES:
            return ["type", str(value)]
        if str(value).startswith("[Tensor"):
            return ["type", str(value.element_type()), value.shape()]
        raise TypeError(f"type {value} cannot be written")
    if isinstance(value, PARTS):
        raise TypeError("a part of the kernel that was made in a way that is not known")
    return ["plain", value.item() if hasattr(value, "item") else value]


def _value(entry: list[Any], given: dict[str, Any]) -> Any:
    kind, *details = entry
    if kind == "plain":
        return details[0]
    if kind == "boundary":
        return getattr(core.BoundaryMode, details[0])
    if kind == "type":
        element, *shape = details
        return core.get_type_factory_instance().get_tensor_type(*shape, TYPES[element]) if shape else TYPES[element]
    return given[kind]


def is_plain(variant: Sequence[object]) -> bool:
    """Whether what a kernel is a variant by is told from anything else by how it is written: numbers, words, flags.

    A function, for one, is not: what it does may change while its name stays.
    """
    return all(part is None or type(part) in PLAIN for part in variant)


def digest_of_sources(folder: Path = PACKAGE) -> str:
    """A digest of Taichi's version and of all files below a folder, and where they lie, but caches and hidden ones."""
    digest = hashlib.sha256(repr(ti.__version__).encode())
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        if not any(part == "__pycache__" or part.startswith(".") for part in place.parts) and path.is_file():
            data = path.read_bytes()
            digest.update(f"\n{place.as_posix()} {len(data)}\n".encode())
            digest.update(data)
    return digest.hexdigest()


def _is_known(file: str) -> bool:
    """Whether a source cannot become another without a change of the digest, or of its name."""
    return is_added(file) or any(map(Path(file).is_relative_to, FOLDERS))


SOURCES = digest_of_sources()  # as they are imported


def load(folder: Path, name: str) -> str | None:
    """The recording of a kernel that an earlier process saved, if its sources were the same as now.

    Sources in no file that the recorded kernel was made of must have been made known in this process too.
    """
    with contextlib.suppress(OSError, ValueError):
        digest, _, text = _place(folder, name).read_text(encoding="utf-8").partition("\n")
        is_whole = digest == hashlib.sha256(text.encode()).hexdigest()
        if is_whole and all(map(is_added, json.loads(text.partition("\n")[0]))):
            return text
    return None


def save(folder: Path, name: str, text: str | None) -> None:
    """Keep a recording for later processes, where that can be written to."""
    if text is None or digest_of_sources() != SOURCES:  # changed since, so nobody knows which the front end has read
        return
    place = _place(folder, name)
    beside = place.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        beside.write_text(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}", encoding="utf-8")
        beside.replace(place)
        for old in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)[:-MOST_FILES]:
            old.unlink()


def _place(folder: Path, name: str) -> Path:
    return folder / f"{hashlib.sha256(f'{SOURCES} {name}'.encode()).hexdigest()}.json"
