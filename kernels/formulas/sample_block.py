"""Layout of a block of samples in a program's data.

A header, then for each cell of BRICK³ voxels the number of its brick or -1, then the values at all corners of cells,
then the bricks, each the values at its BRICK_SIDE³ nodes. Everything is stored with the last axis fastest.
"""

from enum import IntEnum


class Header(IntEnum):
    """Places of numbers in the header, in scene units unless said otherwise."""

    CELLS_X = 0
    CELLS_Y = 1
    CELLS_Z = 2
    CENTRE_X = 3  # of the bounds
    CENTRE_Y = 4
    CENTRE_Z = 5
    HALF_X = 6  # half extents of the bounds
    HALF_Y = 7
    HALF_Z = 8
    VOXELS_X = 9  # voxels in a scene unit
    VOXELS_Y = 10
    VOXELS_Z = 11
    POSITIVE_FACTOR = 12  # of values outside
    NEGATIVE_FACTOR = 13  # of values inside
    BALL_X = 14  # centre of a ball that holds the surface
    BALL_Y = 15
    BALL_Z = 16
    BALL_RADIUS = 17


HEADER_SIZE = len(Header)
MAXIMUM_CELLS = 4096  # along an axis
BRICK = 8  # voxels along the side of a cell
BRICK_SIDE = BRICK + 1  # nodes along the side of a brick
BRICK_NODES = BRICK_SIDE * BRICK_SIDE * BRICK_SIDE
