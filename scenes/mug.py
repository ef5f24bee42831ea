"""A mug of coffee that reads like the drawing: what is joined, what is taken away, what is repeated.

isofield render scenes/mug.py --output mug.png
"""

import isofield as iso

glaze = iso.Material(base_color="#2f7f86", roughness=0.25).named("glaze")
coffee = iso.Material(base_color="#2a150b", roughness=0.1).named("coffee")
biscuit = iso.Material(base_color="#c98a45", roughness=0.8).named("biscuit")
linen = iso.Material(base_color="#d9cdbb", roughness=0.95).named("linen")

# A body and a handle grown together, a rim of facets pressed into the outside, the inside hollowed out.
body = iso.rounded_cylinder(0.5, 1.1, 0.08)
handle = iso.torus(0.3, 0.075).rotate(90, (1, 0, 0)).scale((0.8, 1, 1)).translate(0.52, 0, 0)
facet = iso.capsule(0.1, 0.62).translate(0.57, 0, -0.08).polar_repeat(14)
hollow = iso.rounded_cylinder(0.43, 1.1, 0.1).translate(0, 0, 0.1)

mug = (body.difference(facet, smooth=0.04).union(handle, smooth=0.08) - hollow).material(glaze)
drink = iso.cylinder(0.45, 0.04).translate(0, 0, 0.36).material(coffee)

# A flat bar and a disc run into each other; revolved, they are a saucer with a raised rim.
plate = iso.rounded_rectangle((1.6, 0.06), 0.03).translate(0, 0.03)
edge = iso.circle(0.045).translate(0.82, 0.1)
saucer = plate.union(edge, smooth=0.15).revolve().material(glaze)

# Biscuits: a round box with a grid of holes, one leaning on another.
hole = iso.cylinder(0.022, 1).repeat((0.12, 0.12, 0), (4, 4, 1))
cookie = iso.rounded_box((0.62, 0.62, 0.09), 0.04) - hole
cookies = (cookie.rotate(20).translate(-1.15, -0.35, 0.05) | cookie.rotate(48).translate(-1.1, -0.28, 0.14)).material(
    biscuit
)

scene = iso.Scene(
    show=mug.rotate(-35).translate(0, 0, 0.61) | drink.translate(0, 0, 0.61) | saucer | cookies,
    stage=[iso.plane().material(linen)],
    camera=iso.Camera(eye=(0.9, -4.4, 2.9), target=(-0.1, 0, 0.42), fov=32),
)
