"""Lower-case factories: `torus(0.5, 0.1)` is `Torus(radius=0.5, tube=0.1)`, arguments in the order of the fields."""

from __future__ import annotations

import inspect
from typing import Any

from .base import KINDS, Shape

COMMON = set(Shape.model_fields) | {"kind"}


class Factory:
    """Makes shapes of one kind from positional or named arguments."""

    def __init__(self, cls: type[Shape]) -> None:
        self.cls = cls
        self.__name__ = cls.model_fields["kind"].default
        self.__doc__ = cls.__doc__
        self.fields = [name for name in cls.model_fields if name not in COMMON]
        self.__signature__ = inspect.Signature([self._parameter(name) for name in self.fields], return_annotation=cls)

    def _parameter(self, name: str) -> inspect.Parameter:
        """A field as an argument, for help() and editors."""
        field = self.cls.model_fields[name]
        default = inspect.Parameter.empty if field.is_required() else field.default
        return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)

    def __repr__(self) -> str:
        return f"<{self.__name__}({', '.join(self.fields)})>"

    def __call__(self, *arguments: Any, **named: Any) -> Shape:
        if len(arguments) > len(self.fields):
            raise TypeError(
                f"{self.__name__}: takes {', '.join(self.fields)}; got {len(arguments)} positional arguments"
            )
        for name, value in zip(self.fields, arguments, strict=False):
            if name in named:
                raise TypeError(f"{self.__name__}: {name} given twice")
            named[name] = value
        return self.cls(**named)


class OperatorFactory(Factory):
    """Makes an operator on any number of shapes: `union(a, b, c, smooth=0.1)`."""

    def _parameter(self, name: str) -> inspect.Parameter:
        if name == "of":
            return inspect.Parameter("parts", inspect.Parameter.VAR_POSITIONAL)
        return super()._parameter(name).replace(kind=inspect.Parameter.KEYWORD_ONLY)

    def __call__(self, *parts: Any, **named: Any) -> Shape:
        return super().__call__(of=parts, **named)


def factories() -> dict[str, Factory]:
    """A factory for every registered kind."""
    operators = {"union", "intersection", "difference", "xor"}
    return {kind: (OperatorFactory if kind in operators else Factory)(cls) for kind, cls in KINDS.items()}
