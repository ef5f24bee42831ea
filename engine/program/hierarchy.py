"""Parts of a fold in nested groups: near ones stand together, so that one skip passes over all of them."""

from __future__ import annotations

from itertools import repeat
from typing import Any

import numpy
from numpy.typing import NDArray

from . import extent as extents
from .extent import Extent
from .tree import Node

GROUP = 4  # parts or groups that stand together behind one skip, which costs about as much as a leaf

Range = tuple[int, int]


class Group:
    """Parts and groups that stand together, with a ball and cone of all of them; the outermost has none."""

    __slots__ = ("extent", "members")

    def __init__(self, members: list[Any], extent: Extent = extents.ENDLESS) -> None:
        self.members = members
        self.extent = extent


def hierarchy(parts: list[Node], sharp: bool) -> Group:
    """The parts of a fold as nested groups: of near ones where it is sharp and the order is free, else of neighbours in
    the list."""
    endless = [part for part in parts if not part.extent.bounded]
    if not sharp and endless:
        return Group(parts)  # the order is fixed and no run can be skipped past an endless part
    if len(parts) - len(endless) <= GROUP:
        return Group(endless + [part for part in parts if part.extent.bounded] if endless else parts)
    if not sharp:
        return Group(_runs(parts).members)
    finite = [part for part in parts if part.extent.bounded] if endless else parts
    return Group([*endless, *_near_together(finite).members])


def _runs(parts: list[Node]) -> Group:
    """Runs of neighbours in the list, in nested groups of four: every skip is a row that costs as much as a leaf."""
    extent = extents.union(part.extent for part in parts)
    if len(parts) <= GROUP:
        return Group(list(parts), extent)
    size = max(GROUP, -(-len(parts) // 4))
    return Group([_runs(parts[at : at + size]) for at in range(0, len(parts), size)], extent)


def _near_together(parts: list[Node]) -> Group:
    """Finite parts in nested groups of four that lie together."""
    columns = [numpy.array(column) for column in zip(*(part.extent[:5] for part in parts), strict=True)]
    order = _order(columns[2])
    ordered = [parts[index] for index in order.tolist()]
    groups: list[tuple[Group, Range]] = []
    top = _grouped(ordered, (0, len(parts)), groups)
    balls = _balls([column[order] for column in columns], [bounds for _, bounds in groups])
    for (group, _), extent in zip(groups, balls, strict=True):
        group.extent = extent
    return top


def _grouped(parts: list[Node], bounds: Range, groups: list[tuple[Group, Range]]) -> Group:
    """The ordered parts within bounds as nested groups; each is added to the list of groups."""
    start, end = bounds
    group = Group(parts[start:end])
    groups.append((group, bounds))
    if end - start > GROUP:
        halves = _halved(bounds)
        quarters = [part for half in halves for part in (_halved(half) if half[1] - half[0] > GROUP else [half])]
        group.members = [_grouped(parts, quarter, groups) for quarter in quarters]
    return group


def _halved(bounds: Range) -> list[Range]:
    start, end = bounds
    middle = start + (end - start + 1) // 2
    return [(start, middle), (middle, end)]


def _order(centres: NDArray[Any]) -> NDArray[Any]:
    """The order of centres (N, 3) in which all ranges of more than GROUP, halved again and again from the whole, are
    split along the axis on which their centres spread most."""
    order = numpy.arange(len(centres))
    starts = numpy.array([0])
    while True:
        sizes = numpy.diff(starts, append=len(order))
        large = sizes > GROUP
        if not large.any():
            return order
        own = centres[order]
        spread = numpy.maximum.reduceat(own, starts) - numpy.minimum.reduceat(own, starts)
        axis = numpy.repeat(spread.argmax(axis=1), sizes)
        along = numpy.where(numpy.repeat(large, sizes), own[numpy.arange(len(order)), axis], 0.0)
        order = order[numpy.lexsort((along, numpy.repeat(numpy.arange(len(starts)), sizes)))]
        middles = (starts + (sizes + 1) // 2)[large]
        starts = numpy.sort(numpy.concatenate([starts, middles]))


def _balls(columns: list[NDArray[Any]], ranges: list[Range]) -> list[Extent]:
    """For each range of parts an extent of all: a box, and around its middle a cone under those of the parts.

    The columns are those of the parts' extents: low, high, centre (N, 3), radius and slope (N).
    """
    bounds = numpy.array(ranges)
    sizes = bounds[:, 1] - bounds[:, 0]
    first = numpy.cumsum(sizes) - sizes  # where each range begins in the list of all ranges' parts
    which = numpy.arange(sizes.sum()) - numpy.repeat(first - bounds[:, 0], sizes)
    low, high, centre, radius, slope = (column[which] for column in columns)
    low, high = numpy.minimum.reduceat(low, first), numpy.maximum.reduceat(high, first)
    slope = numpy.minimum.reduceat(slope, first)
    middle = 0.5 * (low + high)
    away = numpy.linalg.norm(centre - numpy.repeat(middle, sizes, axis=0), axis=1)
    radius = numpy.maximum.reduceat(numpy.repeat(slope, sizes) * away + radius, first)
    vectors = [map(tuple, column.tolist()) for column in (low, high, middle)]
    return list(map(Extent, *vectors, radius.tolist(), slope.tolist(), repeat(False), repeat(False)))
