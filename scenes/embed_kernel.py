"""A scene inside your own Taichi kernel: particles that slide down a scene, pushed out by its distance.

    python scenes/embed_kernel.py

The host program starts Taichi itself; isofield joins the runtime it finds.
"""

import taichi as ti
import torch

ti.init(arch=ti.cpu, log_level=ti.WARN)

import isofield as iso  # noqa: E402  (the order is the point: the host came first)
from isofield.kernels.program.embedding import program_distance, program_trace  # noqa: E402

bowl = iso.sphere(1.0).shell(0.1) & iso.plane(offset=0.2)
scene = iso.Scene(show=bowl)


@ti.kernel
def settle(
    rows: ti.types.ndarray(ti.i32, 2),
    row_count: ti.i32,
    parameters: ti.types.ndarray(ti.f32, 1),
    particles: ti.types.ndarray(ti.f32, 2),
    radius: ti.f32,
    steps: ti.i32,
):
    for i in range(particles.shape[0]):
        position = ti.Vector([particles[i, 0], particles[i, 1], particles[i, 2]])
        velocity = ti.Vector([0.0, 0.0, 0.0])
        for _ in range(steps):
            velocity += ti.Vector([0.0, 0.0, -9.81]) * 0.004
            velocity *= 0.99
            position += velocity * 0.004
            # Value and gradient by one call site in a loop: each call site would compile the whole machine again.
            taps = ti.Vector([0.0, 0.0, 0.0, 0.0])
            for tap in range(4):
                shift = ti.Vector([0.0, 0.0, 0.0])
                if tap > 0:
                    shift[tap - 1] = 1e-3
                taps[tap] = program_distance(rows, row_count, parameters, position + shift)
            depth = radius - taps[0]
            if depth > 0.0:
                normal = ti.Vector([taps[1] - taps[0], taps[2] - taps[0], taps[3] - taps[0]]).normalized(1e-9)
                position += depth * normal
                velocity -= ti.min(velocity.dot(normal), 0.0) * normal
        particles[i, 0] = position[0]
        particles[i, 1] = position[1]
        particles[i, 2] = position[2]


@ti.kernel
def depth_below(
    rows: ti.types.ndarray(ti.i32, 2),
    row_count: ti.i32,
    parameters: ti.types.ndarray(ti.f32, 1),
    particles: ti.types.ndarray(ti.f32, 2),
    depths: ti.types.ndarray(ti.f32, 1),
):
    for i in range(particles.shape[0]):
        origin = ti.Vector([particles[i, 0], particles[i, 1], particles[i, 2]])
        down = ti.Vector([0.0, 0.0, -1.0])
        depths[i] = program_trace(rows, row_count, parameters, origin, down, 10.0, 1e-4)


def main() -> None:
    program = iso.build_program(scene)
    particles = torch.rand(200, 3, generator=torch.Generator().manual_seed(0)) - 0.5
    settle(program.rows, len(program.rows), program.parameters, particles, 0.03, 1500)
    depths = torch.empty(len(particles))
    depth_below(program.rows, len(program.rows), program.parameters, particles, depths)
    print("mean height", f"{particles[:, 2].mean():.3f}", "(the bowl's inner bottom is at -0.95)")
    print("resting on the bowl", f"{(depths < 0.06).float().mean():.0%}")


if __name__ == "__main__":
    main()
