"""A clearing in a winter wood: some four hundred trees of a few shapes each, scattered by a seed, around a hut.

isofield render scenes/forest.py --output forest.png
"""

import math
import random

import isofield as iso

TREES = 420
CLEARING = 2.2  # radius without trees
WOOD = 11.0  # radius of the wood

BARK = iso.Material(base_color="#4a3426", roughness=0.9).named("bark")
NEEDLES = [
    iso.Material(base_color=color, roughness=0.9).named(f"needles_{number}")
    for number, color in enumerate(("#2f5d43", "#3d6b4a", "#28503f", "#52785a"))
]
SNOW = iso.Material(base_color="#eef1f6", roughness=0.9).named("snow")
TIMBER = iso.Material(base_color="#7c4f30", roughness=0.8).named("timber")
LAMP = iso.Material(base_color="#ffcf7a", roughness=0.5, emission=(1.6, 0.9, 0.3)).named("lamp")


def fir(rng: random.Random) -> list[iso.Shape]:
    """A trunk and three cones, the lowest the widest, the top one white."""
    height, width = rng.uniform(0.9, 1.9), rng.uniform(0.26, 0.38)
    material = rng.choice(NEEDLES)
    trunk = iso.cylinder(0.05, 0.3).translate(0, 0, 0.15).material(BARK)
    skirts = [
        iso.cone(width * share, 0.5 * height)
        .translate(0, 0, 0.2 + place * height)
        .material(SNOW if share < 0.6 else material)
        for share, place in ((1.0, 0.25), (0.78, 0.5), (0.52, 0.75))
    ]
    return [trunk, *skirts]


def places(rng: random.Random) -> list[tuple[float, float]]:
    """Where the trees stand: not in the clearing, not on the path to it, and none within another."""
    found: list[tuple[float, float]] = []
    while len(found) < TREES:
        radius, angle = math.sqrt(rng.uniform(CLEARING**2, WOOD**2)), rng.uniform(0, 2 * math.pi)
        x, y = radius * math.cos(angle), radius * math.sin(angle)
        on_path = y < 0 and abs(x - 0.35 * math.sin(y)) < 0.9
        if not on_path and all(math.dist((x, y), other) > 0.55 for other in found):
            found.append((x, y))
    return found


def hut() -> iso.Shape:
    """Log walls, a roof under snow, a lit door and a chimney."""
    log = iso.capsule(0.07, 1.5).rotate(90, (0, 1, 0))
    logs = log.repeat((0, 0, 0.14), (1, 1, 6)).translate(0, -0.55, 0.4) | log.repeat((0, 0, 0.14), (1, 1, 6)).translate(
        0, 0.55, 0.4
    )
    walls = (logs | iso.box((1.3, 1.1, 0.8)).translate(0, 0, 0.4)).material(TIMBER)
    gable = iso.triangular_prism(0.78, 1.6).rotate(90).rotate(90, (1, 0, 0)).rotate(90).translate(0, 0, 1.13)
    roof = gable.round(0.03).material(SNOW)
    door = iso.box((0.3, 0.1, 0.52)).translate(0.2, -0.6, 0.3).material(LAMP)
    window = iso.box((0.24, 0.1, 0.22)).translate(-0.35, -0.6, 0.48).material(LAMP)
    chimney = iso.box((0.2, 0.2, 0.6)).translate(0.4, 0.1, 1.6).material(TIMBER)
    return iso.union(walls, roof, door, window, chimney)


def forest(seed: int = 3) -> iso.Scene:
    """The scene."""
    rng = random.Random(seed)
    trees = [part.translate(x, y, 0) for x, y in places(rng) for part in fir(rng)]
    return iso.Scene(
        show=iso.union(hut().rotate(-14).named("hut"), *trees).named("forest"),
        stage=[iso.plane().material(SNOW).named("snow_cover")],
        lights={
            "dusk": iso.Sun(direction=(-2.2, 0.6, 0.9), color=(1.0, 0.66, 0.45), strength=1.6, angle=2.0),
            "sky": iso.Sky(zenith=(0.28, 0.4, 0.75), horizon=(0.85, 0.72, 0.78)),
            "lantern": iso.PointLight(position=(0.1, -1.0, 0.5), color=(1.0, 0.6, 0.25), strength=0.35, radius=0.05),
        },
        camera=iso.Camera(eye=(1.6, -8.2, 4.6), target=(0, 0.2, 0.6), fov=34),
    )


scene = forest()
