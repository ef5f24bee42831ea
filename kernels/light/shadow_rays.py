"""Shadow rays: device functions that find how much of a light's disc is visible, marching a single ray to its middle.

The disc of a light of angular size s has radius s · t at a blocker at distance t. value / (s · t) is how much of it the
blocker leaves, on a scale from -1 (covered) to 1 (visible).
"""

import functools
from types import SimpleNamespace

from ..lanes import FAR, packet_functions
from ..runtime import ti
from ..trace import plane_distance, plane_slope
from .lights import LightColumn
from .visibility_settings import VisibilitySetting

SHADOW_STEPS = 96
SHADOW_STRIDE = 1.0  # longest step of a shadow ray in grains of the scene
# Shortest step of a shadow ray, in sizes of a tap, and by how much it grows from step to step after many: with one
# length, a ray that grazes a surface is at its end before it has passed it, and what hides the light behind is missed.
LEAST_STEP = 0.5
PATIENCE = 32
LEAST_GROWTH = 1.12
STRIDE_JITTER = 0.25  # by which share the steps of different samples differ, so that their errors cancel

# Shadows of parts without an end are looked for within so many radii of the rest of the scene.
ENDLESS_REACH = 8.0


@functools.cache
def shadow_rays(width: int) -> SimpleNamespace:
    """`new_rays` and `aim` for packets of `width` rays."""
    Lanes = packet_functions(width).Lanes

    @ti.func
    def new_rays():
        """A packet of shadow rays, to be aimed at a light.

        x, y, z is the direction; t how far the ray has come, `step` its last step, `clearance` how much was free there,
        and `least` the shortest step in sizes of a tap. It is marched from `begin` to `end`, and leaves the ball
        that holds all parts at `leave`. `size` is the light's, `visible` how much of its disc, -1 … 1.
        """
        return ti.Struct(
            x=Lanes(0.0), y=Lanes(0.0), z=Lanes(0.0), t=Lanes(0.0), step=Lanes(0.0), clearance=Lanes(0.0),
            least=LEAST_STEP, begin=Lanes(0.0), end=Lanes(0.0), leave=Lanes(0.0), size=Lanes(0.0), visible=Lanes(1.0),
        )  # fmt: skip

    @ti.func
    def beside_planes(ray: ti.template(), point: ti.template(), planes: ti.template(), plane_count):
        """How much of a light's disc the planes leave, -1 … 1: none hides more of a ray than of its end."""
        x = point.x + point.nx * point.tap
        y = point.y + point.ny * point.tap
        z = point.z + point.nz * point.tap
        share = Lanes(1.0)
        for k in range(plane_count):
            above = plane_distance(planes, k, x, y, z)
            rising = plane_slope(planes, k, ray.x, ray.y, ray.z)
            share = ti.min(share, (above + rising * ray.end) / ti.max(ray.size * ray.end, 1e-6))
        return share

    @ti.func
    def turn_to(ray: ti.template(), point: ti.template(), lights: ti.template(), light):
        """Direction, size and end of a ray to a light."""
        is_point = lights[light, LightColumn.KIND]
        lx = lights[light, LightColumn.X] - point.x * is_point
        ly = lights[light, LightColumn.Y] - point.y * is_point
        lz = lights[light, LightColumn.Z] - point.z * is_point
        away = ti.max(ti.sqrt(lx * lx + ly * ly + lz * lz), 1e-6)
        ray.x = lx / away
        ray.y = ly / away
        ray.z = lz / away
        ray.size = Lanes(lights[light, LightColumn.SIZE])
        ray.end = Lanes(FAR)  # a sun's light comes from beyond everything
        if is_point > 0.5:
            ray.end = away
            ray.size = ray.size / away

    @ti.func
    def aim(
        ray: ti.template(), point: ti.template(), lights: ti.template(), light, planes: ti.template(), plane_count,
        settings: ti.template(),
    ):  # fmt: skip
        """Set rays out from points to a light; returns their `lane_bias`, FAR where nothing is to be marched."""
        turn_to(ray, point, lights, light)
        ray.visible = beside_planes(ray, point, planes, plane_count)
        # What casts shadows lies in the ball, enlarged by the disc as seen from its far side.
        cx = point.x - settings[VisibilitySetting.BALL_X]
        cy = point.y - settings[VisibilitySetting.BALL_Y]
        cz = point.z - settings[VisibilitySetting.BALL_Z]
        radius = settings[VisibilitySetting.BALL_RADIUS]
        endless_reach = settings[VisibilitySetting.ENDLESS_REACH]
        along = cx * ray.x + cy * ray.y + cz * ray.z
        reach = radius + ray.size * ti.max(radius - along, 0.0)
        chord = along * along + reach * reach - (cx * cx + cy * cy + cz * cz)
        half = ti.sqrt(ti.max(chord, 0.0))
        ray.leave = half - along
        ray.begin = point.tap
        outside = (chord <= 0.0) | (ray.leave <= 0.0)
        if endless_reach > 0.0:
            ray.end = ti.min(ray.end, ti.max(ray.leave, endless_reach))
            outside = chord < -FAR
        else:
            ray.begin = ti.max(point.tap, -along - half)
            ray.end = ti.min(ray.end, ray.leave)
        ray.t = ray.begin
        ray.step = Lanes(0.0)
        ray.least = LEAST_STEP
        faces_away = point.nx * ray.x + point.ny * ray.y + point.nz * ray.z <= 0.0
        ray.visible = ti.select(faces_away | (point.missed >= 1.0), -1.0, ray.visible)
        return ti.select((ray.visible <= -1.0) | outside | (ray.t > ray.end), FAR, point.missed)

    return SimpleNamespace(new_rays=new_rays, aim=aim)


@ti.func
def shadow_point(ray: ti.template(), point: ti.template()):
    """Where rays have come to; they set out two taps above the surface."""
    return (
        point.x + (point.nx * point.tap * 2.0 + ray.x * ray.t),
        point.y + (point.ny * point.tap * 2.0 + ray.y * ray.t),
        point.z + (point.nz * point.tap * 2.0 + ray.z * ray.t),
    )


@ti.func
def shadow_limit(ray: ti.template(), point: ti.template(), at_start: ti.template(), settings: ti.template()):
    """What a value need not be larger than; `at_start` while the ray is within a tap of the surface."""
    # A value beyond the disc shows all of it; short steps among many shapes are cheaper than long ones, because what is
    # farther than the step is skipped.
    disc = ti.max(ray.size * ray.t, settings[VisibilitySetting.SHADOW_STRIDE])
    near_by = ti.select(ray.t > ray.leave, FAR, disc)
    on_the_way = ti.select(ray.t > point.tap, FAR, at_start)
    return ti.select(ray.t > ray.begin, ti.min(ray.clearance + ray.step, near_by), on_the_way)


@ti.func
def shadow_step(
    ray: ti.template(), lane_bias: ti.template(), point: ti.template(), value: ti.template(), limit: ti.template(),
    steps_before, settings: ti.template(),
):  # fmt: skip
    """Take in the value where rays are, and move them on; `lane_bias` becomes FAR where they are done."""
    disc = ti.max(ray.size * ray.t, 1e-6)
    # Between this point and the last the ray came nearer to what is value away: where the spheres around the two meet,
    # `back` before this point, if it is as good as flat (S. Aaltonen, GDC 2018). Values at the limit say nothing.
    measured = (value > 0.0) & (value < 0.999 * limit) & (ray.t > ray.begin)
    back = ti.select(measured, ti.min(0.5 * value * value / ti.max(ray.step, 1e-9), 0.9 * ray.step), 0.0)
    nearest = ti.sqrt(ti.max(value * value - back * back, 0.0)) / ti.max(ray.size * (ray.t - back), 1e-6)
    share = ti.select(measured, nearest, value / disc)
    ray.visible = ti.select(lane_bias < 1.0, ti.min(ray.visible, share), ray.visible)
    ray.clearance = ti.abs(value)
    least = 0.25 * disc + ray.least * point.tap
    ray.step = ti.max(ray.clearance, least) * settings[VisibilitySetting.STEP_FACTOR]
    if steps_before > PATIENCE:
        ray.least *= LEAST_GROWTH
    ray.t += ti.select(lane_bias < 1.0, ray.step, 0.0)
    lane_bias = ti.select((ray.visible < -1.0) | (ray.t > ray.end), FAR, lane_bias)


@ti.func
def visible_area(ray: ti.template()):
    """Share of the area of the light's disc that is visible, about."""
    visible = ti.min(ti.max(ray.visible, -1.0), 1.0)
    return 0.25 * (1.0 + visible) * (1.0 + visible) * (2.0 - visible)
