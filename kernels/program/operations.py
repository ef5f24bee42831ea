"""The instruction set of the scene program: every operation once, with its formula and the names of its parameters.

An operation's number is its place in `OPERATIONS`; programs are made anew from scenes, never saved.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal

from ..formulas import flat, periodic, samples, solids, values, warps

Role = Literal["control", "leaf", "polygon", "value", "samples", "warp"]


class Column(IntEnum):
    """What the columns of a program's rows hold."""

    OPERATION = 0  # number of the operation
    TARGET = 1  # register written: of points for a warp, of values else
    POINT = 2  # point register read
    VALUE = 3  # value register read
    COMBINE = 4  # how the result is folded into the target, see Combine
    FRAME = 5  # kind of the affine map in front of the formula, see FrameKind
    PARAMETERS = 6  # offset of the row's block in the parameter vector
    # Corners of a polygon; where samples start in the numbers; 1 on a SKIP row over parts of the outermost union, which
    # a tile may leave out.
    DATA = 7
    SHAPE = 8  # number of the shape the row draws, -1 for none
    SKIP = 9  # rows that a SKIP row jumps over; 1 on a leaf of the outermost union that a tile may leave out


class Combine(IntEnum):
    """How a row's value d is folded into its target t; each but SET and XOR is a signed smooth minimum."""

    SET = 0  # d
    UNION = 1  # min(t, d)
    INTERSECTION = 2  # max(t, d)
    DIFFERENCE = 3  # max(t, -d)
    CUT = 4  # max(-t, d): a difference whose second part was evaluated first
    XOR = 5  # max(min(t, d), -max(t, d))


class FrameKind(IntEnum):
    """The map from the point register to the formula's coordinates."""

    NONE = 0  # q = p
    SHIFT = 1  # q = s p + t; parameters s, t_x, t_y, t_z
    AFFINE = 2  # q = A p + t; parameters A row by row with t's component at each row's end, 12 numbers


FRAME_SIZES = {FrameKind.NONE: 0, FrameKind.SHIFT: 4, FrameKind.AFFINE: 12}


class Block(IntEnum):
    """Places of numbers in a row's block, counted from `Column.PARAMETERS`.

    Behind its head stand the frame's numbers, then the formula's. In front of the block of a row that may be left out
    stands a sphere, outside of which value ≥ slope · |p - centre| - radius.
    """

    CENTRE_X = -5
    CENTRE_Y = -4
    CENTRE_Z = -3
    SLOPE = -2
    RADIUS = -1
    FACTOR = 0  # of the formula's value, to scene units
    SUPPORT = 1  # of the fold's smooth minimum, see `values.smooth_minimum`
    QUARTER = 2  # 1 / (4 support), or 0


SPHERE_SIZE = -Block.CENTRE_X
HEAD_SIZE = len(Block) - SPHERE_SIZE

VALUE_REGISTERS = 16
POINT_REGISTERS = 8
NESTING = 32  # groups of parts that may nest: that of a balanced tree, so enough for as many parts as rows there may be


@dataclass(frozen=True)
class Operation:
    """One operation: `formula(m, x, y, z[, value], *parameters)`.

    A polygon's takes the vector, a start and a count; that of samples an array of numbers and a start.
    """

    name: str
    role: Role
    formula: Callable[..., Any] | None
    parameters: tuple[str, ...] = ()


def _operation(role: Role, formula: Callable[..., Any]) -> Operation:
    """An operation named as its formula, its parameters read off the formula's signature."""
    names = formula.__code__.co_varnames[: formula.__code__.co_argcount]
    fixed = 5 if role == "value" else 4
    return Operation(formula.__name__, role, formula, () if role in ("polygon", "samples") else names[fixed:])


OPERATIONS: tuple[Operation, ...] = (
    Operation("skip", "control", None),  # jump if the sphere is too far to change the value register
    Operation("clear", "control", None),  # target = NOTHING_KNOWN
    *(
        _operation("leaf", formula)
        for formula in (
            solids.box,
            solids.sphere,
            solids.cylinder,
            solids.torus,
            solids.capsule,
            solids.capped_cone,
            solids.plane,
            solids.ellipsoid,
            solids.box_frame,
            solids.capped_torus,
            solids.link,
            solids.octahedron,
            solids.pyramid,
            solids.prism,
            periodic.gyroid,
            periodic.schwarz_p,
            periodic.diamond,
            periodic.neovius,
            flat.circle,
            flat.rectangle,
            flat.star,
        )
    ),
    _operation("polygon", flat.polygon),
    *(
        _operation("value", formula)
        for formula in (values.keep, values.offset, values.shell, values.extrude, values.wave, values.bound)
    ),
    _operation("samples", samples.samples),
    *(
        _operation("warp", formula)
        for formula in (
            warps.affine,
            warps.mirror,
            warps.elongate,
            warps.repeat,
            warps.polar_repeat,
            warps.twist,
            warps.bend,
            warps.revolve,
        )
    ),
)

OPERATION_NUMBERS: dict[str, int] = {operation.name: number for number, operation in enumerate(OPERATIONS)}
SKIP = OPERATION_NUMBERS["skip"]
CLEAR = OPERATION_NUMBERS["clear"]
SAMPLES = OPERATION_NUMBERS["samples"]
FIRST_WARP = OPERATION_NUMBERS["affine"]
