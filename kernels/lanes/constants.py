"""Constants that all device code shares."""

FAR = 1e9  # a distance beyond every scene; finite, because the device maths assumes that nothing is infinite

LARGEST_COORDINATE = 1e18  # beyond, sums of squares of coordinates overflow
LEAST_SCALE = 1e-6  # by which shapes may be scaled down, all scales around them multiplied
NOTHING_KNOWN = 1e19  # a value beyond all that a program gives within these coordinates, with a finite square
