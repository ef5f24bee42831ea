"""Prediction by the neural tangent kernel: what training a field to the end leads to while the kernel stands still."""

from __future__ import annotations

import torch

from ..fields import Field
from ..files import StartTask, no_progress
from .kernel import flat, tangent_kernel

SMALLEST_PIVOT = 1e-13  # of the largest eigenvalue: below it a float64 solve has no digits left


class KernelRegression:
    """f(x) = f₀(x) + Σᵢ (K⁻¹ (y - f₀))ᵢ k(xᵢ, x), k the neural tangent kernel and f₀ the field as it is now.

    This is where gradient descent on the squared error takes the field linearised in its parameters (Lee et al. 2019,
    "Wide Neural Networks of Any Depth Evolve as Linear Models", equation 11), and a field whose kernel hardly
    changes with it. With `from_zero` f₀ is left out: f(x) = Σᵢ (K⁻¹ y)ᵢ k(xᵢ, x). With `jitter` the matrix
    K + jitter · mean(diag K) · I takes K's place: the fit is then near y and not at it.

    The field's parameters must not change while the regression is used.

    Args:
        field: D dimensions, C channels.
        points: (N, D) of the field's dtype.
        values: (N, C), finite.
        jitter: at least 0.
        from_zero: whether the field's own values count as 0.
        watch: hears of the points whose derivatives are found.

    Raises:
        ValueError: `values` has another shape or is not finite, or K is singular, as with two equal points, with more
            values than parameters, or with more than a grid's cells can tell apart; what `tangent_kernel` raises.
    """

    def __init__(
        self,
        field: Field,
        points: torch.Tensor,
        values: torch.Tensor,
        *,
        jitter: float = 0.0,
        from_zero: bool = False,
        watch: StartTask = no_progress,
    ) -> None:
        if jitter < 0.0:
            raise ValueError(f"jitter: expected at least 0, got {jitter}")
        kernel = flat(tangent_kernel(field, points, watch=watch))
        wanted = (len(points), field.channels)
        if values.shape != wanted:
            raise ValueError(f"values: expected shape {wanted}, got {tuple(values.shape)}")
        if not bool(values.isfinite().all()):
            raise ValueError("values: expected finite numbers, got NaN or infinity")
        self.field, self.points, self.from_zero, self.watch = field, points, from_zero, watch
        kernel.diagonal().add_(jitter * kernel.diagonal().mean())
        residual = (values.detach().double() - self._start(points)).flatten()
        self.weights = _solved(kernel, residual)  # (N · C,)

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        """Predictions (M, C) float64 at points (M, D)."""
        kernel = flat(tangent_kernel(self.field, points, self.points, watch=self.watch))
        return self._start(points) + (kernel @ self.weights).reshape(len(points), self.field.channels)

    def _start(self, points: torch.Tensor) -> torch.Tensor:
        """f₀ (N, C)."""
        if self.from_zero:
            return torch.zeros(len(points), self.field.channels, dtype=torch.float64, device=points.device)
        with torch.no_grad():
            values: torch.Tensor = self.field(points).double()
        return values


def _solved(kernel: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """K⁻¹ y by eigenvectors, which tell how singular K is."""
    sizes, vectors = torch.linalg.eigh(kernel)
    if not sizes[0] > SMALLEST_PIVOT * sizes[-1]:
        raise ValueError(
            f"points: their kernel is singular (eigenvalues from {sizes[0]:.3g} to {sizes[-1]:.3g}); "
            "expected distinct points that the field tells apart, or jitter above 0"
        )
    solved: torch.Tensor = vectors @ ((vectors.T @ values) / sizes)
    return solved
