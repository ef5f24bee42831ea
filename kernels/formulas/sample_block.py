"""Layout of a block of samples in a program's data.

HEADER numbers (cells along x, y, z; centre; half extents; voxels in a scene unit along x, y, z; factors of positive and
of negative values; centre and radius of a ball that holds the surface), then for each cell of BRICK³ voxels the number
of its brick or -1, then the values at all corners of cells, then the bricks, each the values at its BRICK_SIDE³ nodes.
Everything is stored with the last axis fastest.
"""

HEADER_SIZE = 18
BRICK = 8  # voxels along the side of a cell
BRICK_SIDE = BRICK + 1
BRICK_NODES = BRICK_SIDE * BRICK_SIDE * BRICK_SIDE
