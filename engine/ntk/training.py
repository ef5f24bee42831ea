"""How fast errors fall in training, direction by direction: predicted from the kernel and measured."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch

from ..fields import Field
from ..files import StartTask, no_progress
from .kernel import flat, tangent_kernel


@dataclass(frozen=True)
class Spectrum:
    """The kernel K on n = N · C values taken apart, K = Σᵢ λᵢ vᵢ vᵢᵀ."""

    eigenvalues: torch.Tensor
    """(n,) float64, falling, none below 0"""
    directions: torch.Tensor
    """(n, n) float64, vᵢ is column i"""


@dataclass(frozen=True)
class Decay:
    """The error along each direction over training, as parts of that at the beginning."""

    steps: torch.Tensor
    """(T,), numbers of updates made"""
    predicted: torch.Tensor
    """(T, n) float64"""
    measured: torch.Tensor
    """(T, n) float64, signed"""


def spectrum(kernel: torch.Tensor) -> Spectrum:
    """Eigenvalues and eigenvectors of a symmetric kernel (N, C, N, C), from the largest eigenvalue down.

    Rounding leaves tiny negative eigenvalues where there should be 0: they become 0.

    Raises:
        ValueError: the kernel is not square or not finite.
    """
    matrix = flat(kernel)
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"kernel: expected a square one, got {tuple(kernel.shape)}")
    if not bool(matrix.isfinite().all()):
        raise ValueError("kernel: expected finite numbers, got NaN or infinity")
    sizes, vectors = torch.linalg.eigh(matrix)
    return Spectrum(sizes.flip(0).clamp(min=0.0), vectors.flip(1))


def predicted_decay(eigenvalues: torch.Tensor, rate: float, steps: torch.Tensor) -> torch.Tensor:
    """(1 - η λᵢ / n)^t, (T, n), which is exp(-η λᵢ t / n) for small η: the error along vᵢ after t updates.

    Gradient descent at the rate η on ½ mean (f - y)² over the n values moves a linear model's error e by -η K e / n.

    Args:
        eigenvalues: (n,).
        rate: η.
        steps: (T,) whole numbers t.
    """
    factors = 1.0 - rate * eigenvalues / len(eigenvalues)
    return factors[None, :] ** steps[:, None]


def decay(
    field: Field,
    points: torch.Tensor,
    steps: int,
    *,
    speed: float = 0.5,
    size: float = 0.1,
    kernel: torch.Tensor | None = None,
    watch: StartTask = no_progress,
) -> tuple[Spectrum, Decay]:
    """Train a copy of a field by gradient descent from equal errors in all directions, and watch each error fall.

    The values to learn are y = f₀ - size Σᵢ vᵢ: errors of the root mean square `size`. The rate is η = speed · n / λ₁,
    so that the first direction's error falls by the factor 1 - speed in a step.

    Args:
        field: as it is before training; it is not changed.
        points: (N, D) of the field's dtype and device.
        steps: updates, at least 1; errors are looked at 0, 1, 2, 4, … updates and at the last.
        speed: above 0, below 2: from there on gradient descent is not stable.
        size: of the errors, above 0. The larger they are, the farther parameters move, and the less a kernel from
            before training predicts.
        kernel: the field's at the points, (N, C, N, C), if it is known already.
        watch: hears of the points of the kernel, then of the updates.

    Returns:
        The spectrum of the kernel before training, and the decay.

    Raises:
        ValueError: an argument is out of its range, the kernel is 0, or training ran off to infinity; what
            `tangent_kernel` raises.
    """
    if steps < 1:
        raise ValueError(f"steps: expected at least 1, got {steps}")
    if not 0.0 < speed < 2.0:
        raise ValueError(f"speed: expected a number above 0 and below 2, got {speed}")
    if not size > 0.0:
        raise ValueError(f"size: expected a number above 0, got {size}")
    found = spectrum(tangent_kernel(field, points, watch=watch) if kernel is None else kernel)
    if not found.eigenvalues[0] > 0.0:
        raise ValueError("field: expected derivatives other than 0 at the points, there are none")
    rate = speed * len(found.eigenvalues) / float(found.eigenvalues[0])
    looked_at = sorted({0, steps, *(2**power for power in range(steps.bit_length()) if 2**power < steps)})
    with torch.no_grad():
        target = field(points).double() - size * found.directions.sum(dim=1).reshape(len(points), -1)
    measured = _errors(field, points, target, rate, looked_at, watch) @ found.directions / size
    at = torch.tensor(looked_at, device=points.device)
    return found, Decay(at, predicted_decay(found.eigenvalues, rate, at), measured)


def _errors(
    field: Field, points: torch.Tensor, target: torch.Tensor, rate: float, looked_at: list[int], watch: StartTask
) -> torch.Tensor:
    """Errors (T, n) of a copy of the field after the numbers of updates `looked_at`."""
    learner = copy.deepcopy(field)
    trained = [value for value in learner.parameters() if value.requires_grad]
    errors = []
    advance = watch("updates", looked_at[-1])
    for step in range(looked_at[-1] + 1):
        with torch.enable_grad():
            error = learner(points) - target  # (N, C) float64
            loss = 0.5 * error.square().mean()
        if not bool(loss.isfinite()):
            raise ValueError(f"speed: training ran off to infinity at step {step}; expected a lower speed")
        if step in looked_at:
            errors.append(error.detach().flatten())
        if step == looked_at[-1]:
            break
        gradients = torch.autograd.grad(loss, trained, materialize_grads=True)
        with torch.no_grad():
            for value, gradient in zip(trained, gradients, strict=True):
                value.sub_(rate * gradient)
        advance(1)
    return torch.stack(errors)
