"""Signed distances of shapes in the x-y plane, exact on both sides; z is ignored (endless prisms in space)."""

HAIR = 1e-14  # share of an edge's square within which a point counts as one of its corners


def circle(m, x, y, z, radius):
    """|(x, y)| - radius."""
    return m.radius2(x, y) - radius


def rectangle(m, x, y, z, half_x, half_y, rounding):
    """A rectangle of half extents, its corners rounded with radius `rounding` without growing."""
    qx = m.abs(x) - (half_x - rounding)
    qy = m.abs(y) - (half_y - rounding)
    outside = m.length2(m.max(qx, 0.0), m.max(qy, 0.0))
    return outside + m.min(m.max(qx, qy), 0.0) - rounding


def star(m, x, y, z, sector, outer_x, inner_x, inner_y):
    """A star, its first tip on +x; a regular polygon when the inner corner lies on the chord between two tips.

    `sector` is the angle from tip to tip (radians); the outer corner is (outer_x, 0), the inner corner the point
    (inner_x, inner_y) at angle sector / 2. Mirroring at the tips' and inner corners' axes folds the plane into half a
    sector, where one edge is left.
    """
    turn = sector * m.floor(m.atan2(y, x) / sector + 0.5)
    sine = m.sin(turn)
    cosine = m.cos(turn)
    px = cosine * x + sine * y
    py = m.abs(cosine * y - sine * x)
    edge_x = inner_x - outer_x
    edge_y = inner_y
    from_x = px - outer_x
    square = edge_x * edge_x + edge_y * edge_y
    along = (from_x * edge_x + py * edge_y) / square
    t = m.clamp(along, 0.0, 1.0)
    line = (edge_y * from_x - edge_x * py) / m.sqrt(square)  # signed distance to the edge's line
    corner = m.length2(from_x - edge_x * t, py - edge_y * t)
    # Near the edge a length is one of rounding errors, whose direction says nothing; the line's distance has a slope.
    beside = ((along >= 0.0) & (along <= 1.0)) | (corner * corner <= HAIR * square)
    return m.select(beside, line, m.select(line < 0.0, -corner, corner))


def polygon(m, x, y, z, vertices, start, count):
    """A simple polygon of `count` corners, x and y in turn in `vertices` from `start` on; sign by winding.

    The distance is the smallest to any edge; each edge that passes the point's height on its right flips the sign.
    Beside the nearest edge and at its corners the value is the signed distance to the edge's line, with the outside
    where the sign of the polygon's area says: near an edge a length is one of rounding errors, and has no slope on it.
    """
    last = start + 2 * (count - 1)
    previous_x = vertices[last]
    previous_y = vertices[last + 1]
    dx = x - previous_x
    dy = y - previous_y
    square = dx * dx + dy * dy
    line = square * 0.0
    beside = line > 0.0
    sign = line + 1.0
    area = 0.0
    for i in range(count):
        corner_x = vertices[start + 2 * i]
        corner_y = vertices[start + 2 * i + 1]
        edge_x = previous_x - corner_x
        edge_y = previous_y - corner_y
        from_x = x - corner_x
        from_y = y - corner_y
        # Corners that float32 cannot tell apart have no edge, but a distance.
        edge = m.max(edge_x * edge_x + edge_y * edge_y, 1e-30)
        t = m.clamp((from_x * edge_x + from_y * edge_y) / edge, 0.0, 1.0)
        rest_x = from_x - edge_x * t
        rest_y = from_y - edge_y * t
        rest = rest_x * rest_x + rest_y * rest_y
        cross = edge_x * from_y - edge_y * from_x
        nearest = rest <= square
        line = m.select(nearest, cross / m.sqrt(edge), line)
        beside = (nearest & (((t > 0.0) & (t < 1.0)) | (rest <= HAIR * edge))) | (beside & (rest > square))
        square = m.min(square, rest)
        area += previous_x * corner_y - previous_y * corner_x
        starts_below = y >= corner_y
        ends_above = y < previous_y
        left = cross > 0.0
        upward = starts_below & ends_above & left
        downward = (y < corner_y) & (y >= previous_y) & (cross <= 0.0)
        sign = m.select(upward | downward, -sign, sign)
        previous_x = corner_x
        previous_y = corner_y
    return m.select(beside, line * m.select(area < 0.0, -1.0, 1.0), sign * m.sqrt(square))
