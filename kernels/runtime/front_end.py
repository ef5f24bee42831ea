"""The only place that imports Taichi, and what makes its front end quick: the part that reads the source of kernels.

It runs for every kernel in every process, also where the machine code is in the cache.
"""

import ast
import contextlib
import copy
import functools
import hashlib
import inspect
import linecache
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

# Both switches are read by Taichi while it is imported: no banner on stdout, no version check over the network.
os.environ.setdefault("ENABLE_TAICHI_HEADER_PRINT", "0")
os.environ.setdefault("TI_SKIP_VERSION_CHECK", "ON")


def _frame_info(frame: Any, context: int = 1) -> inspect.Traceback:
    """Where a frame stands, with the one line of its source that Taichi's decorators look at."""
    file, line, name = frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name
    return inspect.Traceback(file, line, name, [linecache.getline(file, line)], 0)


# Each device function asks where it is defined, and `inspect` looks through all modules for the answer, which takes
# 0.2 s for Taichi's own and as much for ours.
_thorough, inspect.getframeinfo = inspect.getframeinfo, _frame_info
try:
    import taichi as ti
    from taichi._lib import core
    from taichi.lang import impl, kernel_impl, ops
    from taichi.lang.ast.ast_transformer_utils import ASTTransformerContext
    from taichi.lang.expr import Expr
    from taichi.lang.matrix import make_matrix
finally:
    inspect.getframeinfo = _thorough

__all__ = ["add_source", "core", "impl", "is_added", "replaced", "short_cuts", "source_of", "ti", "vectors"]


@contextlib.contextmanager
def replaced(attributes: Iterable[tuple[Any, str, Any]]) -> Iterator[None]:
    """Set (owner, name, value) for a while."""
    with contextlib.ExitStack() as afterwards:
        for owner, name, value in attributes:
            afterwards.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, value)
        yield


def short_cuts() -> list[tuple[Any, str, Callable[..., Any]]]:
    """What stands in for parts of Taichi's front end while it compiles a kernel of ours, as `replaced` takes it."""
    return [
        (ASTTransformerContext, "get_pos_info", _short_position),
        (kernel_impl, "_get_tree_and_ctx", _tree_and_context),
    ]


def vectors(settings: Any) -> list[tuple[Any, str, Any]]:
    """What makes Taichi give LLVM vectors as vectors, as `replaced` takes it; for kernels that run on a CPU.

    Else it gives LLVM a number for each lane, among which LLVM has to find the vectors again: kernels take a fifth
    longer and compile in twice the time. Taichi 1.7.4 has this switch but does not use it, and some operations on
    vectors end the process: negation, absolute values and casts are put together here of others; `-=`, powers, and
    functions such as the exponential must not occur. Nor must whole elements of arrays of vectors: what they give is
    wrong; read and write an element's numbers instead. What one lane of a condition gives is wrong too, so taking one
    is an error; select 1 or 0 and take a lane of that. Where an operand is NaN, least and largest are the second one.
    """
    return [
        (settings, "real_matrix_scalarize", False),
        (ti, "abs", _absolute),
        (ti, "max", _largest),
        (ti, "min", _least),
        (ti, "cast", _cast),
        (ti, "select", _selected),
        (ops, "neg", _negative),
        *((ops, name, _marking(getattr(ops, name))) for name in CONDITIONS),
        (impl, "expr_init", _marking(impl.expr_init)),
        (impl, "subscript", _subscript),
    ]


CONDITIONS = (
    "cmp_lt",
    "cmp_le",
    "cmp_gt",
    "cmp_ge",
    "cmp_eq",
    "cmp_ne",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bit_not",
    "logical_and",
    "logical_or",
    "logical_not",
    "cast",
)

_subscript_of_any, _select = impl.subscript, ti.select
_absolute_of_number, _cast_of_number, _negative_of_number = ti.abs, ti.cast, ops.neg
_largest_number, _least_number = ti.max, ti.min


def _absolute(x: Any) -> Any:
    if not _is_vector(x):
        return _absolute_of_number(x)
    x = impl.expr_init(x)
    return _largest_number(x, ops.sub(0, x))


def _largest(a: Any, b: Any) -> Any:
    return _chosen(ops.cmp_gt, _largest_number, a, b)


def _least(a: Any, b: Any) -> Any:
    return _chosen(ops.cmp_lt, _least_number, a, b)


def _chosen(compare: Any, of_numbers: Any, a: Any, b: Any) -> Any:
    """`a` where the comparison holds, else `b`: one instruction, where that which minds NaN takes three."""
    if not (_is_vector(a) or _is_vector(b)):
        return of_numbers(a, b)
    a, b = impl.expr_init(a), impl.expr_init(b)
    return ops.select(compare(a, b), a, b)


def _negative(x: Any) -> Any:
    return ops.sub(0, x) if _is_vector(x) else _negative_of_number(x)


def _cast(x: Any, element: Any) -> Any:
    if not _is_vector(x):
        return _cast_of_number(x, element)
    x = impl.expr_init(x)
    builder = impl.get_runtime().compiling_callable.ast_builder()
    lanes = [impl.subscript(builder, x, lane) for lane in range(x.get_shape()[0])]
    return make_matrix([_cast_of_number(lane, element) for lane in lanes])


def _marking(operation: Any) -> Any:
    """The operation, whose result knows that it is a condition over lanes if it compares, or if an operand is one."""

    def marked(*operands: Any) -> Any:
        result = operation(*operands)
        compares = operation.__name__.startswith("cmp") and any(map(_is_vector, operands))
        if compares or any(getattr(operand, "is_condition", False) for operand in operands):
            result.is_condition = True
        return result

    marked.__module__ = ops.__name__
    return marked


def _selected(condition: Any, yes: Any, no: Any) -> Any:
    result = _select(condition, yes, no)
    if getattr(yes, "is_condition", False) or getattr(no, "is_condition", False):
        result.is_condition = True
    return result


for _each in (_absolute, _cast, _largest, _least, _negative, _selected):
    _each.__module__ = ops.__name__  # the front end warns of calls of what is not Taichi's


def _subscript(builder: Any, value: Any, *indices: Any, **options: Any) -> Any:
    if getattr(value, "is_condition", False):
        raise TypeError("expected a vector of numbers to take a lane of, got a condition; select 1 or 0 by it first")
    return _subscript_of_any(builder, value, *indices, **options)


def _is_vector(x: Any) -> bool:
    return isinstance(x, Expr) and x.is_tensor()


def _short_position(context: Any, node: Any) -> str:
    """Where a statement of a kernel stands, for error messages.

    Taichi's own version draws a wrapped excerpt for every expression that it compiles, which takes a third of the time.
    """
    return f'File "{context.file}", line {node.lineno}, in {context.func.func.__name__}:\n'


def _tree_and_context(function: Any, is_kernel: bool = True, args: Any = None, **options: Any) -> tuple[Any, Any]:
    """What the front end needs of a kernel or a device function, whose file is parsed once.

    Taichi's own version reads, wraps and parses the source for each call it inlines, of which a picture has a thousand.
    """
    code = function.func.__code__
    lines, definitions = source_of(code.co_filename)
    # The front end strips a kernel, which may be compiled again, of its arguments; a function it leaves as it is.
    definition = copy.copy(definitions[code.co_firstlineno])
    definition.args = copy.copy(definition.args)
    definition.decorator_list = []
    names = kernel_impl._get_global_vars(function.func)
    for slot in function.template_slot_locations if is_kernel else ():
        names[function.arguments[slot].name] = args[slot]
    return ast.Module([definition], []), ASTTransformerContext(
        is_kernel=is_kernel, func=function, argument_data=args, global_vars=names, file=code.co_filename, src=lines,
        start_lineno=1, **options,
    )  # fmt: skip


@functools.cache
def source_of(file: str) -> tuple[list[str], dict[int, ast.FunctionDef]]:
    """The lines of a file, and its functions by the line on which they, or their decorators, begin."""
    lines = _added[file] if is_added(file) else linecache.getlines(file)
    functions = {}
    waiting: list[ast.AST] = [ast.parse("".join(lines))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef):
            functions[min([node.lineno, *(part.lineno for part in node.decorator_list)])] = node
        waiting += (part for part in ast.iter_child_nodes(node) if isinstance(part, ast.stmt))
    return lines, functions


_added: dict[str, list[str]] = {}  # lines of the sources that are in no file, by the names that stand for files


def add_source(title: str, text: str) -> str:
    """Make source known that is in no file: returns the name of a file to compile it under.

    Kernels and device functions that are written while a program runs come by their source this way; only kernels of
    which all source is in files of this package or known in this way are recorded (`recording`). The name holds a
    digest of the text: it stands for no other text, in any process. A factory of kernels that may be made of one or
    another such source takes its name as an argument, so that recordings are told apart by it.
    """
    name = f"<isofield {title} {hashlib.sha256(text.encode()).hexdigest()}>"
    lines = _added[name] = text.splitlines(keepends=True)
    linecache.cache[name] = len(text), None, lines, name  # for tracebacks, and for Taichi in a host's own kernels
    return name


def is_added(name: str) -> bool:
    """Whether `add_source` has given this name in this process."""
    return name in _added


def _inside_class(level_of_class_stackframe: int) -> bool:
    """Whether what is decorated stands in a class: the same answer as Taichi's own function gives, by `_frame_info`."""
    try:
        frame = sys._getframe(level_of_class_stackframe)
    except ValueError:  # a script's own top has nothing around it
        return False
    (statement,) = _frame_info(frame).code_context or [""]
    return any(pattern.match(statement.strip()) for pattern in kernel_impl._KERNEL_CLASS_STACKFRAME_STMT_RES)


kernel_impl._inside_class = _inside_class
