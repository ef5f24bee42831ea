"""The sky: device functions of its radiance, which goes over from the zenith to the horizon and the ground."""

from ..runtime import ti
from .lights import SkyColumn


@ti.func
def sky_weights(z):
    """Weights of the zenith, the horizon and the ground in the radiance from a direction of height z, -1 … 1."""
    up = ti.sqrt(ti.max(z, 0.0))
    down = ti.min(ti.max(-4.0 * z, 0.0), 1.0)  # the horizon's glow fades into the ground a quarter of the way down
    return up, (1.0 - up) * (1.0 - down), down


@ti.func
def sky_radiance(sky: ti.template(), up, level, down, channel):
    """A channel of the sky where zenith, horizon and ground have the weights that `sky_weights` gives."""
    radiance = sky[SkyColumn.ZENITH + channel] * up + sky[SkyColumn.HORIZON + channel] * level
    return radiance + sky[SkyColumn.GROUND + channel] * down


@ti.func
def background(sky: ti.template(), z):
    """Radiance (red, green, blue) of the sky behind everything in a direction of height z."""
    up, level, down = sky_weights(ti.max(z, 0.0))
    return (
        sky_radiance(sky, up, level, down, 0),
        sky_radiance(sky, up, level, down, 1),
        sky_radiance(sky, up, level, down, 2),
    )
