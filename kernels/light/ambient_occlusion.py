"""Ambient occlusion: device functions that estimate from a few distances above a point how much of the sky it sees.

Along the normal, values less than a tap's height mean that something is near; far taps weigh less than near ones.
"""

from ..lanes import FAR
from ..runtime import ti
from .visibility_settings import VisibilitySetting

AMBIENT_TAPS = 5
OCCLUSION_SCALE = 0.5  # a right-angled corner misses all of every tap's height, and sees half of the sky
# Occlusion grows from tap to tap by what is missing of the tap's height, and a nearer tap never misses more than a
# farther one: less than this share of the reach at one tap means less than 1/256 from all nearer ones.
NOTHING_NEAR = 2.5e-4


@ti.func
def tap_height(tap, settings: ti.template()):
    """How far above the surface tap AMBIENT_TAPS (the first) … 1 (the last) is."""
    reach = settings[VisibilitySetting.AMBIENT_REACH]
    return reach * ti.cast(tap * tap, ti.f32) / ti.cast(AMBIENT_TAPS * AMBIENT_TAPS, ti.f32)


@ti.func
def out_of_reach(x, y, z, height, missed: ti.template(), settings: ti.template()):
    """FAR on lanes without a point, and where all parts are farther from x, y, z than the tap is high; else 0."""
    vx = x - settings[VisibilitySetting.BALL_X]
    vy = y - settings[VisibilitySetting.BALL_Y]
    vz = z - settings[VisibilitySetting.BALL_Z]
    away = ti.sqrt(vx * vx + vy * vy + vz * vz) - settings[VisibilitySetting.BALL_RADIUS]
    all_end = settings[VisibilitySetting.ENDLESS_REACH] == 0.0
    return ti.select((away >= height) & all_end, FAR, missed)


@ti.func
def missing_height(height, value: ti.template(), missed: ti.template()):
    """What a tap's value misses of its height; 0 on lanes without a point."""
    return ti.select(missed < 1.0, ti.max(height - value, 0.0), 0.0)


@ti.func
def tap_occlusion(tap, height, missing: ti.template()):
    """What a tap adds to the occlusion."""
    return missing / height / ti.cast(1 << tap, ti.f32)


@ti.func
def ambient_visibility(occlusion):
    """Share of the sky that is visible, from the occlusion of all taps."""
    return ti.min(ti.max(1.0 - OCCLUSION_SCALE * occlusion, 0.0), 1.0)
