"""Settings of the kernel that finds what surface points see, for all the files that its code stands in."""

from enum import IntEnum


class VisibilitySetting(IntEnum):
    """Columns of the kernel's settings; lengths in scene units."""

    BALL_X = 0  # of the ball that holds all parts that end
    BALL_Y = 1
    BALL_Z = 2
    BALL_RADIUS = 3
    ENDLESS_REACH = 4  # how far away shadows of parts without an end are looked for; 0 where all parts end
    AMBIENT_REACH = 5  # how far ambient occlusion looks, 0 where there is none
    TAP = 6  # how far from a point the taps of its normal are, at a distance t from the camera: TAP + TAP_GROWTH · t
    TAP_GROWTH = 7
    SHADOW_STRIDE = 8  # longest step of a shadow ray
    STEP_FACTOR = 9  # by which a shadow ray's steps differ from sample to sample
    GROUPS = 10  # groups of rays with programs of their own for what occludes
    RAYS_PER_TILE = 11
    PLANE_COUNT = 12
    LIGHT_COUNT = 13
