"""A host that starts Taichi again under us: programs are plain tensors and kernels compile again by themselves.

python scenes/embed_restart.py
"""

import taichi as ti
import torch

import isofield as iso
from isofield import kernels

scene = iso.Scene(show=iso.torus(0.5, 0.2))


def main() -> None:
    program = iso.build_program(scene)
    points = torch.tensor([[0.5, 0.0, 0.0], [0.0, 0.0, 0.0]])
    before = kernels.distance(program, points)  # isofield starts Taichi itself
    ti.init(arch=ti.cpu, default_fp=ti.f64, log_level=ti.WARN)  # the host resets it, with other defaults
    after = kernels.distance(program, points)
    print("before", before.tolist(), "after", after.tolist())  # -0.2 in the tube, 0.3 at the centre, both times


if __name__ == "__main__":
    main()
