"""pydantic's errors in plain words: what was expected at which key, and what came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..shapes import Shape
from .annotations import classes, lengths
from .mistakes import KeyPath, Mistake, place, quoted, shown, similar

EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a table",
    "finite_number": "a finite number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "model_type": "a table",
    "string_type": "a string",
}
BOUNDS = {
    "greater_than": ("gt", ">"),
    "greater_than_equal": ("ge", ">="),
    "less_than": ("lt", "<"),
    "less_than_equal": ("le", "<="),
}
TINY = 1e-5  # a lower bound below this is there to keep zero out


class _Finding(NamedTuple):
    """One error of pydantic: where in the value, in which branch of a union, and whether the type itself is wrong."""

    path: KeyPath
    branch: tuple[str, ...]
    error: ErrorDetails
    of_type: bool


def in_words(
    error: ValidationError, model: type[BaseModel], table: Mapping[str, object], path: KeyPath
) -> list[Mistake]:
    """What pydantic found in a table that lies at `path`, one mistake a key; of a union only the nearest branch."""
    by_key: dict[object, list[_Finding]] = {}
    for details in error.errors(include_url=False):
        finding = _located(details, table)
        by_key.setdefault(finding.path[0] if finding.path else None, []).append(finding)
    mistakes: dict[KeyPath, list[_Finding]] = {}
    for findings in by_key.values():
        for finding in _nearest_branch(findings):
            mistakes.setdefault(finding.path, []).append(finding)
    return [Mistake(place(path + inner), _sentence(model, findings)) for inner, findings in mistakes.items()]


def unknown_key(key: str, allowed: Iterable[str]) -> str:
    """The sentence about a key that a table may not have."""
    return f"unknown key {quoted(key)}{similar(key, allowed)}"


def keys(model: type[BaseModel]) -> list[str]:
    """The keys that the table of a model may have in a file."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _located(error: ErrorDetails, table: Mapping[str, object]) -> _Finding:
    """Tell the steps that lead through the value from the labels that pydantic gives to the branches of a union."""
    value: object = table
    path: KeyPath = ()
    branch: tuple[str, ...] = ()
    last = len(error["loc"]) - 1
    for position, step in enumerate(error["loc"]):
        if isinstance(step, int):
            if isinstance(value, (list, tuple)) and step < len(value):
                value, path = value[step], (*path, step)
        elif isinstance(value, Mapping) and step in value:
            value, path = value[step], (*path, step)
        elif error["type"] == "missing" and position == last:
            path = (*path, step)
        else:
            branch = (*branch, step)
    return _Finding(path, branch, error, error["type"].endswith("_type") or error["type"] == "is_instance_of")


def _nearest_branch(findings: list[_Finding]) -> list[_Finding]:
    """Of the branches of a union only those that fit the value best: found wrong deepest inside it, not in its type."""
    best: dict[tuple[str, ...], tuple[int, bool]] = {}
    for finding in findings:
        fit = (len(finding.path), not finding.of_type)
        best[finding.branch] = max(fit, best.get(finding.branch, fit))
    top = max(best.values())
    chosen = [finding for finding in findings if best[finding.branch] == top or not finding.branch]
    return [finding for finding in chosen if not _follows_from_others(finding)]


def _follows_from_others(finding: _Finding) -> bool:
    """pydantic counts only the valid items of a list, so wrong ones make it too short as well."""
    if finding.error["type"] != "too_short":
        return False
    came = finding.error["input"]
    return isinstance(came, (list, tuple)) and len(came) >= finding.error["ctx"]["min_length"]


def _sentence(model: type[BaseModel], findings: list[_Finding]) -> str:
    """One sentence for what is wrong at one place."""
    error = findings[0].error
    kind, context, came = error["type"], error.get("ctx", {}), error["input"]
    key = next((step for step in findings[0].path if isinstance(step, str)), "")
    if kind == "value_error":
        return str(context["error"])
    if kind == "extra_forbidden":
        return _unknown_inside(model, str(key), str(findings[0].path[-1]))
    if kind == "missing" and isinstance(error["loc"][-1], str):
        return "missing"
    if kind == "literal_error":
        return f"expected {context['expected']}, got {shown(came)}"
    expected = dict.fromkeys(_expected(model, str(key), finding.error) for finding in findings)
    if any(phrase.startswith("the name of") for phrase in expected):
        expected.pop("a string", None)
    return f"expected {' or '.join(expected)}, got {shown(came)}"


def _expected(model: type[BaseModel], key: str, error: ErrorDetails) -> str:
    """What an error says was expected."""
    kind, context = error["type"], error.get("ctx", {})
    annotation = _annotation(model, key)
    if kind in ("tuple_type", "list_type", "missing", "too_long"):
        counts = [str(count) for count in dict.fromkeys(lengths(annotation)) if count]
        return f"a list of {' or '.join(counts)} values" if counts else "a list"
    if kind == "too_short":
        return f"at least {context['min_length']} value{'s' if context['min_length'] != 1 else ''}"
    if kind == "is_instance_of":
        is_shape = any(issubclass(part, Shape) for part in classes(annotation))
        return f"the name of a {'shape' if is_shape else 'material'}"
    if kind in BOUNDS:
        name, sign = BOUNDS[kind]
        if 0 < context[name] <= TINY and isinstance(error["input"], (int, float)) and error["input"] <= 0:
            return "a number > 0"
        return f"a number {sign} {context[name]:g}"
    return EXPECTED.get(kind, error["msg"].removeprefix("Input should be "))


def _annotation(model: type[BaseModel], key: str) -> Any:
    """The annotation of the field that a file calls `key`."""
    return next((field.annotation for name, field in model.model_fields.items() if key in (field.alias, name)), None)


def _unknown_inside(model: type[BaseModel], key: str, unknown: str) -> str:
    """The sentence about an unknown key in a table that is itself the value of a key."""
    inner = [part for part in classes(_annotation(model, key)) if issubclass(part, BaseModel)]
    return unknown_key(unknown, [allowed for part in inner for allowed in keys(part)])
