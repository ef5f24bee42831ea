"""What Taichi's front end makes of a kernel, written down, so that the next process need not make it again.

The front end walks through the source of a kernel and of every device function that it inlines, and calls Taichi's core
for each expression and statement: 0.4 s for a kernel with the interpreter, also where its machine code is in the cache.
The calls alone take a tenth of that. They are the same as long as the sources are, of which the name of a recording
holds a digest; what cannot be written down is not recorded.
"""

import contextlib
import hashlib
import json
import operator
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .front_end import core, replaced, ti

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
        self._complete = True

    def listening(self) -> contextlib.AbstractContextManager[None]:
        """While this lasts, calls of the core are written down."""
        methods = ((getattr(core, name.split(".")[0]), name) for name in METHODS)
        return replaced(
            [(core, name, self._listener(name, call)) for name, call in FUNCTIONS.items()]
            + [(owner, name.split(".")[1], self._listener(name, METHODS[name])) for owner, name in methods]
        )

    def text(self) -> str | None:
        """The recording, or None if something could not be written down."""
        if not self._complete:
            return None
        shift = len(self._entries)
        calls = [[call, *(n + shift if n >= 0 else ~n for n in values)] for call, *values in self._calls]
        return json.dumps([list(self._functions), self._entries, calls], separators=(",", ":"))

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
    functions, constants, calls = json.loads(text)
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


def _digest_of_sources() -> str:
    digest = hashlib.sha256(repr(ti.__version__).encode())
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


SOURCES = _digest_of_sources()  # as they are imported


def load(folder: Path, name: str) -> str | None:
    """The recording of a kernel that an earlier process saved, if its sources were the same as now."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        digest, _, text = _place(folder, name).read_text(encoding="utf-8").partition("\n")
        if digest == hashlib.sha256(text.encode()).hexdigest():
            return text
    return None


def save(folder: Path, name: str, text: str | None) -> None:
    """Keep a recording for later processes, where that can be written to."""
    if text is None or _digest_of_sources() != SOURCES:  # changed since, so nobody knows which the front end has read
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
