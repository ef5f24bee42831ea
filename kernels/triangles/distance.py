"""Distance to a mesh of triangles, by a tree of boxes, and its inside, by the generalised winding number."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy
import torch

from .. import runtime
from ..lanes import Array, arguments
from ..runtime import Gradients, bridge, deal, memory
from .closest import closest_kernel
from .placing import origin_of
from .tree import build_tree, far_fields
from .winding import exact_winding_kernel, winding_kernel

MOST_FACES = 2**24  # building the tree takes some 400 bytes for each
MORTON_BITS = 10  # of a coordinate
LARGEST = 1e38  # a coordinate that float32 holds

# How far off far fields begin, as a multiple of FAR_FIELD_RADII, and the distance of winding numbers from a half below
# which they may be off by more than that: a coarse sphere's are by 0.035, four times as far off by 0.0006; beyond that
# the polynomial of the arc tangent is off by 1e-4.
SUMS = ((1.0, 0.05), (4.0, 0.004), (16.0, 0.0005))


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
        vertices: (V, 3) float32 or float64, finite; a torch tensor, numpy array, DLPack object or `ti.ndarray`.
        faces: (F, 3) whole numbers, rows of `vertices`, counter-clockwise seen from outside; F from 1 to 2^24. Faces
            without area count for the distance as the segments or points that they are.

    Kernels work in float32. A mesh farther than 16 of its longest sides from 0 is moved to it for them in float64, and
    so are the points: what counts is how well their dtype holds their coordinates there.

    Attributes:
        vertices, faces: as they were given, the faces as int32.
        low, high: corners of the mesh's box.
        origin: what kernels subtract from vertices and points; 0 unless the mesh is far from it.

    Raises:
        TypeError: an argument is no array, or of another dtype.
        ValueError: an argument has another shape, there is no face, an index is out of range, or a vertex is used that
            is not finite or larger than float32 holds; names which.
    """

    def __init__(self, vertices: Array, faces: Array) -> None:
        self.vertices, self.faces = _checked(vertices, faces)
        runtime.check_device(vertices=self.vertices, faces=self.faces)
        device = self.vertices.device
        corners = self.vertices.t().cpu().numpy().take(self.faces.cpu().numpy(), axis=1)  # (3, F, 3 corners)
        low, high = (corners.min(axis=(1, 2)).astype(float), corners.max(axis=(1, 2)).astype(float))
        if not (numpy.abs([low, high, high - low]) <= LARGEST).all():  # a NaN is both least and greatest
            face = int(numpy.argmin((numpy.abs(corners) <= LARGEST).all(axis=(0, 2))))
            raise ValueError(
                f"vertices: expected finite numbers up to {LARGEST:.3g}, got {corners[:, face].T.tolist()} "
                f"at face {face}"
            )
        self.low, self.high = low.tolist(), high.tolist()
        self.origin = origin_of(self.low, self.high)
        self._local = self._in_place(self.vertices)
        if self._local is not self.vertices:
            corners = self._local.t().cpu().numpy().take(self.faces.cpu().numpy(), axis=1)
        tree = build_tree(corners)
        self._first_leaf, self._scale = tree.first_leaf, tree.scale
        self._boxes, self._triangles, self._tree_faces = (
            torch.from_numpy(numbers).to(device) for numbers in (tree.boxes, tree.triangles, tree.faces)
        )

    def distance(self, points: Array, *, signed: bool = True) -> Any:
        """Distance to the mesh at points (…, 3), as `mesh_distance` has it."""
        tensor, restore, flat = self._points(points)
        closest = sign = torch.empty(0)

        def by_kernel(given: torch.Tensor) -> torch.Tensor:
            nonlocal closest, sign
            distance, closest, _ = self._closest(flat, order := self._order(flat))
            if signed:
                sign = torch.where(self._winding(flat, order) > 0.5, -1.0, 1.0)
                distance = sign * distance
            return distance.reshape(given.shape[:-1]).to(given.dtype)

        def derivative(inputs: tuple[torch.Tensor, ...], gradients: Gradients, wanted: tuple[bool, ...]) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None, "the bridge asks for nothing where no gradient comes in"
            away = sign[:, None] * (flat - closest) if signed else flat - closest
            # In float64, where squares of float32 numbers have room.
            direction = torch.nn.functional.normalize(away.double(), dim=1, eps=torch.finfo(torch.float32).tiny)
            return (bridge(_along(direction.to(gradient.dtype)), _no_second, inputs[0], gradient),)

        return restore(bridge(by_kernel, derivative, tensor))

    def closest(self, points: Array) -> Closest:
        """The points of the mesh that are closest to points (…, 3), without autograd history.

        Raises:
            TypeError, ValueError: `points` is of another dtype, shape or device.
        """
        tensor, restore, flat = self._points(points)
        distance, closest, faces = self._closest(flat, self._order(flat))
        distance = distance.to(tensor.dtype)
        closest = (closest.double() + closest.new_tensor(self.origin, dtype=torch.float64)).to(tensor.dtype)
        shape = tensor.shape[:-1]
        return Closest(
            restore(distance.reshape(shape)), restore(closest.reshape(tensor.shape)), restore(faces.reshape(shape))
        )

    def winding_number(self, points: Array) -> Any:
        """Generalised winding number (…) at points (…, 3): how often the mesh goes round them.

        w(q) = Σ_t Ω_t(q) / 4π, Ω_t the signed solid angle of a triangle (Jacobson et al. 2013); for a closed mesh 1
        inside and 0 outside, for others in between; NaN for what is not finite. Groups of triangles whose centre is
        farther than 2.5 times their radius count by their first and second moments (Barill et al. 2018), which is good
        to about 0.03. Near a half, where the inside ends, groups have to be farther off, and at last all triangles
        count themselves, in float64: the sign is that of the exact sum.

        Raises:
            TypeError, ValueError: `points` is of another dtype, shape or device.
        """
        tensor, restore, flat = self._points(points)
        return restore(self._winding(flat, self._order(flat)).reshape(tensor.shape[:-1]).to(tensor.dtype))

    def _points(self, points: Array) -> tuple[torch.Tensor, Any, torch.Tensor]:
        """Points as a tensor, how to hand results back, and the points (N, 3) as kernels take them."""
        tensor, restore = arguments.floats("points", points, (..., 3))
        flat = self._in_place(arguments.for_kernel("points", tensor))
        return tensor, restore, flat if bool(flat.isfinite().all()) else flat.nan_to_num(math.nan, math.nan, math.nan)

    def _in_place(self, places: torch.Tensor) -> torch.Tensor:
        """Vertices or points (N, 3) as kernels take them: float32, with the origin subtracted."""
        if any(self.origin):
            places = places.double() - places.new_tensor(self.origin, dtype=torch.float64)
        return places.float()

    @functools.cached_property
    def _far_fields(self) -> torch.Tensor:
        """The far fields of the tree's nodes, for winding numbers."""
        return torch.from_numpy(far_fields(self._triangles.cpu().numpy())).to(self._triangles.device)

    def _order(self, points: torch.Tensor) -> torch.Tensor:
        """The points (N, 3) in the order of a Morton curve through their box."""
        finite = points.nan_to_num(0.0, 0.0, 0.0)
        if not len(points):
            return torch.empty(0, dtype=torch.int64, device=points.device)
        low, high = (
            torch.tensor([at - origin for at, origin in zip(corner, self.origin, strict=True)], device=points.device)
            for corner in (self.low, self.high)
        )
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
                closest_kernel(), self._boxes, self._triangles, self._tree_faces.view(-1), self._local, self.faces,
                points, order, distance, closest, faces, self._first_leaf, self._scale, len(points),
                *deal(len(points), points.device),
            )  # fmt: skip
        return distance, closest, faces

    def _winding(self, points: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
        """Winding numbers (N)."""
        winding = memory.empty(len(points), like=points)
        if not len(points):
            return winding
        for farther, unsure in SUMS:
            runtime.run(
                winding_kernel(), self._far_fields, self._triangles, points, order, winding,
                self._first_leaf, farther**2, self._scale, len(order),
            )  # fmt: skip
            # Points stay in the order of the curve.
            order = order[(winding[order] - 0.5).abs() < unsure]
            if not len(order):
                return winding
        runtime.run(exact_winding_kernel(), self._local, self.faces, points, order, winding, len(order))
        return winding


def mesh_distance(vertices: Array, faces: Array, points: Array, *, signed: bool = True) -> Any:
    """Distance to a mesh of triangles at `points`: negative inside, positive outside; without sign if not `signed`.

    Exact but for rounding (1e-6 of the mesh's size, wherever it is). Inside is where the generalised winding number is
    above a half, so meshes with holes or that cross themselves have a sensible inside, and those that face inwards have
    none. For many calls keep a `MeshTree`, which this builds each time.

    Args:
        vertices: (V, 3) float32 or float64; far from the origin float64, in which they are moved there.
        faces: (F, 3) whole numbers, counter-clockwise seen from outside.
        points: (…, 3) float32 or float64; a torch tensor, numpy array, DLPack object or `ti.ndarray`. NaN and infinity
            give NaN, finite coordinates up to 1e38 a finite distance.

    Returns:
        (…) in scene units, of the points' dtype, a numpy array if `points` is one, else a tensor. Differentiable to
        points once: the gradient is the unit vector that leads away from the closest point, with the sign, and 0 on the
        surface itself; a second derivative is a RuntimeError.

    Raises:
        TypeError, ValueError: an argument is of another dtype, shape or device, or `MeshTree` cannot be built of it.

    Example: the triangle (0, 0, 0), (1, 0, 0), (0, 1, 0) is 2 from (0.25, 0.25, 2) and 5 from (4, 0, 4).
    """
    return MeshTree(vertices, faces).distance(points, signed=signed)


def _checked(vertices: Array, faces: Array) -> tuple[torch.Tensor, torch.Tensor]:
    """Vertices and faces as kernels take them."""
    places, _ = arguments.floats("vertices", vertices, ("V", 3))
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
