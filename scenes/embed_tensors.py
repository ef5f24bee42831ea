"""The kernels on your own arrays: torch tensors, numpy arrays, anything that speaks DLPack.

    python scenes/embed_tensors.py

Nothing is copied on the way in, and results come back as what was handed over.
"""

import numpy as np
import torch

import isofield as iso
from isofield import kernels

ball = iso.sphere(0.5).named("ball").translate(0, 0, 0.5)
scene = iso.Scene(show=ball, stage=[iso.plane().named("floor")])


def main() -> None:
    program = iso.build_program(scene)

    points = torch.tensor([[0.0, 0.0, 2.0], [0.0, 0.0, 0.5], [2.0, 0.0, 1.0]], requires_grad=True)
    values = kernels.distance(program, points)
    (gradient,) = torch.autograd.grad(values.sum(), points)
    print("distance", values.detach().tolist())  # 1.0 to the ball's top, -0.5 at its centre, 1.0 to the floor
    print("gradient", gradient[0].tolist())  # straight up

    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, 65, dtype=np.float32)] * 3, indexing="ij"), axis=-1)
    volume = kernels.distance(program, grid)  # (65, 65, 65), a numpy array
    print("inside", f"{np.mean(volume < 0):.3f} of the volume")

    origins = torch.tensor([[0.0, -3.0, 0.5], [2.0, -3.0, 0.5]])
    directions = torch.tensor([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    hits = kernels.sphere_trace(program, origins, directions, far=10.0)
    names = [program.names[number] if number >= 0 else "nothing" for number in hits.shape.tolist()]
    print("rays meet", names, "at", hits.distance.tolist(), "after", hits.steps.tolist(), "steps")


if __name__ == "__main__":
    main()
