"""Device code: runs the formula of a row, which a binary tree of comparisons finds by the number of its operation.

Everything is passed by reference: copies on every level of the tree would double what there is to compile.
"""

from ..formulas import samples
from ..lanes import DEVICE
from ..runtime import ti
from .operations import CLEAR, FIRST_WARP, OPERATIONS, SAMPLES

FIRST_LEAF = CLEAR + 1


def value_dispatch(with_samples: bool):
    """Device function that puts into `result` what the formula of a row's operation gives.

    Its arguments: `operation`; the point `x`, `y`, `z`; `value`, which operations on a value change; `parameters`, the
    formula's own from `at` on; and `data`, the row's column of that name.
    """
    dispatch = _values_between(FIRST_LEAF, SAMPLES)
    formula = ti.func(_by_reference(samples.samples))

    @ti.func
    def dispatch_with_samples(
        result: ti.template(), operation: ti.template(), x: ti.template(), y: ti.template(), z: ti.template(),
        value: ti.template(), parameters: ti.template(), at: ti.template(), data: ti.template(),
    ):  # fmt: skip
        if operation == SAMPLES:
            result = formula(DEVICE, x, y, z, parameters, data)
        else:
            dispatch(result, operation, x, y, z, value, parameters, at, data)

    return dispatch_with_samples if with_samples else dispatch


def warp_dispatch():
    """Device function that moves the point `x`, `y`, `z` as a row's warp does, with its parameters from `at` on."""
    return _warps_between(FIRST_WARP, len(OPERATIONS))


def _values_between(first: int, last: int):
    """What `value_dispatch` gives, for operations first … last - 1."""
    if last - first == 1:
        return _value_of(first)
    middle = (first + last) // 2
    below = _values_between(first, middle)
    above = _values_between(middle, last)

    @ti.func
    def dispatch(
        result: ti.template(), operation: ti.template(), x: ti.template(), y: ti.template(), z: ti.template(),
        value: ti.template(), parameters: ti.template(), at: ti.template(), data: ti.template(),
    ):  # fmt: skip
        if operation < middle:
            below(result, operation, x, y, z, value, parameters, at, data)
        else:
            above(result, operation, x, y, z, value, parameters, at, data)

    return dispatch


def _value_of(number: int):
    """What `value_dispatch` gives, for one operation."""
    operation = OPERATIONS[number]
    size = len(operation.parameters)
    formula = ti.func(_by_reference(operation.formula))

    @ti.func
    def leaf(
        result: ti.template(), operation: ti.template(), x: ti.template(), y: ti.template(), z: ti.template(),
        value: ti.template(), parameters: ti.template(), at: ti.template(), data: ti.template(),
    ):  # fmt: skip
        result = formula(DEVICE, x, y, z, *[parameters[at + i] for i in ti.static(range(size))])

    @ti.func
    def polygon(
        result: ti.template(), operation: ti.template(), x: ti.template(), y: ti.template(), z: ti.template(),
        value: ti.template(), parameters: ti.template(), at: ti.template(), data: ti.template(),
    ):  # fmt: skip
        result = formula(DEVICE, x, y, z, parameters, at, data)

    @ti.func
    def on_value(
        result: ti.template(), operation: ti.template(), x: ti.template(), y: ti.template(), z: ti.template(),
        value: ti.template(), parameters: ti.template(), at: ti.template(), data: ti.template(),
    ):  # fmt: skip
        result = formula(DEVICE, x, y, z, value, *[parameters[at + i] for i in ti.static(range(size))])

    return {"leaf": leaf, "polygon": polygon, "value": on_value}[operation.role]


def _warps_between(first: int, last: int):
    """What `warp_dispatch` gives, for operations first … last - 1."""
    if last - first == 1:
        formula = ti.func(OPERATIONS[first].formula)
        size = len(OPERATIONS[first].parameters)

        @ti.func
        def warp(
            operation: ti.template(), x: ti.template(), y: ti.template(), z: ti.template(),
            parameters: ti.template(), at: ti.template(),
        ):  # fmt: skip
            x, y, z = formula(DEVICE, x, y, z, *[parameters[at + i] for i in ti.static(range(size))])

        return warp
    middle = (first + last) // 2
    below = _warps_between(first, middle)
    above = _warps_between(middle, last)

    @ti.func
    def dispatch(
        operation: ti.template(), x: ti.template(), y: ti.template(), z: ti.template(),
        parameters: ti.template(), at: ti.template(),
    ):  # fmt: skip
        if operation < middle:
            below(operation, x, y, z, parameters, at)
        else:
            above(operation, x, y, z, parameters, at)

    return dispatch


def _by_reference(formula):
    """The formula with its point, value, vertices and data passed by reference; it assigns to none of them."""
    names = formula.__code__.co_varnames[: formula.__code__.co_argcount]
    formula.__annotations__.update(
        {name: ti.template() for name in ("x", "y", "z", "value", "vertices", "data") if name in names}
    )
    return formula
