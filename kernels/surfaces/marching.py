"""Marching cubes over a volume of values: W. Lorensen and H. Cline, "Marching cubes" (1987), made watertight."""

import functools
from types import SimpleNamespace
from typing import Any

import torch

from .. import runtime
from ..lanes import Given, arguments
from ..runtime import bridge, derivative_of, memory, ti
from .cell_triangles import cell_kernels, lowest
from .triangle_tables import table

BITS = 32  # nodes in a word

# Vertices keep this share of an edge away from its ends. One on a node would be there once for each of the node's
# edges, and triangles between them would be degenerate. In cells of 2^-12 of the bounds float32 still tells them apart.
MARGIN = 1e-3


def marching_cubes(values: Given, level: float = 0.0, *, bounds: Any = None) -> tuple[Any, Any]:
    """The surface on which a sampled field has the value `level`, as triangles.

    A vertex lies where the field, linear along an edge of the grid, reaches the level, at least MARGIN of the edge away
    from its ends. A node is inside if its value is less than the level. Where a face of a cell can be crossed in two
    ways, its bilinear interpolant decides (the asymptotic decider). The same values give the same mesh at every run.

    If no node on the border of the volume is inside, or all are, the mesh is closed: every side belongs to two
    triangles, every vertex to one fan of them, and no triangle is degenerate. Else it ends at the border and is open
    there. A tunnel through the middle of a single cell is not drawn.

    Args:
        values: (X, Y, Z) float32 or float64, `values[i, j, k]` at x_i, y_j, z_k. A torch tensor, numpy array or DLPack
            object. A NaN is outside; vertices on an edge to a value that is not finite are NaN.
        level: value on the surface.
        bounds: lower and upper corner, in which the nodes lie from border to border; None for [-1, 1]³.

    Returns:
        vertices (V, 3) of the dtype of `values`, differentiable to them any number of times (not where a vertex is
        kept away from a node, nor are vertices in the middle of a cell), and faces (F, 3) int32, counter-clockwise seen
        from where values are larger. Both empty if nothing crosses the level.

    Raises:
        TypeError, ValueError: an argument is of another dtype, shape or device.

    Example: values -1 at the middle one of 3³ nodes and 1 at the others, in [-1, 1]³, give the octahedron with its
    corners at ±0.5 on the axes.
    """
    tensor, restore = arguments.numbers("values", values)
    if tensor.ndim != 3 or 0 in tensor.shape:
        raise ValueError(f"values: expected shape (X, Y, Z), got {tuple(tensor.shape)}")
    runtime.check_device(values=tensor)
    low, high = corners(bounds)
    shape = tuple(tensor.shape)
    if min(shape) == 1:  # no cells
        return restore(tensor.new_empty(0, 3)), restore(tensor.new_empty(0, 3, dtype=torch.int32))
    places = node_places(shape, low, high, tensor)
    cut = _Cut(tensor.detach().contiguous(), float(level), places)

    def by_kernel(given: torch.Tensor) -> torch.Tensor:
        return cut.vertices(given.contiguous())

    def by_twin(given: torch.Tensor) -> torch.Tensor:
        return vertices_twin(given, float(level), places, cut.edges)

    return restore(bridge(by_kernel, derivative_of(by_twin), tensor)), restore(cut.faces)


def corners(bounds: Any) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Lower and upper corner of a box in space; [-1, 1]³ for None.

    Raises:
        ValueError: they are no such corners.
    """
    if bounds is None:
        return (-1.0,) * 3, (1.0,) * 3
    try:
        low, high = (tuple(map(float, corner)) for corner in bounds)
    except (TypeError, ValueError):
        raise ValueError(f"bounds: expected a lower and an upper corner, got {bounds!r}") from None
    good = len(low) == len(high) == 3 and all(a < b and b - a < float("inf") for a, b in zip(low, high, strict=True))
    if not good:
        raise ValueError(f"bounds: expected finite corners (x, y, z), the lower one lower, got {low} and {high}")
    return low, high


def node_places(
    shape: tuple[int, ...], low: tuple[float, ...], high: tuple[float, ...], like: torch.Tensor
) -> torch.Tensor:
    """Coordinates of the nodes along x, then along y, then along z, (X + Y + Z), of the dtype and device of `like`.

    Raises:
        ValueError: they are too close together for the dtype, so far from the origin.
    """
    lines = []
    for a, b, count in zip(low, high, shape, strict=True):
        line = torch.linspace(a, b, count, dtype=torch.float64).to(like.dtype)
        if not bool((line.diff() > 0).all()):
            raise ValueError(f"bounds: expected nodes that {like.dtype} can tell apart, got {count} from {a} to {b}")
        lines.append(line)
    return torch.cat(lines).to(like.device)


def vertices_twin(values: torch.Tensor, level: float, places: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
    """Vertices (V, 3) on edges (V, 2) int64, each given by the numbers of its two nodes in the flattened volume.

    An edge without an upper node stands for the middle of the cell above the lower one.
    """
    shape = values.shape
    axes = places.split(list(shape))
    along_edge = edges[:, 1] >= 0
    lower, upper = edges[:, 0], torch.where(along_edge, edges[:, 1], edges[:, 0])
    ends = values.flatten()[torch.stack([lower, upper])]
    rise = torch.where(along_edge, ends[1] - ends[0], 1.0)
    share = ((level - ends[0]) / rise).clamp(MARGIN, 1.0 - MARGIN)
    stride = shape[1] * shape[2]
    above = torch.where(along_edge, upper, lower + stride + shape[2] + 1)
    share = torch.where(along_edge, share, 0.5)
    found = []
    for axis, (step, size) in enumerate(((stride, shape[0]), (shape[2], shape[1]), (1, shape[2]))):
        start, end = (axes[axis][node // step % size] for node in (lower, above))
        found.append(start + share * (end - start))
    return torch.stack(found, dim=1)


class _Cut:
    """The triangles of a volume, and the numbers of its crossed edges."""

    def __init__(self, values: torch.Tensor, level: float, places: torch.Tensor) -> None:
        self.level, self.places = level, places
        self.kernels = _volume_kernels(ti.f64 if values.dtype == torch.float64 else ti.f32)
        size_x, size_y, size_z = values.shape
        along_z = -(-size_z // BITS)
        self.count = size_x * size_y * along_z
        like: dict[str, Any] = {"dtype": torch.int32, "device": values.device}
        self.sizes = torch.tensor([size_x, size_y, size_z, along_z], **like)
        self.words = torch.empty(self.count, 4, **like)
        self.starts = torch.empty(3 * self.count + 1, **like)
        flat = values.view(-1)
        runtime.run(self.kernels.write_signs, flat, self.sizes, level, self.words, self.count)
        runtime.run(self.kernels.count_edges, flat, self.sizes, level, self.words, self.starts, self.count)
        self.on_edges = add_up(self.starts)
        unused = torch.empty(1, 1, 1, **like)
        self.faces, self.centres = triangles(
            self.kernels, self.words, self.sizes, unused, unused[0], self.starts, self.on_edges
        )

    def vertices(self, values: torch.Tensor) -> torch.Tensor:
        """The vertices (V, 3)."""
        return self._run(values, torch.empty(1, 2, dtype=torch.int64, device=values.device), 0)

    @functools.cached_property
    def edges(self) -> torch.Tensor:
        """The nodes (V, 2) int64 of the edges that the vertices lie on, see `vertices_twin`."""
        found = torch.empty(self.on_edges, 2, dtype=torch.int64, device=self.words.device)
        self._run(self.places.new_zeros(1), found, 1)
        lower = (self.centres[:, 0] * self.sizes[1] + self.centres[:, 1]) * self.sizes[2] + self.centres[:, 2]
        return torch.cat([found, torch.stack([lower, torch.full_like(lower, -1)], dim=1)])

    def _run(self, values: torch.Tensor, edges: torch.Tensor, only_edges: int) -> torch.Tensor:
        found = memory.empty(1 if only_edges else self.on_edges + len(self.centres), 3, like=self.places)
        runtime.run(
            self.kernels.write_vertices, values.view(-1), self.places, self.sizes, self.level, self.words, self.starts,
            found, edges, only_edges, self.count,
        )  # fmt: skip
        if not only_edges:
            found[self.on_edges :] = middles(self.centres, self.places, self.sizes.tolist())
        return found


def add_up(counts: torch.Tensor, first: int = 0) -> int:
    """Turn counts (N + 1,) int32, each one place late, into `first` and those before, in place; returns all together.

    Raises:
        ValueError: the sum is beyond 32-bit indices.
    """
    counts[0] = first
    if first + len(counts) * 3 * BITS > arguments.LARGEST_COUNT and int(counts.sum()) > arguments.LARGEST_COUNT:
        raise ValueError("values: the surface has more than 2^31 - 1 vertices or triangles; mesh parts of the volume")
    counts.cumsum_(0)
    return int(counts[-1])


def triangles(
    kernels: SimpleNamespace, words: torch.Tensor, sizes: torch.Tensor, places: torch.Tensor, bricks: torch.Tensor,
    starts: torch.Tensor, on_edges: int,
) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    """Faces (F, 3) int32 of words of signs, and the cells (C, 3) int32 whose middles follow the vertices on edges."""
    count = len(words)
    patterns, fillings = table(words.device)
    ends = starts.new_empty(2, count + 1)
    around = (words, sizes, places, bricks, patterns, fillings)
    runtime.run(kernels.count_cells, *around, ends[0], ends[1], count)
    faces = memory.empty(add_up(ends[0]), 3, like=starts)
    centres = starts.new_empty(add_up(ends[1]), 3)
    runtime.run(kernels.write_cells, *around, starts, ends[0], ends[1], on_edges, faces, centres, count)
    return faces, centres


def middles(cells: torch.Tensor, places: torch.Tensor, sizes: list[int]) -> torch.Tensor:
    """Middles (C, 3) of cells (C, 3) int32."""
    found = []
    for axis, line in enumerate(places.split(sizes[:3])):
        index = cells[:, axis].long()
        found.append((line[index] + line[index + 1]) / 2.0 if len(cells) else places.new_empty(0))
    return torch.stack(found, dim=1)


@ti.func
def share_of_edge(start, end, level):
    """Where along an edge the level is reached, 0 … 1, kept away from its ends; NaN if an end is not finite."""
    low = start * 0.0 + MARGIN
    share = ti.min(ti.max((level - start) / (end - start), low), 1.0 - low)
    # The fast maths of the backend may lose what is not finite on the way.
    bad = ti.math.isnan(start) or ti.math.isnan(end) or ti.math.isinf(start) or ti.math.isinf(end)
    return ti.select(bad, ti.math.nan, share)


@ti.func
def face_is_joined(a, b, c, d, level):
    """Whether the corners a and d, or b and c, whichever are inside, are connected across an ambiguous face.

    The sign of the bilinear interpolant where its slope is zero. Products of the same two numbers are the same in both
    cells that share the face.
    """
    first = (a - level) * (d - level)
    second = (b - level) * (c - level)
    joined = second > first
    if a < level:
        joined = first > second
    return joined


@ti.func
def joined_faces(faces, values: ti.template(), first, step_b, step_c, level):
    """Which of the ambiguous faces, bits of a word, are joined: those of nodes a at `first` + bit, b, c and d."""
    decided = ti.u32(0)
    while faces != ti.u32(0):
        bit = lowest(faces)
        faces &= faces - ti.u32(1)
        at = first + bit
        if face_is_joined(values[at], values[at + step_b], values[at + step_c], values[at + step_b + step_c], level):
            decided |= ti.u32(1) << bit
    return decided


@ti.func
def write_crossing(
    vertices: ti.template(), vertex, places: ti.template(), place, bit, axis: ti.template(), start, end, level
):  # fmt: skip
    """Write where the edge along an axis reaches the level, between values `start` and `end`.

    `place` is where the coordinates of its word's first node stand in `places`, for each axis.
    """
    corner = ti.Vector([places[place[0]], places[place[1]], places[place[2] + bit]])
    after = places[place[axis] + 1]
    if ti.static(axis == 2):
        after = places[place[2] + bit + 1]
    corner[axis] += share_of_edge(start, end, level) * (after - corner[axis])
    for entry in ti.static(range(3)):
        vertices[vertex, entry] = corner[entry]


@functools.cache
def _volume_kernels(dtype: Any) -> SimpleNamespace:
    """The kernels for a volume of values: signs, edges, vertices, and those that `cell_kernels` gives."""

    @ti.func
    def where(word, sizes: ti.template()):
        """First node (i, j, k) of a word, its place in the volume, whether there are nodes at i + 1 and at j + 1."""
        row = word // sizes[3]
        i = row // sizes[1]
        j = row % sizes[1]
        k = (word % sizes[3]) * BITS
        begin = ti.Vector([i, j, k])
        return begin, row * sizes[2] + k, i + 1 < sizes[0], j + 1 < sizes[1]

    @ti.func
    def first_bits(count):
        """A word with `count` bits set, all of them if it is that many."""
        word = ~ti.u32(0)
        if count < BITS:
            word = (ti.u32(1) << ti.max(count, 0)) - ti.u32(1)
        return word

    @ti.func
    def cells_of(words: ti.template(), word, sizes: ti.template()):
        begin, _, more_x, more_y = where(word, sizes)
        return ti.select(more_x and more_y, first_bits(sizes[2] - 1 - begin[2]), ti.u32(0))

    @ti.func
    def around(word, sizes: ti.template(), places: ti.template(), bricks: ti.template()):
        begin, _, more_x, more_y = where(word, sizes)
        here = ti.Vector([word] * 4)
        next_row = sizes[3]
        next_slab = sizes[1] * sizes[3]
        if more_x:
            here[1] += next_slab
            here[3] += next_slab
        if more_y:
            here[2] += next_row
            here[3] += next_row
        above = ti.Vector([-1] * 4)
        if begin[2] + BITS < sizes[2]:
            above = here + 1
        return begin, here, above

    @ti.kernel
    def write_signs(
        values: ti.types.ndarray(dtype, 1),
        sizes: ti.types.ndarray(ti.i32, 1),
        level: dtype,
        words: ti.types.ndarray(ti.i32, 2),
        count: ti.i32,
    ):
        for word in range(count):
            begin, node, _, _ = where(word, sizes)
            signs = ti.u32(0)
            if begin[2] + BITS <= sizes[2]:
                for bit in ti.static(range(BITS)):
                    signs |= ti.select(values[node + bit] < level, ti.u32(1 << bit), ti.u32(0))
            else:
                for bit in range(sizes[2] - begin[2]):
                    signs |= ti.select(values[node + bit] < level, ti.u32(1) << bit, ti.u32(0))
            words[word, 0] = ti.cast(signs, ti.i32)

    @ti.func
    def crossings(words: ti.template(), word, sizes: ti.template()):
        """Edges along x, y and z that start in the word and are crossed, and the signs they come from."""
        begin, node, more_x, more_y = where(word, sizes)
        own = ti.cast(words[word, 0], ti.u32)
        right = own
        behind = own
        if more_x:
            right = ti.cast(words[word + sizes[1] * sizes[3], 0], ti.u32)
        if more_y:
            behind = ti.cast(words[word + sizes[3], 0], ti.u32)
        above = own >> 1
        if begin[2] + BITS < sizes[2]:
            above |= ti.cast(words[word + 1, 0], ti.u32) << (BITS - 1)
        along_z = (own ^ above) & first_bits(sizes[2] - 1 - begin[2])
        return begin, node, own, right, behind, above, along_z

    @ti.kernel
    def count_edges(
        values: ti.types.ndarray(dtype, 1),
        sizes: ti.types.ndarray(ti.i32, 1),
        level: dtype,
        words: ti.types.ndarray(ti.i32, 2),
        starts: ti.types.ndarray(ti.i32, 1),
        count: ti.i32,
    ):
        """Crossed edges of each word along x, y and z, one place late, and the decisions on its ambiguous faces."""
        for word in range(count):
            begin, node, own, right, behind, above, along_z = crossings(words, word, sizes)
            starts[3 * word + 1] = ti.math.popcnt(own ^ right)
            starts[3 * word + 2] = ti.math.popcnt(own ^ behind)
            starts[3 * word + 3] = ti.math.popcnt(along_z)
            diagonal = own
            above_right = right >> 1
            above_behind = behind >> 1
            if begin[0] + 1 < sizes[0] and begin[1] + 1 < sizes[1]:
                diagonal = ti.cast(words[word + (sizes[1] + 1) * sizes[3], 0], ti.u32)
            if begin[2] + BITS < sizes[2]:
                next_x = ti.select(begin[0] + 1 < sizes[0], sizes[1] * sizes[3], 0)
                next_y = ti.select(begin[1] + 1 < sizes[1], sizes[3], 0)
                above_right |= ti.cast(words[word + next_x + 1, 0], ti.u32) << (BITS - 1)
                above_behind |= ti.cast(words[word + next_y + 1, 0], ti.u32) << (BITS - 1)
            slab = sizes[1] * sizes[2]
            for axis in ti.static(range(3)):
                # The face of nodes a, b, c, d across the axis.
                b = behind
                c = above
                d = above_behind
                step_b = sizes[2]
                step_c = 1
                if ti.static(axis == 1):
                    b = right
                    d = above_right
                    step_b = slab
                elif ti.static(axis == 2):
                    b = right
                    c = behind
                    d = diagonal
                    step_b = slab
                    step_c = sizes[2]
                faces = (own ^ b) & ~(own ^ d) & ~(b ^ c)
                if ti.static(axis < 2):
                    faces &= first_bits(sizes[2] - 1 - begin[2])
                decided = joined_faces(faces, values, node, step_b, step_c, level)
                words[word, 1 + axis] = ti.cast(decided, ti.i32)

    @ti.kernel
    def write_vertices(
        values: ti.types.ndarray(dtype, 1),
        places: ti.types.ndarray(dtype, 1),
        sizes: ti.types.ndarray(ti.i32, 1),
        level: dtype,
        words: ti.types.ndarray(ti.i32, 2),
        starts: ti.types.ndarray(ti.i32, 1),
        vertices: ti.types.ndarray(dtype, 2),
        edges: ti.types.ndarray(ti.i64, 2),
        only_edges: ti.i32,
        count: ti.i32,
    ):
        """Vertices on crossed edges, or (only_edges 1) the nodes at the ends of these."""
        for word in range(count):
            vertex = starts[3 * word]
            if starts[3 * word + 3] > vertex:
                begin, node, own, right, behind, _, along_z = crossings(words, word, sizes)
                slab = sizes[1] * sizes[2]
                place = ti.Vector([begin[0], sizes[0] + begin[1], sizes[0] + sizes[1] + begin[2]])
                for axis in ti.static(range(3)):
                    crossed = along_z
                    step = 1
                    if ti.static(axis == 0):
                        crossed = own ^ right
                        step = slab
                    elif ti.static(axis == 1):
                        crossed = own ^ behind
                        step = sizes[2]
                    while crossed != ti.u32(0):
                        bit = lowest(crossed)
                        crossed &= crossed - ti.u32(1)
                        at = node + bit
                        if only_edges == 1:
                            edges[vertex, 0] = at
                            edges[vertex, 1] = at + step
                        else:
                            write_crossing(
                                vertices, vertex, places, place, bit, axis, values[at], values[at + step], level
                            )
                        vertex += 1

    own = cell_kernels(BITS, ti.i32, cells_of, around)
    return SimpleNamespace(write_signs=write_signs, count_edges=count_edges, write_vertices=write_vertices, **vars(own))
