"""A city of a thousand and more shapes, grown from a seed: towers in the middle, houses around them, trees between.

    isofield render scenes/city.py --output city.png

`city(count)` makes larger ones, of the same density: the benchmarks ask for 10 000 shapes.
"""

import math
import random

import isofield as iso

SHAPES = 1500
BLOCK = 1.0  # distance of neighbouring lots

WALLS = [
    iso.Material(base_color=color, roughness=0.75).named(f"wall_{number}")
    for number, color in enumerate(("#e8ddc9", "#d9b48f", "#c7745a", "#b9c4c9", "#8fa3ad", "#efe9df"))
]
ROOF = iso.Material(base_color="#9c3d2e", roughness=0.7).named("roof")
GLASS = iso.Material(base_color="#2f5d7c", roughness=0.15).named("glass")
LEAF = iso.Material(base_color="#4f7f45", roughness=0.9).named("leaf")
GROUND = iso.Material(base_color="#b3ada0", roughness=0.95).named("ground")


def tower(rng: random.Random, height: float) -> list[iso.Shape]:
    """Two or three set-back storeys, some round or hexagonal, with a mast."""
    width = rng.uniform(0.5, 0.72)
    plan = rng.choice(("box", "box", "box", "round", "hexagon"))
    material = rng.choice([*WALLS, GLASS])
    parts, bottom = [], 0.0
    for share in (0.6, 0.3, 0.1):
        rise = share * height
        if plan == "box":
            part = iso.box((width, width * rng.uniform(0.75, 1.0), rise))
        elif plan == "round":
            part = iso.cylinder(0.5 * width, rise)
        else:
            part = iso.hexagonal_prism(0.55 * width, rise)
        parts.append(part.translate(0, 0, bottom + 0.5 * rise).material(material))
        bottom += rise
        width *= 0.74
    parts.append(iso.capsule(0.015, 0.3 * height).translate(0, 0, height).material(WALLS[3]))
    return parts


def house(rng: random.Random) -> list[iso.Shape]:
    """Walls and a pointed roof."""
    height, width = rng.uniform(0.25, 0.5), rng.uniform(0.4, 0.62)
    walls = iso.box((width, width, height)).translate(0, 0, 0.5 * height).material(rng.choice(WALLS))
    roof = iso.pyramid(1.12 * width, 0.5 * width).translate(0, 0, height + 0.25 * width).material(ROOF)
    return [walls, roof]


def trees(rng: random.Random) -> list[iso.Shape]:
    """A few round crowns."""
    radii = [rng.uniform(0.1, 0.17) for _ in range(4)]
    return [
        iso.sphere(radius).translate(rng.uniform(-0.3, 0.3), rng.uniform(-0.3, 0.3), radius).material(LEAF)
        for radius in radii
    ]


def lots() -> list[tuple[int, int]]:
    """Lots of a grid, those nearest the centre first; every fourth row and column is a street."""
    reach = range(-120, 121)
    free = [(i, j) for i in reach for j in reach if i % 4 and j % 4]
    return sorted(free, key=lambda lot: (math.hypot(*lot), lot))


def city(count: int = SHAPES, seed: int = 7) -> iso.Scene:
    """A city of `count` shapes."""
    rng = random.Random(seed)
    shapes: list[iso.Shape] = []
    rim = math.sqrt(count / 3.0)  # about where the city ends, in blocks
    for i, j in lots():
        away = math.hypot(i, j) / rim
        chance = rng.random()
        if chance < 0.12:
            parts = trees(rng)
        elif chance < 1.1 - 1.6 * away:
            parts = tower(rng, 0.7 + 4.0 * math.exp(-9.0 * away * away) * rng.uniform(0.5, 1.2))
        else:
            parts = house(rng)
        shapes += [part.translate(BLOCK * i, BLOCK * j, 0) for part in parts]
        if len(shapes) >= count:
            break
    far = 0.9 * rim
    return iso.Scene(
        show=iso.union(*shapes[:count]).named("city"),
        stage=[iso.plane().material(GROUND).named("ground")],
        lights=[
            iso.Sun(direction=(-1.5, -0.5, 1.1), color=(1.0, 0.84, 0.62), strength=2.4, angle=2.0),
            iso.Sky(zenith=(0.45, 0.62, 0.95), horizon=(0.95, 0.93, 0.95)),
        ],
        camera=iso.Camera(eye=(0.45 * far, -1.05 * far, 0.62 * far), target=(0, 0, 0.4), fov=35),
    )


scene = city()
