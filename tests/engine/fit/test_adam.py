"""The optimiser of every fit, against PyTorch's."""

from __future__ import annotations

import torch

from isofield.engine.fit.adam import BETAS, EPSILON, Adam


def test_it_is_pytorchs() -> None:
    generator = torch.Generator().manual_seed(0)
    mine = [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in ((5, 3), (4,), ())]
    theirs = [torch.nn.Parameter(parameter.detach().clone()) for parameter in mine]
    optimiser = Adam(mine)
    reference = torch.optim.Adam(theirs, lr=0.0, betas=BETAS, eps=EPSILON)
    for step in range(20):
        rate = 0.1 / (1 + step)
        for group in reference.param_groups:
            group["lr"] = rate
        for one, other in zip(mine, theirs, strict=True):
            one.grad = torch.randn(one.shape, generator=generator)
            other.grad = one.grad.clone()
        optimiser.step(rate)
        reference.step()  # type: ignore[no-untyped-call]  # PyTorch left it untyped
    for one, other in zip(mine, theirs, strict=True):
        assert torch.allclose(one, other, rtol=1e-5, atol=1e-6)


def test_what_has_no_gradient_stays() -> None:
    moving, resting = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    optimiser = Adam([moving, resting])
    moving.grad = torch.ones(2)
    optimiser.step(0.25)
    assert torch.allclose(moving, torch.full((2,), 0.75))
    assert torch.equal(resting, torch.ones(2))
    optimiser.forget()
    assert moving.grad is None
