"""Signed distances of solids, centred, their axis of symmetry +z.

Unless a docstring says otherwise a value is the exact signed distance on both sides of the surface. Constructions
follow I. Quilez, "Distance functions" (iquilezles.org/articles/distfunctions) where no other source stands.
"""


def sphere(m, x, y, z, radius):
    """|p| - radius."""
    return m.radius3(x, y, z) - radius


def ellipsoid(m, x, y, z, a, b, c):
    """Distance to the ellipsoid of semi-axes a, b, c.

    With n_i = p_i / (t + r_i²), s_i = r_i n_i and t the largest root of |s| = 1 the closest point is r_i s_i and the
    distance t |n| = h / |n|, h = n·p - 1 (D. Eberly, "Distance from a point to an ellipse, an ellipsoid, or a
    hyperellipsoid"). The mean of these two is stationary at the root, so t's error enters squared. Newton's step on
    1/|s| - 1 stays left of the root (J. J. Moré and D. C. Sorensen, "Computing a trust region step", 1983); one on the
    equation times the squared distance to the nearest pole lands right of it. Their geometric mean, measured from that
    pole, converges cubically, also near the focal ellipse, where the root grows with the 2/3rd power of the distance
    from the plane and either step alone is slow. Four steps are exact to 1e-5 at the worst points; most need two.
    """
    # Order the semi-axes so that r is the largest and the last the smallest, and measure in units of the largest.
    px = m.abs(x)
    py = m.abs(y)
    pz = m.abs(z)
    swap = a < c
    r1 = m.select(swap, c, a)
    r3 = m.select(swap, a, c)
    q1 = m.select(swap, pz, px)
    q3 = m.select(swap, px, pz)
    swap_high = r1 < b
    scale = m.select(swap_high, b, r1)
    r2 = m.select(swap_high, r1, b)
    q2 = m.select(swap_high, q1, py)
    shrink = 1.0 / scale
    # From a million of these away it looks like a point: evaluated nearer by, no power of a coordinate overflows.
    nearer = m.max(m.max(px, m.max(py, pz)) * (shrink * 1e-6), 1.0)
    shrink_point = shrink / nearer
    pa = m.select(swap_high, py, q1) * shrink_point
    swap_low = r2 < r3
    rb = m.select(swap_low, r3, r2) * shrink
    rc = m.select(swap_low, r2, r3) * shrink
    pb = m.select(swap_low, q3, q2) * shrink_point
    # Off the medial disc by a hair: there the last coordinate would not determine its own root. It is added: as
    # a least value it would take the slope of the coordinate away.
    last = m.select(swap_low, q2, q3) * shrink_point
    pc = m.select(last > 1e-7 * rc, last, last + 1e-7 * rc)
    kc = rc * rc
    wa = (1.0 - rc) * (1.0 + rc)
    wb = (rb - rc) * (rb + rc)
    ib = 1.0 / rb
    ic = 1.0 / rc
    nb = pb * ib
    nc = pc * ic
    level = pa * pa + nb * nb + nc * nc
    inclination = m.max(pa * pa + nb * nb * ib * ib + nc * nc * ic * ic, 1e-30)
    sb = rb * pb
    sc = rc * pc
    # The unknown is u = t + rc² > 0. Lower bounds of the root: from the last axis alone, from one pole for all three,
    # from a step at the surface's t = 0, and from a step at u = 0 that leaves the last axis out.
    hair = kc * 1e-6
    va = 1.0 / m.max(wa, hair)
    vb = 1.0 / m.max(wb, hair)
    # The root grows with these, so less of them is a lower bound as well, whose powers do not overflow.
    fa = m.min(pa * va, 1e6)
    fb = m.min(sb * vb, 1e6)
    ratio = fa * fa + fb * fb
    ratio_slope = m.max(fa * fa * va + fb * fb * vb, 1e-30)
    poles = m.max(sc, m.length3(pa, sb, sc) - wa)
    steps = m.max(kc + level / inclination * (m.sqrt(level) - 1.0), ratio / ratio_slope * (m.sqrt(ratio) - 1.0) - hair)
    low = m.max(poles, steps)
    u = low
    for _ in range(4):
        iu = 1.0 / u
        ta = u / (u + wa)
        tb = u / (u + wb)
        ga = pa * iu * ta
        gb = sb * iu * tb
        gc = sc * iu
        ha = ga * ga
        hb = gb * gb
        hc = gc * gc
        square = ha + hb + hc
        slope = ha * ta + hb * tb + hc  # -(u/2) d|s|²/du
        # The second pole counts with the first as far as it looks near from u.
        joined = m.min(4.0 * tb * tb, 1.0) * hb
        near = joined + hc + 1e-9
        near_slope = joined * tb + hc + 1e-9
        bend = (1.0 - square + near) * near_slope + near * (slope - near_slope)
        safe = 2.0 * m.max(bend, 1e-6 * near_slope)
        pole = near / near_slope
        left = m.max(square * (m.sqrt(square) - 1.0) / slope, low * iu - 1.0)
        right = m.max(m.select(bend > 0.0, near * (square - 1.0) / safe, left), left)
        change = m.sqrt((pole + left) * (pole + right)) - pole
        u = m.max(u + u * change, low)
        if m.converged(change, 0.05):
            break
    n1 = pa / (u + wa)
    n2 = pb / (u + wb)
    n3 = pc / u
    t = u - kc
    h = pa * n1 + pb * n2 + pc * n3 - 1.0
    normal = n1 * n1 + n2 * n2 + n3 * n3
    # Near the medial disc |n| would need an exact u; near the surface the root of the product has no derivative.
    deep = u < 0.5 * kc
    product = t * h
    square = m.max(m.select(deep, product, normal), 1e-30)
    return scale * nearer * m.select(deep, -product, 0.5 * (t * normal + h)) / m.sqrt(square)


def box(m, x, y, z, half_x, half_y, half_z, rounding):
    """A box of half extents, its edges rounded with radius `rounding` without growing."""
    qx = m.abs(x) - (half_x - rounding)
    qy = m.abs(y) - (half_y - rounding)
    qz = m.abs(z) - (half_z - rounding)
    outside = m.length3(m.max(qx, 0.0), m.max(qy, 0.0), m.max(qz, 0.0))
    inside = m.min(m.max(qx, m.max(qy, qz)), 0.0)
    return outside + inside - rounding


def box_frame(m, x, y, z, half_x, half_y, half_z, width):
    """The edges of a box as bars of square section `width`. Exact outside, a bound inside the bars."""
    px = m.abs(x) - half_x
    py = m.abs(y) - half_y
    pz = m.abs(z) - half_z
    half = 0.5 * width
    qx = m.abs(px + half) - half
    qy = m.abs(py + half) - half
    qz = m.abs(pz + half) - half
    bar_x = m.length3(m.max(px, 0.0), m.max(qy, 0.0), m.max(qz, 0.0)) + m.min(m.max(px, m.max(qy, qz)), 0.0)
    bar_y = m.length3(m.max(qx, 0.0), m.max(py, 0.0), m.max(qz, 0.0)) + m.min(m.max(qx, m.max(py, qz)), 0.0)
    bar_z = m.length3(m.max(qx, 0.0), m.max(qy, 0.0), m.max(pz, 0.0)) + m.min(m.max(qx, m.max(qy, pz)), 0.0)
    return m.min(bar_x, m.min(bar_y, bar_z))


def torus(m, x, y, z, radius, tube):
    """A ring about the z axis: centre line of `radius`, tube of radius `tube`."""
    ring = m.radius2(x, y) - radius
    return m.radius2(ring, z) - tube


def capped_torus(m, x, y, z, radius, tube, sine, cosine):
    """An arc of a torus, open towards -y: ends at ± the half angle with that sine and cosine, measured from +y."""
    side = m.abs(x)
    ring = m.radius2(y, side) - radius  # from the centre the middle of the arc is as near as any other point
    along = m.radius2(ring, z)
    end = m.radius3(side - radius * sine, y - radius * cosine, z)
    return m.select(cosine * side > sine * y, end, along) - tube


def link(m, x, y, z, half_length, radius, tube):
    """A chain link: a torus pulled apart along y by 2 `half_length`."""
    stretched = m.max(m.abs(y) - half_length, 0.0)
    ring = m.radius2(x, stretched) - radius
    return m.radius2(ring, z) - tube


def capsule(m, x, y, z, half_segment, radius):
    """All within `radius` of the segment from -half_segment to +half_segment on the z axis."""
    rest = z - m.clamp(z, -half_segment, half_segment)
    return m.radius3(x, y, rest) - radius


def cylinder(m, x, y, z, radius, half_height, rounding):
    """A cylinder about the z axis, its rims rounded with radius `rounding` without growing."""
    side = m.radius2(x, y) - (radius - rounding)
    cap = m.abs(z) - (half_height - rounding)
    outside = m.length2(m.max(side, 0.0), m.max(cap, 0.0))
    return outside + m.min(m.max(side, cap), 0.0) - rounding


def capped_cone(m, x, y, z, half_height, bottom, top):
    """A cone about the z axis cut at ± half_height, with those radii at the bottom and the top."""
    rho = m.radius2(x, y)
    radius = m.select(z < 0.0, bottom, top)
    cap_x = rho - m.min(rho, radius)
    cap_z = m.abs(z) - half_height
    slant_x = top - bottom
    slant_z = 2.0 * half_height
    square = slant_x * slant_x + slant_z * slant_z
    from_x = rho - top
    from_z = z - half_height
    t = m.clamp(-(from_x * slant_x + from_z * slant_z) / square, 0.0, 1.0)
    side_x = from_x + slant_x * t
    side_z = from_z + slant_z * t
    side = side_x * side_x + side_z * side_z
    cap = cap_x * cap_x + cap_z * cap_z
    slant = (from_x * slant_z - from_z * slant_x) / m.sqrt(square)
    # Beside the slant its line decides: near it a length is one of rounding errors, whose direction says nothing.
    outside = m.select((side <= cap) & (t > 0.0) & (t < 1.0), slant, m.sqrt(m.min(cap, side)))
    # Inside of what is convex the nearest of the planes decides; a square root would have no slope on the surface.
    inside = m.max(cap_z, slant)
    return m.select(inside <= 0.0, inside, outside)


def plane(m, x, y, z, normal_x, normal_y, normal_z, offset):
    """The half-space below n·p = offset; the normal is a unit vector."""
    return x * normal_x + y * normal_y + z * normal_z - offset


def octahedron(m, x, y, z, radius):
    """|x| + |y| + |z| ≤ radius."""
    px = m.abs(x)
    py = m.abs(y)
    pz = m.abs(z)
    excess = px + py + pz - radius
    # In front of a face the plane decides; beyond, the edge opposite the smallest coordinate.
    near_x = 3.0 * px < excess
    near_y = 3.0 * py < excess
    near_z = 3.0 * pz < excess
    qx = m.select(near_x, px, m.select(near_y, py, pz))
    qy = m.select(near_x, py, m.select(near_y, pz, px))
    qz = m.select(near_x, pz, m.select(near_y, px, py))
    k = m.clamp(0.5 * (qz - qy + radius), 0.0, radius)
    edge = m.length3(qx, qy - radius + k, qz - k)
    return m.select(near_x | near_y | near_z, edge, excess * 0.5773502691896258)


def pyramid(m, x, y, z, half_base, half_height):
    """A pyramid on a square base, base and apex at ∓ half_height.

    By symmetry one of the four sides, with y ≤ x, decides together with the base: the smallest of the distances to the
    side's plane (where the foot lies on the side), to its slanted edge and to the base.
    """
    ax = m.abs(x)
    ay = m.abs(y)
    px = m.max(ax, ay)
    py = m.min(ay, ax)  # the other one, also where they tie
    height = 2.0 * half_height
    slope = 1.0 / m.sqrt(height * height + half_base * half_base)
    nx = height * slope  # outward normal of the side (nx, 0, nz)
    nz = half_base * slope
    above = z + half_height
    plane_distance = (px - half_base) * nx + above * nz
    # Foot on the side's plane, and how far up the side it is (0 at the base, 1 at the apex).
    foot_z = above - plane_distance * nz
    up = foot_z / height
    within = (up >= 0.0) & (up <= 1.0) & (py <= half_base * (1.0 - up))
    # The slanted edge runs from (half_base, half_base, 0) to the apex (0, 0, height).
    t = m.clamp(
        ((half_base - px) * half_base + (half_base - py) * half_base + above * height)
        / (2.0 * half_base * half_base + height * height),
        0.0,
        1.0,
    )
    edge = m.length3(px - half_base * (1.0 - t), py - half_base * (1.0 - t), above - height * t)
    base = m.length3(m.max(px - half_base, 0.0), m.max(py - half_base, 0.0), above)
    side = m.select(within, m.abs(plane_distance), edge)
    # Inside of what is convex the nearest of the planes decides; a length would have no slope on the surface.
    inside = m.max(plane_distance, -above)
    return m.select(inside <= 0.0, inside, m.min(side, base))


def prism(m, x, y, z, half_side, apothem, half_height, normal_x, normal_y, mirror):
    """A prism along z on an equilateral triangle or a regular hexagon, its first edge on +x.

    (normal_x, normal_y) is the unit normal of the first side, at half a sector from +x; `mirror` is -1 for the hexagon,
    which is even in x, and 1 for the triangle. What is left of the plane after mirroring at the x axis is mirrored at
    the first side's far end, and then faces that side.
    """
    px = m.max(x, mirror * x)
    py = m.abs(y)
    end_x = normal_x * normal_x - normal_y * normal_y  # direction of the side's far end
    end_y = 2.0 * normal_x * normal_y
    beyond = 2.0 * m.max(end_x * py - end_y * px, 0.0)
    px = px + end_y * beyond
    py = py - end_x * beyond
    side = px * normal_x + py * normal_y - apothem
    along = m.abs(py * normal_x - px * normal_y) - half_side
    cap = m.abs(z) - half_height
    outside = m.length3(m.max(along, 0.0), m.max(side, 0.0), m.max(cap, 0.0))
    return outside + m.min(m.max(side, cap), 0.0)
