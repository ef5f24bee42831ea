"""The one bridge between kernels and PyTorch's autograd: forward by a kernel, backward by what is given for it."""

from collections.abc import Callable
from typing import Any

import torch

Kernel = Callable[..., Any]  # of tensors; one tensor or a tuple of tensors
Gradients = tuple[torch.Tensor | None, ...]
Derivative = Callable[[tuple[torch.Tensor, ...], Gradients, tuple[bool, ...]], Gradients]


class _Bridge(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, kernel: Kernel, derivative: Derivative, *inputs: torch.Tensor) -> Any:
        ctx.derivative = derivative
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*inputs)
        return kernel(*(tensor.detach() for tensor in inputs))

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        inputs = ctx.saved_tensors
        wanted = ctx.needs_input_grad[2:]
        if sum(wanted) > 1:  # a single one is why this pass came here
            wanted = tuple(
                needs and _is_asked_for(node) for needs, (node, _) in zip(wanted, ctx.next_functions, strict=True)
            )
        if all(gradient is None for gradient in gradients):
            return (None, None, *(None for _ in inputs))
        # Without a second derivative nothing may reach the caller's graph; under create_graph everything must.
        if not torch.is_grad_enabled():
            inputs = tuple(tensor.detach() for tensor in inputs)
        found = ctx.derivative(inputs, gradients, wanted)
        return (None, None, *(gradient if want else None for gradient, want in zip(found, wanted, strict=True)))


def _is_asked_for(node: Any) -> bool:
    """Whether this backward pass goes on to a node; `torch.autograd.grad` names those that it wants."""
    try:
        return bool(torch._C._will_engine_execute_node(node))
    except RuntimeError:
        return True  # a leaf that `torch.autograd.grad` wants the gradient of


def bridge(kernel: Kernel, derivative: Derivative, *inputs: torch.Tensor) -> Any:
    """`kernel(*inputs)`, a tensor or a tuple of tensors, with `derivative` for its backward pass.

    `derivative(inputs, gradients, wanted)` returns one gradient, or None, per input: `gradients` holds the incoming
    one of each output, None where there is none, and `wanted` says which inputs need theirs. It is called with
    detached tensors, except under create_graph: then the tensors carry their graph, autograd records, and the result is
    differentiable if `derivative` is made of PyTorch's functions and bridged ones.

    Without an input that needs a gradient this costs nothing; the kernel sees detached tensors, and nothing is written
    to a caller's `.grad`.
    """
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in inputs):
        return _Bridge.apply(kernel, derivative, *inputs)  # type: ignore[no-untyped-call]  # PyTorch left it untyped
    return kernel(*(tensor.detach() for tensor in inputs))


def derivative_of(twin: Kernel) -> Derivative:
    """The derivative for a kernel that computes what `twin` does with PyTorch, as often as `twin` has one."""

    def derivative(inputs: tuple[torch.Tensor, ...], gradients: Gradients, wanted: tuple[bool, ...]) -> Gradients:
        again = torch.is_grad_enabled()
        with torch.enable_grad():
            # Aliases, so that an input computed from another one does not add its part to the other's gradient.
            leaves = tuple(
                tensor.view_as(tensor) if again else tensor.detach().requires_grad_(want)
                for tensor, want in zip(inputs, wanted, strict=True)
            )
            outputs = twin(*leaves)
            outputs = (outputs,) if isinstance(outputs, torch.Tensor) else outputs
            pairs = [
                (output, gradient)
                for output, gradient in zip(outputs, gradients, strict=True)
                if gradient is not None and output.requires_grad
            ]
            targets = [leaf for leaf, want in zip(leaves, wanted, strict=True) if want]
            if not pairs:
                return tuple(None for _ in inputs)
            found = iter(
                torch.autograd.grad(
                    [output for output, _ in pairs],
                    targets,
                    [gradient for _, gradient in pairs],
                    create_graph=again,
                    allow_unused=True,
                )
            )
        return tuple(next(found) if want else None for want in wanted)

    return derivative
