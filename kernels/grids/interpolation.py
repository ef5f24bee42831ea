"""Values between the nodes of a grid, with derivatives to the values and to the points, up to the second order."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

from .. import runtime
from ..lanes import Array, arguments
from ..runtime import Gradients, bridge, memory, under_torch_func
from .linear_maps import LinearMaps, grid_type_of

Wanted = tuple[bool, ...]


def interpolate(
    values: Array,
    points: Array,
    *,
    boundary: Literal["border", "zeros"] = "border",
    align_corners: bool = True,
) -> Any:
    """Bilinear or trilinear interpolation of `values` at `points`: y = Σ_k w_k V_k over the 2^D nodes of a cell.

    It is `torch.nn.functional.grid_sample` with channels last, coordinates in [0, 1] and axes in the order of `values`.

    Args:
        values: (X, Y, C) or (X, Y, Z, C) float32 or float64; `values[i, j, k]` lies at x_i, y_j, z_k. A torch tensor,
            numpy array, DLPack object or `ti.ndarray`.
        points: (N, 2) or (N, 3) of the same dtype; coordinate i runs along axis i of `values`.
        boundary: "border": outside, the value of the nearest point of the border; "zeros": nodes outside are 0.
        align_corners: True: node k of n along an axis lies at k / (n - 1), False: at (k + 0.5) / n.

    Returns:
        (N, C), a numpy array if `values` is one, else a tensor. The row of a point with NaN is NaN.
        Differentiable twice, to values and points, by autograd and by torch.func, but for its forward mode;
        derivatives to a coordinate are those within its cell (at a node, of the cell above it), and 0 on the border and
        outside. A point with NaN adds nothing to the gradient of the values.

    Raises:
        TypeError, ValueError: an argument is of another dtype, shape or device, or too large for 32-bit indices.
        RuntimeError: in a backward pass, where a derivative of the third order is wanted.

    Example:
        A grid of two by two nodes with the values 0, 1 (x = 0) and 2, 3 (x = 1) is 2 x + y: at (0.5, 0.25) it is 1.25.
    """
    if boundary not in ("border", "zeros"):
        raise ValueError(f"boundary: expected 'border' or 'zeros', got {boundary!r}")
    grid, restore = arguments.floats("values", values, ("X", "Y", "C"), ("X", "Y", "Z", "C"), may_be_empty=False)
    places, _ = arguments.floats("points", points, ("N", grid.ndim - 1))
    arguments.check_same_dtype("points", places, "values", grid)
    runtime.check_device(values=grid, points=places)
    grid_type = grid_type_of(grid, aligned=align_corners, border=boundary == "border")
    maps = LinearMaps(
        grid_type, tuple(grid.shape), shared=not under_torch_func()
    )  # torch.func may ask for other batches
    return restore(_Interpolation(maps).gather(grid, places))


@dataclass
class _Interpolation:
    """The maps as differentiable functions: each is linear in all but the points, and their derivatives are such maps.

    `along` is empty, or holds the directions (N, D) of a directed map.
    """

    maps: LinearMaps

    def gather(self, values: Tensor, points: Tensor, *along: Tensor) -> Tensor:
        """(N, C): Σ_k w_k V_k; with one channel the slopes, a row for each point, are read along and kept."""
        slopes = None
        if (
            self.maps.shared
            and torch.is_grad_enabled()
            and points.requires_grad
            and self.maps.channels == 1
            and not along
        ):
            slopes = memory.empty(*points.shape, like=points)
        kernel = partial(self.maps.gather, slopes=slopes)
        derivative = partial(self._gather_derivative, slopes=slopes)
        rows = False, True, *(True for _ in along)
        result: Tensor = bridge(kernel, derivative, values, points, *along, rows=rows)
        return result

    def scatter(self, gradient: Tensor, points: Tensor, *along: Tensor) -> Tensor:
        """Like the values: Σ_n w_k g_n."""
        result: Tensor = bridge(self.maps.scatter, self._scatter_derivative, gradient, points, *along)
        return result

    def pull(self, values: Tensor, gradient: Tensor, points: Tensor, *along: Tensor) -> Tensor:
        """(N, D): Σ_k ∂w_k V_k · g_n."""
        rows = False, True, True, *(True for _ in along)
        result: Tensor = bridge(self.maps.pull, self._pull_derivative, values, gradient, points, *along, rows=rows)
        return result

    def _gather_derivative(
        self, inputs: tuple[Tensor, ...], gradients: Gradients, wanted: Wanted, slopes: Tensor | None
    ) -> Gradients:
        values, points, *along = inputs
        (g,) = gradients
        assert g is not None
        to_points = None
        if wanted[1]:
            # Kept slopes have no graph.
            if slopes is None or torch.is_grad_enabled():
                to_points = self.pull(values, g, points, *along)
            else:
                to_points = slopes * g
        return (
            self.scatter(g, points, *along) if wanted[0] else None,
            to_points,
            *(self.pull(values, g, points) if want else None for want in wanted[2:]),
        )

    def _scatter_derivative(self, inputs: tuple[Tensor, ...], gradients: Gradients, wanted: Wanted) -> Gradients:
        g, points, *along = inputs
        (values,) = gradients
        assert values is not None
        return (
            self.gather(values, points, *along) if wanted[0] else None,
            self.pull(values, g, points, *along) if wanted[1] else None,
            *(self.pull(values, g, points) if want else None for want in wanted[2:]),
        )

    def _pull_derivative(self, inputs: tuple[Tensor, ...], gradients: Gradients, wanted: Wanted) -> Gradients:
        values, g, points, *along = inputs
        (t,) = gradients
        assert t is not None
        if along and any(wanted[:3]):
            raise RuntimeError("interpolate: derivatives of the third order are not available")
        if along:
            return None, None, None, self.pull(values, g, points, t)
        return (
            self.scatter(g, points, t) if wanted[0] else None,
            self.gather(values, points, t) if wanted[1] else None,
            self.pull(values, g, points, t) if wanted[2] else None,
        )
