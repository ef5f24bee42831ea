"""The one bridge between kernels and PyTorch: forward by a kernel, backward by what is given for it.

Autograd has a node of its own for it; so has torch.func (grad, vjp, jacrev, vmap in any order), which costs more.
"""

from collections.abc import Callable
from typing import Any

import torch

Kernel = Callable[..., Any]  # of tensors; one tensor or a tuple of tensors
Gradients = tuple[torch.Tensor | None, ...]
Rows = tuple[bool, ...]  # for each input whether it has a row for each point; () where results are not rows of points
Derivative = Callable[[tuple[torch.Tensor, ...], Gradients, tuple[bool, ...]], Gradients]


class _Bridge(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, kernel: Kernel, derivative: Derivative, rows: Rows, *inputs: torch.Tensor) -> Any:
        _keep(ctx, derivative, inputs)
        return kernel(*(tensor.detach() for tensor in inputs))

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        inputs = ctx.saved_tensors
        wanted = ctx.needs_input_grad[3:]
        if sum(wanted) > 1:  # a single one is why this pass came here
            wanted = tuple(
                needs and _is_asked_for(node) for needs, (node, _) in zip(wanted, ctx.next_functions, strict=True)
            )
        if all(gradient is None for gradient in gradients):
            return (None, None, None, *(None for _ in inputs))
        # Without a second derivative nothing may reach the caller's graph; under create_graph everything must.
        if not torch.is_grad_enabled():
            inputs = tuple(tensor.detach() for tensor in inputs)
        found = ctx.derivative(inputs, gradients, wanted)
        return (None, None, None, *(gradient if want else None for gradient, want in zip(found, wanted, strict=True)))


class _Transformed(_Bridge):
    """The same under torch.func, which asks for another form of it, and for a rule for batches."""

    @staticmethod
    def forward(kernel: Kernel, derivative: Derivative, rows: Rows, *inputs: torch.Tensor) -> Any:  # type: ignore[override]
        return kernel(*(tensor.detach() for tensor in inputs))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        _, derivative, _, *tensors = inputs
        _keep(ctx, derivative, tuple(tensors))

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        raise RuntimeError(
            "isofield's kernels have no forward-mode derivatives: expected torch.func.grad, vjp or jacrev, got jvp, "
            "jacfwd or hessian; jacrev(jacrev(f)) is a hessian"
        )

    @staticmethod
    def vmap(
        info: Any, axes: tuple[int | None, ...], kernel: Kernel, derivative: Derivative, rows: Rows,
        *inputs: torch.Tensor,
    ) -> tuple[Any, Any]:  # fmt: skip
        """All rows in one call where only inputs by rows are batched, else a call for each of the batch."""
        size, batched = info.batch_size, [axis is not None for axis in axes[3:]]
        first = [
            tensor if axis is None else tensor.movedim(axis, 0) for tensor, axis in zip(inputs, axes[3:], strict=True)
        ]
        if rows and all(by_rows or not has for by_rows, has in zip(rows, batched, strict=True)):
            alike = [
                tensor if has or not by_rows else tensor.expand(size, *tensor.shape)
                for tensor, by_rows, has in zip(first, rows, batched, strict=True)
            ]
            count = alike[rows.index(True)].shape[1]
            joined = [tensor.flatten(0, 1) if by_rows else tensor for tensor, by_rows in zip(alike, rows, strict=True)]
            return bridge(kernel, derivative, *joined, rows=rows).unflatten(0, (size, count)), 0
        parts = [
            [tensor[one] if has else tensor for tensor, has in zip(first, batched, strict=True)] for one in range(size)
        ]
        found = [bridge(kernel, derivative, *part, rows=rows) for part in parts]
        if isinstance(found[0], torch.Tensor):
            return torch.stack(found), 0
        return tuple(map(torch.stack, zip(*found, strict=True))), (0,) * len(found[0])


def _keep(ctx: Any, derivative: Derivative, inputs: tuple[torch.Tensor, ...]) -> None:
    ctx.derivative = derivative
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(*inputs)


def _is_asked_for(node: Any) -> bool:
    """Whether this backward pass goes on to a node; `torch.autograd.grad` names those that it wants."""
    try:
        return bool(torch._C._will_engine_execute_node(node))
    except RuntimeError:
        return True  # a leaf that `torch.autograd.grad` wants the gradient of


def under_torch_func() -> bool:
    """Whether torch.func is at work: tensors may then be stand-ins, which have no memory before a kernel is called."""
    return torch._C._are_functorch_transforms_active()


def bridge(kernel: Kernel, derivative: Derivative, *inputs: torch.Tensor, rows: Rows = ()) -> Any:
    """`kernel(*inputs)`, a tensor or a tuple of tensors, with `derivative` for its backward pass.

    `derivative(inputs, gradients, wanted)` returns one gradient, or None, per input: `gradients` holds the incoming
    one of each output, None where there is none, and `wanted` says which inputs need theirs. It is called with
    detached tensors, except under create_graph: then the tensors carry their graph, autograd records, and the result is
    differentiable if `derivative` is made of PyTorch's functions and bridged ones.

    `rows` is for torch.func.vmap: where it says which inputs have a row for each point, the result must have one too,
    and a batch of points is a call with more of them. Under torch.func kernel and derivative may be called more than
    once, with different numbers of points, and may share nothing.

    Without an input that needs a gradient this costs nothing; the kernel sees detached tensors, and nothing is written
    to a caller's `.grad`.
    """
    if under_torch_func():
        return _Transformed.apply(kernel, derivative, rows, *inputs)  # type: ignore[no-untyped-call]
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in inputs):
        return _Bridge.apply(kernel, derivative, rows, *inputs)  # type: ignore[no-untyped-call]  # PyTorch left it so
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
