"""Newton's cradle, swinging: a scene that is a function of time.

isofield render scenes/cradle.py --output cradle.gif --animate 32 --duration 2
"""

import math

import isofield as iso

BALLS = 5
RADIUS = 0.25
LENGTH = 1.35  # of the threads
PERIOD = 2.0  # seconds
SWING = 32.0  # degrees
TOP = 1.85

STEEL = iso.Material(base_color=(0.78, 0.8, 0.84), roughness=0.16, metallic=1.0).named("steel")
THREAD = iso.Material(base_color="#30343a", roughness=0.6).named("thread")
WOOD = iso.Material(base_color="#7a4a2b", roughness=0.35).named("wood")
PAPER = iso.Material(base_color="#cdbfae", roughness=0.95).named("paper")


def ball(angle: float) -> iso.Shape:
    """A ball that hangs by two threads from (0, ± 0.5, 0), swung by `angle` degrees."""
    lean = math.degrees(math.atan2(0.5, LENGTH))
    thread = iso.capsule(0.008, math.hypot(0.5, LENGTH)).rotate(-lean, (1, 0, 0)).translate(0, 0.25, -0.5 * LENGTH)
    hanging = iso.sphere(RADIUS).translate(0, 0, -LENGTH).material(STEEL)
    return (hanging | thread.mirror((0, 1, 0)).material(THREAD)).rotate(-angle, (0, 1, 0))


def scene(time: float) -> iso.Scene:
    """The cradle at a time in seconds: the first ball swings out and back, then the last one."""
    phase = SWING * math.cos(2.0 * math.pi * time / PERIOD)
    first, last = min(-phase, 0.0), max(-phase, 0.0)
    angles = [first, *[0.0] * (BALLS - 2), last]
    balls = [
        ball(angle).translate(2.0 * RADIUS * (number - (BALLS - 1) / 2), 0, TOP) for number, angle in enumerate(angles)
    ]
    rail = iso.capsule(0.035, 3.0).rotate(90, (0, 1, 0)).translate(0, 0.5, TOP)
    post = iso.capsule(0.035, TOP).translate(1.48, 0.5, 0.5 * TOP)
    frame = (rail | post.mirror((1, 0, 0))).mirror((0, 1, 0)).material(STEEL)
    base = iso.rounded_box((3.4, 1.5, 0.16), 0.06).translate(0, 0, 0.08).material(WOOD)
    room = iso.plane().union(iso.plane(normal=(0, -1, 0), offset=-3.0), smooth=2.5).material(PAPER)
    return iso.Scene(
        show=iso.union(*balls, frame, base).named("cradle"),
        stage=[room.named("room")],
        camera=iso.Camera(eye=(2.2, -6.4, 2.5), target=(0, 0, 0.95), fov=30),
    )
