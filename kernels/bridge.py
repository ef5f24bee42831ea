"""The one bridge between kernels and PyTorch's autograd: forward by the kernel, backward through the twin."""

from collections.abc import Callable
from typing import Any

import torch

Tensors = Callable[..., torch.Tensor]


class _Bridge(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, kernel: Tensors, twin: Tensors, *inputs: torch.Tensor) -> torch.Tensor:
        ctx.twin = twin
        ctx.save_for_backward(*inputs)
        return kernel(*(tensor.detach() for tensor in inputs))

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        inputs = ctx.saved_tensors
        wanted = ctx.needs_input_grad[2:]
        again = torch.is_grad_enabled()  # true under create_graph: the result is then differentiable itself
        with torch.enable_grad():
            # Without a second derivative the twin runs on fresh leaves, so nothing reaches the caller's graph.
            leaves = (
                inputs if again else tuple(t.detach().requires_grad_(w) for t, w in zip(inputs, wanted, strict=True))
            )
            output = ctx.twin(*leaves)
            targets = [leaf for leaf, want in zip(leaves, wanted, strict=True) if want]
            found = torch.autograd.grad(output, targets, gradients[0], create_graph=again, allow_unused=True)
        results = iter(found)
        return (None, None, *(next(results) if want else None for want in wanted))


def bridge(kernel: Tensors, twin: Tensors, *inputs: torch.Tensor) -> torch.Tensor:
    """`kernel(*inputs)`, with the derivatives of `twin(*inputs)`, which must compute the same.

    Differentiable any number of times, as far as the twin is. Inputs that need no gradient cost nothing; the kernel
    sees detached tensors, and nothing is written to a caller's `.grad`.
    """
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in inputs):
        result: torch.Tensor = _Bridge.apply(kernel, twin, *inputs)  # type: ignore[no-untyped-call]  # PyTorch left it untyped
        return result
    return kernel(*inputs)
