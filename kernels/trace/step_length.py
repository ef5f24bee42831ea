"""How long the steps of a ray are: device functions about one step of sphere tracing.

Steps are longer than the distance and taken back where the spheres of two steps do not overlap, so that nothing is
jumped over (Keinert et al. 2014). How long follows from how fast the value fell over the last step: at a plane the
spheres then touch, or the step ends on it (Bálint and Valasek 2018, "Accelerating sphere tracing").
"""

from ..runtime import ti

# Flatter falls than these are not believed, for the length of a step, and for where outside of it the surface is.
LEAST_SLOPE = 0.15
LANDING_SLOPE = 0.5
# What may be left between two spheres, in tolerances: that of a picture is a tenth of a pixel.
SLACK = 5.0


@ti.func
def slope_along(value_before, value, step):
    """How fast the value fell over the last step, LEAST_SLOPE … 1; 1 after a step back and before the first."""
    fallen = (value_before - value) / ti.max(step, 1e-30)
    return ti.select(step > 0.0, ti.min(ti.max(fallen, LEAST_SLOPE), 1.0), 1.0)


@ti.func
def next_lengths(value, clearance, slope, slack):
    """How far off the surface lies along the ray, and how long the next step may be, by the slope of the last one.

    `clearance` is the radius of the sphere around the point that holds nothing, `slack` what may be left between it and
    the next.
    """
    # 1 / slope and 1 / (1 + slope) by one division, of which a step has few.
    both = 1.0 / (slope * (1.0 + slope))
    # Inside, the fall since the point before leads back to the surface; outside it may be another's.
    inverse = (1.0 + slope) * both
    landing = ti.select(value > 0.0, ti.min(inverse, 1.0 / LANDING_SLOPE), inverse)
    step = ti.min((2.0 * clearance + slack) * slope, clearance * (1.0 + slope)) * both
    return value * landing, step
