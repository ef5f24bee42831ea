"""Distance to a mesh of triangles, by a tree of boxes, and its inside, by the generalised winding number."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy
import torch

from .. import runtime
from ..lanes import Array, arguments
from ..runtime import Gradients, bridge, deal, memory
from .closest import closest_kernel
from .tree import build_tree, far_fields
from .winding import winding_kernel

MOST_FACES = 2**24  # building the tree takes some 400 bytes for each
MORTON_BITS = 10  # of a coordinate


@dataclass(frozen=True)
class Closest:
    """The nearest points of a mesh.

    Attributes:
        distance: (…), at least 0, in scene units.
        points: (…, 3), on the mesh.
        faces: (…) int32, which face each of them lies on.
    """

    distance: Any
    points: Any
    faces: Any


class MeshTree:
    """A mesh of triangles made ready for many queries.

    Args:
        vertices: (V, 3) float32, finite; a torch tensor, numpy array, DLPack object or `ti.ndarray`.
        faces: (F, 3) whole numbers, rows of `vertices`, counter-clockwise seen from outside; F from 1 to 2^24. Faces
            without area count for the distance as the segments or points that they are.

    Raises:
        TypeError: an argument is no array, or of another dtype.
        ValueError: an argument has another shape, there is no face, an index is out of range, or a vertex is used that
            is not finite; names which.
    """

    def __init__(self, vertices: Array, faces: Array) -> None:
        self.vertices, self.faces = _checked(vertices, faces)
        runtime.check_device(vertices=self.vertices, faces=self.faces)
        device = self.vertices.device
        corners = self.vertices.t().cpu().numpy().take(self.faces.cpu().numpy(), axis=1)  # (3, F, 3 corners)
        low, high = corners.min(axis=(1, 2)), corners.max(axis=(1, 2))
        if not numpy.isfinite(high - low).all():  # a NaN is both least and greatest
            face = int(numpy.argmin(numpy.isfinite(corners).all(axis=(0, 2))))
            raise ValueError(f"vertices: expected finite numbers, got {corners[:, face].T.tolist()} at face {face}")
        self.low, self.high = low.tolist(), high.tolist()
        tree = build_tree(corners)
        self._first_leaf, self._scale = tree.first_leaf, tree.scale
        self._boxes, self._triangles, self._tree_faces = (
            torch.from_numpy(numbers).to(device) for numbers in (tree.boxes, tree.triangles, tree.faces)
        )

    def distance(self, points: Array, *, signed: bool = True) -> Any:
        """Distance to the mesh at points (…, 3), as `mesh_distance` has it."""
        tensor, restore = arguments.floats("points", points, (..., 3), double=False)
        flat = arguments.for_kernel("points", tensor)
        closest = sign = torch.empty(0)

        def by_kernel(given: torch.Tensor) -> torch.Tensor:
            nonlocal closest, sign
            distance, closest, _ = self._closest(flat, order := self._order(flat))
            if signed:
                sign = torch.where(self._winding(flat, order) > 0.5, -1.0, 1.0)
                distance = sign * distance
            return distance.reshape(given.shape[:-1])

        def derivative(inputs: tuple[torch.Tensor, ...], gradients: Gradients, wanted: tuple[bool, ...]) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None, "the bridge asks for nothing where no gradient comes in"
            away = sign[:, None] * (flat - closest) if signed else flat - closest
            direction = torch.nn.functional.normalize(away, dim=1, eps=torch.finfo(torch.float32).tiny)
            return (bridge(_along(direction), _no_second, inputs[0], gradient),)

        return restore(bridge(by_kernel, derivative, tensor))

    def closest(self, points: Array) -> Closest:
        """The points of the mesh that are closest to points (…, 3), without autograd history.

        Raises:
            TypeError, ValueError: `points` is of another dtype, shape or device.
        """
        tensor, restore = arguments.floats("points", points, (..., 3), double=False)
        flat = arguments.for_kernel("points", tensor)
        distance, closest, faces = self._closest(flat, self._order(flat))
        shape = tensor.shape[:-1]
        return Closest(
            restore(distance.reshape(shape)), restore(closest.reshape(tensor.shape)), restore(faces.reshape(shape))
        )

    def winding_number(self, points: Array) -> Any:
        """Generalised winding number (…) at points (…, 3): how often the mesh goes round them.

        w(q) = Σ_t Ω_t(q) / 4π, Ω_t the signed solid angle of a triangle (Jacobson et al. 2013); for a closed mesh 1
        inside and 0 outside, for others in between; NaN for NaN. Groups of triangles whose centre is farther than 2.5
        times their radius count by their first and second moments (Barill et al. 2018), which is good to about 0.03.

        Raises:
            TypeError, ValueError: `points` is of another dtype, shape or device.
        """
        tensor, restore = arguments.floats("points", points, (..., 3), double=False)
        flat = arguments.for_kernel("points", tensor)
        return restore(self._winding(flat, self._order(flat)).reshape(tensor.shape[:-1]))

    @functools.cached_property
    def _far_fields(self) -> torch.Tensor:
        """The far fields of the tree's nodes, for winding numbers."""
        return torch.from_numpy(far_fields(self._triangles.cpu().numpy())).to(self._triangles.device)

    def _order(self, points: torch.Tensor) -> torch.Tensor:
        """The points (N, 3) in the order of a Morton curve through their box."""
        finite = points.nan_to_num(0.0, 0.0, 0.0)
        if not len(points):
            return torch.empty(0, dtype=torch.int64, device=points.device)
        low, high = torch.tensor(self.low, device=points.device), torch.tensor(self.high, device=points.device)
        span = (high - low).max().clamp_min(torch.finfo(torch.float32).tiny)
        low = low - 0.5 * span
        cells = ((finite - low) * (2**MORTON_BITS / (2.0 * span))).clamp(0.0, 2**MORTON_BITS - 1).to(torch.int32)
        for shift, mask in ((16, 0x030000FF), (8, 0x0300F00F), (4, 0x030C30C3), (2, 0x09249249)):
            cells = (cells | cells << shift) & mask
        code = cells[:, 0] << 2 | cells[:, 1] << 1 | cells[:, 2]
        return torch.argsort(code)

    def _closest(self, points: torch.Tensor, order: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Distances (N), closest points (N, 3) and faces (N)."""
        distance, closest = memory.empty(len(points), like=points), memory.empty(*points.shape, like=points)
        faces = memory.empty(len(points), like=points, dtype=torch.int32)
        if len(points):
            runtime.run(
                closest_kernel(), self._boxes, self._triangles, self._tree_faces.view(-1), self.vertices, self.faces,
                points, order, distance, closest, faces, self._first_leaf, self._scale, len(points),
                *deal(len(points), points.device),
            )  # fmt: skip
        return distance, closest, faces

    def _winding(self, points: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
        """Winding numbers (N)."""
        winding = memory.empty(len(points), like=points)
        if len(points):
            runtime.run(
                winding_kernel(), self._far_fields, self._triangles, points, order, winding,
                self._first_leaf, self._scale, len(points),
            )  # fmt: skip
        return winding


def mesh_distance(vertices: Array, faces: Array, points: Array, *, signed: bool = True) -> Any:
    """Distance to a mesh of triangles at `points`: negative inside, positive outside; without sign if not `signed`.

    Exact but for rounding (1e-6 of the mesh's size). Inside is where the generalised winding number is above a half, so
    meshes with holes or that cross themselves have a sensible inside, and those that face inwards have none. For many
    calls keep a `MeshTree`, which this builds each time.

    Args:
        vertices: (V, 3) float32.
        faces: (F, 3) whole numbers, counter-clockwise seen from outside.
        points: (…, 3) float32; a torch tensor, numpy array, DLPack object or `ti.ndarray`. NaN gives NaN.

    Returns:
        (…) in scene units, a numpy array if `points` is one, else a tensor. Differentiable to points once: the gradient
        is the unit vector that leads away from the closest point, with the sign, and 0 on the surface itself; a second
        derivative is a RuntimeError.

    Raises:
        TypeError, ValueError: an argument is of another dtype, shape or device, or `MeshTree` cannot be built of it.

    Example: the triangle (0, 0, 0), (1, 0, 0), (0, 1, 0) is 2 from (0.25, 0.25, 2) and 5 from (4, 0, 4).
    """
    return MeshTree(vertices, faces).distance(points, signed=signed)


def _checked(vertices: Array, faces: Array) -> tuple[torch.Tensor, torch.Tensor]:
    """Vertices and faces as kernels take them."""
    places, _ = arguments.floats("vertices", vertices, ("V", 3), double=False)
    rows = arguments.integers("faces", faces, ("F", 3))
    if not 1 <= len(rows) <= MOST_FACES:
        raise ValueError(f"faces: expected from 1 to {MOST_FACES}, got {len(rows)}")
    rows = rows.to(torch.int64)  # of small unsigned numbers PyTorch finds no least
    least, most = int(rows.min()), int(rows.max())
    if least < 0 or most >= len(places):
        wrong = least if least < 0 else most
        raise ValueError(f"faces: expected indices from 0 to {len(places) - 1}, one a vertex, got {wrong}")
    return places.detach().contiguous(), rows.to(torch.int32).contiguous()


def _along(direction: torch.Tensor) -> Any:
    """The gradient to the points, of which each has a direction (N, 3), for what comes in (…)."""
    return lambda points, gradient: (direction * gradient.reshape(-1, 1)).reshape(points.shape)


def _no_second(inputs: tuple[torch.Tensor, ...], gradients: Gradients, wanted: tuple[bool, ...]) -> Gradients:
    raise RuntimeError("mesh_distance: expected at most a first derivative, a second was asked for")
