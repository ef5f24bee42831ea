"""Every shape and operator once, on a board with its name. It walks the registry, so a new kind joins by itself.

isofield render scenes/board.py --output board.png --width 1280 --height 960
"""

import itertools
import math
from pathlib import Path
from typing import Any

import isofield as iso
from isofield.engine import shapes
from isofield.engine.shapes import KINDS

COLUMNS = 9
CELL = (1.45, 2.05)  # of the board
LETTER = (0.076, 0.13)  # width and height of a letter
PITCH = 0.112
STROKE = 0.024

SOLID = iso.Material(base_color="#d2542d", roughness=0.4).named("solid")
SHEET = iso.Material(base_color="#1f8a8a", roughness=0.4).named("sheet")
FLAT = iso.Material(base_color="#e2a01b", roughness=0.4).named("flat")
CHANGED = iso.Material(base_color="#3a6ea5", roughness=0.4).named("changed")
BOARD = iso.Material(base_color="#e9e3d8", roughness=0.8).named("board")
INK = iso.Material(base_color="#2b2f36", roughness=0.7).named("ink")

# Letters as strokes on a grid 4 wide and 6 high, a point a pair of digits.
FONT = {
    "a": "00 26 40|12 32", "b": "00 06 36 45 44 33 42 41 30 00|03 33", "c": "45 36 16 05 01 10 30 41",
    "d": "00 06 26 44 42 20 00", "e": "46 06 00 40|03 33", "f": "46 06 00|03 33", "g": "45 36 16 05 01 10 30 41 43 23",
    "h": "00 06|40 46|03 43", "i": "20 26", "j": "36 31 20 10 01", "k": "00 06|46 02|13 40", "l": "06 00 40",
    "m": "00 06 23 46 40", "n": "00 06 40 46", "o": "20 10 01 05 16 36 45 41 30 20", "p": "00 06 36 45 44 33 03",
    "q": "20 10 01 05 16 36 45 41 30 20|22 40", "r": "00 06 36 45 44 33 03|23 40",
    "s": "45 36 16 05 04 13 33 42 41 30 10 01", "t": "06 46|26 20", "u": "06 01 10 30 41 46", "v": "06 20 46",
    "w": "06 10 24 30 46", "x": "00 46|06 40", "y": "06 23 46|23 20", "z": "06 46 00 40",
}  # fmt: skip


def stroke(start: str, end: str) -> iso.Shape:
    """A bar between two points of the grid."""
    (x0, y0), (x1, y1) = ((int(p[0]) / 4 * LETTER[0], int(p[1]) / 6 * LETTER[1]) for p in (start, end))
    length = math.hypot(x1 - x0, y1 - y0) + STROKE
    bar = iso.box((length, STROKE, 0.02)).rotate(math.degrees(math.atan2(y1 - y0, x1 - x0)))
    return bar.translate(0.5 * (x0 + x1), 0.5 * (y0 + y1), 0)


def letter(character: str) -> iso.Shape:
    """A letter lying in the x-y plane, its lower left corner at the origin."""
    paths = [path.split() for path in FONT[character].split("|")]
    return iso.union(*(stroke(*pair) for path in paths for pair in itertools.pairwise(path)))


LETTERS = {character: letter(character).named(f"letter_{character}") for character in FONT}


def label(text: str) -> iso.Shape:
    """A name, a line for each of its words, centred below the origin."""
    placed = []
    for line, word in enumerate(text.split("_")):
        for column, character in enumerate(word):
            x = (column - 0.5 * len(word)) * PITCH
            placed.append(iso.union(LETTERS[character]).translate(x, -0.2 * line, 0))
    return iso.union(*placed).material(INK)


# A volume of 24³ distances, that of three crossed capsules:
#   bar = iso.capsule(0.16, 0.96)
#   jack = iso.union(bar, bar.rotate(90, (1, 0, 0)), bar.rotate(90, (0, 1, 0)), smooth=0.12)
#   axis = torch.linspace(-0.5, 0.5, 24)
#   nodes = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1)
#   numpy.save("jack.npy", iso.kernels.distance(iso.build_program(iso.Scene(jack)), nodes).half().numpy())
FOLDER = Path(__file__).parent
JACK = iso.sampled(str(FOLDER / "jack.npy"), ((-0.5, -0.5, -0.5), (0.5, 0.5, 0.5)))
DUCK = iso.neural(str(FOLDER / "learned_duck.safetensors"))

# What the operators are shown on.
CUBE = iso.box(0.8)
BALL = iso.sphere(0.5).translate(0.2, -0.2, 0.25)
BAR = iso.rounded_box((0.3, 0.3, 1.0), 0.05)
PROFILE = iso.star(5, 0.5, 0.25)

SHOWN = {
    "xor": (CUBE ^ BALL) - iso.box((2.0, 1.0, 2.0)).translate(0.0, -0.7, 0.0),
    "union": CUBE.union(BALL, smooth=0.15),
    "cylinder": iso.cylinder(0.5, 1.0),
    "plane": iso.plane() & iso.box((1.1, 1.1, 0.2)),
    "sampled": JACK,
    "mesh": shapes.mesh(str(FOLDER / "gem.obj")),
    "neural": DUCK.scale(0.5),
    "polygon": iso.polygon([(-0.5, -0.4), (0.5, -0.4), (0.2, 0), (0.5, 0.4), (-0.2, 0.5), (-0.2, 0)]),
    "extrude": PROFILE.extrude(0.8),
    "revolve": iso.regular_polygon(6, 0.2).revolve(0.4),
    "offset": iso.box(0.6).round(0.2),
    "shell": iso.sphere(0.5).shell(0.08) - iso.box(0.8).translate(0.4, -0.4, 0.4),
    "wave": iso.sphere(0.45).wave(0.05, 0.3),
    "elongate": iso.torus(0.25, 0.12).elongate(0.4, 0, 0.2),
    "mirror": iso.capsule(0.14, 1.0).rotate(30, (0, 1, 0)).translate(0.3, 0, 0).mirror((1, 0, 0)),
    "repeat": iso.sphere(0.15).repeat((0.36, 0.36, 0.36), (3, 3, 3)),
    "polar_repeat": iso.capsule(0.09, 0.9).translate(0.45, 0, 0).polar_repeat(8),
    "twist": iso.box((0.6, 0.6, 1.1)).twist(90),
    "bend": iso.rounded_box((1.5, 0.5, 0.16), 0.05).bend(0.55),
}

# How high the middle of a shape stands above the board; half its height.
HEIGHTS = {
    "ellipsoid": 0.25, "torus": 0.15, "capped_torus": 0.15, "link": 0.1, "plane": 0.1, "revolve": 0.2, "bend": 0.1,
    "elongate": 0.22, "union": 0.4, "intersection": 0.4, "difference": 0.4, "xor": 0.4, "shell": 0.54, "extrude": 0.4,
    "mirror": 0.5, "polar_repeat": 0.45, "twist": 0.55, "repeat": 0.51,
    "neural": 0.22, "mesh": 0.45,
}  # fmt: skip


def exhibit(kind: str) -> iso.Shape:
    """The shape that shows a kind, standing on the board."""
    cls: type[Any] = KINDS[kind]
    of = cls.model_fields.get("of")
    material = SOLID
    if kind in SHOWN:
        shape = SHOWN[kind]
    elif of is None:
        shape = cls()
    else:  # an operator takes two shapes or one
        shape = cls(of=(CUBE, BALL)) if "tuple" in str(of.annotation) else cls(of=BAR)
    height = HEIGHTS.get(kind, 0.5)
    if shape.flat:
        shape, height, material = shape.extrude(0.3), 0.15, FLAT
    elif of is not None:
        material = CHANGED
    elif "cell" in cls.model_fields:
        shape, material = shape & iso.box(1.0), SHEET
    return shape.translate(0, 0, height).material(material)


def group(kind: str) -> int:
    """Solids first, then sheets, flat shapes and operators."""
    fields = KINDS[kind].model_fields
    return 3 if "of" in fields else 2 if KINDS[kind].flat else 1 if "cell" in fields else 0


def board() -> iso.Scene:
    """The scene: exhibits in rows, each with its name in front of it."""
    kinds = sorted(KINDS, key=group)
    rows = math.ceil(len(kinds) / COLUMNS)
    middle = (0.5 * (COLUMNS - 1), 0.5 * (rows - 1))
    parts = []
    for number, kind in enumerate(kinds):
        row, column = divmod(number, COLUMNS)
        x, y = (column - middle[0]) * CELL[0], (middle[1] - row) * CELL[1]
        turned = iso.union(exhibit(kind)).rotate(20).scale(0.85).named(f"shown_{kind}")
        parts += [turned.translate(x, y + 0.25, 0), label(kind).translate(x, y - 0.6, 0.005)]
    size = (COLUMNS * CELL[0] + 0.3, rows * CELL[1] + 0.3, 0.3)
    plate = iso.rounded_box(size, 0.05).translate(0, -0.05, -0.15).material(BOARD)
    depth = rows * CELL[1]
    return iso.Scene(
        show=iso.union(*parts).named("exhibits"),
        stage=[plate.named("plate"), iso.plane(offset=-0.3).named("floor").material("board")],
        materials={"board": BOARD},
        camera=iso.Camera(eye=(0, -1.5 * depth, 2.5 * depth), target=(0, -0.3, 0), fov=24),
    )


scene = board()
