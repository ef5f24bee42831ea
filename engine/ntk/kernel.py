"""The empirical neural tangent kernel of a field.

Jacot, Gabriel and Hongler 2018, "Neural Tangent Kernel: Convergence and Generalization in Neural Networks".
"""

from __future__ import annotations

import warnings

import torch

from ..fields import Field
from ..files import Advance, StartTask, no_progress

BLOCK_NUMBERS = 2**24  # of derivatives held at a time: two blocks of 128 MB in float64

# A table with so many times as many numbers as the values at a point depend on has its derivatives kept sparse, which
# costs an index for each and slower products.
SPARSE = 4

Rows = list[torch.Tensor]  # for each parameter a matrix (N · C, its numbers), dense or sparse


def tangent_kernel(
    field: Field,
    points: torch.Tensor,
    others: torch.Tensor | None = None,
    *,
    block: int | None = None,
    watch: StartTask = no_progress,
) -> torch.Tensor:
    """The inner products of a field's derivatives to its parameters θ, at pairs of points.

    k(x, x')_cd = ∂f_c(x)/∂θ · ∂f_d(x')/∂θ, over the parameters that are trained.

    Args:
        field: has C channels.
        points: (N, D), of the field's dtype and device, at least one.
        others: (M, D), the same; None for `points`, whose kernel is exactly symmetric.
        block: points whose derivatives are held at a time; as many as fit into 2^24 numbers if None. Memory is
            that of two blocks and of the result; the derivatives of `others` are found once per block of `points`.
        watch: hears of the points whose derivatives are found.

    Returns:
        (N, C, M, C) float64, without autograd history; NaN for points of NaN. `per_point` makes one number of the
        channels.

    Raises:
        ValueError: the field has no trained parameters, or there are no points, or they have another shape.
        TypeError: points of another dtype.

    Example: f(x) = a x + b has k(x, x') = x x' + 1.
    """
    if field.parameter_count == 0:
        raise ValueError(f"field: expected one with parameters that are trained, this {field.kind} has none")
    numbers = sum(field.touched.get(name, parameter.numel()) for name, parameter in _trained(field).items())
    step = block if block is not None else max(1, BLOCK_NUMBERS // (numbers * field.channels))
    if step < 1:
        raise ValueError(f"block: expected at least 1, got {block}")
    for name, given in (("points", points), ("others", others)):
        if given is not None and given.shape[:1] == (0,):
            raise ValueError(f"{name}: expected at least one point, got none")
    symmetric = others is None
    columns = points if others is None else others
    channels = field.channels
    kernel = torch.empty(len(points) * channels, len(columns) * channels, dtype=torch.float64, device=points.device)
    starts = range(0, len(points), step)
    found = sum(len(points) - row if symmetric else min(step, len(points) - row) + len(columns) for row in starts)
    advance = watch("derivatives at points", found)
    for row in starts:
        left = derivatives(field, points[row : row + step], advance)
        rows = slice(row * channels, (row + step) * channels)
        for column in range(row if symmetric else 0, len(columns), step):
            same = symmetric and row == column
            right = left if same else derivatives(field, columns[column : column + step], advance)
            across = slice(column * channels, (column + step) * channels)
            kernel[rows, across] = _products(left, right)
            if symmetric:
                kernel[across, rows] = kernel[rows, across].T.clone()
    if symmetric:
        kernel = 0.5 * (kernel + kernel.T)  # a matrix product need not be symmetric to the last bit
    # A kernel leaves a point of NaN out of its sums, which would look like a point without influence.
    kernel[points.isnan().any(dim=1).repeat_interleave(channels)] = torch.nan
    kernel[:, columns.isnan().any(dim=1).repeat_interleave(channels)] = torch.nan
    return kernel.reshape(len(points), channels, len(columns), channels)


def derivatives(field: Field, points: torch.Tensor, advance: Advance) -> Rows:
    """∂f_c(x)/∂θ in float64, channel after channel of point after point.

    torch.func finds them in one pass. Where there are tables, most of a point's derivatives are 0, and a pass for each
    point that keeps the others is faster than any that holds them all.
    """
    if field.touched:
        return _by_points(field, points.detach(), advance)
    rows = _by_function(field, points.detach())
    advance(len(points))
    return rows


def per_point(kernel: torch.Tensor) -> torch.Tensor:
    """A kernel (N, C, M, C) as one number (N, M) per pair of points: the mean of k(x, x')_cc over channels c."""
    return kernel.diagonal(dim1=1, dim2=3).mean(dim=-1)


def flat(kernel: torch.Tensor) -> torch.Tensor:
    """A kernel (N, C, M, C) as a matrix (N · C, M · C)."""
    return kernel.flatten(2).flatten(0, 1)


def _trained(field: Field) -> dict[str, torch.Tensor]:
    return {name: parameter for name, parameter in field.named_parameters() if parameter.requires_grad}


def _products(left: Rows, right: Rows) -> torch.Tensor:
    """(N · C, M · C): the rows' inner products, summed over parameters."""
    return torch.stack([_product(mine, theirs.t()) for mine, theirs in zip(left, right, strict=True)]).sum(dim=0)


def _product(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    if not left.is_sparse:
        return left @ right
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")  # PyTorch makes one on the way
        product: torch.Tensor = torch.sparse.mm(left, right).to_dense()
    return product


def _by_function(field: Field, points: torch.Tensor) -> Rows:
    def value(parameters: dict[str, torch.Tensor], point: torch.Tensor) -> torch.Tensor:
        values: torch.Tensor = torch.func.functional_call(field, parameters, (point[None],))[0]  # (C,)
        return values

    detached = {name: parameter.detach() for name, parameter in _trained(field).items()}
    found = torch.func.vmap(torch.func.jacrev(value), in_dims=(None, 0))(detached, points)
    return [part.double().reshape(len(points) * field.channels, -1) for part in found.values()]  # of (N, C, …)


def _by_points(field: Field, points: torch.Tensor, advance: Advance) -> Rows:
    trained = _trained(field)
    sparse = {name: SPARSE * field.touched.get(name, part.numel()) < part.numel() for name, part in trained.items()}
    parts: dict[str, list[torch.Tensor]] = {name: [] for name in trained}
    for point in torch.split(points, 1):
        with torch.enable_grad():
            values = field(point)[0].unbind()
        for value in values:
            found = torch.autograd.grad(value, list(trained.values()), retain_graph=True, materialize_grads=True)
            for name, part in zip(trained, found, strict=True):
                row = part.double().view(1, -1)
                parts[name].append(row.to_sparse() if sparse[name] else row)
        advance(1)
    return [torch.cat(rows).coalesce() if sparse[name] else torch.cat(rows) for name, rows in parts.items()]
