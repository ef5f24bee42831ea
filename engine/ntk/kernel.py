"""The empirical neural tangent kernel of a field.

Jacot, Gabriel and Hongler 2018, "Neural Tangent Kernel: Convergence and Generalization in Neural Networks".
"""

from __future__ import annotations

import itertools

import torch

from ..fields import Field

BLOCK_NUMBERS = 2**24  # of derivatives held at a time: two blocks of 128 MB in float64


def tangent_kernel(
    field: Field, points: torch.Tensor, others: torch.Tensor | None = None, *, block: int | None = None
) -> torch.Tensor:
    """The inner products of a field's derivatives to its parameters θ, at pairs of points.

    k(x, x')_cd = ∂f_c(x)/∂θ · ∂f_d(x')/∂θ, over the parameters that are trained.

    Args:
        field: has C channels.
        points: (N, D), of the field's dtype and device, at least one.
        others: (M, D), the same; None for `points`, whose kernel is exactly symmetric.
        block: points whose derivatives are held at a time; as many as fit into 2^24 numbers if None. Memory is
            that of two blocks and of the result; the derivatives of `others` are found once per block of `points`.

    Returns:
        (N, C, M, C) float64, without autograd history; NaN for points of NaN. `per_point` makes one number of the
        channels.

    Raises:
        ValueError: the field has no trained parameters, or there are no points, or they have another shape.
        TypeError: points of another dtype.

    Example: f(x) = a x + b has k(x, x') = x x' + 1.
    """
    numbers = field.parameter_count
    if numbers == 0:
        raise ValueError(f"field: expected one with parameters that are trained, this {field.kind} has none")
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
    for row in range(0, len(points), step):
        left = derivatives(field, points[row : row + step])  # (step · C, P)
        rows = slice(row * channels, row * channels + len(left))
        for column in range(row if symmetric else 0, len(columns), step):
            same = symmetric and row == column
            right = left if same else derivatives(field, columns[column : column + step])
            across = slice(column * channels, column * channels + len(right))
            kernel[rows, across] = left @ right.T
            if symmetric:
                kernel[across, rows] = kernel[rows, across].T.clone()
    if symmetric:
        kernel = 0.5 * (kernel + kernel.T)  # a matrix product need not be symmetric to the last bit
    return kernel.reshape(len(points), channels, len(columns), channels)


def derivatives(field: Field, points: torch.Tensor) -> torch.Tensor:
    """∂f_c(x)/∂θ as float64 rows (N · C, P), channel after channel of point after point; NaN for a point of NaN.

    Plain networks go through torch.func in one pass. Kernels have no batching rule: there the points go one by one.
    """
    trained: dict[str, torch.Tensor] = {name: p for name, p in field.named_parameters() if p.requires_grad}
    rows = _by_function(field, trained, points) if field.batched else _by_points(field, list(trained.values()), points)
    # A kernel leaves a point of NaN out of its sums, which would look like a point without influence.
    rows[points.isnan().any(dim=1).repeat_interleave(field.channels)] = torch.nan
    return rows


def per_point(kernel: torch.Tensor) -> torch.Tensor:
    """A kernel (N, C, M, C) as one number (N, M) per pair of points: the mean of k(x, x')_cc over channels c."""
    return kernel.diagonal(dim1=1, dim2=3).mean(dim=-1)


def flat(kernel: torch.Tensor) -> torch.Tensor:
    """A kernel (N, C, M, C) as a matrix (N · C, M · C)."""
    return kernel.flatten(2).flatten(0, 1)


def _by_function(field: Field, trained: dict[str, torch.Tensor], points: torch.Tensor) -> torch.Tensor:
    detached = {name: value.detach() for name, value in trained.items()}

    def value(parameters: dict[str, torch.Tensor], point: torch.Tensor) -> torch.Tensor:
        values: torch.Tensor = torch.func.functional_call(field, parameters, (point[None],))[0]  # (C,)
        return values

    found = torch.func.vmap(torch.func.jacrev(value), in_dims=(None, 0))(detached, points.detach())
    return torch.cat([part.double().flatten(2) for part in found.values()], dim=2).flatten(0, 1)  # of (N, C, P)


def _by_points(field: Field, trained: list[torch.Tensor], points: torch.Tensor) -> torch.Tensor:
    rows = torch.empty(len(points), field.channels, field.parameter_count, dtype=torch.float64, device=points.device)
    with torch.enable_grad():
        for point, row in itertools.product(range(len(points)), range(field.channels)):
            value = field(points[point : point + 1].detach())[0, row]
            found = torch.autograd.grad(value, trained, materialize_grads=True)
            rows[point, row] = torch.cat([part.flatten() for part in found])
    return rows.flatten(0, 1)
