"""Marching cubes over a volume of values: W. Lorensen and H. Cline, "Marching cubes" (1987), made watertight."""

import functools
from typing import Any

import torch

from .. import runtime
from ..lanes import Array, arguments
from ..runtime import bridge, derivative_of, memory, ti
from .bits import WordColumn
from .crossings import MARGIN
from .nodes import corners, node_coordinates
from .volume_kernels import WORD, volume_kernels
from .word_meshes import cell_centres, exclusive_sums, faces_of_words


def marching_cubes(values: Array, level: float = 0.0, *, bounds: Any = None) -> tuple[Any, Any]:
    """The surface on which a sampled field has the value `level`, as triangles.

    A vertex lies where the field, linear along an edge of the grid, reaches the level, at least MARGIN of the edge away
    from its ends. A node is inside if its value is less than the level. Where a face of a cell can be crossed in two
    ways, its bilinear interpolant decides (the asymptotic decider). The same values give the same mesh at every run.

    If no node on the border of the volume is inside, or all are, the mesh is closed: every side belongs to two
    triangles, every vertex to one fan of them, and no triangle is degenerate. Else it ends at the border and is open
    there. A tunnel through the middle of a single cell is not drawn.

    Args:
        values: (X, Y, Z) float32 or float64, `values[i, j, k]` at x_i, y_j, z_k. A torch tensor, numpy array, DLPack
            object or `ti.ndarray`. A NaN is outside; vertices on an edge to a value that is not finite are NaN.
        level: value on the surface.
        bounds: lower and upper corner, in which the nodes lie from border to border; None for [-1, 1]³.

    Returns:
        vertices (V, 3) of the dtype of `values`, differentiable to them any number of times (not where a vertex is
        kept away from a node, nor are vertices in the middle of a cell), and faces (F, 3) int32, counter-clockwise seen
        from where values are larger. Both empty if nothing crosses the level; both numpy arrays if `values` is one.

    Raises:
        TypeError, ValueError: an argument is of another dtype, shape or device.

    Example: values -1 at the middle one of 3³ nodes and 1 at the others, in [-1, 1]³, give the octahedron with its
    corners at ±0.5 on the axes.
    """
    tensor, restore = arguments.floats("values", values, ("X", "Y", "Z"), may_be_empty=False)
    runtime.check_device(values=tensor)
    low, high = corners(bounds)
    shape = tuple(tensor.shape)
    if min(shape) == 1:  # no cells
        return restore(tensor.new_empty(0, 3)), restore(tensor.new_empty(0, 3, dtype=torch.int32))
    coordinates = node_coordinates(shape, low, high, tensor)
    mesh = _VolumeMesh(tensor.detach().contiguous(), float(level), coordinates)

    def by_kernel(given: torch.Tensor) -> torch.Tensor:
        return mesh.vertices(given.contiguous())

    def by_twin(given: torch.Tensor) -> torch.Tensor:
        return vertices_twin(given, float(level), coordinates, mesh.edges)

    return restore(bridge(by_kernel, derivative_of(by_twin), tensor)), restore(mesh.faces)


def vertices_twin(values: torch.Tensor, level: float, coordinates: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
    """Vertices (V, 3) on edges (V, 2) int64, each given by the numbers of its two nodes in the flattened volume.

    An edge without an upper node stands for the middle of the cell above the lower one.
    """
    shape = values.shape
    axes = torch.split(coordinates, list(shape))
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


class _VolumeMesh:
    """The triangles of a volume, and the numbers of its crossed edges."""

    def __init__(self, values: torch.Tensor, level: float, coordinates: torch.Tensor) -> None:
        self.level, self.coordinates = level, coordinates
        self.kernels = volume_kernels(ti.f64 if values.dtype == torch.float64 else ti.f32)
        size_x, size_y, size_z = values.shape
        along_z = -(-size_z // WORD)
        self.count = size_x * size_y * along_z
        like: dict[str, Any] = {"dtype": torch.int32, "device": values.device}
        self.sizes = torch.tensor([size_x, size_y, size_z, along_z], **like)
        self.words = torch.empty(self.count, WordColumn.CROSSED, **like)
        self.starts = torch.empty(3 * self.count + 1, **like)
        flat = values.view(-1)
        runtime.run(self.kernels.write_signs, flat, self.sizes, level, self.words, self.count)
        runtime.run(self.kernels.count_edges, flat, self.sizes, level, self.words, self.starts, self.count)
        self.on_edges = exclusive_sums(self.starts)
        unused = torch.empty(1, 1, 1, **like)
        self.faces, self.centres = faces_of_words(
            self.kernels, self.words, self.sizes, unused, unused[0], self.starts, self.on_edges
        )

    def vertices(self, values: torch.Tensor) -> torch.Tensor:
        """The vertices (V, 3)."""
        return self._run(values, torch.empty(1, 2, dtype=torch.int64, device=values.device), 0)

    @functools.cached_property
    def edges(self) -> torch.Tensor:
        """The nodes (V, 2) int64 of the edges that the vertices lie on, see `vertices_twin`."""
        found = torch.empty(self.on_edges, 2, dtype=torch.int64, device=self.words.device)
        self._run(self.coordinates.new_zeros(1), found, 1)
        lower = (self.centres[:, 0] * self.sizes[1] + self.centres[:, 1]) * self.sizes[2] + self.centres[:, 2]
        return torch.cat([found, torch.stack([lower, torch.full_like(lower, -1)], dim=1)])

    def _run(self, values: torch.Tensor, edges: torch.Tensor, only_edges: int) -> torch.Tensor:
        found = memory.empty(1 if only_edges else self.on_edges + len(self.centres), 3, like=self.coordinates)
        runtime.run(
            self.kernels.write_vertices, values.view(-1), self.coordinates, self.sizes, self.level, self.words,
            self.starts, found, edges, only_edges, self.count,
        )  # fmt: skip
        if not only_edges:
            found[self.on_edges :] = cell_centres(self.centres, self.coordinates, self.sizes.tolist())
        return found
